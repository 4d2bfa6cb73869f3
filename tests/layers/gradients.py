"""What differs between Keras backends in these tests: how a gradient is asked for, and the finest float there is."""

import keras
import numpy as np
from keras import ops

BACKEND = keras.backend.backend()
#: Keras multiplies matrices in float32 on JAX and PyTorch, whatever the dtype of a layer.
FINEST = "float64" if BACKEND == "tensorflow" else "float32"
EPSILON = float(np.finfo(FINEST).eps)
#: How models are compiled here: tracing costs more than it saves on networks this small.
EAGER = {"run_eagerly": True, "jit_compile": False}


def numbers(scalars):
    """Losses and the like as floats; those of PyTorch carry a gradient and want it taken off first."""
    return [float(ops.convert_to_numpy(scalar)) for scalar in scalars]


def gradients(function, variables):
    """Gradients of a scalar function of no argument with respect to Keras variables, as numpy arrays."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = function()
        found = tape.gradient(value, [variable.value for variable in variables])
    elif BACKEND == "jax":
        import jax

        def of_values(values):
            with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
                return function()

        found = jax.grad(of_values)([variable.value for variable in variables])
    else:
        import torch

        found = torch.autograd.grad(function(), [variable.value for variable in variables])
    return [ops.convert_to_numpy(gradient) for gradient in found]


def numeric_gradients(function, variables, step):
    """Return the same by central differences: an error of order step² plus rounding of order EPSILON / step."""
    found = []
    for variable in variables:
        value = np.array(ops.convert_to_numpy(variable.value))
        gradient = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            both = []
            for shift in (step, -step):
                moved = value.copy()
                moved[index] += shift
                variable.assign(ops.convert_to_tensor(moved))
                both += numbers([function()])
            gradient[index] = (both[0] - both[1]) / (2 * step)
        variable.assign(ops.convert_to_tensor(value))
        found.append(gradient)
    return found
