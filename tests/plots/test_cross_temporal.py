import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.cross_temporal import cross_temporal


def matrix(n_times=4):
    times = {dim: 20.0 * np.arange(n_times) for dim in ("train_time", "test_time")}
    return xr.DataArray(np.random.default_rng(0).uniform(0, 1, (n_times, n_times)), times, ("train_time", "test_time"))


def test_the_matrix_stands_at_its_times_with_chance_in_the_middle_of_the_colours():
    score = matrix()
    ax = cross_temporal(score.transpose("test_time", "train_time"), chance=0.25)
    (mesh,) = ax.collections
    np.testing.assert_allclose(mesh.get_array(), score.values)
    np.testing.assert_allclose(mesh.get_clim(), (-0.5, 1.0))
    assert ax.get_xlim() == (-10, 70)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("test time (ms)", "train time (ms)")


def test_one_time_is_a_square():
    assert cross_temporal(matrix(1)).get_xlim() == (-0.5, 0.5)


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert cross_temporal(matrix(), ax=ax) is ax


def test_one_network_is_selected_first():
    with pytest.raises(ValueError, match=r"^score: expected the dims .* select one network first"):
        cross_temporal(matrix().expand_dims("network"))
