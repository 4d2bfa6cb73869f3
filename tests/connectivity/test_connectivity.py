"""The wiring as data: cell types, masks, initial weights, reproducibility, and refusal of what is impossible."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import biornn as bn
from biornn.connectivity import Connectivity

ARRAYS = ("sign", "cell_type")
PATHWAY_ARRAYS = ("mask", "sign", "initial_weights")
RING = np.roll(np.eye(5, dtype=bool), 1, axis=1)
#: One of every kind: what must hold for all of them is tested on these.
SETTINGS = [
    {"n_units": 1},
    {"n_units": 1, "excitatory_fraction": 1.0},
    {"n_units": 40},
    {"n_units": 40, "initial": "gaussian", "density": 0.3, "autapses": False, "mask_rule": "fixed_in_degree"},
    {"n_units": 40, "excitatory_fraction": 0.8, "density": 0.5, "autapses": False, "readout_sign": "dale"},
    {"n_units": 40, "excitatory_fraction": 0.0},
    {"n_units": 40, "excitatory_fraction": 1.0, "initial": "half_normal"},
    {"n_units": 40, "density": 0.0},
    {"n_units": 5, "mask": RING, "excitatory_fraction": 0.6},
    {"n_units": 5, "mask": RING.tolist(), "autapses": False},
    {
        "n_units": 40,
        "areas": (10, 30),
        "area_density": [[0.9, 0.2], [0.1, 0.7]],
        "excitatory_fraction": 0.7,
        "long_range": "excitatory",
        "input_density": 0.4,
        "input_sign": "non_negative",
        "readout_from": "excitatory",
        "readout_sign": "non_negative",
    },
    {
        "n_units": np.int8(100),
        "seed": np.uint8(255),
        "density": np.float32(0.5),
        "autapses": np.bool_(False),
        "areas": np.array([30, 70], np.int8),
    },
]
everything = pytest.mark.parametrize("kwargs", SETTINGS, ids=lambda kwargs: "-".join(map(str, kwargs)))


def pathways(wiring):
    return wiring.recurrent, wiring.input(3), wiring.readout(2)


def draws(wiring):
    """Every array a connectivity has."""
    arrays = [getattr(wiring, name) for name in ARRAYS]
    return arrays + [getattr(pathway, name) for pathway in pathways(wiring) for name in PATHWAY_ARRAYS]


def radius(weights):
    return np.abs(np.linalg.eigvals(weights)).max()


@everything
def test_all_arrays_are_read_only_finite_and_keep_to_the_constraint(kwargs):
    wiring = Connectivity(**kwargs)
    for array in draws(wiring):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]
    for pathway in pathways(wiring):
        assert np.isfinite(pathway.initial_weights).all()
        assert pathway.violations(pathway.initial_weights) == 0
    np.testing.assert_array_equal(wiring.recurrent.sign, wiring.sign)
    assert wiring.recurrent.mask.shape == (kwargs["n_units"],) * 2
    assert wiring.input(3).mask.shape == (3, kwargs["n_units"])
    assert wiring.readout(2).mask.shape == (kwargs["n_units"], 2)


@everything
def test_config_round_trips_through_json(kwargs):
    wiring = Connectivity(**kwargs)
    config = wiring.get_config()
    again = Connectivity.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    for first, second in zip(draws(wiring), draws(again), strict=True):
        np.testing.assert_array_equal(first, second)


@everything
def test_the_seed_decides_every_draw(kwargs):
    def made(seed):
        return pathways(Connectivity(**(kwargs | {"seed": seed})))

    for first, again, other in zip(made(1), made(1), made(2), strict=True):
        for name in PATHWAY_ARRAYS:
            np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        # A single effective weight of given radius and sign is what it is; so is an empty matrix.
        if first.initial_weights.any() and first.mask.size > 1:
            assert (first.initial_weights != other.initial_weights).any()


def test_the_order_of_asking_does_not_matter():
    first, second = (Connectivity(20, density=0.5, input_density=0.5, seed=1) for _ in range(2))
    forwards = [first.input(3), first.recurrent, first.readout(2)]
    backwards = [second.readout(2), second.recurrent, second.input(3)][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        np.testing.assert_array_equal(one.initial_weights, other.initial_weights)


def test_global_random_state_neither_matters_nor_changes():
    np.random.seed(0)  # noqa: NPY002
    before = Connectivity(20, density=0.5).recurrent.initial_weights
    undisturbed = np.random.rand()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    assert np.random.rand() == undisturbed  # noqa: NPY002
    np.testing.assert_array_equal(before, Connectivity(20, density=0.5).recurrent.initial_weights)


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Connectivity(4).n_units = 5


def test_leaves_the_arrays_it_is_given_alone():
    mask, densities = np.ones((4, 4), bool), np.ones((2, 2))
    masked = Connectivity(4, mask=mask, autapses=False)
    modular = Connectivity(4, areas=(2, 2), area_density=densities)
    mask[:], densities[:] = False, 0.0  # would fail if they had been frozen
    assert masked.recurrent.mask.sum() == 12
    assert modular.recurrent.mask.all()


def test_is_what_the_package_exports():
    assert bn.Connectivity is Connectivity


# ---- cell types


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({"n_units": 3}, "000"),
        ({"n_units": 5, "excitatory_fraction": 0.8}, "++++-"),
        ({"n_units": 5, "excitatory_fraction": 0.5}, "+++--"),  # 2.5 is rounded up
        ({"n_units": 7, "excitatory_fraction": 0.5}, "++++---"),  # and so is 3.5: no rounding to even
        ({"n_units": 3, "excitatory_fraction": 0}, "---"),
        ({"n_units": 3, "excitatory_fraction": 1}, "+++"),
        ({"n_units": 1, "excitatory_fraction": 0.4}, "-"),
        ({"n_units": 7, "areas": (4, 3), "excitatory_fraction": 0.5}, "++--++-"),
        ({"n_units": 5, "areas": [2, 3]}, "00000"),
    ],
)
def test_cell_types_come_excitatory_first_within_each_area(kwargs, expected):
    wiring = Connectivity(**kwargs)
    assert wiring.sign.tolist() == [{"+": 1, "-": -1, "0": 0}[character] for character in expected]
    names = {"+": "excitatory", "-": "inhibitory", "0": "unconstrained"}
    assert wiring.cell_type.tolist() == [names[character] for character in expected]


def test_dale_fixes_the_sign_of_each_row():
    wiring = Connectivity(30, excitatory_fraction=0.8, seed=2)
    weights = wiring.recurrent.initial_weights
    assert (weights[:24] > 0).all()
    assert (weights[24:] < 0).all()


# ---- recurrent masks and weights


@given(
    n_units=st.integers(1, 40),
    fraction=st.none() | st.floats(0, 1),
    density=st.floats(0.3, 1),
    autapses=st.booleans(),
    mask_rule=st.sampled_from(["erdos_renyi", "fixed_in_degree"]),
    rule=st.integers(0, 2),
    asked=st.floats(0.05, 5),
    seed=st.integers(0, 2**64),
)
@settings(max_examples=100, deadline=None)
def test_effective_spectral_radius_is_what_was_asked_for(
    n_units, fraction, density, autapses, mask_rule, rule, asked, seed
):
    rules = (None, "orthogonal", "gaussian") if fraction is None else (None, "gamma", "half_normal")
    wiring = Connectivity(
        n_units,
        excitatory_fraction=fraction,
        density=density,
        autapses=autapses,
        seed=seed,
        mask_rule=mask_rule,
        initial=rules[rule],
        spectral_radius=asked,
    )
    found = radius(wiring.recurrent.initial_weights)
    power = np.linalg.matrix_power(wiring.recurrent.mask.astype(float), n_units)  # vanishes if there is no cycle
    # At these densities eigenvalues are well conditioned: 1e-8 is far above rounding and far below any mistake. Of an
    # acyclic matrix of n units LAPACK finds zeros exactly, after permuting it to a triangle.
    assert found == pytest.approx(asked if power.any() else 0, rel=1e-8)


@pytest.mark.parametrize(
    ("fraction", "default", "other"), [(None, "orthogonal", "gaussian"), (0.8, "gamma", "half_normal")]
)
def test_default_rule_of_initial_weights(fraction, default, other):
    weights = {
        initial: Connectivity(20, excitatory_fraction=fraction, initial=initial).recurrent.initial_weights
        for initial in (None, default, other)
    }
    np.testing.assert_array_equal(weights[None], weights[default])
    assert (weights[None] != weights[other]).any()


@pytest.mark.parametrize("kwargs", [{"areas": (5, 15)}, {"excitatory_fraction": 0.8}, {}])
def test_masks_with_and_without_autapses_agree_off_the_diagonal(kwargs):
    with_autapses, without = (
        Connectivity(20, density=0.5, autapses=autapses, seed=4, **kwargs).recurrent.mask for autapses in (True, False)
    )
    off_diagonal = ~np.eye(20, dtype=bool)
    np.testing.assert_array_equal(with_autapses & off_diagonal, without)
    assert with_autapses.diagonal().any()


def test_dale_and_free_networks_of_one_seed_share_their_mask_and_feedforward_weights():
    free, dale = (Connectivity(30, excitatory_fraction=f, density=0.5, input_density=0.5, seed=5) for f in (None, 0.8))
    np.testing.assert_array_equal(free.recurrent.mask, dale.recurrent.mask)
    np.testing.assert_array_equal(free.input(3).initial_weights, dale.input(3).initial_weights)
    np.testing.assert_array_equal(free.readout(3).initial_weights, dale.readout(3).initial_weights)


def test_erdos_renyi_is_the_default_and_fixed_in_degree_the_choice():
    in_degrees = {
        rule: Connectivity(50, density=0.3, mask_rule=rule, autapses=False).recurrent.mask.sum(axis=0)
        for rule in ("erdos_renyi", "fixed_in_degree")
    }
    assert in_degrees["erdos_renyi"].std() > 0
    assert (in_degrees["fixed_in_degree"] == 15).all()  # 0.3 of 49 is 14.7
    default = Connectivity(50, density=0.3, autapses=False).recurrent.mask.sum(axis=0)
    np.testing.assert_array_equal(default, in_degrees["erdos_renyi"])


def test_given_mask_is_used_as_it_is_and_loses_only_its_autapses():
    mask = np.random.default_rng(6).integers(0, 2, (12, 12))  # 0 and 1 will do
    np.testing.assert_array_equal(Connectivity(12, mask=mask).recurrent.mask, mask)
    without = Connectivity(12, mask=mask, autapses=False).recurrent.mask
    np.testing.assert_array_equal(without, mask * (1 - np.eye(12, dtype=int)))


@pytest.mark.parametrize("order", [("unit_pre", "unit_post"), ("unit_post", "unit_pre")])
@pytest.mark.parametrize("numbered", [False, True])
def test_a_labelled_mask_is_read_by_its_labels(order, numbered):
    mask = xr.DataArray(np.random.default_rng(6).integers(0, 2, (12, 12)), dims=("unit_pre", "unit_post"))
    given = mask.transpose(*order)
    if numbered:
        given = given.assign_coords(unit_pre=range(12), unit_post=range(12)).sortby("unit_post", ascending=False)
    np.testing.assert_array_equal(Connectivity(12, mask=given).recurrent.mask, mask)


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (
            xr.DataArray(RING),
            ValueError,
            r"mask: expected the dims \('unit_pre', 'unit_post'\), got \('dim_0', 'dim_1'\)",
        ),
        (
            xr.DataArray(RING, {"unit_pre": list("abcde"), "unit_post": list("edcba")}),
            ValueError,
            "mask: expected the same labels along unit_pre and unit_post",
        ),
        (pd.DataFrame(RING), TypeError, "mask: expected an array or a DataArray, got DataFrame"),
        (xr.DataArray(RING, dims=("unit_pre", "unit_post")).to_dataset(name="m"), TypeError, "mask: .*, got Dataset"),
    ],
)
def test_labels_that_do_not_say_which_unit_is_which_are_refused(mask, error, message):
    with pytest.raises(error, match=f"^{message}"):
        Connectivity(5, mask=mask)


def test_numbers_of_numpy_become_those_of_python():
    wiring = Connectivity(np.array(4), seed=np.int16(3), areas=(np.int8(1), 3))
    assert [type(number) for number in (wiring.n_units, wiring.seed, *wiring.areas)] == [int] * 4
    assert wiring.input(np.int64(2)).mask.shape == (2, 4)
    with pytest.raises(TypeError, match="n_channels: expected an integer of at least 1, got True"):
        wiring.input(True)


@pytest.mark.parametrize("kwargs", [{"density": 0.0}, {"mask": np.zeros((9, 9))}])
def test_a_network_without_synapses_is_legal(kwargs):
    recurrent = Connectivity(9, excitatory_fraction=0.5, **kwargs).recurrent
    assert not recurrent.initial_weights.any()
    assert not recurrent.mask.any()


@pytest.mark.parametrize(("fraction", "expected"), [(None, {-1.5, 1.5}), (0.0, {-1.5}), (1.0, {1.5})])
def test_one_unit_has_the_radius_as_its_weight(fraction, expected):
    found = {
        round(
            Connectivity(1, excitatory_fraction=fraction, spectral_radius=1.5, seed=s).recurrent.initial_weights[0, 0],
            12,
        )
        for s in range(20)
    }
    assert found == expected
    assert not Connectivity(1, autapses=False).recurrent.initial_weights.any()


# ---- input and readout


@pytest.mark.parametrize(("input_sign", "expected"), [("free", 0), ("non_negative", 1)])
def test_input_sign(input_sign, expected):
    pathway = Connectivity(200, excitatory_fraction=0.8, input_sign=input_sign).input(4)
    assert (pathway.sign == expected).all()
    assert not pathway.is_masked
    # Free weights are positive with probability one half: 800 of them, 4.5 standard deviations of 0.5 / sqrt(800).
    positive = np.mean(pathway.initial_weights > 0)
    assert positive == pytest.approx(1.0 if expected else 0.5, abs=0 if expected else 0.08)


def test_input_density_is_binomial_and_keeps_the_weights_it_leaves():
    dense, sparse = (Connectivity(500, input_density=density, seed=12).input(4) for density in (1.0, 0.3))
    assert abs(sparse.mask.mean() - 0.3) < 4.5 * np.sqrt(0.21 / 2000)  # standard deviations
    np.testing.assert_array_equal(sparse.initial_weights, dense.initial_weights * sparse.mask)
    # Which weights are left does not depend on their values: standard errors of the mean of about 600 of them.
    left = dense.initial_weights[sparse.mask]
    assert abs(left.mean()) < 4.5 * dense.initial_weights.std() / np.sqrt(left.size)
    assert not Connectivity(5, input_density=0.0).input(4).mask.any()


@pytest.mark.parametrize("readout_from", ["all", "excitatory"])
@pytest.mark.parametrize("readout_sign", ["free", "non_negative", "dale"])
def test_readout_sees_the_units_and_takes_the_signs_it_was_told_to(readout_from, readout_sign):
    wiring = Connectivity(10, excitatory_fraction=0.6, readout_from=readout_from, readout_sign=readout_sign, seed=13)
    pathway = wiring.readout(50)
    seen = np.repeat([True] * 6 + [readout_from == "all"] * 4, 50).reshape(10, 50)
    np.testing.assert_array_equal(pathway.mask, seen)
    np.testing.assert_array_equal(pathway.initial_weights != 0, seen)
    signs = {"free": [0] * 10, "non_negative": [1] * 10, "dale": [1] * 6 + [-1] * 4}
    assert pathway.sign.tolist() == signs[readout_sign]
    found = np.sign(pathway.initial_weights)[seen.all(axis=1)]
    if readout_sign == "free":
        assert (found.min(axis=1) == -1).all()  # 50 weights of one sign: once in 2**49
        assert (found.max(axis=1) == 1).all()
    else:
        np.testing.assert_array_equal(found, np.repeat(pathway.sign[seen[:, 0], np.newaxis], 50, axis=1))


def test_magnitudes_of_the_readout_do_not_depend_on_its_signs():
    free, positive, dale = (
        np.abs(Connectivity(10, excitatory_fraction=0.5, readout_sign=sign).readout(2).initial_weights)
        for sign in ("free", "non_negative", "dale")
    )
    np.testing.assert_array_equal(free, positive)
    np.testing.assert_array_equal(free, dale)


def test_initial_biases_are_gaussian_and_those_of_the_seed() -> None:
    n_units = 40_000
    free = bn.Connectivity(n_units, seed=1).biases(0.3)
    np.testing.assert_array_equal(free, bn.Connectivity(n_units, 0.8, density=0.01, seed=1).biases(0.3))
    assert abs(free.mean()) < 4 * 0.3 / n_units**0.5  # by chance once in 16,000 times, as those below
    assert abs(free.std() - 0.3) < 4 * 0.3 / (2 * n_units) ** 0.5
    assert abs(np.mean(free**4) / 0.3**4 - 3) < 4 * (96 / n_units) ** 0.5  # the fourth moment of a Gaussian
    assert abs(np.corrcoef(free, bn.Connectivity(n_units, seed=2).biases(0.3))[0, 1]) < 4 / n_units**0.5
