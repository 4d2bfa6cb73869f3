"""All steps of a recurrent network, with its readout and gradient, in numpy: what the layer computes with on a CPU.

A framework's loop costs tens of microseconds a step, and new memory for all intermediate results. Here a step is one
matrix product and one call of the activation, in place, in memory that is reused. Time is the first axis, so that the
data of a step are contiguous. What the recurrence does not need, such as the gradient of the recurrent weights, is
computed as one large product for a block of steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, repeat
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from biornn.layers.fused.activations import ACTIVATIONS
from biornn.layers.fused.memory import Memory
from biornn.layers.fused.threads import N_BUFFERS, beside, choose_n_parts, for_parts, has_spare_thread

_Array = NDArray[np.floating[Any]]
#: Length of a block of steps: at least so many (trial, step) pairs, which make a large product, and more as long as
#: there are at most so many rates, which stay in the processor's cache.
_BLOCK_ROWS = 512
_BLOCK_RATES = 2**17

#: A network may diverge: training detects that, so numpy need not warn.
_UNNOTICED = np.errstate(all="ignore")


class Given(NamedTuple):
    """The arguments of the steps; the weights are the effective ones.

    `inputs` (batch, time, input_channel); `input_weights` (input_channel, unit); `recurrent_weights` (unit_pre,
    unit_post); `bias` (unit,); `state` before the first input, (batch, unit). `output_weights` (unit, output_channel):
    of a readout, if outputs are to be returned and not rates. `noise` (batch, time, unit): added to what a unit
    receives.
    """

    inputs: Any
    input_weights: Any
    recurrent_weights: Any
    bias: Any
    state: Any
    output_weights: Any = None
    noise: Any = None


class Trace(NamedTuple):
    """Intermediate results of the steps that their gradient needs.

    `before` (part, time + 1, trial, unit) holds the rates before each step, and the last ones, for each part of the
    batch; `values` (part, time, trial, unit) the values of the activation, if a leak makes these differ from the rates
    (otherwise its time has length 0).
    """

    before: _Array
    values: _Array


class FusedSteps:
    """The steps of one layer; what does not depend on the state is computed for a block of steps at a time.

    `activation` is one of `ACTIVATIONS`, `formulation` as in `ConstrainedRNNCell`, and `alpha` dt / τ of each unit, or
    None where all are 1.
    """

    def __init__(self, activation: str, formulation: Literal["rate", "current"], alpha: _Array | None) -> None:
        self._activate, self._slope = ACTIVATIONS[activation]
        self._is_rate = formulation == "rate"
        if alpha is not None and (alpha == alpha[0]).all():
            alpha = alpha[0]  # to multiply by a number takes a third of the time
        self._alpha = alpha
        self._keep = None if alpha is None else 1 - alpha
        # One each for rates, outputs of a readout, and blocks, so that no small array takes a large block of memory.
        self._memory, self._memory_of_outputs, self._memory_of_blocks = Memory(), Memory(), Memory()

    def close(self) -> None:
        """Free all memory: a framework may refer to the steps long after their layer is gone."""
        for memory in (self._memory, self._memory_of_outputs, self._memory_of_blocks):
            memory.close()

    @_UNNOTICED
    def run(self, given: Given) -> tuple[_Array, _Array, Trace]:
        """Compute all steps from arrays.

        Returns outputs (batch, time, output_channel) with a readout, without it rates (batch, time, unit); the state
        after the last input, (batch, unit); and a trace for `gradients`.
        """
        n_trials, n_steps, _ = given.inputs.shape
        n_units, dtype = len(given.recurrent_weights), given.recurrent_weights.dtype
        n_parts = choose_n_parts(n_trials, n_units)
        part = -(-n_trials // n_parts), n_units
        output_weights = given.output_weights
        n_outputs = n_units if output_weights is None else output_weights.shape[1]
        memory = self._memory if output_weights is None else self._memory_of_outputs
        outputs = memory.take((n_trials, n_steps, n_outputs), dtype)
        before = self._memory.take((n_parts, n_steps + 1, *part), dtype)
        values = self._memory.take((n_parts, n_steps * self._keeps_values, *part), dtype)
        state = np.array(given.state, order="C")
        driving_weights = self._scaled(np.vstack([given.input_weights, given.bias]))
        weights = self._scaled(given.recurrent_weights)

        @_UNNOTICED
        def make(index: int, trials: slice) -> None:
            size = trials.stop - trials.start
            rates = before[index, 1:, :size]
            for block in self._steps(
                given.inputs[trials], driving_weights, weights, None if given.noise is None else given.noise[trials],
                state[trials], before[index, :, :size], values[index, :, :size],
            ):  # fmt: skip
                read_out = rates[block] if output_weights is None else _times(rates[block], output_weights)
                outputs[trials, block] = read_out.swapaxes(0, 1)

        for_parts(make, n_trials, n_parts)
        return outputs, state, Trace(before, values)

    def _steps(
        self,
        inputs: _Array,
        driving_weights: _Array,
        weights: _Array,
        noise: _Array | None,
        state: _Array,
        before: _Array,
        values: _Array,
    ) -> Iterator[slice]:
        """Compute all steps of some trials, and yield each block when it is done.

        `state` is updated from step to step, `before` and `values` are filled.
        """
        if self._is_rate:
            before[0] = state
        else:
            self._activate(state, before[0])
        advance = self._advance_rates if self._is_rate else self._advance_currents
        received = np.empty_like(state)
        room = self._memory_of_blocks.take((_block_length(before[1:]), *state.shape), state.dtype)
        for block in _blocks(before[1:]):
            drive = _times(_with_ones(inputs[:, block]), driving_weights, room)
            if noise is not None:
                drive += self._scaled(noise[:, block].swapaxes(0, 1))
            kept = values[block] if self._keeps_values else repeat(received)  # not used
            for now, after, driven, value in zip(before[block], before[1:][block], drive, kept, strict=False):
                np.dot(now, weights, received)
                received += driven
                advance(received, state, now, after, value)
            if self._is_rate:
                state[...] = before[block.stop]
            yield block

    def _advance_rates(self, received: _Array, _: _Array, now: _Array, after: _Array, value: _Array) -> None:
        """Compute one step of the rate form: from the rates `now` to those `after`."""
        if self._alpha is None:
            self._activate(received, after)
            return
        self._activate(received, value)
        np.subtract(value, now, out=after)
        after *= self._alpha
        after += now

    def _advance_currents(self, received: _Array, state: _Array, _: _Array, after: _Array, __: _Array) -> None:
        """Compute one step of the current form: `state` and the rates `after` it; `received` includes the factor α."""
        if self._keep is None:
            state[...] = received
        else:
            state *= self._keep
            state += received
        self._activate(state, after)

    @_UNNOTICED
    def gradients(self, of_outputs: _Array, of_state: _Array, given: Given, trace: Trace) -> Given:
        """Compute the gradients with respect to what was given to `run` from those with respect to what it returned.

        They are None for the noise and, with a readout, for the inputs. Bias, state and noise may be missing in
        `given`.
        """
        n_trials, n_parts = len(given.inputs), len(trace.before)
        n_units, dtype = len(given.recurrent_weights), given.recurrent_weights.dtype
        input_weights = self._scaled(given.input_weights)
        back = np.ascontiguousarray(self._scaled(given.recurrent_weights).T)
        back_to_rates, readout_shape = None, (0, 0)
        if given.output_weights is not None:
            back_to_rates, readout_shape = np.ascontiguousarray(given.output_weights.T), given.output_weights.shape
        of_inputs = np.empty_like(given.inputs) if back_to_rates is None else None
        of_start = np.array(of_state, order="C")
        has_spare = has_spare_thread(n_trials, n_units)
        of_driving = np.zeros((n_parts, len(input_weights) + 1, n_units), dtype)
        of_weights = np.zeros((n_parts, n_units, n_units), dtype)
        of_readout = np.zeros((n_parts, *readout_shape), dtype)

        @_UNNOTICED
        def retreat(index: int, trials: slice) -> None:
            size = trials.stop - trials.start
            self._steps_back(
                given.inputs[trials], input_weights.T, back, back_to_rates, trace.before[index, :, :size],
                trace.values[index, :, :size], of_outputs[trials], of_start[trials],
                None if of_inputs is None else of_inputs[trials], of_driving[index], of_weights[index],
                of_readout[index], has_spare,
            )  # fmt: skip

        for_parts(retreat, n_trials, n_parts)
        of_weights, of_driving = self._scaled(of_weights.sum(axis=0)), self._scaled(of_driving.sum(axis=0))
        gradients = Given(of_inputs, of_driving[:-1], of_weights, of_driving[-1], of_start)
        return gradients if back_to_rates is None else gradients._replace(output_weights=of_readout.sum(axis=0))

    def _steps_back(
        self,
        inputs: _Array,
        back_to_inputs: _Array,
        back: _Array,
        back_to_rates: _Array | None,
        before: _Array,
        values: _Array,
        of_outputs: _Array,
        of_state: _Array,
        of_inputs: _Array | None,
        of_driving: _Array,
        of_weights: _Array,
        of_readout: _Array,
        has_spare: bool,
    ) -> None:
        """Go backwards through all steps of some trials: update `of_state` from step to step, and fill the rest."""
        rates = before[1:]
        slopes_from = values if self._keeps_values else rates
        part = np.empty_like(back)
        n_blocks = 1 + (N_BUFFERS if has_spare else 1)
        room, *buffers = self._memory_of_blocks.take((n_blocks, _block_length(rates), *of_state.shape), back.dtype)
        of_outputs = of_outputs.swapaxes(0, 1)

        @_UNNOTICED
        def multiply(block: slice, here: _Array) -> None:
            rows = _rows(here)
            np.add(of_weights, np.dot(_rows(before[block]).T, rows, out=part), out=of_weights)
            np.add(of_driving, _rows(_with_ones(inputs[:, block])).T @ rows, out=of_driving)
            if of_inputs is not None:
                of_inputs[:, block] = _times(here, back_to_inputs).swapaxes(0, 1)
            if back_to_rates is not None:
                np.add(of_readout, _rows(rates[block]).T @ _rows(of_outputs[block]), out=of_readout)

        # In the rate form, the gradient with respect to the rates after a step. In the current form, that through the
        # rates that the next step used, and that through the state that leaked into it.
        of_after, of_leak = of_state, np.zeros_like(of_state)
        if not self._is_rate:
            of_after, of_leak = of_leak, of_after
        retreat = self._retreat_rates if self._is_rate else self._retreat_currents
        with beside(has_spare) as do:
            for block, buffer in zip(reversed(list(_blocks(rates))), cycle(buffers), strict=False):
                here = buffer[: block.stop - block.start]
                self._slope(slopes_from[block], here)
                if self._is_rate and self._alpha is not None:
                    here *= self._alpha
                of_rates = of_outputs[block]
                if back_to_rates is not None:
                    of_rates = _times(of_rates, back_to_rates, room)
                for of_rate, of_current in zip(of_rates[::-1], here[::-1], strict=True):
                    of_after += of_rate
                    retreat(of_current, of_after, of_leak, back)
                do(multiply, block, here)
        if not self._is_rate:
            slope = np.empty_like(of_after)
            self._slope(before[0], slope)
            slope *= of_after
            of_state += slope

    def _retreat_rates(self, here: _Array, of_after: _Array, received: _Array, back: _Array) -> None:
        """Go back one step of the rate form; `here`, α times the slope, becomes the gradient of the current."""
        here *= of_after
        if self._keep is None:
            np.dot(here, back, out=of_after)
            return
        of_after *= self._keep
        of_after += np.dot(here, back, out=received)

    def _retreat_currents(self, here: _Array, of_after: _Array, of_leak: _Array, back: _Array) -> None:
        """Go back one step of the current form; `here`, the slope, becomes the gradient of the state."""
        here *= of_after
        here += of_leak
        np.multiply(here, 0.0 if self._keep is None else self._keep, out=of_leak)
        np.dot(here, back, out=of_after)

    @property
    def _keeps_values(self) -> bool:
        """Whether the slope cannot be computed from the rates alone."""
        return self._is_rate and self._alpha is not None

    def _scaled(self, array: _Array) -> _Array:
        """Multiply weights, or currents through them, (..., unit), by α in the current form."""
        return array if self._is_rate or self._alpha is None else array * self._alpha


def _block_length(steps: _Array) -> int:
    """Choose the number of steps, of (time, batch, unit), of a block."""
    n_steps, n_trials, n_units = steps.shape
    return max(1, min(n_steps, max(_BLOCK_ROWS, _BLOCK_RATES // n_units) // max(1, n_trials)))


def _blocks(steps: _Array) -> Iterator[slice]:
    length = _block_length(steps)
    for start in range(0, len(steps), length):
        yield slice(start, min(start + length, len(steps)))


def _times(steps: _Array, weights: _Array, room: _Array | None = None) -> _Array:
    """Multiply (time, batch, pre) with (pre, post), as one product; into the first steps of some room, if given."""
    out = None if room is None else _rows(room[: len(steps)])
    return np.dot(_rows(steps), weights, out=out).reshape(*steps.shape[:-1], weights.shape[-1])


def _rows(steps: _Array) -> _Array:
    """Join the axes of time and batch: (time and batch, unit)."""
    return steps.reshape(-1, steps.shape[-1])


def _with_ones(inputs: _Array) -> _Array:
    """Move time to the front and append a channel of ones, whose weights are the bias."""
    n_trials, n_steps, n_channels = inputs.shape
    driving = np.ones((n_steps, n_trials, n_channels + 1), inputs.dtype)
    driving[:, :, :-1] = inputs.swapaxes(0, 1)
    return driving
