"""Gated models: the layers of Keras, with seeded initial weights and biornn's readout."""

import keras
import numpy as np
import pytest

import biornn as bn


@pytest.mark.parametrize(("architecture", "n_gates", "n_biases"), [("gru", 3, 2), ("lstm", 4, 1)])
def test_the_weights_are_those_of_the_architecture(architecture, n_gates, n_biases):
    model = bn.layers.build_gated_model(architecture, 6, n_inputs=2, n_outputs=3, seed=1)
    assert model.get_layer("recurrent").count_params() == n_gates * (6 * 2 + 6 * 6 + n_biases * 6)
    recurrent = keras.ops.convert_to_numpy(model.get_layer("recurrent").cell.recurrent_kernel)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(6), atol=1e-5)
    again = bn.layers.build_gated_model(architecture, 6, n_inputs=2, n_outputs=3, seed=1)
    other = bn.layers.build_gated_model(architecture, 6, n_inputs=2, n_outputs=3, seed=2)
    for one, same in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    for index in (0, 1, -2):  # the three kernels
        assert not np.array_equal(model.get_weights()[index], other.get_weights()[index])


def test_initial_weights_are_those_of_kerass_own_initialisers_in_law():
    model = bn.layers.build_gated_model("gru", 100, n_inputs=20, n_outputs=3, seed=1)
    kernel, recurrent = (keras.ops.convert_to_numpy(one) for one in model.get_layer("recurrent").cell.weights[:2])
    limit = np.sqrt(6 / (20 + 300))
    assert abs(kernel).max() < limit
    # The variance of a uniform law, within five standard errors of that of 6000 draws (whose kurtosis is 1.8).
    assert kernel.var() == pytest.approx(limit**2 / 3, rel=5 * np.sqrt(0.8 / 6000))
    # Rows of an orthogonal matrix: entries of mean 0 and variance 1 / 300.
    assert recurrent.mean() == pytest.approx(0, abs=5 / np.sqrt(300 * recurrent.size))
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(100), atol=1e-5)


def test_an_unknown_architecture_is_refused():
    with pytest.raises(ValueError, match=r"architecture: expected one of \('gru', 'lstm'\), got 'rnn'"):
        bn.layers.build_gated_model("rnn", 6, 2, 3)


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_at_first_the_gates_keep_the_state_for_up_to_the_longest_memory(architecture):
    model = bn.layers.build_gated_model(architecture, 40, 2, 3, seed=1, longest_memory=20)
    layer = model.get_layer("recurrent")
    layer.cell.recurrent_kernel.assign(np.zeros((40, (3 if architecture == "gru" else 4) * 40)))
    layer.cell.kernel.assign(np.zeros((2, (3 if architecture == "gru" else 4) * 40)))
    # Without input and recurrence the state decays by its gate alone, from 1 in this case.
    state = [np.ones((1, 40), "float32")] * len(layer.cell.state_size if architecture == "lstm" else [1])
    _, states = layer.cell(np.zeros((1, 2), "float32"), state)
    kept = keras.ops.convert_to_numpy(states[-1])[0]
    time = 1 / (1 - kept)
    assert time.min() >= 2 - 1e-3
    assert time.max() <= 20 + 1e-3
    assert np.ptp(time) > 10


def test_a_memory_of_less_than_two_steps_is_refused():
    with pytest.raises(ValueError, match="longest_memory: expected at least 2 steps, got 1"):
        bn.layers.build_gated_model("gru", 6, 2, 3, longest_memory=1)
