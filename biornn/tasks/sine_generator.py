"""The sine generator: a sine whose frequency a static input chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.scalars import check_number, integer
from biornn.tasks.balanced import balanced
from biornn.tasks.explained import share_explained
from biornn.tasks.fitted_sine import fitted_sine
from biornn.tasks.observer import noise_sd
from biornn.tasks.periods import in_steps
from biornn.tasks.settings import check_length, check_levels, check_settings
from biornn.tasks.task import Seed, Task, Trials, task_generator

_MOST_TO_COMBINE = 10  # frequencies, of which each combination can be tried
_SONG = {"frequencies": (1.25,), "amplitude": 0.9, "duration": 1600.0, "noise": 0.0}
_PRESETS = {"song2016": _SONG}


@dataclass(frozen=True)
class SineGenerator(Task):
    """Generate a sine, from phase 0 at the start of the trial, of the frequency that a static input chooses.

    The input of the j-th of n frequencies, from 0, is ``j / n + 0.25`` throughout the trial; each frequency is as
    frequent, to one trial. One frequency needs no input: it is 0, and the network oscillates by itself.

    The score is the share of the sine's power that the output explains, ``1 − Σ (output − sine)² / Σ sine²``, at least
    0: 0.75 for an output of half the amplitude, ``2 cos φ − 1`` for one that is late by the phase φ, 0 for silence.

    Parameters
    ----------
    frequencies
        In Hz.
    amplitude
        Of the sine.
    duration, longest_duration
        Length of a trial, in ms. With the second, lengths are drawn evenly between both, and trials are padded.
    dt
        Time step, in ms.
    noise, noise_tau
        σ and time constant τ (ms) of the input's Gaussian noise. It means the same at any `dt`: a sample has the
        standard deviation ``σ sqrt(2 τ / dt)``.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    Preset ``song2016``: the autonomous sine of pycog, without input; its period is 8 time constants of 100 ms, and a
    trial has two (there the first sample is a step later in the sine). A network that starts at 0 and has no biases
    never leaves 0 there: train its initial state.

    Sines of n frequencies that all have whole numbers of half periods in a trial are orthogonal. Then whatever one
    output does in all trials, the mean score is 1 / n at most.

    References
    ----------
    Sussillo & Barak (2013), Neural Computation 25, 626; Song, Yang & Wang (2016), PLoS Comput. Biol. 12, e1004792,
    https://github.com/frsong/pycog.

    Examples
    --------
    >>> import biornn as bn
    >>> task = bn.tasks.SineGenerator(frequencies=(1, 2))
    >>> trials = task.probe()
    >>> trials.static_input.values.tolist(), task.score(trials.targets / 2, trials).values.round(6).tolist()
    ([0.25, 0.75], [0.75, 0.75])
    """

    name, score_name, trial_conditions = "sine_generator", "variance_explained", ("frequency",)
    presets = _PRESETS
    n_inputs, input_channels = 1, ["frequency"]
    n_outputs, output_channels = 1, ["sine"]

    frequencies: tuple[float, ...] = (0.5, 0.75, 1.0, 1.25, 1.5)
    amplitude: float = 0.9
    duration: float = 4000.0
    longest_duration: float | None = None
    dt: float = 20.0
    noise: float = 0.01
    noise_tau: float = 100.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self, ("dt", "duration", "noise_tau"), ("amplitude", "noise"))
        check_number("amplitude", self.amplitude, "a number above 0", above=0)
        check_levels(self, "frequencies", maximum=250 / self.dt)  # four samples a period
        if min(self.frequencies) == 0 or len(set(self.frequencies)) < len(self.frequencies):
            raise ValueError(f"frequencies: expected different numbers above 0 Hz, got {self.frequencies}")
        period = 1000 / min(self.frequencies)
        expected = f"at least {period:g} ms, a period of the lowest of the frequencies"
        check_number("duration", self.duration, expected, minimum=period)
        if self.longest_duration is not None:
            expected = f"at least duration={self.duration:g} ms"
            check_number("longest_duration", self.longest_duration, expected, minimum=self.duration)
            object.__setattr__(self, "longest_duration", float(self.longest_duration))
        check_length(self, "duration", self._longest)

    @property
    def chance(self) -> float:
        """Best score of one output in all trials, of means of some of the sines: if they are many, of neighbours."""
        n = len(self.frequencies)
        if n <= _MOST_TO_COMBINE:
            chosen = (np.arange(1, 2**n)[:, np.newaxis] >> np.arange(n)) & 1 == 1
        else:
            first, end = (edge[:, np.newaxis] for edge in np.triu_indices(n))
            chosen = (np.arange(n) >= first) & (np.arange(n) <= end)
        return max(self._scores_of_one_output(chosen / chosen.sum(axis=1, keepdims=True)))

    @property
    def shortcuts(self) -> dict[str, float]:
        """Scores of silence, and of who always generates the frequency in the middle of the list."""
        n = len(self.frequencies)
        silent, always = self._scores_of_one_output(np.stack([np.zeros(n), np.arange(n) == n // 2]))
        return {"silent": silent, "always the middle frequency": always}

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays."""
        return self._make(*self._draw(n_trials, rng), rng)[0]

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` says.

        On `trial` they have ``frequency`` in Hz and ``static_input``. Both can be fixed. The period is ``sine``, and
        after the end of a trial ``padding``.
        """
        rng = task_generator(seed)
        arrays, labels = self._make(*self._draw(integer("n_trials", n_trials, minimum=1), rng, **fixed), rng)
        return self.labelled(arrays, **labels)

    def probe(self) -> xr.Dataset:
        """Make one noise-free trial of each frequency, of the longest duration."""
        conditions = {name: np.array(values) for name, values in self._conditions().items()}
        arrays, labels = self._make(conditions, np.repeat(self._lengths()[-1:], len(self.frequencies)), None)
        return self.labelled(arrays, **labels)

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Share of the power of the sine of a trial that its output explains."""
        within = xr.DataArray(np.arange(outputs.sizes["time"]), dims="time") < trials["n_steps"]
        return share_explained(outputs, trials["targets"], within)

    def produced(self, outputs: xr.DataArray, trials: xr.Dataset) -> dict[str, xr.DataArray]:
        """Frequency in Hz and amplitude of the sine that is nearest to the output of a trial, a constant aside."""
        signal = outputs.isel(output_channel=0, drop=True).transpose(..., "time")
        n_steps = np.broadcast_to(trials["n_steps"].values, signal.shape[:-1])
        found = fitted_sine(signal.values.reshape(-1, signal.shape[-1]), n_steps.ravel(), self.dt)
        of_trial = signal.isel(time=0, drop=True)
        frequency, amplitude = (of_trial.copy(data=one.reshape(of_trial.shape)).drop_attrs() for one in found)
        return {"frequency": frequency.assign_attrs(units="Hz"), "amplitude": amplitude.assign_attrs(units="1")}

    def _conditions(self) -> dict[str, list[float]]:
        n = len(self.frequencies)
        static_input = [number / n + 0.25 for number in range(n)] if n > 1 else [0.0]
        return {"frequency": list(self.frequencies), "static_input": static_input}

    @property
    def _longest(self) -> float:
        return self.duration if self.longest_duration is None else self.longest_duration

    def _lengths(self) -> NDArray[np.int64]:
        """Give the possible lengths of trials, in steps."""
        shortest, longest = in_steps((self.duration, self._longest), self.dt)
        return np.arange(shortest, longest + 1)

    def _sines(self, frequency: NDArray[np.float64]) -> NDArray[np.float64]:
        time = np.arange(self._lengths()[-1]) * self.dt / 1000
        return self.amplitude * np.sin(2 * np.pi * frequency[:, np.newaxis] * time)

    def _scores_of_one_output(self, weights: NDArray[np.float64]) -> list[float]:
        """Mean scores of outputs (output, frequency) that are in all trials the same sum of sines, by their weights."""
        sines = self._sines(np.array(self.frequencies))
        products = np.cumsum(sines[:, np.newaxis] * sines, axis=-1)[..., self._lengths() - 1]
        power = np.diagonal(products).T  # (frequency, length)
        scores = []
        for weight in weights:
            overlap = weight @ products  # of the output with each sine
            error = weight @ overlap - 2 * overlap + power
            scores.append(float(np.maximum(1 - error / power, 0).mean()))
        return scores

    def _draw(
        self, n_trials: int, rng: np.random.Generator, **fixed: Any
    ) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
        """Draw frequency and length of each trial."""
        of_trials = balanced(self._conditions(), n_trials, rng, fixed)
        return of_trials, rng.choice(self._lengths(), n_trials)

    def _make(
        self, of_trials: dict[str, NDArray[Any]], n_steps: NDArray[np.int64], rng: np.random.Generator | None
    ) -> tuple[Trials, dict[str, Any]]:
        """Make arrays, without noise if there is no generator, and their labels."""
        within = np.arange(self._lengths()[-1]) < n_steps[:, np.newaxis]
        inputs = np.repeat(of_trials["static_input"].astype(np.float32)[:, np.newaxis], within.shape[1], axis=1)
        if rng is not None and self.noise:
            inputs += noise_sd(self.noise, self.noise_tau, self.dt) * rng.standard_normal(inputs.shape, np.float32)
        signals = inputs, self._sines(of_trials["frequency"]), 1
        arrays = Trials(*((signal * within)[..., np.newaxis].astype(np.float32) for signal in signals))
        return arrays, {"n_steps": n_steps, "period": np.where(within, "sine", "padding"), **of_trials}
