"""Networks of low rank, searched in as few numbers as their rank, against the same in as many as they have units."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import root

from biornn.analysis import fixed_points
from biornn.analysis.each_network import constant_inputs, each_network
from biornn.analysis.roots import find_roots
from biornn.analysis.stationary_low_rank import StationaryLowRank, in_few_numbers
from biornn.analysis.stationary_rnn import StationaryRNN
from tests.analysis.networks import equation, gated, in_all_numbers, network

FORMS = pytest.mark.parametrize("formulation", ["rate", "current"])


def low_rank(n_units, rank, seed, gain=1.6):
    """Weights with eigenvalues of about the gain, the last negative, whose left and right factors are not the same."""
    left, other = np.random.default_rng(seed).normal(size=(2, n_units, rank))
    signs = np.where(np.arange(rank) < max(1, rank - 1), 1, -1)
    return gain * (signs * left) @ (left + 0.3 * other).T / n_units


def stored(weights, activation, formulation, alpha=0.2, bias=0.0):
    n_units = len(weights)
    outputs = np.random.default_rng(9).normal(size=(n_units, 2))
    made = network(weights, np.zeros((1, n_units)), outputs, alpha, activation)
    bias = np.broadcast_to(bias, n_units).astype(float)
    return made.assign(formulation=((), formulation), recurrent_bias=("unit", bias))


def both_ways(weights, monkeypatch, **settings):
    """Return what is found in few numbers, and in as many as there are units."""
    few = fixed_points(weights, **settings)
    with monkeypatch.context() as patch:
        in_all_numbers(patch)
        return few, fixed_points(weights, **settings)


def in_same_order(found, other):
    """Return the other's points in the order of those that are found, each its nearest."""
    apart = np.linalg.norm(found.state.values[:, np.newaxis] - other.state.values, axis=2)
    order = apart.argmin(axis=1)
    assert sorted(order) == list(range(other.sizes["fixed_point"]))
    return other.isel(fixed_point=order)


@FORMS
@pytest.mark.parametrize(
    ("activation", "rank", "bias"), [("tanh", 2, 0.0), ("tanh", 3, 0.1), ("sigmoid", 2, -0.5), ("softsign", 1, 0.05)]
)
def test_the_same_points_with_all_that_is_known_of_them(formulation, activation, rank, bias, monkeypatch):
    gain = 12.0 if activation == "sigmoid" else 1.8
    bias = bias * np.random.default_rng(5).normal(size=16)
    weights = stored(low_rank(16, rank, 3, gain), activation, formulation, bias=bias)
    starts = fixed_points(weights, n_starts=8, max_batches=1).rates.isel(fixed_point=[0])
    few, many = both_ways(weights, monkeypatch, starts=starts + 0.1, dt=2.0)
    assert few.complete
    assert few.n_fixed_points == many.n_fixed_points > 2
    assert few.index_sum == many.index_sum == 1
    assert few.n_slow_points == many.n_slow_points
    assert few.usual_speed == pytest.approx(float(many.usual_speed))
    many = in_same_order(few, many)
    for name in ("kind", "n_unstable", "n_unstable_continuous", "index"):
        np.testing.assert_array_equal(few[name], many[name], name)
    # Slow points are found less sharply and, in the current form, in the currents that a network itself can receive.
    proved = (few.kind != "slow").values
    of_slow = 1e-6 if formulation == "rate" else 1e-3
    for name in ("state", "rates", "outputs"):
        atol = np.where(proved, 1e-9, of_slow).reshape(-1, *[1] * (few[name].ndim - 1))
        assert (np.abs(few[name].values - many[name].values) <= atol).all(), name
    np.testing.assert_allclose(few.eigenvalues[proved], many.eigenvalues[proved], atol=1e-6)
    np.testing.assert_allclose(few.time_constant[proved], many.time_constant[proved], rtol=1e-5)
    apart = np.linalg.norm(few.state.values - many.state.values, axis=1)
    assert (apart <= few.error_bound + many.error_bound)[proved].all()
    assert (few.error_bound < 1e-10)[proved].all()
    assert (few.residual < 1e-13)[proved].all()
    np.testing.assert_allclose(few.residual, many.residual, rtol=1e-6 if formulation == "rate" else 0.2, atol=1e-13)
    assert (few.residual >= many.residual - 1e-13).all()  # of all currents, some may be slower


@FORMS
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 30.0])
@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_no_point_is_further_away_than_its_error_bound(formulation, scale, noise):
    """From what is found of stable points, the network goes on to them in numbers of higher precision."""
    rng = np.random.default_rng(8)
    weights, bias = scale * low_rank(24, 2, 8), rng.normal(size=24)
    other = rng.normal(size=(24, 24))  # below what counts for the rank
    weights = weights + noise * 24 * np.finfo(float).eps * np.linalg.norm(weights, 2) * other / np.linalg.norm(other, 2)
    found = fixed_points(stored(weights, "tanh", formulation, bias=bias))
    found = found.isel(fixed_point=(found.kind == "stable").values)
    assert len(found.fixed_point) > 0
    assert (found.error_bound < 1e-9).all()
    weights, bias, state = (one.astype(np.longdouble) for one in (weights, bias, found.state.values))
    for _ in range(3000):
        state = np.tanh(state @ weights + bias) if formulation == "rate" else np.tanh(state) @ weights + bias
    away = np.sqrt(np.sum((state - found.state.values) ** 2, axis=1))
    assert (away <= found.error_bound.values).all()


@FORMS
def test_states_are_no_further_apart_than_they_are_said_to_be(formulation):
    rng = np.random.default_rng(6)
    of = in_few_numbers(equation(low_rank(30, 3, 6, 4.0), "tanh", formulation=formulation))
    root = find_roots(of.map, rng.normal(size=(20, 3))).state
    away = rng.normal(size=root.shape)
    for distance in (1e-6, 1e-3, 1.0):
        beside = root + distance * away / np.linalg.norm(away, axis=1, keepdims=True)
        moved = np.linalg.norm(of.own_state(beside) - of.own_state(root), axis=1)
        most = of.own_error(beside, np.full(20, distance))
        assert (moved <= most).all()
        assert moved.max() > 0.2 * most.max()


@FORMS
def test_rounding_is_no_larger_than_it_says(formulation):
    rng = np.random.default_rng(7)
    whole = equation(low_rank(60, 2, 7), "tanh", formulation=formulation, bias=rng.normal(size=60))
    of = in_few_numbers(whole)
    state = 10.0 ** rng.uniform(-3, 3, (50, 1)) * rng.normal(size=(50, 2))
    precise = [one.astype(np.longdouble) for one in (state, of._to_units, of._to_few, of.drive[0, 0])]
    exact = np.tanh(precise[0] @ precise[1] + precise[3]) @ precise[2] - precise[0]
    error = np.linalg.norm((of.values(state) - exact).astype(float), axis=1)
    assert error.max() > 1e-14
    assert (error <= of.rounding(state)).all()


def test_zero_is_a_root_of_an_odd_network():
    known, is_all = in_few_numbers(equation(low_rank(16, 2, 0), "tanh")).known()
    assert (known.tolist(), is_all) == ([[0.0, 0.0]], False)
    assert not len(in_few_numbers(equation(low_rank(16, 2, 0), "tanh", bias=0.1)).known()[0])


@FORMS
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu6", "gelu"])
def test_steps_and_derivatives_are_those_of_the_network(formulation, activation):
    rng = np.random.default_rng(0)
    weights, bias = low_rank(16, 3, 1), rng.normal(size=16)
    whole = equation(weights, activation, formulation=formulation, alpha=0.3, bias=bias)
    of = in_few_numbers(whole)
    assert (of.n_numbers, of.n_units) == (3, 16)
    rates = rng.uniform(*np.clip(whole.limits, -2, 2), (5, 16))
    few, many = of.state_of(rates), whole.state_of(rates)
    for _ in range(20):  # also from rates that the network itself never has
        few, many = of.step(few), whole.step(many)
        if formulation == "rate":
            np.testing.assert_allclose(few, of.state_of(many), atol=1e-12)
        else:
            np.testing.assert_allclose(of.own_state(few), many, atol=1e-12)
    step = 1e-6
    differences = [(of.values(few + step * one) - of.values(few - step * one)) / (2 * step) for one in np.eye(3)]
    np.testing.assert_allclose(of.derivatives(few), np.swapaxes(differences, 0, 1), atol=1e-8)
    moved = [(of.step(few + step * one) - of.step(few - step * one)) / (2 * step) for one in np.eye(3)]
    np.testing.assert_allclose(of.step_jacobian(few), np.swapaxes(moved, 0, 1), atol=1e-8)
    # Of the Jacobian of all units, the others are the leak's.
    own = of.own_state(few)
    all_eigenvalues = np.linalg.eigvals(whole.step_jacobian(own))
    for one, every in zip(np.linalg.eigvals(of.step_jacobian(few)), all_eigenvalues, strict=True):
        expected = np.concatenate([one, of.other_eigenvalues])
        apart = np.abs(expected[:, np.newaxis] - every)
        assert apart.min(axis=0).max() < 1e-5
        assert apart.min(axis=1).max() < 1e-5
    np.testing.assert_array_equal(of.index(few), whole.index(own))


@FORMS
def test_the_speed_is_that_of_the_whole_network(formulation):
    rng = np.random.default_rng(2)
    whole = equation(low_rank(20, 2, 2), "tanh", formulation=formulation, alpha=0.25, bias=rng.normal(size=20))
    of = in_few_numbers(whole)
    state = rng.normal(size=(50, 2))
    own = of.own_state(state)
    np.testing.assert_allclose(of.speed(state), whole.speed(own), rtol=1e-9)
    np.testing.assert_allclose(of.state_of(of.rates(state)) if formulation == "rate" else state, state, atol=1e-12)
    if formulation == "rate":  # of all rates with the same products, none moves less
        kernel = np.linalg.svd(of._to_few.T)[2][2:]
        aside = own + 0.1 * rng.normal(size=(50, 18)) @ kernel
        np.testing.assert_allclose(of.state_of(aside), state, atol=1e-12)
        assert (whole.speed(aside) > whole.speed(own)).all()


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
@FORMS
def test_derivatives_change_as_the_curvature_says(formulation, activation):
    rng = np.random.default_rng(3)
    of = in_few_numbers(equation(low_rank(12, 2, 3), activation, formulation=formulation))
    largest = 0.0
    for scale in (1e-3, 0.1, 1.0):
        here = rng.normal(size=(2000, 2))
        there = here + scale * rng.normal(size=(2000, 2))
        change = np.linalg.norm(of.derivatives(here) - of.derivatives(there), 2, axis=(1, 2))
        largest = max(largest, (change / np.linalg.norm(here - there, axis=1)).max())
    assert 0.05 * of.curvature(here[:1])[0] < largest <= of.curvature(here[:1])[0]


@FORMS
def test_a_region_ends_at_the_next_kink(formulation):
    rng = np.random.default_rng(4)
    whole = equation(low_rank(16, 2, 4), "relu", formulation=formulation, bias=rng.normal(size=16))
    of = in_few_numbers(whole)
    state = rng.normal(size=(20, 2))
    np.testing.assert_array_equal(of.distance_to_kink(state), whole.distance_to_kink(of.own_state(state)))
    away = rng.normal(size=(20, 300, 2))
    away /= np.linalg.norm(away, axis=2, keepdims=True)
    for one, region, turns in zip(state, of.region(state), away, strict=True):
        within, beyond = (of.derivatives(one + share * region * turns) for share in (0.99, 1.2))
        assert np.ptp(within, axis=0).max() == 0
        assert np.ptp(beyond, axis=0).max() > 0


@FORMS
def test_a_ghost_is_as_slow(formulation, monkeypatch):
    fold = np.sqrt(1 - 1 / 1.6)
    bias = 1.6 * fold - np.arctanh(fold) + 1e-4
    few, many = both_ways(stored(np.full((8, 8), 1.6 / 8), "tanh", formulation, bias=bias), monkeypatch)
    assert few.kind.values.tolist() == many.kind.values.tolist() == ["stable", "slow"]
    for name in ("state", "speed_ratio", "residual"):
        np.testing.assert_allclose(few[name][1], many[name][1], rtol=1e-3, err_msg=name)


@pytest.mark.parametrize("activation", ["tanh", "hard_tanh"])
@FORMS
def test_where_a_direction_is_neutral_no_more_is_proved(formulation, activation, monkeypatch):
    # The only number of the derivative at 0 is 0, up to the rounding of a sum over units, which must not look regular.
    for seed in range(6):
        rng = np.random.default_rng(seed)
        along, selects = rng.normal(size=(2, int(rng.integers(20, 60))))
        weights = stored(np.outer(selects, along) / (along @ selects), activation, formulation)
        few, many = both_ways(weights, monkeypatch, n_starts=32)
        few, many = (one.isel(fixed_point=(one.kind != "slow").values) for one in (few, many))
        assert sorted(few.kind.values) == sorted(many.kind.values)
        assert few.error_bound.isnull().sum() == many.error_bound.isnull().sum() >= 1
        assert few.index_sum == many.index_sum


def test_a_mode_that_turns_its_sign_at_each_step_is_marginal():
    for n_units in range(8, 80, 3):
        found = fixed_points(stored(-np.ones((n_units, n_units)) / n_units, "tanh", "rate", alpha=1.0), n_starts=16)
        assert found.kind.values.tolist() == ["marginal"], n_units
        assert found.n_unstable.values.tolist() == [0]


@FORMS
def test_planes_of_points_have_two_dims(formulation):
    # Where all units are on, what two vectors read of a state is what their units receive again; the bias adds nothing.
    along = np.random.default_rng(0).uniform(1, 2, size=(40, 2))
    bias = np.random.default_rng(1).uniform(1, 2, size=40)
    selects = np.linalg.pinv(np.column_stack([along, bias])).T[:, :2]
    found = fixed_points(stored(selects @ along.T, "relu", formulation, bias=bias))
    assert (found.kind.values.tolist(), found.manifold_dim.values.tolist()) == (["manifold"], [2])


def test_without_recurrent_weights_there_is_one_point():
    bias = np.linspace(-1, 1, 6)
    found = fixed_points(stored(np.zeros((6, 6)), "tanh", "rate", bias=bias))
    assert found.n_fixed_points == 1
    np.testing.assert_allclose(found.state[0], np.tanh(bias))
    np.testing.assert_allclose(found.eigenvalues, 0.8)


@FORMS
def test_attractors_far_from_the_box_are_found(formulation):
    """Two groups are pushed to opposite sides, so that 0 is stable; around it are four attractors and eight saddles."""
    m = np.tile(np.random.default_rng(5).normal(size=(250, 2)), (2, 1))
    bias = np.repeat([2.0, -2.0], 250)
    n = m * [9.0, 8.0]
    theory = set()
    for start in product(np.linspace(-9, 9, 19), repeat=2):
        found = root(lambda k: np.tanh(m @ k + bias) @ n / 500 - k, start, tol=1e-13)
        if found.success:
            theory.add(tuple(np.round(found.x, 6) + 0.0))
    assert len(theory) == 13
    for seed in range(3):
        found = fixed_points(stored(n @ m.T / 500, "tanh", formulation, bias=bias), seed=seed)
        assert {
            tuple(np.round(one, 6) + 0.0) for one in found.rates[: int(found.n_fixed_points)].values @ n / 500
        } == theory
        assert (found.kind == "stable").sum() == 5
        assert found.complete


@pytest.mark.parametrize("change", ["single precision", "two time constants"])
def test_attractors_far_from_the_box_are_found_in_all_numbers(change):
    rng = np.random.default_rng(0)
    m = rng.normal(size=(300, 5))
    weights = stored(m @ np.diag([1, 0.02, 0.02, 0.02, 0.02]) @ m.T * 30 / 300, "sigmoid", "rate", bias=-5.0)
    n_stable = int((fixed_points(weights).kind == "stable").sum())
    if change == "single precision":
        weights["recurrent_weights"] = weights.recurrent_weights.astype("float32")
    else:
        weights["alpha"] = ("unit", np.where(np.arange(300) % 2, 0.1, 0.2))
    found = fixed_points(weights)
    assert found.n_fixed_points == 5
    assert (found.kind == "stable").sum() == n_stable == 3


def test_which_networks_have_few_numbers():
    def few(weights, activation="tanh", **settings):
        of = in_few_numbers(equation(weights, activation, **settings))
        assert isinstance(of, StationaryLowRank if of.n_numbers < len(weights) else StationaryRNN)
        return of.n_numbers

    assert few(low_rank(16, 4, 0)) == 4
    assert few(low_rank(16, 5, 0)) == 16  # nothing would be gained
    noise = np.random.default_rng(0).normal(size=(16, 16))
    assert few(low_rank(16, 4, 0) + 1e-9 * noise) == 16
    assert few(low_rank(16, 2, 0), alpha=np.linspace(0.1, 0.2, 16)) == 16
    assert few(low_rank(16, 2, 0), alpha=1.5) == 16
    assert few(np.zeros((16, 16))) == 1
    assert few(low_rank(12, 2, 0), "relu") == 12  # each of its regions is solved
    assert few(low_rank(13, 2, 0), "relu") == 2
    of_gates = gated("gru", {"candidate": low_rank(16, 2, 0)})
    of = next(each_network(of_gates, constant_inputs(of_gates, None)))[1]
    assert in_few_numbers(of) is of


@pytest.mark.nightly
def test_rotated_and_scaled_pitchforks_have_27_from_every_seed():
    group = np.arange(399) // 133
    of_groups = 1.6 * (group[:, np.newaxis] == group) / 133
    for seed in range(20):
        rng = np.random.default_rng(seed)
        signs, order = np.sign(rng.normal(size=399)), rng.permutation(399)
        weights = (signs[:, np.newaxis] * of_groups * signs)[order][:, order]
        for formulation in ("rate", "current"):
            found = fixed_points(stored(weights, "tanh", formulation, alpha=0.1), seed=seed)
            counts = [int((found.n_unstable == number).sum()) for number in range(4)]
            assert (counts, int(found.index_sum), bool(found.complete)) == ([8, 12, 6, 1], 1, True), seed
