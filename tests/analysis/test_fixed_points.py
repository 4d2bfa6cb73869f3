"""Fixed points against networks of which all are known."""

from itertools import product

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import brentq

import biornn as bn
from biornn.analysis import fixed_points
from biornn.analysis.fixed_points import _on_circle
from tests.analysis.networks import in_all_numbers, network, side_by_side, with_those_that_cannot_run

#: In each of three directions x = tanh(1.6 x), which has the roots 0 and ±this.
PITCHFORK = brentq(lambda x: np.tanh(1.6 * x) - x, 0.5, 1, xtol=1e-15)
CUBE = {0: 8, 1: 12, 2: 6, 3: 1}


def one(weights, activation="tanh", formulation="rate", alpha=1.0, bias=0.0, inputs=None):
    """A network with its rates as outputs."""
    n_units = len(weights)
    made = network(weights, np.zeros((1, n_units)) if inputs is None else inputs, np.eye(n_units), alpha, activation)
    return made.assign(
        formulation=((), formulation), recurrent_bias=("unit", np.broadcast_to(bias, n_units).astype(float))
    )


def pitchforks(n_units, gain=1.6):
    """Three groups of units, each of which decides between two signs."""
    group = np.arange(n_units) // (n_units // 3)
    same = (group[:, np.newaxis] == group) & (group < 3)
    return gain * same / (n_units // 3)


def counts(found):
    return {number: int((found.n_unstable == number).sum()) for number in range(4)}


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize(("formulation", "alpha"), [("rate", 1.0), ("rate", 0.1), ("current", 1.0), ("current", 0.1)])
def test_a_planted_cube_has_its_27(formulation, alpha, is_full, monkeypatch):
    if is_full:  # as if the rank were not 3
        in_all_numbers(monkeypatch)
    n_units = 32
    signs = np.sign(np.random.default_rng(0).normal(size=n_units))  # as many other networks as it has units
    weights = one(signs[:, np.newaxis] * pitchforks(n_units) * signs, formulation=formulation, alpha=alpha)
    found = fixed_points(weights)
    assert counts(found) == CUBE
    assert found.n_fixed_points == 27
    assert found.index_sum == 1
    assert found.complete
    assert found.n_unseen == 0
    assert found.kind.values.tolist() == ["stable"] * 8 + ["saddle"] * 19
    rates = (found.rates * signs).values
    exact = np.array(list(product([-PITCHFORK, 0, PITCHFORK], repeat=3)))
    places = (rates[:, :30].reshape(-1, 3, 10)).mean(axis=2)
    assert sorted(map(tuple, np.round(places, 6) + 0.0)) == sorted(map(tuple, np.round(exact, 6)))
    assert (found.error_bound < 1e-11).all()
    # Along a group the slope is 1.6 (1 - r²), across it 0: in closed form, with the leak.
    slope = 1.6 * (1 - np.array([PITCHFORK, 0.0]) ** 2)
    leading = 1 - alpha + alpha * np.where(found.n_unstable == 3, slope[1], 0)
    origin = found.isel(fixed_point=-1)
    np.testing.assert_allclose(origin.eigenvalues[:3].real, leading[-1], rtol=1e-9)
    stable = found.isel(fixed_point=0)
    np.testing.assert_allclose(stable.eigenvalues[:3].real, 1 - alpha + alpha * slope[0], rtol=1e-6)
    np.testing.assert_allclose(stable.time_constant[:3], -1 / np.log(1 - alpha + alpha * slope[0]), rtol=1e-6)


@pytest.mark.nightly
@pytest.mark.parametrize(("n_units", "is_full"), [(64, False), (64, True), (400, False), (400, True)])
def test_a_planted_cube_has_its_27_from_every_seed(n_units, is_full, monkeypatch):
    if is_full:
        in_all_numbers(monkeypatch)
    for seed in range(3 if is_full and n_units == 400 else 20):
        found = fixed_points(one(pitchforks(n_units)), seed=seed)
        assert (counts(found), int(found.index_sum), bool(found.complete)) == (CUBE, 1, True), seed


@pytest.mark.parametrize("n_networks", [7, pytest.param(50, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_relu_networks_have_those_of_every_pattern(formulation, n_networks):
    n_found = []
    for seed in range(n_networks):
        rng = np.random.default_rng(seed)
        n_units = int(rng.integers(2, 8))
        weights, bias = rng.normal(0, 2 / np.sqrt(n_units), (n_units, n_units)), rng.normal(size=n_units)
        exact = []
        for is_on in np.array(list(product([0.0, 1.0], repeat=n_units))):
            if formulation == "rate":
                state = np.linalg.solve((np.eye(n_units) - weights * is_on).T, is_on * bias)
                received = state @ weights + bias
            else:
                state = received = np.linalg.solve((np.eye(n_units) - is_on[:, np.newaxis] * weights).T, bias)
            if ((received > 0) == is_on).all():
                exact.append(state)
        found = fixed_points(one(weights, "relu", formulation, 0.3, bias))
        n_found.append(len(exact))
        assert found.n_fixed_points == len(exact)
        assert found.complete
        assert sorted(map(tuple, found.state.values.round(8)))[: len(exact)] == sorted(map(tuple, np.round(exact, 8)))
        kinks = np.abs(found.state if formulation == "current" else found.state.values @ weights + bias).min(axis=1)
        if formulation == "rate":
            assert (found.distance_to_kink <= kinks / np.linalg.norm(weights, axis=0).min()).all()
        else:
            np.testing.assert_allclose(found.distance_to_kink, kinks)
    assert {0, 1, 2} <= set(n_found)


def test_attractors_are_found_until_hardly_any_state_leads_to_another():
    units_that_decide_alone = one(1.6 * np.eye(8), alpha=0.5)  # 2⁸ attractors, each with as large a part of the box
    few = fixed_points(units_that_decide_alone, n_starts=4, max_batches=1)
    assert abs(few.unseen_basin - (255 / 256) ** 63) < 0.12  # after 16 * 4 runs: that a run ends where no other did
    many = fixed_points(units_that_decide_alone, n_starts=256, max_batches=1)
    assert int((many.kind == "stable").sum()) == 256
    assert many.unseen_basin <= 0.005


@pytest.mark.parametrize("is_large", [False, True])
def test_a_network_that_only_turns_has_no_attractor_that_is_missing(is_large, monkeypatch):
    if is_large:  # then starts are searched in portions, of which there are none where no run comes to rest
        monkeypatch.setattr("biornn.analysis.fixed_point_search.rows_at_once", lambda n: 1)
    angle = np.pi / 6
    found = fixed_points(one(1.5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])))
    assert found.kind.values.tolist() == ["unstable"]
    assert found.unseen_basin == 0


def test_where_each_piece_is_solved_no_attractor_is_missing():
    pairs = one(np.kron(np.eye(4), [[0.0, -2.0], [-2.0, 0.0]]), alpha=0.5, activation="relu", bias=1.0)  # one is on
    found = fixed_points(pairs, n_starts=1)
    assert (found.kind == "stable").sum() == 16
    assert (bool(found.complete), float(found.unseen_basin)) == (True, 0.0)


@pytest.mark.parametrize(("alpha", "is_known"), [(0.01, True), (0.0015, False)])
def test_runs_that_are_too_short_do_not_say_where_a_network_ends(alpha, is_known):
    found = fixed_points(one(1.6 * np.eye(2), alpha=alpha), n_starts=8)
    assert (found.kind == "stable").sum() == 4
    assert found.unseen_basin.notnull() == is_known


def test_hopfield_patterns_and_their_mixtures():
    hadamard = np.array([[1.0]])
    for _ in range(5):
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    patterns = hadamard[1:4]
    found = fixed_points(one(1.6 * patterns.T @ patterns / 32))
    # ±m of each pattern, m = tanh(1.6 m), is stable; half of two of them a saddle, and all three have no mixture of 2³.
    overlap = np.abs(found.rates.values @ patterns.T / 32)
    stable = overlap[(found.kind == "stable").values]
    np.testing.assert_allclose(np.sort(stable, axis=1), [[0, 0, PITCHFORK]] * 6, atol=1e-9)
    assert int(found.index_sum) == 1
    assert found.complete


def test_an_odd_network_has_pairs():
    drawn = np.random.default_rng(3).normal(size=(16, 16)) / 2
    found = fixed_points(one(drawn + drawn.T), n_starts=16, max_batches=4)
    states = found.state.values
    has_pair = np.linalg.norm(states[:, np.newaxis] + states, axis=2).min(axis=1) < 1e-9
    assert len(states) > 10
    assert has_pair.mean() > 0.5  # 0.61; it is 0.23 where mirror images are not tried


def test_symmetric_weights_have_real_eigenvalues():
    drawn = np.random.default_rng(2).normal(size=(12, 12)) / 2
    found = fixed_points(one(drawn + drawn.T))
    assert found.n_fixed_points > 1
    np.testing.assert_allclose(found.eigenvalues.imag, 0, atol=1e-9)
    assert (found.frequency.where(found.eigenvalues.real > 0, 0) == 0).all()


def test_a_line_attractor_is_one_manifold():
    rng = np.random.default_rng(0)
    along, selects = rng.normal(size=(2, 20))
    found = fixed_points(one(np.outer(selects / (along @ selects), along), "linear"))
    assert found.kind.values.tolist() == ["manifold"]
    assert found.manifold_dim == 1
    assert found.n_fixed_points == 1
    assert found.n_hits > 100
    assert not found.complete  # no index says so
    assert found.eigenvalues[0, 0] == pytest.approx(1)


def test_a_neutral_direction_is_not_unstable():
    above = 0
    for seed in range(8):
        along, selects = np.random.default_rng(seed).normal(size=(2, 20))
        found = fixed_points(one(np.outer(selects / (along @ selects), along), "linear"))
        above += int(np.abs(found.eigenvalues[0, 0]) > 1)  # by rounding
        assert found.n_unstable == 0
    assert above


def test_a_plane_attractor_is_one_manifold():
    along, selects = np.random.default_rng(0).normal(size=(2, 20, 2))
    weights = selects @ np.linalg.inv(along.T @ selects) @ along.T
    found = fixed_points(one(weights, "linear"))
    assert (found.kind.values.tolist(), found.manifold_dim.values.tolist()) == (["manifold"], [2])


def test_two_lines_are_two_manifolds():
    # Two units that inhibit one another exactly, relu: a line from (1, 0) to (0, 1); and so do two more.
    pair = np.array([[0.0, -1.0], [-1.0, 0.0]])
    found = fixed_points(one(pair, "relu", bias=1.0))
    assert found.kind.values.tolist() == ["manifold"]
    assert found.manifold_dim.values.tolist() == [1]
    assert found.rates.sum() == pytest.approx(1)


def test_points_that_are_not_proved_are_told_apart():
    # Two relu units of which the one is at its kink in both fixed points: no theorem proves these.
    found = fixed_points(one([[0.0, 0.0], [0.0, 2.0]], "relu", "current", bias=[0.0, -1.0]))
    assert found.kind.values.tolist() == ["marginal", "marginal"]
    assert sorted(found.state.values[:, 1].round(9)) == [-1, 1]
    assert not found.complete
    zero = fixed_points(one(np.random.default_rng(0).normal(size=(3, 3)), "relu"))
    assert (np.abs(zero.state) < 1e-9).all(["fixed_point", "unit"])  # all at their kink


def test_large_numbers_are_roots_up_to_their_rounding():
    weights = 1e6 * np.random.default_rng(0).normal(size=(3, 3))
    found = fixed_points(one(weights, "linear", bias=1e6))
    assert found.n_fixed_points == 1
    np.testing.assert_allclose(found.state[0], np.linalg.solve(np.eye(3) - weights.T, np.full(3, 1e6)), rtol=1e-9)
    steep = fixed_points(one([[1e5]]))
    assert np.abs(steep.state.values.ravel()).min() == 0  # 0 is one for an odd network
    # Two that are not proved, with an isolated one between them, are no manifold.
    assert fixed_points(one([[1e6]])).kind.values.tolist() == ["marginal", "marginal", "unstable"]


def test_modes_that_vanish_in_a_step_are_near_no_point_of_the_circle():
    # Where units saturate, eigenvalues come out as 0 or below the normal numbers, which nothing can be divided by.
    eigenvalues = np.array([0, 5e-324, 1e-310j, 1e-9, 0.4, 0.9995, -0.9995j, 2 - 2j])
    expected = [1, 1, 1, 1, 1, 1, -1j, np.exp(-1j * np.pi / 4)]
    np.testing.assert_allclose(_on_circle(eigenvalues), expected, rtol=1e-15)


def test_at_a_bifurcation_a_point_is_marginal():
    found = fixed_points(one([[1.0]]))  # x = tanh(x), a pitchfork about to open
    assert found.kind.values.tolist() == ["marginal"]
    assert abs(found.state) < 1e-3
    assert np.isnan(found.error_bound)
    assert not found.complete


def test_a_ghost_is_a_slow_point():
    # x = tanh(1.6 x + b) has a fixed point of each sign until b passes the fold; its ghost is left behind.
    fold = np.sqrt(1 - 1 / 1.6)
    bias = 1.6 * fold - np.arctanh(fold)
    before, after = (fixed_points(one([[1.6]], bias=bias - away)) for away in (1e-4, -1e-4))
    assert before.kind.values.tolist() == ["stable", "stable", "unstable"]
    assert after.kind.values.tolist() == ["stable", "slow"]
    assert (int(after.n_fixed_points), int(after.n_slow_points)) == (1, 1)
    assert after.state[1, 0] == pytest.approx(-fold, abs=1e-3)
    assert after.n_unstable.values.tolist() == [0, -1]
    assert 0 < after.speed_ratio[1] < 0.1
    assert before.complete
    assert after.complete


def test_few_starts_are_not_said_to_be_complete():
    n_missed = 0
    for seed in range(10):
        found = fixed_points(one(pitchforks(12)), n_starts=3, max_batches=12, seed=seed)
        n_missed += int(found.n_fixed_points < 27)
        if found.complete:
            assert (found.index_sum, found.n_unseen) == (1, 0)
    assert n_missed > 5


def test_a_proof_needs_every_solution_to_be_a_root():
    # Solved piece by piece, one batch is enough; unless rounding leaves a solution on the wrong side of its kink.
    clear, unclear = (fixed_points(one([[2.0]], "relu", bias=bias), max_batches=1) for bias in (0.1, 1e-10))
    assert (clear.n_fixed_points, clear.complete) == (0, True)
    assert (unclear.n_fixed_points, unclear.complete) == (0, False)


def test_a_network_may_have_none():
    found = fixed_points(one(np.eye(3), "relu", bias=0.01))  # grows by 0.01 in each step
    assert found.n_fixed_points == 0
    assert found.sizes["fixed_point"] == 0
    unbounded = fixed_points(one(np.eye(2), "softplus"))  # softplus(x) > x, and nearly x far away
    assert unbounded.n_fixed_points == 0


def test_a_limit_cycle_turns_around_an_unstable_point():
    angle = 0.3
    turning = 1.2 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    found = fixed_points(one(turning), dt=2.0)
    assert found.kind.values.tolist() == ["unstable"]
    np.testing.assert_allclose(found.frequency, [[angle / (2 * np.pi * 2.0)] * 2])
    np.testing.assert_allclose(found.time_constant, [[-2.0 / np.log(1.2)] * 2])


@pytest.mark.parametrize(
    ("growth", "turn", "n_unstable", "n_continuous"),
    [(-1.0, 1.0, 0, 0), (-1.0, 4.0, 2, 0), (0.1, 0.5, 2, 2)],  # Euler's steps sustain the second oscillation
)
def test_modes_in_continuous_time_are_those_of_the_differential_equation(growth, turn, n_unstable, n_continuous):
    """``τ dr/dt = -r + r W``: growth and turns of each mode, times τ, are given; dt / τ is 0.2."""
    found = fixed_points(one([[1 + growth, turn], [-turn, 1 + growth]], "linear", alpha=0.2))
    modulus = abs(1 + 0.2 * complex(growth, turn))
    np.testing.assert_allclose(abs(found.eigenvalues), modulus)
    assert found.n_unstable.values.tolist() == [n_unstable] == [2 * (modulus > 1)]
    assert found.n_unstable_continuous.values.tolist() == [n_continuous]


def test_modes_that_stay_in_continuous_time_do_not_grow_by_rounding():
    """``W = 1 + A`` with an antisymmetric A only turns: all growth rates are 0."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        turning = rng.standard_normal((8, 8))
        found = fixed_points(one(np.eye(8) + turning - turning.T, "linear", alpha=0.2))
        assert found.n_unstable.values.tolist() == [8]
        assert found.n_unstable_continuous.values.tolist() == [0]


def test_portions_of_starts_lose_none_and_find_the_same(monkeypatch):
    """Only large networks are searched in portions, for which this test would take long."""
    in_all_numbers(monkeypatch)
    weights = one(pitchforks(12))
    whole = fixed_points(weights)
    monkeypatch.setattr("biornn.analysis.fixed_point_search.rows_at_once", lambda n: 1)
    in_portions = fixed_points(weights)
    np.testing.assert_array_equal(in_portions.n_hits, whole.n_hits)
    np.testing.assert_allclose(in_portions.state, whole.state, atol=1e-12)


def test_a_network_of_steps_has_no_continuous_time():
    found = fixed_points(one([[-3.0]]))
    assert found.n_unstable.values.tolist() == [1]
    assert found.n_unstable_continuous.values.tolist() == [-1]


def test_constant_inputs_move_the_fixed_points():
    weights = one(np.full((1, 1), 0.5), inputs=[[1.0]])
    levels = xr.DataArray([[-2.0], [0.0], [2.0]], {"level": [-2.0, 0.0, 2.0]}, ("level", "input_channel"))
    found = fixed_points(weights, inputs=levels)
    assert found.n_fixed_points.sel(level=2.0) == 1
    state = found.state.isel(fixed_point=0, unit=0)
    np.testing.assert_allclose(state, np.tanh(0.5 * state + levels[:, 0]), rtol=1e-12)
    alone = fixed_points(weights, inputs=levels.isel(level=2, drop=True))
    np.testing.assert_array_equal(alone.state, found.state.sel(level=2.0, drop=True))


def test_each_network_is_searched_as_if_it_were_alone_and_snapshots_too():
    several = side_by_side(two=one(pitchforks(12)), one=one(0.5 * np.eye(12)), last=one(pitchforks(12, 1.2)))
    several = several.expand_dims(snapshot=2).copy(deep=True)
    several["recurrent_weights"][0, 2] *= 0.1
    found = fixed_points(several)
    assert found.n_fixed_points.dims == ("network", "snapshot")
    assert found.n_fixed_points.values.tolist() == [[27, 27], [1, 1], [1, 27]]
    assert found.condition.values.tolist() == ["t", "o", "l"]
    alone = fixed_points(several.isel(network=[2], snapshot=1))
    for name in ("state", "eigenvalues", "n_hits", "error_bound"):
        same = found[name].isel(network=[2], snapshot=1)
        np.testing.assert_array_equal(same.dropna("fixed_point", how="all"), alone[name])
    again = fixed_points(several)
    xr.testing.assert_identical(found, again)


def test_padding_and_networks_that_cannot_run():
    found = fixed_points(with_those_that_cannot_run(one(pitchforks(6))))
    assert found.n_fixed_points.values.tolist() == [27, 0, 0, 0]
    assert found.complete.values.tolist() == [True, False, False, False]
    nobody = found.isel(network=2)
    assert (nobody.n_unstable == -1).all()
    assert (nobody.kind == "").all()
    assert np.isnan(nobody.state).all()
    assert np.isnan(nobody.n_unseen)


def test_starts_are_taken_from_recorded_rates():
    several = side_by_side(one=one(pitchforks(6)), two=one(pitchforks(6, 1.2)))
    rates = xr.DataArray(
        np.random.default_rng(0).uniform(-1, 1, (2, 5, 7, 6)),
        {"network": ["two", "one"]},
        ("network", "trial", "time", "unit"),
    )
    found = fixed_points(several, rates)
    assert found.n_fixed_points.values.tolist() == [27, 27]
    state = rates.sel(network="one").values.reshape(-1, 6)
    moved = np.linalg.norm(np.tanh(state @ pitchforks(6)) - state, axis=1)
    assert found.usual_speed.sel(network="one") == pytest.approx(np.median(moved))
    at_rest = fixed_points(several, 0 * rates)  # then that of all possible rates
    np.testing.assert_array_equal(at_rest.usual_speed, fixed_points(several).usual_speed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"starts": xr.DataArray(np.zeros((2, 5)), dims=("start", "unit"))}, "starts: expected 6 units, got 5"),
        ({"starts": xr.DataArray(np.zeros((2, 6)), dims=("start", "neuron"))}, "starts: expected the dims"),
        ({"starts": xr.DataArray(np.full((2, 6), np.nan), dims=("start", "unit"))}, "starts: expected finite rates"),
        ({"starts": xr.DataArray(np.zeros((0, 6)), dims=("start", "unit"))}, "starts: expected at least one"),
        ({"inputs": xr.DataArray(np.zeros(2), dims="input_channel")}, "inputs: expected the dim input_channel with 1"),
        ({"inputs": xr.DataArray([np.nan], dims="input_channel")}, "inputs: expected finite numbers"),
        ({"inputs": xr.DataArray([["a"]], dims=("level", "input_channel"))}, "inputs: expected finite numbers"),
        ({"inputs": xr.DataArray([[1.0]], dims=("unit", "input_channel"))}, "a dim of their own, such as 'level', got"),
        ({"inputs": xr.DataArray([[1.0], [2.0]], dims=("input", "input_channel"))}, "of their own, .*got 'input'"),
        ({"dt": 0.0}, "dt: expected a positive time in ms, got 0.0"),
        ({"n_starts": 0}, "n_starts: expected an integer of at least 1, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fixed_points(one(pitchforks(6)), **arguments)


@pytest.mark.parametrize("network", ["diverged", "failed", "gated"])
def test_a_network_that_cannot_run_is_refused_where_it_is_alone(network):
    weights = with_those_that_cannot_run(one(pitchforks(6))).sel(network=network)
    with pytest.raises(ValueError, match="weights: expected a network with finite weights, got NaN"):
        fixed_points(weights)


def test_an_activation_without_bounded_second_derivative_is_refused():
    with pytest.raises(ValueError, match="bounded second derivative, got 'exponential'"):
        fixed_points(one(0.1 * np.eye(3), "exponential"))


def test_what_is_no_group_of_weights_is_refused():
    with pytest.raises(TypeError, match="weights: expected a Dataset"):
        fixed_points(one(pitchforks(6)).recurrent_weights)
    with pytest.raises(ValueError, match="weights: expected 'input_weights'"):
        fixed_points(one(pitchforks(6)).drop_vars("input_weights"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"formulation": ((), "voltage")}, r"formulation: expected one of \('rate', 'current', .*got 'voltage'"),
        ({"alpha": ((), 0.1)}, r"alpha: expected the dims \['unit'\], got \[\]"),
        ({"alpha": (("unit", "foo"), np.ones((6, 2)))}, "alpha: expected no dims but network, snapshot and .*'foo'"),
        ({"input_weights": (("channel", "unit"), np.ones((1, 6)))}, r"input_weights: expected the dims .*'channel'"),
        ({"alpha": ("unit", np.zeros(6))}, r"alpha: expected dt / tau, a positive number, got 0"),
        ({"recurrent_weights": (("unit_pre", "unit_post"), np.eye(7))}, "recurrent_weights: expected 6 units, .*got 7"),
        ({"recurrent_weights": (("unit_pre", "unit_post"), np.ones((6, 7)))}, "as many unit_pre as unit_post"),
        ({"recurrent_weights": (("unit_post", "pre"), np.eye(6))}, "recurrent_weights: expected the dims"),
        (
            {"input_weights": (("input_channel", "unit"), np.ones((0, 6)))},
            "input_weights: expected at least one input_",
        ),
    ],
)
def test_a_network_made_by_hand_that_does_not_fit_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        fixed_points(one(pitchforks(6)).assign(changed))


def test_networks_that_are_not_run_may_have_any_form_and_alpha():
    weights = side_by_side(a=one(pitchforks(6)), b=one(pitchforks(6)))
    alone = fixed_points(weights.isel(network=[0]))
    for form in ("", np.nan, None):
        without = weights.assign(formulation=("network", np.array(["rate", form], object)))
        without["alpha"] = without.alpha * xr.DataArray([1.0, 0.0], dims="network")
        assert fixed_points(without).n_fixed_points.values.tolist() == [*alone.n_fixed_points.values.tolist(), 0]
    no_outputs = one(pitchforks(6)).isel(output_channel=slice(0, 0))
    assert fixed_points(no_outputs).n_fixed_points == alone.n_fixed_points[0]


def test_it_is_public():
    assert bn.analysis.fixed_points is fixed_points
