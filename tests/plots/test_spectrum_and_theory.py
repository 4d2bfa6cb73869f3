import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.spectrum_and_theory import spectrum_and_theory

VALUES = xr.DataArray([0.5 + 0.5j, 0.5 - 0.5j, 1.8, -0.2], dims="mode")
NULL = xr.DataArray(np.array([[0.1, 0.2j, -0.2j, 0.3], [0.4, -2.5, 0.6, 0.7]], complex), dims=("draw", "mode"))


def prediction(radius=0.9, outlier=2.0):
    return xr.Dataset({"bulk_radius": radius, "outlier": outlier})


def collections(ax):
    return {one.get_label(): one.get_offsets().data @ np.array([1, 1j]) for one in ax.collections}


def labels(ax):
    return {entry.get_text() for entry in ax.get_legend().get_texts()}


def test_eigenvalues_null_disk_and_outlier_are_where_the_data_are():
    ax = spectrum_and_theory(VALUES, prediction(), NULL)
    drawn = collections(ax)
    np.testing.assert_array_equal(drawn["eigenvalues"], VALUES)
    np.testing.assert_array_equal(drawn["matched random weights"], NULL.values.ravel())
    np.testing.assert_array_equal(drawn["predicted outlier"], [2.0])
    circles = {line.get_label(): np.hypot(*line.get_data()) for line in ax.get_lines()}
    np.testing.assert_allclose(circles["predicted bulk"], 0.9, rtol=1e-12)  # rounding
    np.testing.assert_allclose(circles["unit circle"], 1.0, rtol=1e-12)
    assert labels(ax) == {*drawn, *circles}
    # All is in view, in equal aspect, and the null is behind.
    assert ax.get_xlim() == pytest.approx((-1.08 * 2.5, 1.08 * 2.5))
    assert ax.get_ylim() == ax.get_xlim()
    assert ax.get_aspect() == 1.0
    orders = {one.get_label(): one.get_zorder() for one in ax.collections}
    assert min(orders, key=orders.__getitem__) == "matched random weights"


@pytest.mark.parametrize("outlier", [0.5, -0.8])
def test_outlier_inside_the_disk_is_not_marked(outlier):
    assert labels(spectrum_and_theory(VALUES, prediction(outlier=outlier))) == {
        "predicted bulk",
        "unit circle",
        "eigenvalues",
    }


def test_negative_outlier_widens_the_plane():
    assert spectrum_and_theory(VALUES, prediction(outlier=-3.0)).get_xlim()[0] == pytest.approx(-1.08 * 3)


def test_diverged_network_leaves_the_plane_empty():
    nan = complex(np.nan, np.nan)
    ax = spectrum_and_theory(VALUES * nan, prediction(np.nan, np.nan), NULL * nan)
    assert ax.get_xlim() == pytest.approx((-1.08, 1.08))
    assert "predicted outlier" not in labels(ax)


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert spectrum_and_theory(VALUES, prediction(), ax=ax) is ax


def test_other_data_are_refused():
    with pytest.raises(ValueError, match=r"eigenvalues: .*select one snapshot first"):
        spectrum_and_theory(VALUES.expand_dims(snapshot=2), prediction())
    with pytest.raises(ValueError, match=r"bulk_radius: .*select one network first"):
        spectrum_and_theory(VALUES, prediction().expand_dims(network=2))
    with pytest.raises(ValueError, match="prediction: expected 'outlier', found \\['bulk_radius'\\]"):
        spectrum_and_theory(VALUES, prediction().drop_vars("outlier"))
    with pytest.raises(ValueError, match=r"null: .*'draw' is missing"):
        spectrum_and_theory(VALUES, prediction(), VALUES)
