"""Tables of cell types, and types that are given unit by unit."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from biornn.connectivity import Connectivity
from biornn.connectivity.cell_types import largest_remainders

TYPES = ["inhibitory", "excitatory", "unconstrained", "excitatory"]
SIGNS = [-1, 1, 0, 1]


@pytest.mark.parametrize(
    "given",
    [
        TYPES,
        SIGNS,
        np.array(SIGNS, float),
        [np.int8(sign) for sign in SIGNS],
        [-1, "excitatory", 0, 1],
        xr.DataArray(TYPES[::-1], {"unit": [3, 2, 1, 0]}, "unit"),
    ],
)
def test_types_in_any_order_sign_the_rows(given):
    wiring = Connectivity(4, cell_type=given, readout_from="excitatory", readout_sign="dale", seed=3)
    assert wiring.cell_type.tolist() == TYPES
    assert wiring.sign.tolist() == SIGNS
    np.testing.assert_array_equal(wiring.readout(2).mask.all(axis=1), [False, True, False, True])
    assert wiring.get_config()["cell_type"] == TYPES
    assert Connectivity.from_config(wiring.get_config()).sign.tolist() == SIGNS


def test_drawn_weights_keep_to_them_and_those_of_unconstrained_units_have_either_sign():
    sign = np.tile(SIGNS, 20)
    weights = Connectivity(80, cell_type=sign, seed=1).recurrent.initial_weights
    assert (weights * sign[:, np.newaxis])[sign != 0].min() > 0
    # Of 1,600 weights half are positive: 4.5 standard deviations.
    assert abs((weights[sign == 0] > 0).mean() - 0.5) < 4.5 * 0.5 / 1600**0.5
    assert np.abs(np.linalg.eigvals(weights)).max() == pytest.approx(1, rel=1e-8)  # rounding


def test_types_in_the_order_of_a_share_are_no_other_network():
    share, given = Connectivity(5, 0.6, seed=2), Connectivity(5, cell_type=[1, 1, 1, -1, -1], seed=2)
    np.testing.assert_array_equal(share.recurrent.initial_weights, given.recurrent.initial_weights)
    assert share.get_config()["cell_type"] is None
    assert Connectivity(5, 0.6, seed=2, cell_type=share.cell_type).get_config() == share.get_config()
    free = Connectivity(5, cell_type=[0] * 5, seed=2)
    assert free.get_config() == Connectivity(5, seed=2).get_config()
    np.testing.assert_array_equal(free.recurrent.initial_weights, Connectivity(5, seed=2).recurrent.initial_weights)


EXPECTED = "cell_type: expected one of 'excitatory', 'inhibitory', 'unconstrained', 1, -1, 0 for each unit, got "


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell_type": ["inhibitory", "PV"]}, f"{EXPECTED}'PV' for unit 1"),
        ({"cell_type": [2, 1], "unit_names": ["a", "b"]}, f"{EXPECTED}2 for unit 'a'"),
        *(({"cell_type": [1, value]}, EXPECTED) for value in (None, True, np.True_, float("nan"), "", [1])),
        ({"cell_type": [1]}, r"cell_type: expected shape \(2,\), got \(1,\)"),
        ({"cell_type": "excitatory"}, r"cell_type: expected shape \(2,\), got \(\)"),
        ({"cell_type": [[1, 1]]}, r"cell_type: expected shape \(2,\), got \(1, 2\)"),
        (
            {"cell_type": [-1, 1], "excitatory_fraction": 0.5},
            "cell_type: expected the types that excitatory_fraction=0.5 gives beside it, got others; drop one of them",
        ),
        ({"cell_type": [0, 0], "readout_sign": "dale"}, "readout_sign='dale': expected cell types, got none"),
        ({"cell_type": [0, 1], "initial": "gaussian"}, "initial: expected one of .* with Dale's law"),
        ({"cell_type": xr.DataArray([0, 1], dims="neuron")}, r"cell_type: expected the dims \('unit',\), got"),
    ],
)
def test_impossible_types_are_named_in_one_line(settings, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        Connectivity(2, **settings)
    assert "\n" not in str(raised.value)


# ---- tables of types

TABLE = {
    "E": {"sign": 1, "fraction": 0.8, "tau": 20},
    "PV": {"sign": -1, "fraction": 0.1, "tau": 10},
    "SST": {"sign": -1, "fraction": 0.06, "tau": 15.0},
    "X": {"sign": 0, "fraction": 0.04, "tau": 5.0},
}
NO_FRACTIONS = {name: {"sign": one["sign"]} for name, one in TABLE.items()}


def test_a_table_names_units_in_its_order_and_signs_their_rows():
    wiring = Connectivity(50, cell_types=TABLE, seed=1)
    assert wiring.cell_type.tolist() == ["E"] * 40 + ["PV"] * 5 + ["SST"] * 3 + ["X"] * 2
    assert wiring.sign.tolist() == [1] * 40 + [-1] * 8 + [0] * 2
    weights = wiring.recurrent.initial_weights
    assert weights[:40].min() > 0 > weights[40:48].max()
    assert weights[48:].min() < 0 < weights[48:].max()
    assert Connectivity(50, cell_types=TABLE, areas=(25, 25)).cell_type[25:].tolist()[:20] == ["E"] * 20


@pytest.mark.parametrize("fraction", [0, 0.29, 0.5, 0.7, 0.8, 1])
@pytest.mark.parametrize("settings", [{}, {"areas": (15, 35), "long_range": "excitatory"}, {"readout_sign": "dale"}])
def test_two_types_with_the_usual_names_are_the_usual_network_to_the_bit(fraction, settings):
    table = {"excitatory": {"sign": 1, "fraction": fraction}, "inhibitory": {"sign": -1, "fraction": 1 - fraction}}
    options = {"density": 0.5, "autapses": False, "seed": 3, **settings}
    own, usual = Connectivity(50, cell_types=table, **options), Connectivity(50, fraction, **options)
    assert own.cell_type.tolist() == usual.cell_type.tolist()
    for pathway in ("recurrent", "input", "readout"):
        one, other = (
            getattr(each, pathway) if pathway == "recurrent" else getattr(each, pathway)(3) for each in (own, usual)
        )
        np.testing.assert_array_equal(one.mask, other.mask)
        np.testing.assert_array_equal(one.sign, other.sign)
        np.testing.assert_array_equal(one.initial_weights, other.initial_weights)


def test_of_two_fractions_the_first_is_rounded_half_up_as_ever():
    for total in range(1, 60):
        for percent in range(101):
            fraction = percent / 100
            first = int(np.floor(fraction * total + 0.5))
            assert largest_remainders([fraction, 1 - fraction], total).tolist() == [first, total - first]
            assert Connectivity(total, fraction).sign.tolist() == [1] * first + [-1] * (total - first)


@pytest.mark.parametrize(
    ("fractions", "total", "expected"),
    [
        ([0.8, 0.08, 0.06, 0.06], 300, [240, 24, 18, 18]),  # exact, where 0.06 × 300 is not in binary
        ([0.8, 0.08, 0.06, 0.06], 10, [8, 1, 1, 0]),  # 8, 0.8, 0.6, 0.6: of equal remainders, the first
        ([0.25] * 4, 10, [3, 3, 2, 2]),
        ([0.5, 0, 0.5], 3, [2, 0, 1]),  # none of a type with the fraction 0
        ([1 / 3] * 3, 9, [3, 3, 3]),
        ([0.47, 0.16, 0.158, 0.12, 0.061, 0.031], 10, [5, 2, 1, 1, 1, 0]),  # Hamilton's own example, in tenths
    ],
)
def test_whole_units_go_to_the_largest_remainders(fractions, total, expected):
    assert largest_remainders(fractions, total).tolist() == expected


@given(parts=st.lists(st.integers(0, 100), min_size=1, max_size=8).filter(any), total=st.integers(1, 5000))
def test_every_type_has_its_quota_rounded_down_or_up(parts, total):
    fractions = np.array(parts) / sum(parts)
    counts = largest_remainders(fractions.tolist(), total)
    assert counts.sum() == total
    assert (abs(counts - fractions * total) < 1 + 1e-9).all()  # rounding of the product


@pytest.mark.parametrize("table", [TABLE, NO_FRACTIONS])
def test_types_of_units_are_names_of_the_table_in_any_order(table):
    names = np.random.default_rng(0).permutation(Connectivity(50, cell_types=TABLE).cell_type)
    labelled = xr.DataArray(names[::-1], {"unit": [f"u{at}" for at in range(50)][::-1]}, "unit")
    wiring = Connectivity(50, cell_types=table, cell_type=labelled, unit_names=[f"u{at}" for at in range(50)], seed=2)
    assert wiring.cell_type.tolist() == names.tolist()
    assert wiring.sign.tolist() == [TABLE[name]["sign"] for name in names]
    again = Connectivity.from_config(json.loads(json.dumps(wiring.get_config())))
    np.testing.assert_array_equal(again.recurrent.initial_weights, wiring.recurrent.initial_weights)
    assert again.cell_type.tolist() == names.tolist()


def test_a_table_comes_back_from_its_config_with_plain_numbers():
    table = {
        "E": {"sign": np.int64(1), "fraction": np.float64(0.5)},
        "PV": {"sign": -1.0, "fraction": 0.5, "tau": None},
    }
    wiring = Connectivity(4, cell_types=table)
    config = json.loads(json.dumps(wiring.get_config()))
    assert config["cell_types"] == {"E": {"sign": 1, "fraction": 0.5}, "PV": {"sign": -1, "fraction": 0.5}}
    assert config["cell_type"] is None
    assert Connectivity.from_config(config).get_config() == wiring.get_config()


def test_time_constants_are_those_of_the_types():
    wiring = Connectivity(50, cell_types=TABLE)
    assert wiring.time_constants(None).tolist() == [20] * 40 + [10] * 5 + [15] * 3 + [5] * 2
    with pytest.raises(ValueError, match="tau: expected none beside the tau of cell_types, got both; drop one of them"):
        wiring.time_constants(3.0)
    assert Connectivity(50, 0.8).time_constants(3.0) == 3.0
    assert Connectivity(50, 0.8).time_constants(None) is None


def one(**settings):
    return {"E": {"sign": 1, "fraction": 1.0, **settings}}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell_types": {}}, "cell_types: expected a mapping from names of types to sign, fraction and tau, got {}"),
        ({"cell_types": "E"}, "cell_types: expected a mapping from names of types .*, got 'E'"),
        ({"cell_types": {"": {"sign": 1}}}, "cell_types: expected a text as the name of each type, got ''"),
        ({"cell_types": {"E ": {"sign": 1}}}, "cell_types: expected a text as the name of each type, got 'E '"),
        ({"cell_types": {1: {"sign": 1}}}, "cell_types: expected a text as the name of each type, got 1"),
        ({"cell_types": {"any": {"sign": 1}}}, "cell_types: expected other names than 'any', which lesions give"),
        ({"cell_types": {"E": 1}}, "cell_types.E: expected sign, fraction, tau, got 1"),
        ({"cell_types": one(size=3)}, "cell_types.E: expected sign, fraction, tau, got .*'size': 3"),
        ({"cell_types": {"E": {"fraction": 1}}}, r"cell_types.E.sign: expected 1, -1 or 0 \(either\), got None"),
        *(
            ({"cell_types": one(sign=sign)}, rf"cell_types.E.sign: expected 1, -1 or 0 \(either\), got {sign!r}")
            for sign in (2, 0.5, True, "x")
        ),
        (
            {"cell_types": {"inhibitory": {"sign": 1, "fraction": 1}}},
            "cell_types.inhibitory.sign: expected -1, as the name says, got 1; rename the type",
        ),
        ({"cell_types": one(fraction=1.5)}, r"cell_types.E.fraction: expected a number in \[0, 1\], got 1.5"),
        ({"cell_types": one(tau=0)}, "cell_types.E.tau: expected a positive time in ms, got 0"),
        (
            {"cell_types": {"E": {"sign": 1, "fraction": 0.8}, "PV": {"sign": -1, "fraction": 0.1}}},
            "cell_types: expected fractions that sum to 1, got 0.9 of E, PV",
        ),
        (
            {"cell_types": {"E": {"sign": 1, "fraction": 1}, "PV": {"sign": -1}}},
            "cell_types.PV.fraction: expected one, as other types have, got none",
        ),
        (
            {"cell_types": {"E": {"sign": 1, "fraction": 0.5, "tau": 3}, "PV": {"sign": -1, "fraction": 0.5}}},
            "cell_types.PV.tau: expected one, as other types have, got none",
        ),
        ({"cell_types": one(), "excitatory_fraction": 0.8}, "cell_types: expected no excitatory_fraction beside it"),
        (
            {"cell_types": {"E": {"sign": 1}}},
            "cell_types: expected the fraction of each type, or cell_type with that of each unit, got neither",
        ),
        (
            {"cell_types": NO_FRACTIONS, "cell_type": ["E", "pv"], "unit_names": ["a", "b"]},
            "cell_type: expected one of 'E', 'PV', 'SST', 'X' for each unit, got 'pv' for unit 'b'",
        ),
        ({"cell_types": NO_FRACTIONS, "cell_type": ["E", 1]}, "cell_type: expected one of .* got 1 for unit 1"),
        (
            {"cell_types": TABLE, "cell_type": ["E", "PV"]},
            "cell_type: expected 2 units of the type 'E', as its fraction in cell_types says, got 1; drop",
        ),
        (
            {"cell_types": {"X": {"sign": 0, "fraction": 1}}, "readout_sign": "dale"},
            "readout_sign='dale': expected cell",
        ),
    ],
)
def test_impossible_tables_are_named_in_one_line(settings, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        Connectivity(2, **settings)
    assert "\n" not in str(raised.value)
