import numpy as np
import pytest
import xarray as xr

from biornn.plots.selection import select, select_trial


def test_dims_come_in_the_order_that_is_asked_for():
    array = xr.DataArray(np.arange(6).reshape(2, 3), dims=("time", "unit"))
    np.testing.assert_array_equal(select(array, "rates", "unit", "time"), array.values.T)


@pytest.mark.parametrize(
    ("dim", "hint"),
    [
        ("network", r"select one network first, e\.g\. \.sel\(network=\.\.\.\)"),
        ("snapshot", r"select one snapshot first"),
        ("trial", r"select one trial first"),
        ("session", r"select along session first"),
    ],
)
def test_a_dim_too_many_says_how_to_be_rid_of_it(dim, hint):
    with pytest.raises(ValueError, match=rf"rates: expected the dims \['unit'\], got \['{dim}', 'unit'\]; {hint}"):
        select(xr.DataArray(np.zeros((1, 2)), dims=(dim, "unit")), "rates", "unit")


def test_trial_is_a_position_whatever_the_labels():
    array = xr.DataArray([1.0, 2.0], dims="trial", coords={"trial": [7, 9]})
    assert select_trial(array, "rates", 1).item() == 2.0
    assert select_trial(array, "rates", -2).item() == 1.0
    for trial in (2, -3):
        with pytest.raises(IndexError, match=f"from 0 to 1 in rates, got {trial}"):
            select_trial(array, "rates", trial)


def test_without_trials_nothing_is_selected():
    array = xr.DataArray([1.0], dims="time")
    assert select_trial(array, "rates", 3) is array
