"""The fused steps within a framework: where arrays go over to numpy, and gradients come back.

TensorFlow and PyTorch hand over their arrays as they are. JAX copies them, and its own compiled loop is faster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from biornn.layers.fused.steps import FusedSteps, Gradients, Trace


def fused_steps(steps: FusedSteps, *arguments: Any) -> tuple[Any, Any]:
    """Make all steps in numpy, with their gradient: the first derivative, and none after it.

    Parameters
    ----------
    steps
        What a step is.
    *arguments
        Tensors, as `FusedSteps.run` takes arrays.

    Returns
    -------
    rates
        (batch, time, unit).
    state
        After the last input, (batch, unit).
    """
    return _BORDERS[keras.backend.backend()](steps, *arguments)


def runs_on_cpu() -> bool:
    """Tell whether the framework computes where numpy does, and hands its arrays over."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return not tf.config.list_physical_devices("GPU")
    if backend == "torch":
        return bool(ops.zeros(()).device.type == "cpu")
    return False


def _in_tensorflow(steps: FusedSteps, *arguments: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    def backward(of_rates: Any, of_state: Any, *trace: Any) -> Gradients:
        return steps.gradients(of_rates, of_state, Trace(*trace))

    @tf.custom_gradient
    def run(*tensors: Any) -> tuple[Any, Callable[..., Any]]:
        inputs, input_weights, recurrent_weights, _, state, *noise = tensors
        dtype = inputs.dtype
        rates, last, *kept = tf.numpy_function(steps.run, tensors, [dtype] * 4, stateful=False)
        rates.set_shape((*inputs.shape[:2], recurrent_weights.shape[0]))
        last.set_shape(state.shape)

        def gradient(of_rates: Any, of_state: Any) -> list[Any]:
            given = of_rates, of_state, inputs, input_weights, recurrent_weights, *kept
            gradients = tf.numpy_function(backward, given, [dtype] * 5, stateful=False)
            for one, tensor in zip(gradients, tensors, strict=False):
                one.set_shape(tensor.shape)
            return [*gradients, *(None for _ in noise)]

        return (rates, last), gradient

    rates, state = run(*map(tf.convert_to_tensor, arguments))
    return rates, state


def _in_torch(steps: FusedSteps, *arguments: Any) -> tuple[Any, Any]:
    import torch

    class Run(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, *tensors: Any) -> tuple[Any, Any]:
            rates, state, *context.kept = steps.run(*(tensor.detach().numpy() for tensor in tensors))
            context.save_for_backward(*tensors)  # PyTorch notices if one is changed before it is asked for again
            return torch.from_numpy(rates), torch.from_numpy(state)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(context: Any, of_rates: Any, of_state: Any) -> tuple[Any, ...]:
            inputs, input_weights, recurrent_weights, _, _, *noise = (
                one.detach().numpy() for one in context.saved_tensors
            )
            trace = Trace(inputs, input_weights, recurrent_weights, *context.kept)
            gradients = steps.gradients(of_rates.numpy(), of_state.numpy(), trace)
            return *map(torch.from_numpy, gradients), *(None for _ in noise)

    rates, state = Run.apply(*map(ops.convert_to_tensor, arguments))
    return rates, state


_BORDERS = {"tensorflow": _in_tensorflow, "torch": _in_torch}
