"""Gated models: the layers of Keras, with seeded initial weights and biornn's readout."""

import numpy as np
import pytest

import biornn as bn


@pytest.mark.parametrize(("architecture", "n_gates", "n_biases"), [("gru", 3, 2), ("lstm", 4, 1)])
def test_the_weights_are_those_of_the_architecture(architecture, n_gates, n_biases):
    model = bn.layers.build_gated_model(architecture, 6, n_inputs=2, n_outputs=3, seed=1)
    assert model.get_layer("recurrent").count_params() == n_gates * (6 * 2 + 6 * 6 + n_biases * 6)
    recurrent = model.get_layer("recurrent").cell.recurrent_kernel.numpy()
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(6), atol=1e-5)
    again = bn.layers.build_gated_model(architecture, 6, n_inputs=2, n_outputs=3, seed=1)
    other = bn.layers.build_gated_model(architecture, 6, n_inputs=2, n_outputs=3, seed=2)
    for one, same in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    for index in (0, 1, -2):  # kernels; biases start alike
        assert not np.array_equal(model.get_weights()[index], other.get_weights()[index])


def test_an_unknown_architecture_is_refused():
    with pytest.raises(ValueError, match=r"architecture: expected one of \('gru', 'lstm'\), got 'rnn'"):
        bn.layers.build_gated_model("rnn", 6, 2, 3)
