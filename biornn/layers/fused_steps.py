"""All steps of a recurrent network at once, and their gradient, in numpy: the core of the layer on a CPU.

A framework's loop costs tens of microseconds a step, and fresh memory for all that it keeps. Here a step is one product
and one call of the activation, in place, in memory that is used again; time comes first, so that a step is contiguous;
and the gradient of the recurrent weights is one large product at the end.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

_Array = NDArray[np.floating[Any]]
_ALIGNMENT = 64  # bytes; TensorFlow takes an array with this alignment as it is, and copies any other


#: A network may diverge: that is for training to notice, and no warning of numpy's.
_UNNOTICED = np.errstate(all="ignore")


class _Activation(NamedTuple):
    """A function and its slope; each writes into its second argument, the slope from the function's value."""

    value: Callable[[_Array, _Array], object]
    slope: Callable[[_Array, _Array], object]


def _sigmoid(current: _Array, out: _Array) -> None:
    np.multiply(current, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5


def _sigmoid_slope(value: _Array, out: _Array) -> None:
    np.subtract(1.0, value, out=out)
    out *= value


def _softplus(current: _Array, out: _Array) -> None:
    np.logaddexp(current, 0.0, out=out)


def _softplus_slope(value: _Array, out: _Array) -> None:
    np.negative(value, out=out)
    np.expm1(out, out=out)
    np.negative(out, out=out)


def _tanh_slope(value: _Array, out: _Array) -> None:
    np.multiply(value, value, out=out)
    np.subtract(1.0, out, out=out)


#: Keras's names of the activations whose slope follows from their value.
ACTIVATIONS: Mapping[str, _Activation] = {
    "linear": _Activation(lambda current, out: np.copyto(out, current), lambda _, out: out.fill(1.0)),
    "relu": _Activation(
        lambda current, out: np.maximum(current, 0.0, out=out), lambda value, out: np.greater(value, 0.0, out=out)
    ),
    "sigmoid": _Activation(_sigmoid, _sigmoid_slope),
    "softplus": _Activation(_softplus, _softplus_slope),
    "tanh": _Activation(lambda current, out: np.tanh(current, out=out), _tanh_slope),
}


class Trace(NamedTuple):
    """What the gradient needs of the steps.

    `inputs` and `recurrent_weights` are those of `FusedSteps.run`; `before` (time + 1, batch, unit) holds the rates
    before each step, and the last ones; `values` (time, batch, unit) what the activation gave, where a leak makes that
    other than the rates (elsewhere it is without steps).
    """

    inputs: _Array
    recurrent_weights: _Array
    before: _Array
    values: _Array


class Gradients(NamedTuple):
    """Gradients of what goes into the steps; `current` (time, batch, unit) of all that a unit receives."""

    current: _Array
    input_weights: _Array
    recurrent_weights: _Array
    bias: _Array
    state: _Array


class FusedSteps:
    """The steps of one layer.

    Parameters
    ----------
    activation
        One of `ACTIVATIONS`.
    formulation
        ``"rate"`` or ``"current"``, as in `ConstrainedRNNCell`.
    alpha
        dt / τ of each unit, (unit,); None where all are 1.
    """

    def __init__(self, activation: str, formulation: Literal["rate", "current"], alpha: _Array | None) -> None:
        self._activate, self._slope = ACTIVATIONS[activation]
        self._is_rate = formulation == "rate"
        self._alpha = alpha
        self._memory = _Memory()

    def shapes(self, of_inputs: tuple[int, ...], n_units: int) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of what `run` returns.

        Parameters
        ----------
        of_inputs
            Shape of the inputs.
        n_units
            Number of units.
        """
        n_trials, n_steps, _ = of_inputs
        state = n_trials, n_units
        return (n_trials, n_steps, n_units), state, (n_steps + 1, *state), (n_steps * self._keeps_values, *state)

    @_UNNOTICED
    def run(
        self,
        inputs: _Array,
        input_weights: _Array,
        recurrent_weights: _Array,
        bias: _Array,
        state: _Array,
        noise: _Array | None = None,
    ) -> tuple[_Array, _Array, _Array, _Array]:
        """Make all steps.

        Parameters
        ----------
        inputs
            (batch, time, input_channel).
        input_weights, recurrent_weights, bias
            Effective weights, (input_channel, unit), (unit_pre, unit_post), (unit,).
        state
            Before the first input, (batch, unit).
        noise
            Added to what a unit receives, (batch, time, unit); None: none.

        Returns
        -------
        rates
            (batch, time, unit).
        state
            After the last input, (batch, unit).
        before, values
            For the `Trace`.
        """
        shapes = self.shapes(inputs.shape, len(recurrent_weights))
        rates, current, before, values = (self._memory.take(shape, recurrent_weights.dtype) for shape in shapes)
        driving, driving_weights = _with_ones(inputs), np.concatenate([input_weights, bias[np.newaxis]])
        state, drive = np.array(state), np.empty_like(current)
        if self._is_rate:
            before[0] = state
        else:
            self._activate(state, before[0])
        for step, (now, after) in enumerate(pairwise(before)):
            np.matmul(now, recurrent_weights, out=current)
            np.matmul(driving[step], driving_weights, out=drive)
            current += drive
            if noise is not None:
                current += noise[:, step]
            if not self._is_rate:
                self._leak(state, current, state)
                self._activate(state, after)
            elif self._alpha is None:
                self._activate(current, after)
            else:
                self._activate(current, values[step])
                np.copyto(current, values[step])
                self._leak(now, current, after)
            rates[:, step] = after
        return rates, np.array(before[-1]) if self._is_rate else state, before, values

    @_UNNOTICED
    def gradients(self, of_rates: _Array, of_state: _Array, trace: Trace) -> Gradients:
        """Go back through all steps.

        Parameters
        ----------
        of_rates, of_state
            Gradients of what `run` returned.
        trace
            Of `run`.
        """
        inputs, weights, before, values = trace
        slopes_from = values if self._keeps_values else before[1:]
        driving, transposed = _with_ones(inputs), np.ascontiguousarray(weights.T)
        of_driving = np.zeros((driving.shape[-1], len(weights)), before.dtype)
        of_current = self._memory.take(before[1:].shape, before.dtype)
        alpha = 1.0 if self._alpha is None else self._alpha
        keep, part = 1.0 - alpha, np.empty_like(of_driving)
        # Gradients of the rates after a step, as far as the next step used them, and of the state that leaks into it.
        through, carried = np.array(of_state), np.zeros_like(of_state)
        if not self._is_rate:
            through, carried = carried, through
        for step in range(len(of_current) - 1, -1, -1):
            through += of_rates[:, step]
            here = of_current[step]
            self._slope(slopes_from[step], here)
            if not self._is_rate:
                here *= through
                here += carried
                np.multiply(here, keep, out=carried)
                here *= alpha
            elif self._alpha is None:
                here *= through
            else:
                carried += through
                here *= carried
                here *= alpha
                carried *= keep
            of_driving += np.matmul(driving[step].T, here, out=part)
            np.matmul(here, transposed, out=through)
        if not self._is_rate:
            slope = np.empty_like(through)
            self._slope(before[0], slope)
            through *= slope
        n_units = len(weights)
        of_weights = before[:-1].reshape(-1, n_units).T @ of_current.reshape(-1, n_units)
        return Gradients(of_current, of_driving[:-1], of_weights, of_driving[-1], carried + through)

    @property
    def _keeps_values(self) -> bool:
        """Whether the slope needs more than the rates."""
        return self._is_rate and self._alpha is not None

    def _leak(self, now: _Array, target: _Array, out: _Array) -> None:
        """Move a state towards its target, which is lost."""
        if self._alpha is None:
            np.copyto(out, target)
            return
        target -= now
        target *= self._alpha
        np.add(now, target, out=out)


def _with_ones(inputs: _Array) -> _Array:
    """Put time first, and a one beside the inputs, so that the bias is one more of their weights."""
    n_trials, n_steps, n_channels = inputs.shape
    driving = np.ones((n_steps, n_trials, n_channels + 1), inputs.dtype)
    driving[:, :, :-1] = inputs.swapaxes(0, 1)
    return driving


class _Memory:
    """Arrays whose memory is used again once nobody holds them: fresh pages cost as much as a product."""

    def __init__(self) -> None:
        self._free: list[NDArray[np.uint8]] = []

    def take(self, shape: tuple[int, ...], dtype: DTypeLike) -> _Array:
        """Return an array with any content, at an address that frameworks like."""
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        block = self._take_block(n_bytes + _ALIGNMENT)
        offset = -block.ctypes.data % _ALIGNMENT
        # Every view holds the lease, a framework's tensor too: when the last is gone, the block is free. Of an array in
        # place of its buffer numpy would make them hold the block itself.
        lease = np.frombuffer(block.data, np.uint8, n_bytes, offset)
        weakref.finalize(lease, self._free.append, block).atexit = False
        array: _Array = lease.view(dtype).reshape(shape)
        return array

    def _take_block(self, n_bytes: int) -> NDArray[np.uint8]:
        while self._free:
            try:
                block = self._free.pop()
            except IndexError:  # another thread was faster
                break
            if block.size == n_bytes:
                return block  # blocks of other batches are given back to the system
        return np.empty(n_bytes, np.uint8)
