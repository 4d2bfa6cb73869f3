"""The flip-flop: a memory of n bits, set by brief pulses and held between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.scalars import check_number, integer
from biornn.tasks.periods import in_steps
from biornn.tasks.settings import check_length, check_settings
from biornn.tasks.task import Seed, Task, Trials, task_generator

_THRESHOLD = 0.5  # an output beyond it, in size, says +1 or -1
_JARNE = {
    "n_bits": 3,
    "duration": 340.0,
    "pulse_width": 20.0,
    "response_delay": 20.0,
    "silence": 0.0,
    "n_pulses": 3,
    "pulses": "jittered",
    "amplitude": 1.0,
    "response_weight": 1.0,
    "noise": 0.1,
}
_PRESETS = {"jarne2024": _JARNE}
_MAX_PROBE_BITS = 12  # 2**12 memory states, already a probe of nearly 300,000 steps at the default times


class _Pulses(NamedTuple):
    """Pulses of a set of trials, each of shape (trial, bit, pulse)."""

    onset: NDArray[np.int64]  # in steps, ascending along the last axis
    sign: NDArray[np.int8]  # 0: no pulse


@dataclass(frozen=True)
class FlipFlop(Task):
    """Flip-flop memory of `n_bits` independent bits.

    Each input channel carries pulses of either sign. When a pulse is over and `response_delay` has passed, the target
    of the channel's output takes the pulse's sign and holds it until the next pulse.

    Parameters
    ----------
    n_bits
        Number of bits: of input channels and of output channels.
    duration
        Length of a sampled trial, in ms.
    dt
        Time step, in ms.
    pulse_width
        Length of a pulse, in ms.
    response_delay
        Time from a pulse's falling edge until the target follows it, in ms.
    min_gap
        Shortest time from a falling edge to the channel's next rising edge, in ms.
    first_onset
        Earliest onset of a pulse, in ms.
    silence
        Time at the end of a sampled trial, part of its `duration`, in which no pulse comes: the targets stay as they
        are. In ms. Without long silences in training, states are rarely held by attractors.
    n_pulses
        Pulses per channel and trial where `pulses` is ``"jittered"``.
    pulses
        ``"jittered"``: `n_pulses` at random onsets, of which the first is absent in a third of the channels (Jarne).
        ``"random"``: a Poisson process of rate `pulse_rate`, with `min_gap` between pulses (Sussillo & Barak 2013).
    pulse_rate
        Rate of random pulses once the gap is over, per s.
    amplitude
        Height of a pulse.
    response_weight
        Weight in the loss of samples within a response window, from the onset of a pulse until `response_delay` after
        the target could have switched; that of all others is 1.
    noise
        Standard deviation of the Gaussian noise on every input sample, whatever `dt`.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible, or the pulses do not fit into the trial.

    Notes
    -----
    Unlike in the published generator every pulse and its response fit into the trial, the last sample has its target, a
    seed fixes everything, and channel k of the probe's input belongs to channel k of its target. The preset
    ``jarne2024`` has the bits, pulses, times and noise of the paper, whatever the defaults.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", section 3. Sussillo & Barak (2013), Neural Computation 25, 626.

    Examples
    --------
    >>> import biornn as bn
    >>> trials = bn.tasks.FlipFlop(n_bits=3).trials(10, seed=0)
    >>> dict(trials.inputs.sizes)
    {'trial': 10, 'time': 340, 'input_channel': 3}
    """

    name = "flip_flop"
    score_name = "accuracy"
    trial_conditions = ()
    presets = _PRESETS

    n_bits: int = 3
    duration: float = 340.0
    dt: float = 1.0
    pulse_width: float = 20.0
    response_delay: float = 20.0
    min_gap: float = 50.0
    first_onset: float = 10.0
    silence: float = 0.0
    n_pulses: int = 3
    pulses: Literal["jittered", "random"] = "jittered"
    pulse_rate: float = 5.0
    amplitude: float = 1.0
    response_weight: float = 1.0
    noise: float = 0.1

    def __post_init__(self) -> None:
        """Check the settings, and that the pulses fit."""
        for name in ("n_bits", "n_pulses"):
            object.__setattr__(self, name, integer(name, getattr(self, name), minimum=1))
        numbers = "response_delay", "min_gap", "first_onset", "silence", "pulse_rate", "response_weight", "noise"
        check_settings(self, ("duration", "dt", "pulse_width"), numbers)
        check_number("amplitude", self.amplitude, "a finite number", minimum=-np.inf)
        object.__setattr__(self, "amplitude", float(self.amplitude))
        check_length(self, "duration", self.duration)
        if self.pulses not in ("jittered", "random"):
            raise ValueError(f"pulses: expected 'jittered' or 'random', got {self.pulses!r}")
        if self._pulse_steps < 1:
            raise ValueError(f"pulse_width: expected at least one step of dt={self.dt} ms, got {self.pulse_width}")
        if self._slack < 0:
            needed = (self._n_steps - self._slack) * self.dt
            raise ValueError(f"duration: expected at least {needed:g} ms for these pulses, got {self.duration:g} ms")

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return self.n_bits

    @property
    def n_outputs(self) -> int:
        """Number of output channels."""
        return self.n_bits

    @classmethod
    def for_channels(cls, n_inputs: int, n_outputs: int) -> Self:
        """Make the flip-flop with as many bits as there are outputs."""
        return cls(n_bits=n_outputs)

    @property
    def input_channels(self) -> list[str]:
        """Names of the bits."""
        return [f"bit_{bit + 1}" for bit in range(self.n_bits)]

    output_channels = input_channels

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays."""
        return self._random_trials(n_trials, rng)[0]

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials.

        Parameters
        ----------
        n_trials
            Number of trials, at least 1.
        seed
            Integer, ``numpy.random.SeedSequence`` or ``numpy.random.Generator``.
        **fixed
            None: trials of the flip-flop have no coordinates to fix.

        Returns
        -------
        xarray.Dataset
            As `Task.trials` says, and ``memory_state`` (trial, time), the signs of the targets such as ``+-0``; and
            ``response_window`` (trial, time, output_channel): from the onset of a pulse until `response_delay` after
            the target could have switched. The `period` is ``switch`` where any bit is in its window, else ``hold``.
        """
        if fixed:
            raise TypeError(f"{min(fixed)}: expected no coordinate to fix, trials of the flip-flop have none")
        arrays, pulses = self._random_trials(integer("n_trials", n_trials, minimum=1), task_generator(seed))
        return self._with_states(arrays, pulses)

    def probe(self) -> xr.Dataset:
        """Make the test sequence: one noise-free trial that visits every memory state once.

        All channels are pulsed together, as often as there are states, and channel k takes the sign of bit k of the
        pulse's number, as in the paper's eight-state set: ``+++``, ``-++``, ``+-+``, … (before the first: ``000``).

        Returns
        -------
        xarray.Dataset
            As from `trials`, with one trial.

        Raises
        ------
        ValueError
            If there are more than 12 bits.
        """
        if self.n_bits > _MAX_PROBE_BITS:
            raise ValueError(
                f"n_bits: expected at most {_MAX_PROBE_BITS} for a probe of all 2**n_bits states, got {self.n_bits}"
            )
        n_steps = self._first_step + self._probe_period * 2**self.n_bits + self._response_steps
        check_length(self, "n_bits", n_steps * self.dt)
        state = np.arange(2**self.n_bits)
        bits = (state >> np.arange(self.n_bits)[:, np.newaxis]) & 1
        onset = np.broadcast_to(self._first_step + self._probe_period * state, bits.shape)
        pulses = _Pulses(onset[np.newaxis], (1 - 2 * bits[np.newaxis]).astype(np.int8))
        arrays = self._weighted(self._inputs(pulses, n_steps), self._targets(pulses, n_steps), pulses)
        return self._with_states(arrays, pulses)

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Share of the samples (time, bit) of a trial whose output says what the target says.

        A value says +1 above 0.5, -1 below -0.5, and 0 from -0.5 to 0.5, both included; so an output of exactly 0.5 is
        wrong where the target is 1 and right where it is 0.

        Parameters
        ----------
        outputs
            Dims `trial`, `time`, `output_channel`; others, such as `network`, broadcast.
        trials
            ``targets`` of the same three dims.

        Returns
        -------
        xarray.DataArray
            The accuracy of each trial (..., trial).
        """
        return self.is_right(outputs, trials["targets"]).mean(["time", "output_channel"])

    def is_right(self, outputs: xr.DataArray, targets: xr.DataArray) -> xr.DataArray:
        """Whether each sample of outputs says what that of targets says; one that is not finite says nothing."""
        return (_said(outputs) == _said(targets)) & (abs(outputs) < np.inf)

    @property
    def chance(self) -> float:
        """Mean accuracy of silent outputs, or of outputs that are always 1, whichever is higher."""
        return max(self.shortcuts.values())

    @property
    def shortcuts(self) -> dict[str, float]:
        """Mean accuracy of outputs that do not depend on the inputs."""
        silent = float(np.clip(self._first_response_steps() / self._n_steps, 0, 1))
        return {"silent": silent, "always 1": (1 - silent) / 2}

    def _first_response_steps(self) -> float:
        """Mean number of steps of a channel before its target first differs from 0."""
        if self.pulses == "random":
            waits = np.arange(self._driven_steps - self._response_steps - self._first_step + 1)
            survival = np.exp(-self.pulse_rate * self.dt / 1000 * waits)  # the last: of channels without any pulse
            first = self._response_steps + self._first_step + float(survival[1:].sum())
            return first + float(survival[-1]) * (self._n_steps - self._driven_steps)
        # Onsets of pulse 1 and 2 beyond the earliest: the smallest and the second of as many uniform shifts.
        n, shift = self.n_pulses, np.arange(1, self._slack + 1) / (self._slack + 1)
        first = float(((1 - shift) ** n).sum())
        second = first + float((n * shift * (1 - shift) ** (n - 1)).sum())
        later = self._pulse_steps + self._gap_steps + second if n > 1 else np.inf
        waited = 2 / 3 * first + 1 / 3 * min(later, self._n_steps - self._first_step - self._response_steps)
        return self._first_step + self._response_steps + waited

    def _random_trials(self, n_trials: int, rng: np.random.Generator) -> tuple[Trials, _Pulses]:
        draw = self._jittered_pulses if self.pulses == "jittered" else self._poisson_pulses
        pulses = draw(n_trials, rng)
        inputs = self._inputs(pulses, self._n_steps)
        if self.noise:
            inputs += np.float32(self.noise) * rng.standard_normal(inputs.shape, dtype=np.float32)
        return self._weighted(inputs, self._targets(pulses, self._n_steps), pulses), pulses

    def _jittered_pulses(self, n_trials: int, rng: np.random.Generator) -> _Pulses:
        """Distribute the spare time uniformly: sorted uniform shifts of the earliest onsets."""
        shape = (n_trials, self.n_bits, self.n_pulses)
        shift = np.sort(rng.integers(0, self._slack + 1, shape), axis=-1)
        earliest = self._first_step + (self._pulse_steps + self._gap_steps) * np.arange(self.n_pulses)
        sign = rng.choice(np.array([-1, 1], np.int8), shape)
        sign[..., 0] = rng.choice(np.array([-1, 0, 1], np.int8), shape[:-1])
        return _Pulses(earliest + shift, sign)

    def _poisson_pulses(self, n_trials: int, rng: np.random.Generator) -> _Pulses:
        """Wait a geometric time after each gap, at the given rate; keep the pulses whose response fits in."""
        last = self._driven_steps - self._response_steps - 1
        probability = -np.expm1(-self.pulse_rate * self.dt / 1000)
        shortest = self._pulse_steps + self._gap_steps
        shape = (n_trials, self.n_bits, max(last - self._first_step, 0) // shortest + 1)
        # Waiting times are capped beyond the trial, so that their sums cannot overflow.
        wait = np.minimum(rng.geometric(probability, shape) - 1, self._n_steps) if probability else self._n_steps
        onset = self._first_step + np.cumsum(np.broadcast_to(wait, shape), axis=-1) + shortest * np.arange(shape[-1])
        sign = rng.choice(np.array([-1, 1], np.int8), shape)
        comes = onset <= last  # the others are at the end of the trial, where they change nothing
        return _Pulses(np.where(comes, onset, self._n_steps), np.where(comes, sign, np.int8(0)))

    def _inputs(self, pulses: _Pulses, n_steps: int) -> NDArray[np.float32]:
        falling = pulses.onset + self._pulse_steps
        return _levels(n_steps, *_switched(pulses.onset, falling, self.amplitude * pulses.sign))

    def _targets(self, pulses: _Pulses, n_steps: int) -> NDArray[np.float32]:
        # An absent pulse changes nothing: only the first, or those after the trial's last, can be absent.
        held = pulses.sign * np.sign(self.amplitude).astype(np.int8)
        return _levels(n_steps, pulses.onset + self._response_steps, _after_zero(held))

    def _response_windows(self, pulses: _Pulses, n_steps: int) -> NDArray[np.bool_]:
        present = np.abs(pulses.sign)
        end = pulses.onset + self._response_steps + self._delay_steps
        # A window ends at the latest when the channel's next one begins.
        following = np.where(present[..., 1:], pulses.onset[..., 1:], end[..., :-1])
        end[..., :-1] = np.minimum(end[..., :-1], following)
        edges, values = _switched(pulses.onset, end, present)
        # A pulse that is absent after the last one has no window, but its edges must not fall before the others.
        return _levels(n_steps, np.maximum.accumulate(edges, axis=-1), values) > 0

    def _weighted(self, inputs: NDArray[np.float32], targets: NDArray[np.float32], pulses: _Pulses) -> Trials:
        """Every sample counts in the loss, those within response windows by their weight."""
        weight = np.ones_like(targets)
        if self.response_weight != 1:
            weight[self._response_windows(pulses, inputs.shape[1])] = self.response_weight
        return Trials(inputs, targets, weight)

    def _with_states(self, arrays: Trials, pulses: _Pulses) -> xr.Dataset:
        window = self._response_windows(pulses, arrays.inputs.shape[1])
        trials = self.labelled(arrays, period=np.where(window.any(axis=-1), "switch", "hold"))
        memory_state = ("trial", "time"), _memory_state(arrays.targets), {"long_name": "signs of the targets"}
        response_window = ("trial", "time", "output_channel"), window, {"long_name": "on the way to the target"}
        return trials.assign(memory_state=memory_state, response_window=response_window)

    def _steps(self, time: float) -> int:
        return int(in_steps(time, self.dt))

    @property
    def _n_steps(self) -> int:
        return self._steps(self.duration)

    @property
    def _driven_steps(self) -> int:
        """Steps of a sampled trial before the silence: pulses, and the first sample of their targets, are there."""
        return self._n_steps - self._steps(self.silence)

    @property
    def _pulse_steps(self) -> int:
        return self._steps(self.pulse_width)

    @property
    def _delay_steps(self) -> int:
        return self._steps(self.response_delay)

    @property
    def _gap_steps(self) -> int:
        return self._steps(self.min_gap)

    @property
    def _first_step(self) -> int:
        return self._steps(self.first_onset)

    @property
    def _response_steps(self) -> int:
        """Steps from the onset of a pulse until the target follows it."""
        return self._pulse_steps + self._delay_steps

    @property
    def _probe_period(self) -> int:
        """Steps from one pulse of the probe to the next, for which one state is the target."""
        return self._pulse_steps + max(self._gap_steps, self._delay_steps + 1)

    @property
    def _slack(self) -> int:
        """Steps to spare if the last target has one sample (and all jittered pulses are early)."""
        n_pulses = self.n_pulses if self.pulses == "jittered" else 1
        earliest = self._first_step + (self._pulse_steps + self._gap_steps) * (n_pulses - 1)
        return self._driven_steps - self._response_steps - 1 - earliest


def _switched(
    on: NDArray[np.int64], off: NDArray[np.int64], values: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return edges and values, for `_levels`, of a signal that is zero outside the steps `on` to `off`."""
    shape = *on.shape[:-1], -1
    levels = np.stack([values, np.zeros_like(values)], axis=-1).reshape(shape)
    return np.stack([on, off], axis=-1).reshape(shape), _after_zero(levels)


def _after_zero(values: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([np.zeros_like(values[..., :1]), values], axis=-1)


def _levels(n_steps: int, edges: NDArray[np.int64], values: NDArray[Any]) -> NDArray[np.float32]:
    """Make a signal (trial, time, bit) that holds each value (trial, bit, edge + 1) until its edge, a step."""
    durations = np.diff(np.minimum(edges, n_steps), axis=-1, prepend=0, append=n_steps)
    held = np.repeat(values.astype(np.float32).ravel(), durations.ravel())
    held = held.reshape(*edges.shape[:2], n_steps)
    levels = np.empty((len(edges), n_steps, edges.shape[1]), np.float32)
    for bit in range(edges.shape[1]):  # transposing the whole array at once takes several times as long
        levels[..., bit] = held[:, bit]
    return levels


def _said(values: xr.DataArray) -> xr.DataArray:
    """+1, -1 or 0: what a value says."""
    return (values > _THRESHOLD).astype(np.int8) - (values < -_THRESHOLD).astype(np.int8)


def _memory_state(targets: NDArray[np.float32]) -> NDArray[np.str_]:
    """Label each (trial, time) by the signs of its targets, such as ``+-0``."""
    code_points = np.array([ord(character) for character in "-0+"], np.uint32)[targets.astype(np.int8) + 1]
    return code_points.view(f"<U{targets.shape[-1]}")[..., 0]
