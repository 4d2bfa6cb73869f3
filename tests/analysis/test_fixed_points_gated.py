"""Fixed points of GRU and LSTM of which all are known, and all that is made of them."""

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import brentq

from biornn.analysis import basins, fixed_points, linearise, memory_attractors, slow_manifolds
from biornn.schema import GATES
from biornn.stored_networks import stored_networks
from biornn.tasks import FlipFlop
from tests.analysis.networks import gated, network, side_by_side

W = 1.6
#: x = tanh(1.6 x) has the roots 0 and ±this.
PITCHFORK = brentq(lambda x: np.tanh(W * x) - x, 0.1, 1, xtol=1e-15)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def pitchforks(n_units=2, update=0.0, gain=W, **settings):
    """GRU units each of which decides between two signs: the candidate is tanh(w h), as the reset gate is open."""
    return gated("gru", {"candidate": gain * np.eye(n_units)}, bias={"reset": 50.0, "update": update}, **settings)


def latches(n_units=1, gain=4.0, forget=2.0, input_=1.0, output=3.0, **settings):
    """LSTM units with constant gates but the candidate, tanh(w h)."""
    bias = {"forget": forget, "input": input_, "output": output}
    return gated("lstm", {"candidate": gain * np.eye(n_units)}, bias=bias, **settings)


def random_network(layer, n_units, seed, scale=1.5):
    rng = np.random.default_rng(seed)
    recurrent = {gate: scale * rng.normal(size=(n_units, n_units)) for gate in GATES[layer][0]}
    return gated(layer, recurrent, bias={gate: rng.normal(size=n_units) for gate in GATES[layer][0]})


@pytest.mark.parametrize(
    "update", [-30.0, 0.0, pytest.param(5.0, marks=pytest.mark.nightly)]
)  # no memory, 2 steps, 150
def test_two_gru_units_have_their_nine(update):
    found = fixed_points(pitchforks(update=update))
    assert found.kind.values.tolist() == ["stable"] * 4 + ["saddle"] * 4 + ["unstable"]
    assert found.n_unstable.values.tolist() == [0] * 4 + [1] * 4 + [2]
    assert (int(found.index_sum), bool(found.complete)) == (1, True)
    exact = [(x, y) for x in (-PITCHFORK, 0, PITCHFORK) for y in (-PITCHFORK, 0, PITCHFORK)]
    assert sorted(map(tuple, np.round(found.rates.values, 9) + 0.0)) == sorted(map(tuple, np.round(exact, 9)))
    np.testing.assert_array_equal(found.state, found.rates)
    assert (found.error_bound < 1e-11).all()
    # z + (1 - z) w (1 - h²): the update gate is the leak.
    slope = W * (1 - np.sort(np.abs(found.rates), axis=1) ** 2)
    kept = sigmoid(update)
    np.testing.assert_allclose(found.eigenvalues.real, kept + (1 - kept) * slope, rtol=1e-9)


@pytest.mark.parametrize(
    "make",
    [lambda: pitchforks(update=50.0), pytest.param(lambda: latches(forget=50.0), marks=pytest.mark.nightly)],
    ids=["gru", "lstm"],
)
def test_of_units_that_never_forget_it_is_not_known_where_they_end(make):
    found = fixed_points(make(), n_starts=8, max_batches=2)
    assert found.n_fixed_points > 0
    assert found.unseen_basin.isnull()


def test_at_a_bifurcation_a_point_is_marginal():
    found = fixed_points(pitchforks(1, gain=1.0))
    assert found.kind.values.tolist() == ["marginal"]
    assert not found.complete


@pytest.mark.parametrize(("gain", "n_points"), [(4.0, 3), (0.1, 1)])
def test_an_lstm_unit_has_those_of_its_closed_form(gain, n_points):
    forget, input_, output = (sigmoid(bias) for bias in (2.0, 1.0, 3.0))
    found = fixed_points(latches(gain=gain))

    def left(rate):
        return output * np.tanh(input_ * np.tanh(gain * rate) / (1 - forget)) - rate

    rates = [brentq(left, -1, -0.1, xtol=1e-15), 0.0, brentq(left, 0.1, 1, xtol=1e-15)] if n_points == 3 else [0.0]
    order = np.argsort(found.rates.values[:, 0])
    np.testing.assert_allclose(found.rates.values[order, 0], rates, atol=1e-12)
    cells = input_ * np.tanh(gain * np.array(rates)) / (1 - forget)
    np.testing.assert_allclose(found.state.values[order, 0], cells, atol=1e-11)
    assert (int(found.index_sum), bool(found.complete)) == (1, True)
    # With c alone left, of the step c <- f c + i tanh(w o tanh(c)); the other eigenvalue is 0.
    slope = forget + input_ * gain * (1 - np.tanh(gain * np.array(rates)) ** 2) * output * (1 - np.tanh(cells) ** 2)
    assert found.sizes["mode"] == 2
    np.testing.assert_allclose(found.eigenvalues.values[order], np.stack([slope, 0 * slope], 1), atol=1e-9)
    assert sorted(found.n_unstable.values.tolist()) == ([0, 0, 1] if n_points == 3 else [0])


def slopes_of(weights, start):
    """Derivatives of a step by state and rates (2 unit, 2 unit), by finite differences; of a GRU (unit, unit)."""
    ((_, own),) = stored_networks(weights.expand_dims("network"))
    drive, is_gru = own.drive(np.zeros((1, 1, 1))), str(weights.formulation.values) == "gru"

    def stepped(whole):
        state, rates = np.split(whole[np.newaxis, np.newaxis], 2, axis=-1)
        return np.concatenate(own.step(state, state if is_gru else rates, drive), axis=-1)[0, 0]

    np.testing.assert_allclose(stepped(start), start, rtol=1e-9, atol=1e-9)
    slopes = np.array([(stepped(start + one) - stepped(start - one)) / 2e-6 for one in 1e-6 * np.eye(len(start))])
    return slopes[: len(start) // 2, : len(start) // 2] if is_gru else slopes


@pytest.mark.parametrize("layer", ["gru", "lstm"])
def test_eigenvalues_are_those_of_the_steps(layer):
    n_found = 0
    for seed in range(6):
        weights = random_network(layer, 3, seed, scale=3.0)
        found = fixed_points(weights)
        for point in range(int(found.n_fixed_points)):
            slopes = slopes_of(weights, np.concatenate([found.state[point], found.rates[point]]))
            modulus = np.sort(np.abs(np.linalg.eigvals(slopes)))[::-1]
            np.testing.assert_allclose(np.abs(found.eigenvalues[point]), modulus, rtol=1e-5, atol=1e-5)
            n_found += 1
        assert (int(found.index_sum), bool(found.complete)) == (1, True)
    assert n_found > 6


def test_few_starts_in_a_batch_make_more_batches_of_runs():
    # Eight runs that all end in one attractor do not say that one of 200 would not.
    n_runs = fixed_points(latches(gain=0.1), n_starts=8, max_batches=1).n_hits.sum()
    assert n_runs >= 16 * 8


def all_kinds():
    simple = network(W * np.eye(2), np.zeros((1, 2)), np.eye(2), activation="tanh")
    return {"simple": simple, "gru": pitchforks(), "lstm": latches(2), "other": random_network("gru", 2, 0)}


def test_each_network_is_searched_as_if_it_were_alone():
    each = all_kinds()
    found = fixed_points(side_by_side(**each))
    assert found.n_fixed_points.values.tolist()[:3] == [9, 9, 9]
    assert found.sizes["mode"] == 4
    for name, weights in each.items():
        alone = fixed_points(weights)
        same = found.sel(network=name).isel(fixed_point=slice(alone.sizes["fixed_point"]))
        for variable in ("state", "rates", "n_hits", "error_bound", "kind", "complete"):
            np.testing.assert_array_equal(same[variable], alone[variable])
        np.testing.assert_array_equal(same.eigenvalues[:, : alone.sizes["mode"]], alone.eigenvalues)
        assert same.eigenvalues[:, alone.sizes["mode"] :].isnull().all()


def test_basins_of_symmetric_attractors_are_equal():
    weights = side_by_side(**all_kinds())
    shares = basins(fixed_points(weights), weights)
    for name in ("simple", "gru", "lstm"):
        np.testing.assert_allclose(shares.basin_share.sel(network=name)[:4], 0.25, atol=0.1)  # 256 starts
        assert shares.elsewhere.sel(network=name) == 0


def flip_flops():
    inputs = {"candidate": 20 * np.eye(2)}
    ready = network(3 * np.eye(2), 20 * np.eye(2), 1.2 * np.eye(2), activation="tanh")
    lstm = latches(2, forget=0.0, output=9.0, inputs=inputs, outputs=1.2 * np.eye(2))
    gru = pitchforks(2, gain=3.0, inputs=inputs, outputs=1.2 * np.eye(2))
    return side_by_side(lstm=lstm, simple=ready, gru=gru)


def test_memory_states_are_matched():
    weights, task = flip_flops(), FlipFlop(n_bits=2)
    probe = task.probe()
    points = fixed_points(weights, probe_trials=probe, task=task)
    assert points.n_fixed_points.values.tolist() == [9, 9, 9]
    matched = memory_attractors(points, weights, probe, task)
    assert matched.n_memory_attractors.values.tolist() == [4, 4, 4]
    assert matched.has_attractor.all()
    assert matched.stands_still.all()
    assert (matched.saddle >= 0).all()
    assert matched.n_spurious.values.tolist() == [0, 0, 0]


def test_a_gru_is_linearised_and_traced_and_an_lstm_is_left_out():
    weights = flip_flops()
    points = fixed_points(weights)
    modes = linearise(points, weights)
    np.testing.assert_allclose(
        modes.eigenvalues.sel(network="gru"), points.eigenvalues.sel(network="gru")[:, :2], atol=1e-12
    )
    curves = slow_manifolds(points, weights, slow=1.0)
    for found in (modes.jacobian, curves.state):
        assert found.sel(network="lstm").isnull().all()
        for name in ("gru", "simple"):
            assert found.sel(network=name).notnull().any()
    # An input of u moves the candidate by 20 u (1 - n²), of which an open update gate lets half through.
    np.testing.assert_allclose(
        modes.input_projection.sel(network="gru").isel(fixed_point=-1).__abs__().sum("mode"), [10, 10], rtol=1e-9
    )


def test_points_in_another_order_are_taken_by_their_labels():
    weights, task = flip_flops(), FlipFlop(n_bits=2)
    points = fixed_points(weights)
    found, expected = (
        memory_attractors(one, weights, task.probe(), task) for one in (points[{"network": [2, 0, 1]}], points)
    )
    xr.testing.assert_equal(found, expected)
