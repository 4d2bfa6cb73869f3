import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.connectivity import connectivity

DIMS = ("unit_pre", "unit_post")


def bar_label(ax):
    return ax.images[0].colorbar.ax.get_ylabel()


def test_rows_are_presynaptic_whatever_the_order_of_dims():
    weights = xr.DataArray([[0.0, 1.0], [-2.0, 0.0]], dims=DIMS)
    for given in (weights, weights.transpose()):
        ax = connectivity(given)
        np.testing.assert_array_equal(ax.images[0].get_array(), weights)
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("postsynaptic unit", "presynaptic unit")


def test_units_are_sorted_by_type_on_both_sides_with_lines_between():
    sign = np.array([-1, 1, 1, -1, 1, 1])
    weights = xr.DataArray(sign[:, None] * np.arange(1.0, 37).reshape(6, 6), dims=DIMS)
    types = xr.DataArray(np.where(sign > 0, "excitatory", "inhibitory"), dims="unit")
    ax = connectivity(weights, types)
    order = [1, 2, 4, 5, 0, 3]
    shown = ax.images[0].get_array()
    np.testing.assert_array_equal(shown, weights.values[np.ix_(order, order)])
    assert (shown[:4] > 0).all()  # Dale's law: a row has one sign
    assert (shown[4:] < 0).all()
    horizontal, vertical = (line.get_data() for line in ax.get_lines())
    assert list(horizontal[1]) == list(vertical[0]) == [3.5, 3.5]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["excitatory", "inhibitory"]


def test_colours_are_centred_on_zero_and_limited_by_the_percentile_of_the_non_zero_weights():
    weights = np.zeros((20, 20))
    weights.flat[:100] = np.arange(1, 101)  # 100 of 400 non-zero: their 99th percentile is 99.01
    ax = connectivity(xr.DataArray(-weights, dims=DIMS))
    assert ax.images[0].get_clim() == pytest.approx((-99.01, 99.01))
    assert ax.images[0].colorbar.extend == "both"
    assert bar_label(ax) == "effective weight (a.u.)\nlimit: 99th percentile of |w|"


def test_without_weights_beyond_the_limit_nothing_is_said_of_one():
    for values in (np.zeros((2, 2)), np.eye(2)):
        ax = connectivity(xr.DataArray(values, dims=DIMS))
        assert ax.images[0].get_clim() == (-1.0, 1.0)
        assert ax.images[0].colorbar.extend == "neither"
        assert bar_label(ax) == "effective weight (a.u.)"


def test_diverged_weights_are_drawn_as_missing():
    ax = connectivity(xr.DataArray([[np.nan, 2.0], [np.nan, -2.0]], dims=DIMS))
    assert ax.images[0].get_array().mask.tolist() == [[True, False], [True, False]]
    assert ax.images[0].get_clim() == (-2.0, 2.0)


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert connectivity(xr.DataArray(np.eye(2), dims=DIMS), ax=ax) is ax


@pytest.mark.parametrize("dim", ["network", "snapshot"])
def test_more_than_one_network_or_snapshot_is_refused(dim):
    with pytest.raises(ValueError, match=f"select one {dim} first"):
        connectivity(xr.DataArray(np.zeros((1, 2, 2)), dims=(dim, *DIMS)))
