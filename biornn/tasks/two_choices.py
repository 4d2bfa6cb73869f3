"""Tasks with two outputs, of which the higher one is the choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.scalars import check_number, integer
from biornn.schema import text
from biornn.tasks.balanced import balanced
from biornn.tasks.observer import noise_sd
from biornn.tasks.periods import by_period, in_steps, mean_between, periods
from biornn.tasks.settings import check_settings
from biornn.tasks.task import Seed, Task, Trials, task_generator

SIDES = ["left", "right"]
CATCH = "none"  # the correct choice of a catch trial
SHARES = (np.arange(1000) + 0.5) / 1000  # of the trials, to average over the lengths of the period that varies
_LOW = 0.2  # target of an output that is not chosen
PRESETS = {"song2016": {"baseline": 0.2, "noise": 0.01, "noise_tau": 100.0, "rectify": True}}  # inputs of pycog

OfTrials = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class TwoChoices(Task):
    """A forced choice: at the end of a trial the output of one choice shall be high (1), the other low (0.2).

    During fixation both outputs shall be low; then nothing counts until the decision. Trials have the coordinate
    ``correct_choice``, the name of an output, or ``none`` in catch trials, in which both shall be low throughout. A
    subclass gives `_conditions`, `_varied_steps`, and the inputs in each period (`_levels`).

    Parameters
    ----------
    n_catch
        Catch trials for one trial of each other condition.
    fixation, decision, grace
        Lengths of the first and of the last period, and of the decision's first part, which does not count for the
        choice (it does for the loss), in ms.
    dt
        Time step, in ms.
    baseline
        Added to every input.
    noise, noise_tau
        σ and time constant τ (ms) of the inputs' Gaussian noise, see `noise_sd`.
    rectify
        Whether inputs below 0 become 0.
    """

    score_name, chance = "accuracy", 0.5
    output_channels, n_outputs = SIDES, 2
    _periods: ClassVar[tuple[str, ...]] = ("fixation", "stimulus", "decision")
    _varied = "stimulus_duration"  # coordinate on trial: the length of the period that may vary

    n_catch: int = 1
    fixation: float = 100.0
    decision: float = 300.0
    grace: float = 100.0
    dt: float = 20.0
    baseline: float = 0.2
    noise: float = 0.1
    noise_tau: float = 100.0
    rectify: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self, ("dt", "decision", "noise_tau"), ("fixation", "grace", "noise", "baseline"), ("rectify",))
        object.__setattr__(self, "n_catch", integer("n_catch", self.n_catch, minimum=0))
        check_number("grace", self.grace, "at least a step less than decision", maximum=self.decision - self.dt)

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return len(self.input_channels)

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays."""
        return self._make(*self._draw(n_trials, rng), rng)[0]

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` says; a trial's period after its end is ``padding``."""
        rng = task_generator(seed)
        return self._named(*self._make(*self._draw(integer("n_trials", n_trials, minimum=1), rng, **fixed), rng))

    def probe(self) -> xr.Dataset:
        """Make one noise-free trial of each condition and a catch trial; the period that varies has its median."""
        conditions = {name: np.array(values) for name, values in self._conditions(n_catch=1).items()}
        shares = np.full(len(conditions["correct_choice"]), 0.5)
        return self._named(*self._make(conditions, self._varied_steps(shares), None))

    def choice(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Name the output with the larger mean over the decision after the grace time, the first if they are equal.

        Of outputs that are not finite, an empty text.
        """
        mean = self._answer(outputs, trials)
        one, other = (mean.isel(output_channel=number, drop=True) for number in range(2))
        names = np.where(other > one, *self.output_channels[::-1])
        return one.copy(data=np.where(np.isfinite(one + other), names, ""))

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where the choice is right, 0 where it is not, NaN in catch trials, which have their own `catch_score`."""
        correct = text(trials["correct_choice"])
        return (self.choice(outputs, trials) == correct).where(correct != CATCH)

    def catch_score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 in catch trials where the means of both outputs, as for `choice`, are below 0.6, else 0; NaN in others."""
        low = (self._answer(outputs, trials) < (_LOW + self._high) / 2).all("output_channel")
        return low.where(text(trials["correct_choice"]) == CATCH)

    def _answer(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        n_answer = in_steps(self.decision, self.dt) - in_steps(self.grace, self.dt)
        return mean_between(outputs, trials["n_steps"] - n_answer, trials["n_steps"])

    def _conditions(self, n_catch: int) -> dict[str, list[Any]]:
        """List coordinates of each condition, `n_catch` of which are catch trials."""
        raise NotImplementedError

    def _varied_steps(self, share: ArrayLike) -> NDArray[np.int64]:
        """Give the length in steps, which a share of the trials does not exceed, of the period that varies."""
        raise NotImplementedError

    def _lengths(self, n_varied: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Give the lengths in steps of the periods between fixation and decision."""
        return (n_varied,)

    @property
    def _high(self) -> float:
        """Target of the output that is chosen."""
        return 1.0

    def _decision_steps(self, n_varied: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the length of the decision in steps."""
        return in_steps(self.decision, self.dt)

    def _levels(self, of_trials: OfTrials) -> NDArray[np.float32]:
        """Give the inputs above the baseline (trial, period, input_channel)."""
        raise NotImplementedError

    def _shown(
        self, of_trials: OfTrials, period: NDArray[np.int64], rng: np.random.Generator | None
    ) -> tuple[NDArray[np.float32], OfTrials]:
        """Give the inputs above the baseline (trial, time, input_channel), without noise, and coordinates of them."""
        return by_period(self._levels(of_trials), period), {}

    def _input_noise(self) -> ArrayLike:
        """Give σ of all inputs, or of each."""
        return self.noise

    def _draw(self, n_trials: int, rng: np.random.Generator, **fixed: Any) -> tuple[OfTrials, NDArray[np.int64]]:
        """Draw condition and length of the period that varies of each trial."""
        duration = fixed.pop(self._varied, None)
        of_trials = balanced(self._conditions(self.n_catch), n_trials, rng, fixed)
        if duration is None:
            return of_trials, self._varied_steps(rng.random(n_trials))
        longest = float(self._varied_steps(1.0) * self.dt)
        check_number(self._varied, duration, f"{self.dt:g} to {longest:g} ms", self.dt, longest)
        return of_trials, np.full(n_trials, in_steps(duration, self.dt))

    def _make(
        self, of_trials: OfTrials, n_varied: NDArray[np.int64], rng: np.random.Generator | None
    ) -> tuple[Trials, NDArray[np.int64], OfTrials]:
        """Make arrays, without noise if there is no generator, the number of the period at each time, and labels."""
        n_fixation, longest = in_steps(self.fixation, self.dt), self._varied_steps(1.0)
        n_times = int(n_fixation + np.sum(self._lengths(longest)) + self._decision_steps(longest))
        period = periods(n_times, n_fixation, *self._lengths(n_varied), self._decision_steps(n_varied))
        inputs, coordinates = self._shown(of_trials, period, rng)
        inputs += np.float32(self.baseline)
        if rng is not None:
            sample = rng.standard_normal(inputs.shape, np.float32)
            sample *= noise_sd(self._input_noise(), self.noise_tau, self.dt).astype(np.float32)
            inputs += sample
        if self.rectify:
            np.maximum(inputs, 0, out=inputs)
        inputs *= (period < len(self._periods))[..., np.newaxis]
        correct = of_trials["correct_choice"][:, np.newaxis] == np.array(self.output_channels)
        answers = (by_period(of_periods, period) for of_periods in self._answers(correct))
        return Trials(inputs, *answers), period, of_trials | coordinates | {self._varied: n_varied * self.dt}

    def _answers(self, correct: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Give targets and loss weight, each (trial, period, output_channel)."""
        answers = np.zeros((2, len(correct), len(self._periods), 2), np.float32)
        targets, loss_weight = answers
        targets[:] = _LOW
        targets[:, -1][correct] = self._high
        loss_weight[:, [0, -1]] = 1
        loss_weight[~correct.any(axis=1)] = 1
        return answers

    def _named(self, arrays: Trials, period: NDArray[np.int64], of_trials: OfTrials) -> xr.Dataset:
        names = np.array([*self._periods, "padding"])
        return self.labelled(arrays, (period < len(self._periods)).sum(axis=1), names[period], **of_trials)
