"""Go or no-go: act, after a delay, on one of two stimuli and not on the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from biornn.scalars import check_number, integer
from biornn.schema import text
from biornn.tasks.balanced import balanced, each_once
from biornn.tasks.in_periods import InPeriods, OfTrials, Plan
from biornn.tasks.periods import draw_steps, in_steps, mean_between
from biornn.tasks.settings import check_length, check_longest, check_settings, longest

_GO, _NO_GO = "go", "no-go"


@dataclass(frozen=True)
class GoNoGo(InPeriods):
    """Go after one stimulus, and not after another, once the fixation signal ends.

    A go or a no-go stimulus is followed by a delay. The input ``fixation`` is 1 until the decision, in which the output
    shall be 1 after a go stimulus, and 0 after the other; before, it shall be 0. All times count alike in the loss.

    On `trial` there are ``stimulus`` and ``correct_choice`` (``go`` or ``no-go``), and ``delay`` in ms; each can be
    fixed. The probe has the shortest delay.

    Parameters
    ----------
    go_per_no_go
        Go trials for each no-go trial; more of them make going the habit.
    fixation, stimulus, delay, decision, grace
        Lengths of the periods, and of the decision's first part, which does not count for the choice, in ms.
    longest_delay
        None, or a time in ms: trials then have delays drawn evenly from `delay` to this, and are padded to the longest.
    dt
        Time step, in ms.
    noise, noise_tau
        σ and time constant τ (ms) of the inputs' Gaussian noise. It means the same at any `dt`: a sample has the
        standard deviation ``σ sqrt(2 τ / dt)``.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    As in neurogym, but: there inputs have no noise, a step is 100 ms, each trial draws its stimulus, and an action ends
    the trial. Its two actions, to fixate and to go, are the one output.

    References
    ----------
    https://github.com/neurogym/neurogym, ``GoNogo``.

    Examples
    --------
    >>> import biornn as bn
    >>> trials = bn.tasks.GoNoGo().trials(4, seed=0)
    >>> sorted(trials.stimulus.values.tolist())
    ['go', 'go', 'no-go', 'no-go']
    """

    name, score_name, trial_conditions = "go_no_go", "accuracy", ("stimulus",)
    input_channels, output_channels = ["fixation", _GO, _NO_GO], [_GO]
    _period_names = ("fixation", "stimulus", "delay", "decision")

    go_per_no_go: int = 1
    fixation: float = 0.0
    stimulus: float = 500.0
    delay: float = 500.0
    decision: float = 500.0
    grace: float = 100.0
    longest_delay: float | None = None
    dt: float = 20.0
    noise: float = 0.1
    noise_tau: float = 100.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self, ("dt", "stimulus", "decision", "noise_tau"), ("fixation", "delay", "grace", "noise"))
        object.__setattr__(self, "go_per_no_go", integer("go_per_no_go", self.go_per_no_go, minimum=1))
        check_number("stimulus", self.stimulus, f"at least dt={self.dt:g} ms", minimum=self.dt)
        check_number("grace", self.grace, "at least a step less than decision", maximum=self.decision - self.dt)
        check_longest(self, "delay")
        check_length(self, "delay", self.fixation + self.stimulus + longest(self, "delay") + self.decision)

    @property
    def chance(self) -> float:
        """Score of who always goes."""
        return self.shortcuts["always goes"]

    @property
    def shortcuts(self) -> Mapping[str, float]:
        """Scores of who ignores the stimulus."""
        n_trials = self.go_per_no_go + 1
        return {"always goes": self.go_per_no_go / n_trials, "never goes": 1 / n_trials}

    def choice(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Say whether the mean output over the decision, after the grace time, is above 0.5: ``go``, else ``no-go``.

        Of outputs that are not finite, an empty text.
        """
        n_answer = in_steps(self.decision, self.dt) - in_steps(self.grace, self.dt)
        mean = mean_between(outputs, trials["n_steps"] - n_answer, trials["n_steps"]).isel(output_channel=0, drop=True)
        return mean.copy(data=np.where(np.isfinite(mean), np.where(mean > 0.5, _GO, _NO_GO), ""))

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where the choice is right, else 0."""
        return (self.choice(outputs, trials) == text(trials["correct_choice"])).astype(float)

    def _conditions(self) -> dict[str, list[str]]:
        stimuli = [_GO] * self.go_per_no_go + [_NO_GO]
        return {"stimulus": stimuli, "correct_choice": stimuli}

    def _draw(self, n_trials: int, rng: np.random.Generator, delay: float | None = None, **fixed: Any) -> OfTrials:
        of_trials = balanced(self._conditions(), n_trials, rng, fixed)
        n_delay = draw_steps("delay", self.delay, longest(self, "delay"), self.dt, n_trials, rng, delay)
        return of_trials | {"delay": n_delay * self.dt}

    def _of_probe(self) -> OfTrials:
        return each_once(self._conditions()) | {"delay": np.repeat(in_steps(self.delay, self.dt) * self.dt, 2)}

    def _plan(self, of_trials: OfTrials) -> Plan:
        fixation, stimulus, decision = in_steps((self.fixation, self.stimulus, self.decision), self.dt)
        goes = of_trials["stimulus"] == _GO
        inputs = np.zeros((len(goes), 4, 3), np.float32)
        inputs[:, :3, 0] = 1
        inputs[:, 1, 1], inputs[:, 1, 2] = goes, ~goes
        targets = np.zeros((len(goes), 4, 1), np.float32)
        targets[:, 3, 0] = goes
        n_steps = fixation, stimulus, in_steps(of_trials["delay"], self.dt), decision
        return Plan(n_steps, inputs, targets, np.ones((1, 4, 1), np.float32))

    @property
    def _n_times(self) -> int:
        return int(in_steps((self.fixation, self.stimulus, longest(self, "delay"), self.decision), self.dt).sum())
