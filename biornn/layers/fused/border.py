"""The fused steps as one operation of TensorFlow or PyTorch, with its gradient.

Both share their arrays with numpy without copying. JAX would copy them, and its own compiled loop is faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from biornn.layers.fused.steps import FusedSteps, Given, Trace


def fused_steps(steps: FusedSteps, given: Given) -> tuple[Any, Any]:
    """Compute all steps of a layer in numpy from tensors, with first derivatives only.

    Returns outputs (batch, time, output_channel) with a readout, without it rates (batch, time, unit); and the state
    after the last input, (batch, unit). With a readout there is no gradient with respect to the inputs: training needs
    none.
    """
    return _BORDERS[keras.backend.backend()](steps, given)


def leave_to_readout(rates: Any, steps: FusedSteps, given: Given) -> None:
    """Attach to rates the steps that they come from, so that a readout can compute steps and outputs together.

    Only in a graph of TensorFlow, which then removes the steps that were to compute the rates alone.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if tf.inside_function():
            rates._biornn_steps = steps, given


def fused_outputs(rates: Any, weights: Any) -> Any:
    """Compute the outputs of a readout together with the steps of its rates; None if these are not attached."""
    noted = getattr(rates, "_biornn_steps", None)
    if noted is None or weights.dtype != rates.dtype:
        return None
    steps, given = noted
    outputs, _ = fused_steps(steps, given._replace(output_weights=weights))
    return outputs


def runs_on_cpu() -> bool:
    """Whether the framework computes on the processor and shares its arrays with numpy."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return not tf.config.list_physical_devices("GPU")
    if backend == "torch":
        return bool(ops.zeros(()).device.type == "cpu")
    return False


def _in_tensorflow(steps: FusedSteps, given: Given) -> tuple[Any, Any]:
    import tensorflow as tf

    names = _names(given)

    def forward(*arrays: Any) -> tuple[Any, ...]:
        outputs, state, trace = steps.run(_named(names, arrays))
        return outputs, state, *trace

    def backward(of_outputs: Any, of_state: Any, before: Any, values: Any, *arrays: Any) -> list[Any]:
        gradients = steps.gradients(of_outputs, of_state, _named(names, arrays), Trace(before, values))
        return _present(gradients)

    @tf.custom_gradient
    def run(*tensors: Any) -> tuple[Any, Callable[..., Any]]:
        dtype, here = tensors[0].dtype, _named(names, tensors)
        outputs, last, *trace = tf.numpy_function(forward, tensors, [dtype] * 4, stateful=False)
        channels = here.recurrent_weights if here.output_weights is None else here.output_weights
        outputs.set_shape((*here.inputs.shape[:2], channels.shape[1]))
        last.set_shape(here.state.shape)

        def gradient(of_outputs: Any, of_state: Any) -> list[Any]:
            needed = {name: tensor for name, tensor in zip(names, tensors, strict=True) if name != "noise"}
            asked_for = dict(needed)
            if here.output_weights is not None:
                del asked_for["inputs"]
            arguments = of_outputs, of_state, *trace, *needed.values()
            found = tf.numpy_function(backward, arguments, [dtype] * len(asked_for), stateful=False)
            gradients = dict(zip(asked_for, found, strict=True))
            for name, one in gradients.items():
                one.set_shape(asked_for[name].shape)
            return [gradients.get(name) for name in names]

        return (outputs, last), gradient

    outputs, state = run(*map(tf.convert_to_tensor, _present(given)))
    return outputs, state


def _in_torch(steps: FusedSteps, given: Given) -> tuple[Any, Any]:
    import torch

    names = _names(given)

    class Run(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, *tensors: Any) -> tuple[Any, Any]:
            arrays = [tensor.detach().numpy() for tensor in tensors]
            outputs, state, context.trace = steps.run(_named(names, arrays))
            context.save_for_backward(*tensors)  # PyTorch raises an error if one is changed in between
            return torch.from_numpy(outputs), torch.from_numpy(state)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(context: Any, of_outputs: Any, of_state: Any) -> tuple[Any, ...]:
            arrays = [tensor.detach().numpy() for tensor in context.saved_tensors]
            gradients = steps.gradients(of_outputs.numpy(), of_state.numpy(), _named(names, arrays), context.trace)
            found = (getattr(gradients, name) for name in names)
            return tuple(None if one is None else torch.from_numpy(one) for one in found)

    outputs, state = Run.apply(*map(ops.convert_to_tensor, _present(given)))
    return outputs, state


def _names(given: Given) -> list[str]:
    """Names of the arguments that are not None, in the order of the list; the noise, without gradient, is the last."""
    return [name for name, one in given._asdict().items() if one is not None]


def _present(given: Given) -> list[Any]:
    return [one for one in given if one is not None]


def _named(names: Sequence[str], values: Sequence[Any]) -> Given:
    return Given(**dict(zip(names, values, strict=False)))  # backwards, the noise has no value


_BORDERS = {"tensorflow": _in_tensorflow, "torch": _in_torch}
