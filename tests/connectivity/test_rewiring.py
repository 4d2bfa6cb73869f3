"""A given mask, rewired: its degrees to the unit, and everything else at random."""

import itertools
import json
import time

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn.connectivity import Connectivity, rewired, small_world
from biornn.connectivity.rewiring import rewire

RNG = np.random.default_rng(0)
N_UNITS = 40
TYPES = np.resize([1, 1, -1, 0], N_UNITS)
MASK = RNG.random((N_UNITS, N_UNITS)) < np.linspace(0.05, 0.6, N_UNITS)  # in-degrees differ
WEIGHTS = np.where(TYPES == 0, 1, TYPES)[:, np.newaxis] * RNG.random((N_UNITS, N_UNITS)) * MASK


def degrees(mask, types):
    """In- and out-degree of every unit, for each type of its partners."""
    one_hot = (np.asarray(types)[:, np.newaxis] == np.unique(types)).astype(int)
    return np.concatenate([one_hot.T @ mask, (mask @ one_hot).T])


@given(n_units=st.integers(3, 12), density=st.floats(0.1, 0.9), seed=st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_degrees_and_autapses_are_kept(n_units, density, seed):
    rng = np.random.default_rng(seed)
    mask, types = rng.random((n_units, n_units)) < density, rng.choice([1, -1], n_units)
    for cell_type in (None, types):
        try:
            new = rewired(mask, cell_type=cell_type, seed=seed).values
        except ValueError:  # it has no other
            continue
        groups = np.zeros(n_units) if cell_type is None else types
        np.testing.assert_array_equal(degrees(new, groups), degrees(mask, groups))
        np.testing.assert_array_equal(new.diagonal(), mask.diagonal())


@pytest.mark.parametrize("k", [10, 100])
def test_of_a_large_ring_no_more_is_left_than_by_chance_and_it_takes_seconds(k):
    ring = small_world(1000, k, 0.0)
    start = time.perf_counter()
    new = rewired(ring, seed=1)
    assert time.perf_counter() - start < 20  # one second or two
    share = k / 999
    # Binomial, nearly: 4.5 standard deviations.
    assert abs((ring & new).sum() - 1000 * k * share) < 4.5 * np.sqrt(1000 * k * share * (1 - share))


@pytest.mark.parametrize(("n_units", "n_masks"), [(4, 9), pytest.param(5, 44, marks=pytest.mark.nightly)])
def test_every_mask_of_these_degrees_comes_equally_often(n_units, n_masks):
    cycle = np.roll(np.eye(n_units, dtype=bool), 1, axis=1)
    n_draws = 15 * n_masks
    rng, group = np.random.default_rng(1), np.zeros(n_units)
    found = [tuple(rewire(rng, cycle, group).argmax(axis=1).tolist()) for _ in range(n_draws)]
    derangements = [one for one in itertools.permutations(range(n_units)) if all(a != b for a, b in enumerate(one))]
    counts = np.array([found.count(one) for one in derangements])
    assert len(derangements) == n_masks
    assert counts.sum() == n_draws
    chi2 = ((counts - 15) ** 2 / 15).sum()
    # Its mean is the number of masks - 1, its variance twice that: 4.5 standard deviations.
    assert abs(chi2 - (n_masks - 1)) < 4.5 * np.sqrt(2 * (n_masks - 1))


def test_it_is_labelled_and_the_seed_decides():
    names = [f"cell {number}" for number in range(N_UNITS)]
    mask = xr.DataArray(MASK, {"unit_pre": names, "unit_post": names}, ("unit_pre", "unit_post"))
    types = xr.DataArray(TYPES, {"unit": names}, "unit")
    new = rewired(mask.transpose(), cell_type=types[::-1], seed=3)
    np.testing.assert_array_equal(new, rewired(MASK, cell_type=TYPES, seed=3))
    assert new["unit_post"].values.tolist() == names
    assert (new != rewired(mask, cell_type=types, seed=4)).any()
    assert not rewired(MASK).coords


def test_a_connectivity_keeps_signs_and_weights_with_their_units():
    own = Connectivity(N_UNITS, cell_type=TYPES, mask=MASK, initial=WEIGHTS, trainable=WEIGHTS > 0.5)
    new = Connectivity(N_UNITS, cell_type=TYPES, mask=MASK, initial=WEIGHTS, trainable=WEIGHTS > 0.5, rewired=True)
    np.testing.assert_array_equal(degrees(new.recurrent.mask, TYPES), degrees(MASK, TYPES))
    before, after = own.recurrent, new.recurrent
    assert after.violations(after.initial_weights) == 0
    assert (after.mask & MASK).sum() < 0.6 * MASK.sum()
    stays = after.mask & MASK
    np.testing.assert_array_equal(after.initial_weights[stays], WEIGHTS[stays])
    for one in (-1, 0, 1):  # each unit has its weights again, of synapses to each type, and those that may change
        place = one == TYPES
        np.testing.assert_array_equal(*(np.sort(p.initial_weights[:, place]) for p in (before, after)))
        np.testing.assert_array_equal(*(np.sort((p.initial_weights * p.free)[:, place]) for p in (before, after)))
    again = Connectivity.from_config(json.loads(json.dumps(new.get_config())))
    np.testing.assert_array_equal(again.recurrent.initial_weights, after.initial_weights)
    assert (Connectivity(N_UNITS, cell_type=TYPES, mask=MASK, rewired=True, seed=1).recurrent.mask != after.mask).any()


def test_a_radius_is_that_of_the_weights_that_moved():
    wiring = Connectivity(N_UNITS, mask=MASK, initial=WEIGHTS, spectral_radius=0.7, rewired=True)
    assert np.abs(np.linalg.eigvals(wiring.recurrent.initial_weights)).max() == pytest.approx(0.7, rel=1e-9)


FULL = np.ones((4, 4))
WHY = "expected a mask that can be rewired, got one in which no two units of a cell type can trade targets; rewire"


@pytest.mark.parametrize(
    ("mask", "types"),
    [
        (FULL, None),
        (0 * FULL, None),
        (np.eye(4), None),
        (np.triu(FULL), None),
        (np.roll(np.eye(4), 1, axis=1), [1, 1, -1, -1]),  # one unit of each type has synapses to each
        (np.roll(np.eye(3), 1, axis=1), None),  # a cycle of three
    ],
)
def test_what_has_no_other_mask_is_refused(mask, types):
    with pytest.raises(ValueError, match=f"^mask: {WHY}"):
        rewired(mask, cell_type=types)
    with pytest.raises(ValueError, match=f"^rewired: {WHY}"):
        Connectivity(len(mask), mask=mask, cell_type=types, rewired=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rewired(np.ones((2, 3))), r"mask: expected a square of units, got the shape \(2, 3\)"),
        (lambda: rewired(3), r"mask: expected a square of units, got the shape \(\)"),
        (lambda: rewired([[0, 2], [1, 0]]), "mask: expected only true and false .*, got 2 from unit 0 to unit 1"),
        (lambda: Connectivity(3, rewired=True), "rewired: expected a mask with it, got none; set mask"),
        (lambda: Connectivity(3, rewired=1), "rewired: expected true or false, got 1"),
    ],
)
def test_impossible_settings_are_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=f"^{message}"):
        call()


def test_with_types_of_ones_own_degrees_are_kept_for_each_of_them():
    table = {"E": {"sign": 1}, "PV": {"sign": -1}, "SST": {"sign": -1}}
    names = np.resize(["E", "E", "PV", "E", "SST"], N_UNITS)
    own = {"n_units": N_UNITS, "cell_types": table, "cell_type": names, "mask": MASK}
    new = Connectivity(**own, rewired=True, seed=3).recurrent_mask
    assert (new != MASK).any()
    np.testing.assert_array_equal(degrees(new, names), degrees(MASK, names))
    by_function = rewired(MASK, cell_type=names, cell_types=table, seed=1).values
    np.testing.assert_array_equal(degrees(by_function, names), degrees(MASK, names))
    # PV and SST cells have one sign: with signs alone, their synapses are exchanged.
    signs = np.where(names == "E", 1, -1)
    by_sign = rewired(MASK, cell_type=signs, seed=1).values
    assert (degrees(by_sign, names) != degrees(MASK, names)).any()
