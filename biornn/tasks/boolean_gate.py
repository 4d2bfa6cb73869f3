"""Boolean gates: an answer to which of the inputs had a pulse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.scalars import check_number, integer
from biornn.schema import text
from biornn.tasks.balanced import balanced, each_once
from biornn.tasks.periods import draw_steps, in_steps, mean_between, periods
from biornn.tasks.settings import check_length, check_longest, check_settings, longest
from biornn.tasks.task import Seed, Task, Trials, task_generator

_PERIODS = np.array(["before", "stimulus", "gap", "answer", "rest"])
#: Patterns of pulses (in the first input, in the second), and what is answered to them.
_ANSWERS = {
    "and": {"00": "low", "01": "low", "10": "low", "11": "high"},
    "or": {"00": "low", "01": "high", "10": "high", "11": "high"},
    "xor": {"00": "low", "01": "high", "10": "high", "11": "low"},
    "not": {"0": "high", "1": "low"},
    "pulse": {"0": "low", "1": "high"},
}
_SHORTCUTS = {
    "and": {"always low": 0.75, "always high": 0.25, "one input only": 0.75},
    "or": {"always low": 0.25, "always high": 0.75, "one input only": 0.75},
    "xor": {"always low": 0.5, "always high": 0.5, "one input only": 0.5, "high after any pulse": 0.75},
    "not": {"always low": 0.5, "always high": 0.5},
    "pulse": {"always low": 0.5, "always high": 0.0, "never rests": 0.5},
}


@dataclass(frozen=True)
class BooleanGate(Task):
    """Answer, after a gap, whether the pulses in the inputs fulfil a Boolean gate.

    All pulses come at one time, an input has one or none, and each pattern of pulses is as frequent, to one trial.
    After the gap the output shall be high (1) or low (0) until the end, before it low. In the timed pulse the one
    input's pulse shall be answered by a pulse of the same length, after which the output rests at 0.

    Parameters
    ----------
    gate
        ``"and"``, ``"or"``, ``"xor"``, of two inputs; ``"not"`` or ``"pulse"``, of one.
    onset, pulse_width
        Onset of pulses, and their length, in ms.
    gap
        Time from the end of the pulses to the answer, in ms.
    longest_gap
        None, or a time in ms: trials then have gaps drawn evenly from `gap` to this, and nothing announces the answer.
    tail
        Time from the end of the longest gap to the end of the trial, in ms.
    dt
        Time step, in ms.
    noise
        Standard deviation of the inputs' Gaussian noise over 1 ms; that of a sample is ``noise / sqrt(dt)``.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    As in Jarne's code, but: low is 0, not 0.01 or 0.045; the timed pulse is rectangular and has the times of the
    others; patterns are equally frequent. There the noise is 0.1 too, but switched off in most gates.

    References
    ----------
    Jarne & Laje (2023), J. Comput. Neurosci. 51, 407; https://github.com/katejarne/RNN_study_with_keras.

    Examples
    --------
    >>> import biornn as bn
    >>> trials = bn.tasks.BooleanGate("and").trials(4, seed=0)
    >>> sorted(zip(trials.pattern.values.tolist(), trials.correct_choice.values.tolist()))
    [('00', 'low'), ('01', 'low'), ('10', 'low'), ('11', 'high')]
    """

    name, score_name, trial_conditions = "boolean_gate", "accuracy", ("pattern",)
    n_outputs = 1

    gate: str = "xor"
    onset: float = 30.0
    pulse_width: float = 20.0
    gap: float = 20.0
    longest_gap: float | None = None
    tail: float = 130.0
    dt: float = 1.0
    noise: float = 0.1

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.gate not in _ANSWERS:
            raise ValueError(f"gate: expected one of {', '.join(_ANSWERS)}, got {self.gate!r}")
        check_settings(self, ("pulse_width", "tail", "dt"), ("onset", "gap", "noise"))
        check_number("pulse_width", self.pulse_width, f"at least dt={self.dt:g} ms", minimum=self.dt)
        answer = self.pulse_width if self.gate == "pulse" else 0.0
        check_number("tail", self.tail, f"at least dt={self.dt:g} ms more than {answer:g} ms", minimum=answer + self.dt)
        check_longest(self, "gap")
        check_length(self, "tail", self.onset + self.pulse_width + longest(self, "gap") + self.tail)

    @property
    def n_inputs(self) -> int:
        """Number of input channels: 2, or 1 of a gate of one input."""
        return len(next(iter(_ANSWERS[self.gate])))

    @property
    def chance(self) -> float:
        """Score of the better constant answer."""
        return max(self.shortcuts["always low"], self.shortcuts["always high"])

    @property
    def shortcuts(self) -> dict[str, float]:
        """Scores of who gives a constant answer, or ignores an input, their combination or the end of the answer."""
        return _SHORTCUTS[self.gate]

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays."""
        return self._make(*self._draw(n_trials, rng), rng)[0]

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` says.

        On `trial` they have ``pattern``, such as ``01`` (a pulse in the second input only), ``correct_choice`` (``low``
        or ``high``), and ``gap`` in ms. All can be fixed.
        """
        rng = task_generator(seed)
        arrays, labels = self._make(*self._draw(integer("n_trials", n_trials, minimum=1), rng, **fixed), rng)
        return self.labelled(arrays, **labels)

    def probe(self) -> xr.Dataset:
        """Make one noise-free trial of each pattern, with the shortest gap."""
        conditions = each_once(self._conditions())
        n_gap = np.repeat(in_steps([self.gap], self.dt), len(conditions["pattern"]))
        arrays, labels = self._make(conditions, n_gap, None)
        return self.labelled(arrays, **labels)

    def choice(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Say whether the mean output over the answer is ``high``, above 0.5, or ``low``; empty if it is not finite."""
        first, end = self._answer(trials)
        mean = mean_between(outputs, first, end).isel(output_channel=0, drop=True)
        return mean.copy(data=np.where(np.isfinite(mean), np.where(mean > 0.5, "high", "low"), ""))

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where the choice is right, else 0; after a timed pulse, the mean of the rest must be low, too."""
        right = self.choice(outputs, trials) == text(trials["correct_choice"])
        if self.gate == "pulse":
            end = self._answer(trials)[1]
            right &= mean_between(outputs, end, trials["n_steps"]).isel(output_channel=0, drop=True) <= 0.5
        return right.astype(float)

    def _conditions(self) -> dict[str, list[str]]:
        answers = _ANSWERS[self.gate]
        return {"pattern": list(answers), "correct_choice": list(answers.values())}

    def _draw(
        self, n_trials: int, rng: np.random.Generator, gap: float | None = None, **fixed: Any
    ) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
        """Draw the condition of each trial and its gap in steps."""
        of_trials = balanced(self._conditions(), n_trials, rng, fixed)
        return of_trials, draw_steps("gap", self.gap, longest(self, "gap"), self.dt, n_trials, rng, gap)

    def _make(
        self, of_trials: dict[str, NDArray[Any]], n_gap: NDArray[np.int64], rng: np.random.Generator | None
    ) -> tuple[Trials, dict[str, Any]]:
        """Make arrays, without noise if there is no generator, and their labels."""
        before, stimulus, longest_gap, tail = in_steps(
            (self.onset, self.pulse_width, longest(self, "gap"), self.tail), self.dt
        )
        n_times = before + stimulus + longest_gap + tail
        period = periods(n_times, before, stimulus, n_gap, stimulus if self.gate == "pulse" else n_times)
        pulses = of_trials["pattern"].view("U1").reshape(len(n_gap), -1) == "1"
        inputs = ((period == 1)[..., np.newaxis] & pulses[:, np.newaxis]).astype(np.float32)
        if rng is not None:
            inputs += np.float32(self.noise / np.sqrt(self.dt)) * rng.standard_normal(inputs.shape, np.float32)
        high = of_trials["correct_choice"] == "high"
        targets = ((period == 3) & high[:, np.newaxis]).astype(np.float32)[..., np.newaxis]
        labels = {"period": _PERIODS[period], **of_trials, "gap": n_gap * self.dt}
        return Trials(inputs, targets, np.ones_like(targets)), labels

    def _answer(self, trials: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
        """First step of the answer, and the one after its last."""
        before, stimulus = in_steps((self.onset, self.pulse_width), self.dt)
        first = trials["gap"].copy(data=before + stimulus + in_steps(trials["gap"], self.dt))
        return first, first + stimulus if self.gate == "pulse" else trials["n_steps"]
