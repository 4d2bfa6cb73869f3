"""Units have names, and labelled arrays are read by them."""

import json

import numpy as np
import pytest
import xarray as xr

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
    half = xr.DataArray(WEIGHTS, {"unit_pre": NAMES}, ("unit_pre", "unit_post"))
    assert given(half).unit_names.tolist() == NAMES


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unit_names": ["a", "b"]}, "unit_names: expected names of 3 units, all of str or all of int, got 2 of str"),
        ({"unit_names": ["a", 1, "b"]}, "unit_names: .*, got 3 of int and str"),
        ({"unit_names": [1.0, 2.0, 3.0]}, "unit_names: .*, got 3 of float"),
        ({"unit_names": [True, False, True]}, "unit_names: .*, got 3 of bool"),
        ({"unit_names": "abc"}, "unit_names: .*, got 1 of str"),
        ({"unit_names": ["a", "b", "a"]}, "unit_names: expected a name of its own for each unit, got 'a' 2 times"),
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
    ],
)
def test_wrong_names_and_labels_are_refused_in_one_line(settings, message):
    with pytest.raises((ValueError, TypeError), match=f"^{message}") as raised:
        Connectivity(3, **settings)
    assert "\n" not in str(raised.value)
