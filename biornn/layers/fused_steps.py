"""All steps of a recurrent network at once, and their gradient, in numpy: the core of the layer on a CPU.

A framework's loop costs tens of microseconds a step, and fresh memory for all that it keeps. Here a step is one product
and one call of the activation, in place, in memory that is used again; time comes first, so that a step is contiguous;
and what no step waits for, such as the gradient of the recurrent weights, is a large product for a block of steps.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

_Array = NDArray[np.floating[Any]]
_BLOCK_ROWS = 512  # (trial, step) pairs that are computed at a time where no step waits for the one before
_SMALL_PRODUCT = 2**21  # multiplications of a step below which a second thread of BLAS gains nothing
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

    The first three are what went into `FusedSteps.run`; `before` (time + 1, batch, unit) holds the rates before each
    step, and the last ones; `values` (time, batch, unit) what the activation gave, where a leak makes that other than
    the rates (elsewhere it is without steps).
    """

    inputs: _Array
    input_weights: _Array
    recurrent_weights: _Array
    before: _Array
    values: _Array


class Gradients(NamedTuple):
    """Gradients of what goes into the steps, but for the noise: it is drawn, and depends on nothing."""

    inputs: _Array
    input_weights: _Array
    recurrent_weights: _Array
    bias: _Array
    state: _Array


class FusedSteps:
    """The steps of one layer.

    What does not depend on the state is computed for a block of steps at a time: few calls, on arrays that stay in the
    processor's cache.

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
        self._keep = None if alpha is None else 1 - alpha
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
        of_rates, of_state, *of_trace = self.shapes(inputs.shape, len(recurrent_weights))
        rates, before, values = (self._memory.take(shape, recurrent_weights.dtype) for shape in (of_rates, *of_trace))
        state_after = np.empty(of_state, recurrent_weights.dtype)
        driving, driving_weights = _with_ones(inputs), self._scaled(np.vstack([input_weights, bias]))
        weights = self._scaled(recurrent_weights)
        state_after[...] = state
        if self._is_rate:
            before[0] = state
        else:
            self._activate(state_after, before[0])
        advance = self._advance_rates if self._is_rate else self._advance_currents
        received = np.empty_like(state_after)
        with _threads(*state.shape):
            for block in _blocks(before[1:]):
                drive = _times(driving[block], driving_weights)
                if noise is not None:
                    drive += self._scaled(noise[:, block].swapaxes(0, 1))
                for step, driven in enumerate(drive, block.start):
                    np.dot(before[step], weights, out=received)
                    received += driven
                    advance(received, state_after, before[step], before[step + 1], values[step : step + 1])
                    rates[:, step] = before[step + 1]
        if self._is_rate:
            state_after[...] = before[-1]
        return rates, state_after, before, values

    def _advance_rates(self, received: _Array, _: _Array, now: _Array, after: _Array, values: _Array) -> None:
        """Make one step of the rate form: from the rates `now` to those `after`."""
        if self._alpha is None:
            self._activate(received, after)
            return
        self._activate(received, values[0])
        np.subtract(values[0], now, out=after)
        after *= self._alpha
        after += now

    def _advance_currents(self, received: _Array, state: _Array, _: _Array, after: _Array, __: _Array) -> None:
        """Make one step of the current form: `state` and the rates `after` it; what is received has its α."""
        if self._keep is None:
            state[...] = received
        else:
            state *= self._keep
            state += received
        self._activate(state, after)

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
        inputs, input_weights, recurrent_weights, before, values = trace
        n_units = len(recurrent_weights)
        slopes_from = values if self._keeps_values else before[1:]
        driving, back_to_inputs = _with_ones(inputs), self._scaled(input_weights).T
        back = np.ascontiguousarray(self._scaled(recurrent_weights).T)
        of_inputs = np.empty_like(inputs)
        of_weights, of_driving = np.zeros_like(back), np.zeros((driving.shape[-1], n_units), before.dtype)
        part = np.empty_like(of_weights)
        of_current = np.empty((_block_length(before[1:]), *of_state.shape), before.dtype)
        # In the rate form, of the rates after a step. In the current form, of the rates as far as the next step used
        # them; and of the state that leaks into the next.
        of_after, of_leak = np.array(of_state, order="C"), np.zeros(of_state.shape, before.dtype)
        if not self._is_rate:
            of_after, of_leak = of_leak, of_after
        retreat = self._retreat_rates if self._is_rate else self._retreat_currents
        with _threads(*of_state.shape):
            for block in reversed(list(_blocks(before[1:]))):
                here = of_current[: block.stop - block.start]
                self._slope(slopes_from[block], here)
                if self._is_rate and self._alpha is not None:
                    here *= self._alpha
                for step in range(block.stop - 1, block.start - 1, -1):
                    of_after += of_rates[:, step]
                    retreat(here[step - block.start], of_after, of_leak, back)
                rows = here.reshape(-1, n_units)
                of_weights += np.dot(before[block].reshape(-1, n_units).T, rows, out=part)
                of_driving += driving[block].reshape(-1, driving.shape[-1]).T @ rows
                of_inputs[:, block] = _times(here, back_to_inputs).swapaxes(0, 1)
        if not self._is_rate:
            slope = np.empty_like(of_after)
            self._slope(before[0], slope)
            of_after *= slope
            of_after += of_leak
        of_weights, of_driving = self._scaled(of_weights), self._scaled(of_driving)
        return Gradients(of_inputs, of_driving[:-1], of_weights, of_driving[-1], of_after)

    def _retreat_rates(self, here: _Array, of_after: _Array, received: _Array, back: _Array) -> None:
        """Go back one step of the rate form; `here` is α times the slope, and becomes the gradient of the current."""
        here *= of_after
        if self._keep is None:
            np.dot(here, back, out=of_after)
            return
        of_after *= self._keep
        of_after += np.dot(here, back, out=received)

    def _retreat_currents(self, here: _Array, of_after: _Array, of_leak: _Array, back: _Array) -> None:
        """Go back one step of the current form; `here` is the slope, and becomes the gradient of the state."""
        here *= of_after
        here += of_leak
        np.multiply(here, 0.0 if self._keep is None else self._keep, out=of_leak)
        np.dot(here, back, out=of_after)

    @property
    def _keeps_values(self) -> bool:
        """Whether the slope needs more than the rates."""
        return self._is_rate and self._alpha is not None

    def _scaled(self, array: _Array) -> _Array:
        """Return weights, or what comes through them, (..., unit), with the α that the current form has there."""
        return array if self._is_rate or self._alpha is None else array * self._alpha


def _threads(n_trials: int, n_units: int) -> AbstractContextManager[object]:
    """Let BLAS take one thread where more would gain little: they wait for each other actively, at every step.

    On a machine where something else takes one of the cores, that makes a small step ten times as long.
    """
    return _blas().limit(limits=1) if n_trials * n_units**2 < _SMALL_PRODUCT else nullcontext()


@cache
def _blas() -> ThreadpoolController:
    """Find the libraries that have threads, once: it takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")


def _block_length(steps: _Array) -> int:
    """Choose the steps, of (time, batch, unit), of a block: enough for a large product, but still in cache."""
    return max(1, min(len(steps), _BLOCK_ROWS // max(1, steps.shape[1])))


def _blocks(steps: _Array) -> Iterator[slice]:
    length = _block_length(steps)
    for start in range(0, len(steps), length):
        yield slice(start, min(start + length, len(steps)))


def _times(steps: _Array, weights: _Array) -> _Array:
    """Multiply (time, batch, pre) with (pre, post), as one product."""
    return np.dot(steps.reshape(-1, steps.shape[-1]), weights).reshape(*steps.shape[:-1], weights.shape[-1])


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
        if not n_bytes:
            return np.empty(shape, dtype)
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
            if block.size >= n_bytes:
                return block  # smaller ones are given back to the system: soon all suit the largest batch
        return np.empty(n_bytes, np.uint8)
