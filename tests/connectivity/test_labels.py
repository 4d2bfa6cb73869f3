"""Units have names, and labelled arrays are read by them."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.sparse import csr_array

from biornn.connectivity import Connectivity

NAMES = ["PV1", "E7", "E2"]
WEIGHTS = np.arange(1.0, 10.0).reshape(3, 3)


def labelled(values=WEIGHTS, pre=NAMES, post=NAMES):
    return xr.DataArray(values, {"unit_pre": pre, "unit_post": post}, ("unit_pre", "unit_post"))


def given(weights, **settings):
    return Connectivity(3, initial=weights, spectral_radius=None, **settings)


def test_units_are_numbered_unless_they_have_names():
    assert Connectivity(3).unit_names.tolist() == [0, 1, 2]
    assert Connectivity(3).get_config()["unit_names"] is None
    named = Connectivity(3, unit_names=NAMES)
    assert named.unit_names.tolist() == NAMES
    again = Connectivity.from_config(json.loads(json.dumps(named.get_config())))
    assert again.unit_names.tolist() == NAMES
    assert Connectivity(2, unit_names=np.array([720575940621280688, 5])).unit_names[0] == 720575940621280688
    with pytest.raises(ValueError, match="read-only"):
        named.unit_names[0] = "x"


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
@pytest.mark.parametrize("is_transposed", [False, True])
def test_labels_say_which_unit_is_which(order, is_transposed):
    array = labelled().isel(unit_post=order)
    array = array.transpose() if is_transposed else array
    wiring = given(array, unit_names=NAMES)
    np.testing.assert_array_equal(wiring.initial, WEIGHTS)
    turned = given(array, unit_names=NAMES[::-1])
    np.testing.assert_array_equal(turned.initial, WEIGHTS[::-1, ::-1])


def test_names_are_those_of_the_first_labelled_array():
    trainable = labelled(WEIGHTS > 3).isel(unit_pre=[2, 1, 0], unit_post=[2, 1, 0])
    types = xr.DataArray([1, 1, -1], {"unit": NAMES[::-1]}, "unit")
    wiring = Connectivity(3, mask=labelled(WEIGHTS != 4), trainable=trainable)
    assert wiring.unit_names.tolist() == NAMES
    np.testing.assert_array_equal(wiring.trainable, WEIGHTS > 3)
    typed = Connectivity(3, mask=labelled(WEIGHTS != 4), cell_type=types)
    assert typed.unit_names.tolist() == NAMES[::-1]
    np.testing.assert_array_equal(typed.mask, (WEIGHTS != 4)[::-1, ::-1])


@pytest.mark.parametrize("side", ["unit_pre", "unit_post"])
@pytest.mark.parametrize("names", [NAMES, [2, 0, 1]])
def test_the_labels_of_one_side_are_those_of_both(side, names):
    half, whole = labelled(pre=names, post=names).drop_vars({"unit_pre", "unit_post"} - {side}), labelled()
    assert given(half).unit_names.tolist() == (NAMES if names is NAMES else [0, 1, 2])
    ordered = sorted(names)
    expected = whole.assign_coords(unit_pre=names, unit_post=names).sel(unit_pre=ordered, unit_post=ordered)
    np.testing.assert_array_equal(given(half, unit_names=ordered).initial, expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unit_names": ["a", "b"]}, "unit_names: expected names of 3 units, all of str or all of int, got 2 of str"),
        ({"unit_names": ["a", 1, "b"]}, "unit_names: .*, got 3 of int and str"),
        ({"unit_names": [1.0, 2.0, 3.0]}, "unit_names: .*, got 3 of float"),
        ({"unit_names": [True, False, True]}, "unit_names: .*, got 3 of bool"),
        ({"unit_names": "abc"}, "unit_names: .*, got 1 of str"),
        ({"unit_names": ["a", "b", "a"]}, "unit_names: expected a name of its own for each unit, got 'a' 2 times"),
        ({"unit_names": [1, 2, 2**63]}, "unit_names: expected integers of 64 bits, got 9223372036854775808; name"),
        ({"mask": labelled(pre=["a", "b", "a"], post=["a", "b", "a"])}, "mask: expected a name of its own for each"),
        (
            {"mask": labelled(), "unit_names": ["PV1", "E7", "E3"]},
            "mask: expected the label of each unit once along unit_pre, got no 'E3', but 'E2'",
        ),
        ({"mask": labelled(post=["PV1", "E7", "E7"]), "unit_names": NAMES}, "mask: .* along unit_post, got no 'E2', "),
        (
            {"mask": labelled(WEIGHTS > 3), "initial": labelled(pre=[0, 1, 2], post=[0, 1, 2])},
            "initial: .*, got no 'PV1', but 0",
        ),
        ({"mask": labelled(post=NAMES[::-1])}, "mask: expected the same labels along unit_pre and unit_post, in the"),
        ({"trainable": labelled().rename(unit_pre="pre")}, r"trainable: expected the dims \('unit_pre', 'unit_post'"),
        ({"initial": labelled().to_dataset(name="w")}, "initial: expected an array or a DataArray, got Dataset"),
        ({"cell_type": pd.Series([1, 1, -1], NAMES)}, "cell_type: .*, got Series; make it one with the dims unit"),
        ({"mask": csr_array(WEIGHTS > 3)}, "mask: .*, got csr_array; make it one with the dims unit_pre, unit_post"),
        ({"initial": np.ma.masked_less(WEIGHTS, 3)}, "initial: expected an array or a DataArray, got MaskedArray"),
        ({"initial": WEIGHTS * 1j}, r"initial: expected a rectangular array of numbers, got array\(\[\[0.\+1.j, "),
        (
            {"mask": labelled(np.where(WEIGHTS == 8, np.nan, 1))},
            r"mask: expected only true and false \(1 and 0\), got nan from unit 'E2' to unit 'E7'",
        ),
        ({"mask": [["1"] * 3] * 3}, "mask: expected only true and false .*, got '1' from unit 0 to unit 0"),
    ],
)
def test_wrong_names_and_labels_are_refused_in_one_line(settings, message):
    with pytest.raises((ValueError, TypeError), match=f"^{message}") as raised:
        Connectivity(3, **settings)
    assert "\n" not in str(raised.value)
