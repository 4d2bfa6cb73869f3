"""A curriculum: stages of training, each on trials of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from biornn.scalars import check_number, integer
from biornn.tasks import Task
from biornn.training.callbacks import Counting, Snapshots
from biornn.training.validation import Validation


@dataclass(frozen=True)
class Stage:
    """A part of training.

    Parameters
    ----------
    task
        Makes the training trials of this stage.
    updates
        Updates after which the stage ends, a multiple of those between two validations; None: no such end.
    score
        Score on validation trials of this stage's own task at which it ends; None: no such end. With both, whichever
        comes first.
    """

    task: Task
    updates: int | None = None
    score: float | None = None


class Stages(Counting):
    """Go through the stages, and then through training on a last task: at the end of each, stop Keras's ``fit``.

    `number` is the stage that is on, `first` the update with which it began, and `turned` whether ``fit`` was stopped
    for the next stage only.
    """

    def __init__(self, stages: Sequence[Stage], task: Task, n_trials: int, seed: int, kept: Snapshots) -> None:
        super().__init__()
        self._kept = kept
        self.plan = [*stages, Stage(task)]
        self.number = self.first = 0
        self.turned = False
        self._trials = n_trials, seed
        self._validation: Validation | None = None

    @property
    def stage(self) -> Stage:
        """The stage that is on."""
        return self.plan[self.number]

    def begin(self, model: keras.Model) -> None:
        """Begin the present stage, also again after an interruption."""
        self.turned = False
        self._validation = None if self.stage.score is None else Validation(model, self.stage.task, *self._trials)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """End the stage, unless training as a whole has ended."""
        if self.model.stop_training or self.number == len(self.plan) - 1 or not self._is_over():
            return
        self.number, self.first, self.turned = self.number + 1, self.update, True
        self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Keep the model as the callbacks before this one have left it: training goes on from there."""
        if np.isfinite(self._kept.scores[-1]["loss"]):
            self._kept.replace_last(self.model)

    def _is_over(self) -> bool:
        stage = self.stage
        if stage.updates is not None and self.update >= self.first + stage.updates:
            return True
        if stage.score is None or self._validation is None:
            return False
        return self._validation.measure()[self._validation.names[1]] >= stage.score


def check_stages(stages: Sequence[Stage], validate_every: int, max_updates: int) -> None:
    """Refuse stages whose end is impossible, that never end and are not the last, or that never begin."""
    if not isinstance(stages, list | tuple):
        raise ValueError(f"stages: expected a list of biornn.training.Stage, got {stages!r}")
    for number, stage in enumerate(stages):
        where = f"stages[{number}]"
        if not isinstance(stage, Stage):
            raise ValueError(f"{where}: expected a biornn.training.Stage, got {stage!r}")
        if stage.updates is not None and integer(f"{where}: updates", stage.updates, minimum=1) % validate_every:
            raise ValueError(
                f"{where}: expected updates that are a multiple of validate_every={validate_every}, got {stage.updates}"
            )
        if stage.score is not None:
            check_number(f"{where}: score", stage.score, "a score in [0, 1] or None", maximum=1)
        if stage.updates is None and stage.score is None and number < len(stages) - 1:
            raise ValueError(f"{where}: expected updates or a score at which it ends, as another follows, got neither")
    if (total := sum(stage.updates or 0 for stage in stages if stage.score is None)) > max_updates:
        raise ValueError(f"stages: expected updates of max_updates={max_updates} at most in all, got {total}")
