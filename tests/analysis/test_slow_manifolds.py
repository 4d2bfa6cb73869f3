"""Slow curves against those that are known: lines, a ring, and the axes of independent units."""

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad

from biornn.analysis import fixed_points, slow_manifolds
from tests.analysis.networks import side_by_side, with_those_that_cannot_run
from tests.analysis.test_fixed_points import PITCHFORK, one


def test_a_line_attractor_is_followed_without_speed():
    along, selects = np.random.default_rng(0).normal(size=(2, 20))
    weights = one(np.outer(selects / (along @ selects), along), "linear", alpha=0.2)
    points = fixed_points(weights)
    found = slow_manifolds(points, weights, n_steps=30)
    assert found.sizes["along"] == 61
    states = found.state.isel(fixed_point=0).values
    assert np.isfinite(states).all()
    away = states - (states @ along)[:, np.newaxis] * along / (along @ along)
    np.testing.assert_allclose(away, 0, atol=1e-12)
    np.testing.assert_allclose(found.speed, 0, atol=1e-12)
    np.testing.assert_allclose(found.arc_length[0], 0.01 * np.sqrt(20) * found.along, rtol=1e-9)
    assert not found.is_closed


@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_the_speed_is_that_of_one_unit(formulation):
    # Along the first axis x <- x + 0.1 (tanh(1.6 x) - x), or as much for the current; the other unit decays fast.
    weights = one(np.diag([1.6, 0.1]), alpha=0.1, formulation=formulation)
    points = fixed_points(weights)
    found = slow_manifolds(points, weights, slow=1e9, step=0.05, n_steps=40)
    assert np.isfinite(found.speed.isel(along=40)).all()
    assert np.isnan(found.speed.isel(fixed_point=[0, 1]).drop_sel(along=0)).all()  # nothing leaves a stable point
    from_saddle = found.isel(fixed_point=2).dropna("along", how="all", subset=["speed"])
    x = from_saddle.state.isel(unit=0).values
    drift = np.tanh(1.6 * x) - x if formulation == "rate" else 1.6 * np.tanh(x) - x
    np.testing.assert_allclose(from_saddle.speed, 0.1 * drift, atol=1e-12)
    np.testing.assert_allclose(from_saddle.state.isel(unit=1), 0, atol=1e-12)
    rates = x if formulation == "rate" else np.tanh(x)  # which `one` reads out as they are
    np.testing.assert_allclose(from_saddle.outputs.isel(output_channel=0), rates, atol=1e-12)
    end = PITCHFORK if formulation == "rate" else PITCHFORK * 1.6
    length = 0.05 * np.sqrt(2)
    assert end < x.max() < end + length  # it ends where it comes to rest
    assert -end - length < x.min() < -end
    np.testing.assert_allclose(from_saddle.arc_length, x, atol=1e-9)
    slower = slow_manifolds(points, weights, slow=0.3, step=0.05, n_steps=40).isel(fixed_point=2)
    kept = np.isfinite(slower.speed.values)
    assert 1 < kept.sum() < len(x)
    assert (np.abs(slower.speed[kept]) <= 0.3 * points.usual_speed.item()).all()
    alone = slow_manifolds(points.isel(fixed_point=[2]), weights, slow=1e9, step=0.05, n_steps=40)
    xr.testing.assert_equal(alone.isel(fixed_point=0), found.isel(fixed_point=2))


def test_a_ghost_is_left_to_the_side_to_which_the_network_goes():
    # Past the fold the network goes through the ghost to the one fixed point; a second unit follows the first.
    fold = np.sqrt(1 - 1 / 1.6)
    bias = 1.6 * fold - np.arctanh(fold)
    weights = one([[1.6, 0.5], [0.0, 0.1]], alpha=0.1, bias=np.array([bias + 1e-4, 0.0]))
    points = fixed_points(weights)
    assert points.kind.values.tolist() == ["stable", "slow"]
    found = slow_manifolds(points, weights, slow=1e9, step=0.02, n_steps=120).isel(fixed_point=1)
    assert (
        np.isnan(found.speed.sel(along=slice(None, -1))).all() or np.isnan(found.speed.sel(along=slice(1, None))).all()
    )
    curve = found.dropna("along", how="all", subset=["speed"])
    size = np.abs(curve.speed.values)
    assert size[curve.along == 0].item() < 0.01 * size.max()
    assert np.linalg.norm(curve.state - points.state[0], axis=1).min() < 2 * 0.02 * np.sqrt(2)


def test_a_mode_that_flips_has_no_curve():
    weights = one(np.diag([-0.95, 0.9]))
    points = fixed_points(weights)
    assert np.isnan(slow_manifolds(points, weights).speed.drop_sel(along=0)).all()
    flips = one(np.diag([-1.5, 0.1]))
    points = fixed_points(flips)
    assert np.isnan(slow_manifolds(points, flips).speed.drop_sel(along=0)).all()


def test_a_curved_manifold_is_where_the_flow_goes():
    # From a saddle, what a network does by itself stays on the curve.
    rng = np.random.default_rng(5)
    mixing = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    weights = one(
        mixing @ np.diag([1.5, *rng.uniform(-0.4, 0.4, 7)]) @ mixing.T + 0.1 * rng.normal(size=(8, 8)), alpha=0.05
    )
    points = fixed_points(weights)
    saddle = points.isel(fixed_point=[int(np.flatnonzero(points.kind == "saddle")[0])])
    found = slow_manifolds(saddle, weights, slow=1e9, step=0.007, n_steps=150)
    curve = found.state.isel(fixed_point=0).dropna("along").values
    state = curve[len(curve) // 2 + 3]
    recurrent = weights.recurrent_weights.values
    distances, reached = [], []
    for _ in range(100):
        state = state + 0.05 * (np.tanh(state @ recurrent) - state)
        distances.append(np.linalg.norm(curve - state, axis=1).min())
        reached.append(np.linalg.norm(state))
    step = float(np.nanmedian(np.diff(found.arc_length[0])))
    assert reached[-1] - reached[0] > 5 * step
    assert max(distances) < 0.75 * step  # half a step is the distance to the next of the states on it


def test_a_ring_is_closed():
    n_units, gain = 64, 3.0
    angle = 2 * np.pi * np.arange(n_units) / n_units
    weights = one(gain * 2 / n_units * np.cos(angle[:, np.newaxis] - angle), alpha=0.1)
    # r = tanh(A cos(angle - place)), A = (2 gain / n) sum(cos r)
    size = gain
    for _ in range(200):
        size = gain * 2 / n_units * np.sum(np.cos(angle) * np.tanh(size * np.cos(angle)))
    state = np.tanh(size * np.cos(angle - 0.3))
    length = quad(
        lambda place: np.linalg.norm(size * np.sin(angle - place) / np.cosh(size * np.cos(angle - place)) ** 2),
        0,
        2 * np.pi,
    )[0]
    points = xr.Dataset({"state": (("fixed_point", "unit"), state[np.newaxis]), "usual_speed": ((), 0.1)})
    points["kind"] = ("fixed_point", ["manifold"])
    found = slow_manifolds(points, weights, step=0.05, n_steps=300)
    assert found.is_closed.item()
    np.testing.assert_allclose(found.speed[0].dropna("along"), 0, atol=1e-9)
    steps = found.arc_length[0].diff("along").median().item()
    assert found.arc_length.max().item() == pytest.approx(length, abs=1.5 * steps)
    short = slow_manifolds(points, weights, n_steps=20)
    assert not short.is_closed
    assert np.isfinite(short.speed).all()


def test_an_oscillating_mode_has_no_curve():
    angle = 0.3
    turning = 0.9 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    weights = one(turning)
    found = slow_manifolds(fixed_points(weights), weights)
    assert np.isnan(found.state.drop_sel(along=0)).all()
    assert not found.is_closed.any()


def test_dims_labels_and_networks_that_cannot_run():
    weights = with_those_that_cannot_run(one(np.diag([1.6, 0.1])))
    points = fixed_points(weights)
    found = slow_manifolds(points, weights, n_steps=3)
    assert found.speed.dims == ("network", "fixed_point", "along")
    assert found.outputs.dims == ("network", "fixed_point", "along", "output_channel")
    assert np.isfinite(found.speed.sel(along=0)).any("fixed_point").values.tolist() == [True, False, False, False]
    assert found.along.values.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    two = side_by_side(a=one([[1.6]]), b=one([[1.2]]))
    with pytest.raises(ValueError, match="points: expected those of the same weights and inputs"):
        slow_manifolds(points, two)
    with pytest.raises(ValueError, match="expected one usual_speed of a network, got one by fixed_point"):
        slow_manifolds(points.assign(usual_speed=points.usual_speed * (points.index == 1)), weights)
    with pytest.raises(ValueError, match="step: expected a positive number, got 0"):
        slow_manifolds(points, weights, step=0)


def test_points_in_another_order_keep_their_labels():
    weights = side_by_side(a=one(np.diag([1.6, 0.1])), b=one(np.diag([0.1, 1.3]))).assign_coords(unit=["x", "y"])
    points = fixed_points(weights)
    found = slow_manifolds(points, weights, n_steps=5, slow=1e9)
    turned = slow_manifolds(points.isel(network=[1, 0], unit=[1, 0]), weights, n_steps=5, slow=1e9)
    xr.testing.assert_equal(turned, found)
