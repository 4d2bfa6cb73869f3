import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.eigenspectrum import eigenspectrum

VALUES = np.array([[0.5 + 0.5j, 0.5 - 0.5j], [2.0, 3.0], [1j, -1j]])


def points(collection):
    return collection.get_offsets().data @ np.array([1, 1j])


def test_first_and_last_snapshot_are_drawn_apart():
    ax = eigenspectrum(xr.DataArray(VALUES, dims=("snapshot", "mode")))
    before, after = ax.collections
    np.testing.assert_array_equal(points(before), VALUES[0])
    np.testing.assert_array_equal(points(after), VALUES[2])
    assert before.get_edgecolors().tolist() != after.get_edgecolors().tolist()
    assert before.get_paths()[0].vertices.shape != after.get_paths()[0].vertices.shape  # circle and cross
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["unit circle", "before training", "after training"]


def test_names_of_the_snapshots_can_be_given():
    ax = eigenspectrum(xr.DataArray(VALUES, dims=("snapshot", "mode")), before="initial", after="2,000 updates")
    assert [collection.get_label() for collection in ax.collections] == ["initial", "2,000 updates"]


def test_one_spectrum_with_the_unit_circle_in_equal_aspect():
    ax = eigenspectrum(xr.DataArray(VALUES[0], dims="mode"))
    (collection,) = ax.collections
    np.testing.assert_array_equal(points(collection), VALUES[0])
    x, y = ax.get_lines()[0].get_data()
    np.testing.assert_allclose(np.hypot(x, y), 1.0, rtol=1e-12)  # rounding
    assert ax.get_aspect() == 1.0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("real part of eigenvalue", "imaginary part of eigenvalue")


def test_diverged_network_leaves_the_plane_empty():
    ax = eigenspectrum(xr.DataArray([complex(np.nan, np.nan)] * 2, dims="mode"))
    assert np.ma.masked_invalid(ax.collections[0].get_offsets()).mask.all()


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert eigenspectrum(xr.DataArray(VALUES[0], dims="mode"), ax=ax) is ax


def test_more_than_one_network_is_refused():
    with pytest.raises(ValueError, match=r"eigenvalues: .*select one network first"):
        eigenspectrum(xr.DataArray(VALUES, dims=("network", "mode")))
    with pytest.raises(TypeError, match="eigenvalues: expected a DataArray"):
        eigenspectrum(VALUES)  # type: ignore[arg-type]
