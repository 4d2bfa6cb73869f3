"""The Jacobian of a step: against finite differences, autodiff of the Keras cell, and a linear network."""

import keras
import numpy as np
import pytest

from biornn.activations import ACTIVATIONS, activation
from biornn.dynamics import jacobian, step
from biornn.layers import ConstrainedRNNCell

N_UNITS = 5
ALPHA = np.array([1.0, 0.1, 0.5, 0.9, 0.3])
FORMS = ("rate", "current")


def drawn():
    """States (row, unit), drive and weights."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, N_UNITS)), rng.normal(size=N_UNITS), rng.normal(size=(N_UNITS, N_UNITS))


def stepped(state, drive, weights, alpha, f, formulation):
    return step(state, state if formulation == "rate" else f(state), drive, weights, alpha, f, formulation)[0]


@pytest.mark.parametrize("alpha", [None, ALPHA], ids=["no leak", "leaky"])
@pytest.mark.parametrize("formulation", FORMS)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_is_that_of_finite_differences(name, formulation, alpha):
    state, drive, weights = drawn()
    f, small = activation(name), 1e-6
    found = jacobian(state, drive, weights, alpha, f, formulation)
    for unit in range(N_UNITS):
        moved = small * np.eye(N_UNITS)[unit]
        after, before = (stepped(state + sign * moved, drive, weights, alpha, f, formulation) for sign in (1, -1))
        # Rounding is eps / small, relative to values of up to some tens.
        np.testing.assert_allclose(found[:, unit], (after - before) / (2 * small), rtol=1e-6, atol=1e-8)


def test_of_a_linear_network_is_the_weights_and_the_leak():
    state, drive, weights = drawn()
    expected = ALPHA * weights + np.diag(1 - ALPHA)
    for formulation in FORMS:
        found = jacobian(state, drive, weights, ALPHA, activation("linear"), formulation)
        np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-15)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's own autodiff")
@pytest.mark.parametrize("formulation", FORMS)
@pytest.mark.parametrize("name", ["tanh", "relu", "softplus"])
def test_is_that_of_the_keras_cell(name, formulation):
    import tensorflow as tf

    state = drawn()[0]
    cell = ConstrainedRNNCell(N_UNITS, activation=name, formulation=formulation, tau=5.0, dt=1.0, initial_bias=0.5)
    inputs = np.zeros((len(state), 2), np.float32)
    cell.build(inputs.shape)
    given = tf.constant(state, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(given)
        (after,) = cell(inputs, [given])[1]
    theirs = np.swapaxes(tape.batch_jacobian(after, given).numpy(), 1, 2)  # (row, unit_pre, unit_post)
    weights, bias = np.asarray(cell.recurrent_pathway.effective()), np.asarray(cell.bias)
    ours = jacobian(state, bias, weights, np.full(N_UNITS, 0.2), activation(name), formulation)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)  # theirs is float32
