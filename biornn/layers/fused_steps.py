"""All steps of a recurrent network at once, and their gradient, in numpy: the core of the layer on a CPU.

A framework's loop costs tens of microseconds a step, and fresh memory for all that it keeps. Here a step is one product
and one call of the activation, in place, in memory that is used again; time comes first, so that a step is contiguous;
and what no step waits for, such as the gradient of the recurrent weights, is a large product for a block of steps.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

_Array = NDArray[np.floating[Any]]
_BLOCK_ROWS = 512  # (trial, step) pairs that are computed at a time where no step waits for the one before
_SMALL_STEP = 2**21  # multiplications of a step below which a second thread gains nothing
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

    The first three are what went into `FusedSteps.run`; `before` (part, time + 1, trial, unit) holds the rates before
    each step, and the last ones, for each part of the batch; `values` (part, time, trial, unit) what the activation
    gave, where a leak makes that other than the rates (elsewhere it is without steps).
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
        n_trials, n_steps, _ = inputs.shape
        n_units, dtype = len(recurrent_weights), recurrent_weights.dtype
        n_parts = _n_parts(n_trials, n_units)
        part = -(-n_trials // n_parts), n_units
        rates = self._memory.take((n_trials, n_steps, n_units), dtype)
        before = self._memory.take((n_parts, n_steps + 1, *part), dtype)
        values = self._memory.take((n_parts, n_steps * self._keeps_values, *part), dtype)
        state_after = np.array(state, order="C")
        driving_weights, weights = self._scaled(np.vstack([input_weights, bias])), self._scaled(recurrent_weights)

        @_UNNOTICED
        def make(index: int, trials: slice) -> None:
            size = trials.stop - trials.start
            self._steps(
                _with_ones(inputs[trials]), driving_weights, weights, None if noise is None else noise[trials],
                state_after[trials], rates[trials], before[index, :, :size], values[index, :, :size],
            )  # fmt: skip

        _for_parts(make, n_trials, n_parts)
        return rates, state_after, before, values

    def _steps(
        self,
        driving: _Array,
        driving_weights: _Array,
        weights: _Array,
        noise: _Array | None,
        state: _Array,
        rates: _Array,
        before: _Array,
        values: _Array,
    ) -> None:
        """Make all steps of some trials: `state` goes from the first to the last one, the rest after it is filled."""
        if self._is_rate:
            before[0] = state
        else:
            self._activate(state, before[0])
        advance = self._advance_rates if self._is_rate else self._advance_currents
        received = np.empty_like(state)
        for block in _blocks(before[1:]):
            drive = _times(driving[block], driving_weights)
            if noise is not None:
                drive += self._scaled(noise[:, block].swapaxes(0, 1))
            for step, driven in enumerate(drive, block.start):
                np.dot(before[step], weights, out=received)
                received += driven
                advance(received, state, before[step], before[step + 1], values[step : step + 1])
                rates[:, step] = before[step + 1]
        if self._is_rate:
            state[...] = before[-1]

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
        n_trials, n_parts = len(inputs), len(before)
        input_weights, back = self._scaled(input_weights), np.ascontiguousarray(self._scaled(recurrent_weights).T)
        of_inputs, of_start = np.empty_like(inputs), np.array(of_state, order="C")
        of_driving = np.zeros((n_parts, len(input_weights) + 1, len(back)), back.dtype)
        of_weights = np.zeros((n_parts, *back.shape), back.dtype)

        @_UNNOTICED
        def retreat(index: int, trials: slice) -> None:
            size = trials.stop - trials.start
            self._steps_back(
                _with_ones(inputs[trials]), input_weights.T, back, before[index, :, :size], values[index, :, :size],
                of_rates[trials], of_start[trials], of_inputs[trials], of_driving[index], of_weights[index],
            )  # fmt: skip

        _for_parts(retreat, n_trials, n_parts)
        of_weights, of_driving = self._scaled(of_weights.sum(axis=0)), self._scaled(of_driving.sum(axis=0))
        return Gradients(of_inputs, of_driving[:-1], of_weights, of_driving[-1], of_start)

    def _steps_back(
        self,
        driving: _Array,
        back_to_inputs: _Array,
        back: _Array,
        before: _Array,
        values: _Array,
        of_rates: _Array,
        of_state: _Array,
        of_inputs: _Array,
        of_driving: _Array,
        of_weights: _Array,
    ) -> None:
        """Go back through all steps of some trials: `of_state` goes from the last to the first one; fill the rest."""
        n_units = len(back)
        slopes_from = values if self._keeps_values else before[1:]
        part = np.empty_like(back)
        of_current = np.empty((_block_length(before[1:]), *of_state.shape), back.dtype)
        # In the rate form, of the rates after a step. In the current form, of the rates as far as the next step used
        # them; and of the state that leaks into the next.
        of_after, of_leak = of_state, np.zeros_like(of_state)
        if not self._is_rate:
            of_after, of_leak = of_leak, of_after
        retreat = self._retreat_rates if self._is_rate else self._retreat_currents
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
            slope *= of_after
            of_state += slope

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


def _n_parts(n_trials: int, n_units: int) -> int:
    """Choose the number of parts of a batch, each of which has a thread: as many as BLAS would take.

    Each part's products take one thread. Threads of BLAS would wait for each other actively, at every step: on a
    machine where something else takes one of the cores, that makes a step many times as long.
    """
    if n_trials * n_units**2 < _SMALL_STEP:
        return 1
    n_threads = max((library["num_threads"] for library in _blas().info()), default=1)
    return max(1, min(n_threads, n_trials))


def _for_parts(work: Callable[[int, slice], None], n_trials: int, n_parts: int) -> None:
    """Do some work for each part of a batch, side by side."""
    length = max(1, -(-n_trials // n_parts))
    parts = [slice(min(start, n_trials), min(start + length, n_trials)) for start in range(0, n_parts * length, length)]
    with _blas().limit(limits=1):
        if n_parts == 1:
            work(0, slice(0, n_trials))
        else:
            list(_pool(n_parts).map(work, range(n_parts), parts))


@cache
def _pool(n_threads: int) -> ThreadPoolExecutor:
    """Threads that stay."""
    return ThreadPoolExecutor(n_threads, "biornn")


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
