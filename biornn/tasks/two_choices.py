"""Tasks with two outputs, of which the higher one is the choice."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.schema import text
from biornn.tasks.periods import in_steps, mean_between
from biornn.tasks.task import Task, Trials

SIDES = ["left", "right"]  # in the order of the outputs
PERIODS = np.array(["fixation", "stimulus", "decision", "padding"])
CATCH = "none"  # the correct choice of a catch trial
_LOW, _HIGH = 0.2, 1.0  # targets


class TwoChoices(Task):
    """A forced choice: at the end of a trial the output of one side shall be high (1), the other low (0.2).

    Trials have the coordinate ``correct_choice``: ``left``, ``right``, or ``none`` in catch trials, in which both
    outputs shall be low throughout. The number of a period is its place in `PERIODS`: during fixation both outputs
    shall be low, and during the stimulus nothing counts.

    Attributes
    ----------
    decision, grace : float
        Length of the decision, and of its first part that does not count for the choice (it does for the loss), in ms.
    """

    score_name, chance = "accuracy", 0.5
    output_channels, n_outputs = SIDES, 2
    decision: float
    grace: float

    def choice(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Name the output with the larger mean over the decision after the grace time, ``left`` if they are equal.

        Of outputs that are not finite, an empty text.
        """
        mean = self._answer(outputs, trials)
        left, right = (mean.isel(output_channel=side, drop=True) for side in range(2))
        sides = np.where(right > left, "right", "left")
        return left.copy(data=np.where(np.isfinite(left + right), sides, ""))

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where the choice is right, 0 where it is not, NaN in catch trials, which have their own `catch_score`."""
        correct = text(trials["correct_choice"])
        return (self.choice(outputs, trials) == correct).where(correct != CATCH)

    def catch_score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 in catch trials where the means of both outputs, as for `choice`, are below 0.6, else 0; NaN in others."""
        low = (self._answer(outputs, trials) < (_LOW + _HIGH) / 2).all("output_channel")
        return low.where(text(trials["correct_choice"]) == CATCH)

    def _answer(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        n_answer = in_steps(self.decision, self.dt) - in_steps(self.grace, self.dt)
        return mean_between(outputs, trials["n_steps"] - n_answer, trials["n_steps"])

    @staticmethod
    def _with_targets(inputs: NDArray[np.float32], period: NDArray[np.int64], correct: NDArray[np.bool_]) -> Trials:
        """Add targets and loss weight to inputs, which become 0 in the padding; `correct` (trial, output_channel)."""
        within, catch = (period < 3)[..., np.newaxis], (correct.sum(axis=1) == 0)[:, np.newaxis, np.newaxis]
        high = (period == 2)[..., np.newaxis] & correct[:, np.newaxis]
        targets = np.where(high, np.float32(_HIGH), np.float32(_LOW)) * within
        counts = within & ((period != 1)[..., np.newaxis] | catch)
        return Trials(inputs * within, targets, np.repeat(counts.astype(np.float32), len(SIDES), axis=-1))
