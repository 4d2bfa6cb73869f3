import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.activity import activity


def make_rates(values):
    """Trials of values (trial, time, unit), every 2 ms."""
    values = np.asarray(values, float)
    return xr.DataArray(values, dims=("trial", "time", "unit"), coords={"time": 2.0 * np.arange(values.shape[1])})


def mesh(ax):
    return ax.collections[0]


def test_a_row_per_unit_over_time_of_the_trial():
    rates = make_rates(np.random.default_rng(0).normal(size=(3, 5, 4)))
    ax = activity(rates, trial=2)
    np.testing.assert_array_equal(mesh(ax).get_array(), rates.values[2].T)
    assert ax.get_xlim() == (-1.0, 9.0)  # samples at 0, 2 … 8 ms, each 2 ms wide
    assert ax.yaxis_inverted()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "unit")


def test_units_are_sorted_by_type():
    rates = make_rates([[[1.0, 2.0, 3.0]]] * 2 + [[[4.0, 5.0, 6.0]]]).isel(time=[0, 0])
    rates["time"] = [0.0, 1.0]
    types = xr.DataArray(["inhibitory", "excitatory", "excitatory"], dims="unit")
    ax = activity(rates, cell_type=types)
    np.testing.assert_array_equal(mesh(ax).get_array()[:, 0], [2.0, 3.0, 1.0])
    assert list(ax.get_lines()[0].get_ydata()) == [1.5, 1.5]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["excitatory", "inhibitory"]


@pytest.mark.parametrize(
    ("values", "limits", "colours"),
    [
        ([[-1.0], [4.0]], (-4.0, 4.0), "RdBu_r"),
        ([[1.0], [4.0]], (0.0, 4.0), "viridis"),
        ([[0.0], [0.0]], (0.0, 1.0), "viridis"),
    ],
)
def test_colours_are_centred_on_zero_if_signed_and_start_there_if_not(values, limits, colours):
    ax = activity(make_rates([values]))
    assert mesh(ax).get_clim() == limits
    assert mesh(ax).get_cmap().name == colours


def test_units_are_on_the_colour_bar():
    rates = make_rates(np.ones((1, 2, 2)))
    assert mesh(activity(rates)).colorbar.ax.get_ylabel() == "rate (a.u.)"
    assert mesh(activity(rates.assign_attrs(units="Hz"))).colorbar.ax.get_ylabel() == "rate (Hz)"


def test_diverged_activity_is_drawn_as_missing():
    ax = activity(make_rates([[[np.nan, 2.0], [np.inf, 1.0]]]))
    assert mesh(ax).get_array().mask.tolist() == [[True, True], [False, False]]
    assert mesh(ax).get_clim() == (0.0, 2.0)


def test_one_trial_may_be_selected_before_and_axes_be_given():
    rates = make_rates(np.arange(12.0).reshape(2, 3, 2))
    _, ax = plt.subplots()
    assert activity(rates.isel(trial=1), ax=ax) is ax
    np.testing.assert_array_equal(mesh(ax).get_array(), rates.values[1].T)


def test_data_that_do_not_fit_are_refused():
    rates = make_rates(np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match=r"rates: .*select one network first"):
        activity(rates.expand_dims("network"))
    with pytest.raises(IndexError, match="from 0 to 1 in rates, got 2"):
        activity(rates, trial=2)


def test_one_unit_at_one_time_still_fills_a_cell():
    rates = xr.DataArray([[[0.5]]], dims=("trial", "time", "unit"), coords={"time": [3.0]})
    corners = activity(rates).collections[0].get_coordinates()
    assert np.ptp(corners[..., 0]) == 1.0
    assert np.ptp(corners[..., 1]) == 1.0
