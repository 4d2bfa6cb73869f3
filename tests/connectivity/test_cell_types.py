"""Cell types that are given, unit by unit."""

import numpy as np
import pytest
import xarray as xr

from biornn.connectivity import Connectivity

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
