"""Where networks end, against maps whose basins are known."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import basins, fixed_points
from tests.analysis.networks import side_by_side, with_those_that_cannot_run
from tests.analysis.test_fixed_points import one, pitchforks


def test_symmetric_attractors_share_the_box():
    weights = one(pitchforks(12))
    points = fixed_points(weights)
    found = basins(points, weights, n_starts=4000)
    assert found.elsewhere == 0
    stable = (points.kind == "stable").values
    np.testing.assert_allclose(found.basin_share[stable], 1 / 8, atol=4 * np.sqrt(1 / 8 * 7 / 8 / 4000))
    assert (found.basin_share[~stable] == 0).all()


def test_recorded_starts_stay_on_their_side():
    weights = one([[2.0]])  # x = tanh(2 x): each sign its own
    points = fixed_points(weights)
    rates = xr.DataArray([[0.3], [0.2], [-0.1]], dims=("time", "unit"))
    found = basins(points, weights, rates, n_starts=3000)
    positive = found.basin_share.values[(points.kind == "stable").values & (points.state[:, 0] > 0).values]
    assert positive == pytest.approx(2 / 3, abs=0.04)


def test_what_turns_ends_nowhere():
    angle = 0.3
    turning = 1.2 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    weights = one(turning)
    found = basins(fixed_points(weights), weights, n_starts=8)
    assert found.elsewhere == 1
    assert (found.basin_share == 0).all()
    grows = one(2 * np.eye(2), "linear", bias=1.0)
    assert basins(fixed_points(grows), grows, n_starts=8).elsewhere == 1


def test_what_rests_elsewhere_does_not_move():
    along, selects = np.random.default_rng(0).normal(size=(2, 8))
    line = one(np.outer(selects / (along @ selects), along), "linear", alpha=0.5)
    found = basins(fixed_points(line), line, n_starts=16)
    assert (found.elsewhere, found.moving) == (1, 0)
    # Two fixed points that are closer than what counts as there: each start belongs to the nearer one.
    weights = one([[1 + 1e-7]])
    points = fixed_points(weights)
    at_zero = xr.DataArray([[0.0]], dims=("time", "unit"))
    assert basins(points, weights, at_zero, n_starts=4).elsewhere == 1


def test_points_of_other_inputs_or_weights_are_refused():
    weights = one([[2.0]], inputs=[[1.0]])
    points = fixed_points(weights)
    with pytest.raises(ValueError, match="got one from which the network moves by 1 of its length"):
        basins(points, weights, inputs=xr.DataArray([3.0], dims="input_channel"))
    with pytest.raises(ValueError, match="expected fixed points of these weights"):
        basins(points, one([[3.0]]))


def test_points_are_asked_for_along_their_dim():
    weights = one([[2.0]])
    with pytest.raises(ValueError, match="points: expected the dims"):
        basins(fixed_points(weights).isel(fixed_point=0), weights)


def test_dims_inputs_and_networks_that_cannot_run():
    weights = with_those_that_cannot_run(one(pitchforks(6)))
    points = fixed_points(weights)
    found = basins(points, weights, n_starts=16)
    assert found.basin_share.dims == ("network", "fixed_point")
    assert np.isnan(found.elsewhere.values).tolist() == [False, True, True, True]
    two = side_by_side(one=one([[2.0]], inputs=[[1.0]]), two=one([[3.0]], inputs=[[1.0]]))
    levels = xr.DataArray([[0.0], [3.0]], {"level": [0, 3]}, ("level", "input_channel"))
    points = fixed_points(two, inputs=levels)
    found = basins(points, two, inputs=levels, n_starts=64)
    assert found.elsewhere.dims == ("network", "level")
    assert (found.basin_share.sel(level=3, fixed_point=0) == 1).all()
    np.testing.assert_allclose(found.basin_share.sum("fixed_point") + found.elsewhere, 1)
    with pytest.raises(ValueError, match="points: expected those of the same weights and inputs"):
        basins(points, two)
