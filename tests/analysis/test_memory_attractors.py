"""Memory states matched to the fixed points of networks that are known."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import fixed_points, memory_attractors, retention
from biornn.tasks import FlipFlop
from tests.analysis.networks import network, side_by_side, with_those_that_cannot_run

PROBE = FlipFlop(n_bits=2).probe()


def flip_flop(weights=(2.0, 2.0), bias=(0.0, 0.0), alpha=0.1):
    """Two units that each hold a bit if their weight is above 1: ``r <- (1 - alpha) r + alpha tanh(w r + 9 u + b)``."""
    one = network(np.diag(weights), 9 * np.eye(2), np.eye(2), alpha=alpha, activation="tanh")
    return one.assign(recurrent_bias=("unit", np.array(bias, float)))


def both(weights, **settings):
    points = fixed_points(weights, probe_trials=PROBE, **settings)
    return points, memory_attractors(points, weights, PROBE)


def test_each_state_of_a_flip_flop_has_its_attractor_and_each_edge_its_saddle():
    points, found = both(flip_flop())
    assert points.n_fixed_points == 9
    assert found.has_attractor.all()
    assert found.n_memory_attractors == 4
    assert found.n_spurious == 0
    for state in found.memory_state.values:
        at = points.isel(fixed_point=int(found.attractor.sel(memory_state=state)))
        assert at.kind == "stable"
        assert at.memory_state == state
        np.testing.assert_array_equal(np.sign(at.rates), [1 if sign == "+" else -1 for sign in state])
    assert found.edge.values.tolist() == ["*+", "*-", "+*", "-*"]
    for edge in found.edge.values:
        position = int(found.saddle.sel(edge=edge))
        saddle = points.isel(fixed_point=position)
        np.testing.assert_allclose(
            saddle.rates, [{"+": 1, "-": -1, "*": 0}[sign] * 0.9575040 for sign in edge], atol=1e-6
        )
        ends = {points.memory_state.values[end] for end in found.leads_to.values[position]}
        assert ends == {edge.replace("*", "+"), edge.replace("*", "-")}
    is_saddle = (points.kind == "saddle") & (points.n_unstable == 1)
    assert (found.leads_to.where(~is_saddle, -1) == -1).all()


def test_a_state_without_an_attractor_is_lost_and_one_with_it_is_held():
    # The second unit decays: two attractors are left, at 0 in the second bit, and serve none of the four states.
    points, found = both(flip_flop((2.0, 0.9)))
    assert points.n_fixed_points == 3
    assert not found.has_attractor.any()
    assert (found.attractor >= 0).all()
    assert points.memory_state.values.tolist() == ["-0", "+0", "00"]
    assert (found.n_unset, found.n_spurious) == (2, 0)
    assert (retention(flip_flop((2.0, 0.9)), PROBE).held == 0).all()
    # A bias through the fold takes one attractor of the first unit: states with + are held, those with - are not.
    fold = np.sqrt(0.5)
    past = 2 * fold - np.arctanh(fold) + 1e-2
    weights = flip_flop(bias=(past, 0.0))
    points, found = both(weights)
    held = retention(weights, PROBE, duration=20_000).survived
    np.testing.assert_array_equal(found.has_attractor, held)
    assert found.has_attractor.values.tolist() == [True, True, False, False]
    assert found.saddle.sel(edge="*+") == -1
    assert found.saddle.sel(edge="+*") >= 0


def test_attractors_of_bits_that_are_not_set_are_told_from_spurious_ones():
    # A third unit, apart, that the task never drives, holds two states of its own.
    one = network(np.diag([2.0, 2.0, 2.0]), [[9, 0, 0], [0, 9, 0]], [[1, 0], [0, 1], [0, 0]], 0.1, "tanh")
    one["initial_state"] = ("unit", [0.0, 0.0, 0.5])
    points, found = both(one)
    assert points.n_fixed_points == 27
    assert (found.n_memory_attractors, found.n_unset, found.n_spurious) == (4, 0, 4)
    names, counts = np.unique(points.memory_state, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == dict.fromkeys([a + b for a in "+-0" for b in "+-0"], 3)
    # Read out by less than a half, the first unit says that its bit is not set, whatever it does.
    one["output_weights"] = one.output_weights * xr.DataArray([0.4, 1.0], dims="output_channel")
    _, found = both(one)
    assert (found.n_memory_attractors, found.n_unset, found.n_spurious) == (0, 8, 0)


def test_the_time_to_pass_a_slow_point_is_that_of_the_closed_form():
    # As in the test of retention: pi tau / sqrt(eps r*).
    point = np.sqrt(0.5)
    touching = np.arctanh(point) - 2 * point
    for distance in (4e-5, 1e-5):
        points, found = both(flip_flop(bias=(touching - distance, 0.0)))
        slow = found.escape_time.where(points.kind == "slow").dropna("fixed_point")
        expected = np.pi * 10 / np.sqrt(distance * point)
        np.testing.assert_allclose(slow.min(), expected, rtol=0.05)
        assert found.escape_time.where(points.kind != "slow").isnull().all()


def test_a_state_can_be_held_by_an_oscillation():
    # A pair of units, apart, turns for ever: every fixed point is a saddle, and still both bits are held.
    turn = 3 * np.array([[np.cos(0.5), np.sin(0.5)], [-np.sin(0.5), np.cos(0.5)]])
    weights = np.zeros((4, 4))
    weights[:2, :2], weights[2:, 2:] = 2 * np.eye(2), turn
    one = network(weights, 9 * np.eye(2, 4), np.eye(4, 2), 0.1, "tanh")
    one["initial_state"] = ("unit", [0.0, 0.0, 0.1, 0.0])
    points, found = both(one)
    assert (points.kind != "stable").all()
    assert not found.has_attractor.any()
    assert not found.stands_still.any()
    assert retention(one, PROBE).held == 1
    assert both(flip_flop())[1].stands_still.all()


def test_several_networks_and_those_that_cannot_run():
    several = side_by_side(good=flip_flop(), bad=flip_flop((0.5, 0.5)))
    _, found = both(several)
    assert found.n_memory_attractors.values.tolist() == [4, 0]
    assert found.condition.values.tolist() == ["g", "b"]
    one = flip_flop()
    _, found = both(with_those_that_cannot_run(one))
    assert found.n_memory_attractors.values[0] == 4
    assert found.n_memory_attractors.isnull().values.tolist() == [False, True, True, True]
    assert (found.attractor[1:] == -1).all()


def test_points_in_another_order_keep_their_labels():
    weights = side_by_side(two=flip_flop(), one=flip_flop((2.0, 0.9)))
    points, found = both(weights)
    assert found.n_memory_attractors.sel(network="two") == 4
    turned = memory_attractors(points.isel(network=[1, 0]), weights, PROBE)
    xr.testing.assert_equal(turned, found)


def test_points_of_a_stored_run_and_none_at_all(run):
    weights, probe = run["weights"].to_dataset().isel(snapshot=-1), run["probe_trials"].to_dataset()
    points = fixed_points(weights, probe_trials=probe, n_starts=8, max_batches=1)
    stored = points.assign(kind=points.kind.astype(np.dtypes.StringDType()))
    xr.testing.assert_identical(memory_attractors(stored, weights, probe), memory_attractors(points, weights, probe))
    none = memory_attractors(points.isel(fixed_point=[]), weights, probe)
    assert not none.has_attractor.any()
    assert (none.n_memory_attractors == 0).all()


def test_each_snapshot_is_matched_as_if_it_were_alone():
    # Before training no memory; then one bit, then both.
    snapshots = [flip_flop((0.5, 0.5)), flip_flop((2.0, 0.5)), flip_flop((2.0, 2.0))]
    weights = xr.concat(snapshots, dim=xr.Variable("snapshot", [0, 1, 2])).assign(alpha=snapshots[0].alpha)
    weights = weights.assign(activation=((), "tanh"), formulation=((), "rate"))
    points, found = both(weights)
    assert found.attractor.dims == ("snapshot", "memory_state")
    assert found.n_memory_attractors.values.tolist() == [0, 0, 4]
    assert found.n_unset.values.tolist() == [1, 2, 0]
    alone = memory_attractors(points.isel(snapshot=1), weights.isel(snapshot=1), PROBE)
    xr.testing.assert_equal(alone, found.isel(snapshot=1))


def test_points_of_other_networks_or_of_inputs_are_refused():
    points = fixed_points(flip_flop())
    with pytest.raises(ValueError, match=r"points: expected those of the same weights and inputs, .*'network': 2"):
        memory_attractors(points, side_by_side(a=flip_flop(), b=flip_flop()), PROBE)
    inputs = xr.DataArray(np.eye(2), dims=("level", "input_channel"))
    driven = fixed_points(flip_flop(), inputs=inputs)
    with pytest.raises(ValueError, match=r"points: expected those of the same weights and inputs, .*got .*'level': 2"):
        memory_attractors(driven, flip_flop(), PROBE)
