"""The equations of GRU and LSTM: their derivatives, and bounds of those that hold."""

import numpy as np
import pytest

from biornn.analysis.each_network import constant_inputs, each_network
from biornn.analysis.roots import find_roots
from biornn.schema import GATES
from tests.analysis.networks import gated

LAYERS = ("gru", "lstm")


def random_equation(layer, n_units, scale, seed=0):
    rng = np.random.default_rng(seed)
    recurrent = {gate: scale * rng.normal(size=(n_units, n_units)) / np.sqrt(n_units) for gate in GATES[layer][0]}
    bias = {gate: rng.normal(size=n_units) for gate in GATES[layer][0]}
    inputs = {gate: rng.normal(size=(2, n_units)) for gate in GATES[layer][0]}
    weights = gated(layer, recurrent, inputs, bias)
    weights["gate_recurrent_bias"] = weights["gate_recurrent_bias"] + (
        rng.normal(size=n_units) if layer == "gru" else 0
    )
    ((_, of),) = each_network(weights, constant_inputs(weights, None))
    return of, weights


def drawn(of, n_rows, seed=1):
    rng = np.random.default_rng(seed)
    state, rates = 3 * rng.normal(size=(n_rows, of.n_units)), rng.uniform(-1, 1, (n_rows, of.n_units))
    return rates if of.n_numbers == of.n_units else of.whole(state, rates)


@pytest.mark.parametrize("layer", LAYERS)
def test_derivatives_are_those_of_finite_differences(layer):
    of, _ = random_equation(layer, 4, 1.5)
    state, small = drawn(of, 5), 1e-6
    for function, derivatives in ((of.values, of.derivatives), (of.step, of.step_jacobian)):
        found = derivatives(state)
        for number, moved in enumerate(small * np.eye(of.n_numbers)):
            slope = (function(state + moved) - function(state - moved)) / (2 * small)
            np.testing.assert_allclose(found[:, number], slope, rtol=1e-6, atol=1e-8)


def test_those_by_the_inputs_are_too():
    of, weights = random_equation("gru", 4, 1.5)
    state, small = drawn(of, 5), 1e-6
    inputs = constant_inputs(weights, None)
    for channel in range(2):
        moved = inputs.copy(data=small * np.eye(2)[[channel]])
        ((_, more),), ((_, less),) = each_network(weights, moved), each_network(weights, -moved)
        slope = (more.step(state) - less.step(state)) / (2 * small)
        np.testing.assert_allclose(of.input_derivatives(state)[:, channel], slope, rtol=1e-6, atol=1e-8)


def make_fixed_point(of, state):
    """Give the gates of an LSTM an input that makes a fixed point of one state."""
    cells = of.own_state(state)[0]
    state[:, : of.n_units] = 0.5 * np.tanh(cells)
    forget = 1 - 0.5 / np.maximum(np.abs(cells), 1)
    gates = [np.full(len(cells), 3.0), np.log(forget / (1 - forget)), None, np.zeros(len(cells))]
    gates[2] = np.arctanh(cells * (1 - forget) * (1 + np.exp(-3.0)))
    received = of.network.received(of.rates(state)[np.newaxis])
    of.drive = np.concatenate(gates) - received
    np.testing.assert_allclose(of.step(state), state, atol=1e-9)


@pytest.mark.nightly
@pytest.mark.parametrize("layer", LAYERS)
def test_bounds_of_the_second_derivatives_hold(layer):
    tightest = {"curvature": 0.0, "step_curvature": 0.0}
    for seed in range(60):
        of, _ = random_equation(layer, 1 + seed % 3, 0.2 * 1.1 ** (seed % 40), seed)
        rng, center = np.random.default_rng(seed), drawn(of, 1, seed)
        size = np.ones_like(center)
        if layer == "lstm":
            center[:, of.n_units :] *= 1.2 ** (seed % 30)
            size = of.size(center)
        around = rng.normal(size=(400, of.n_numbers))
        around *= of.region(center) * rng.random((400, 1)) / np.linalg.norm(around, axis=1, keepdims=True)
        for bound, derivatives in (("curvature", of.derivatives), ("step_curvature", of.step_jacobian)):
            if bound == "step_curvature" and layer == "lstm":  # at a fixed point, and where the next cells are near
                make_fixed_point(of, center)
                around = around / of._slopes()[1]
            state, moved = center + 0.99 * around * size, 1e-4 * rng.normal(size=around.shape)
            change = derivatives(state + moved * size) - derivatives(state)
            change = np.linalg.norm(change * size[:, :, np.newaxis] / size[:, np.newaxis], 2, axis=(1, 2))
            share = change / np.linalg.norm(moved, axis=1) / getattr(of, bound)(center)
            assert share.max() <= 1
            tightest[bound] = max(tightest[bound], float(share.max()))
    assert min(tightest.values()) > 0.1  # and are not idle


@pytest.mark.parametrize("layer", LAYERS)
def test_what_is_proved_beside_a_fixed_point_holds_it(layer):
    n_proved = 0
    for seed in range(8):
        of, _ = random_equation(layer, 3, 0.8, seed)
        if layer == "lstm":
            of.drive[..., 3:6] += seed  # cells that forget less and less, whose states are large
        start = np.zeros((1, of.n_numbers))
        for _ in range(1000):
            start = of.step(start)
        start, residual, _ = find_roots(of.map, start)
        if residual > 1e-12:  # it goes on moving
            continue
        direction = np.random.default_rng(seed).normal(size=start.shape)
        for moved in direction * 10.0 ** np.arange(-7, -1)[:, np.newaxis]:
            state = start + moved * of.size(start)
            proof = of.prove(state, np.linalg.norm(of.values(state), axis=1))
            if proof.unique_within > 0:
                assert of.apart(start, state) <= proof.error_bound * 1.01 + 1e-9
                n_proved += 1
    assert n_proved > 10


@pytest.mark.parametrize("layer", LAYERS)
def test_what_rounding_makes_is_below_its_bound(layer):
    for seed in range(20):
        of, _ = random_equation(layer, 6, 30.0, seed)
        state = drawn(of, 20, seed)
        exact = _in_long_double(of, layer, state)
        error = np.linalg.norm((of.values(state) - exact).astype(float), axis=1)
        assert (error <= of.rounding(state)).all()


def _in_long_double(of, layer, state):
    network = [array[0].astype(np.longdouble) for array in of.network[:4]]
    state = state.astype(np.longdouble)
    rates = of.rates(state)
    drive, received = network[2], rates @ network[1] + network[3]
    if layer == "gru":
        drive, received = np.split(drive, 3, axis=-1), np.split(received, 3, axis=-1)
        return np.tanh(drive[2] + received[2] / (1 + np.exp(-drive[1] - received[1]))) - rates
    sums = np.split(drive + received, 4, axis=-1)
    input_, forget, output = (1 / (1 + np.exp(-sums[gate])) for gate in (0, 1, 3))
    cells = of.own_state(state)
    return np.concatenate([output * np.tanh(cells), forget * cells + input_ * np.tanh(sums[2])], axis=1) - state


def test_rates_alone_give_an_lstm_the_cell_states_that_make_them():
    of, _ = random_equation("lstm", 4, 0.5)
    rates = np.random.default_rng(0).uniform(-0.1, 0.1, (5, 4))
    state = of.state_of(rates)
    np.testing.assert_array_equal(of.rates(state), rates)
    np.testing.assert_allclose(of.values(state)[:, :4], 0, atol=1e-12)
    assert np.isfinite(of.state_of(np.ones((1, 4)))).all()  # which no cell state makes
