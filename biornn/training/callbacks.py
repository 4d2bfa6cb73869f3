"""Callbacks of training: snapshots, three reasons to stop, and reports of the progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import keras
import numpy as np
import xarray as xr

from biornn.layers import fused_readout
from biornn.progress import Progress
from biornn.training.recording import record_weights
from biornn.training.validation import HELD, Validation

#: What is kept of the scores of every snapshot: variables of the group `history`. `held` is NaN where not measured.
SCORES = ("loss", "val_loss", "score", "worst_score", "held")

#: A loss of activity thousands of times as large as any target: the network diverges.
EXPLODED = 1e8


class FusedGraphs(keras.callbacks.Callback):
    """Compute the steps and outputs of updates in numpy, but not those of other callbacks.

    These may export the model, or take other gradients of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin an update."""
        self._open.enter_context(fused_readout(self.model))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """End it."""
        self.close()

    def close(self) -> None:
        """End an update that was interrupted."""
        self._open.close()


class Counting(keras.callbacks.Callback):
    """Count the updates of a training in `update`, also before it was resumed."""

    def __init__(self) -> None:
        super().__init__()
        self.update = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the update."""
        self.update += 1


class Snapshots(Counting):
    """Keep the effective weights and the validation scores before the first update and after every Keras epoch."""

    def __init__(self, validation: Validation) -> None:
        super().__init__()
        self.validation = validation
        self.weights: list[xr.Dataset] = []
        self.scores: list[dict[str, float]] = []
        self.updates: list[int] = []

    def keep_now(self, model: keras.Model, loss: float = np.nan) -> None:
        """Keep the state before the first update or after the last."""
        self._keep(model, {"loss": loss, **self.validation.measure()})

    def replace_last(self, model: keras.Model) -> None:
        """Keep the model as the callbacks have left it, in place of the last state, if they have changed it."""
        if not record_weights(model).equals(self.weights[-1]):
            del self.weights[-1], self.updates[-1]
            self.keep_now(model, self.scores.pop()["loss"])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the state after these updates."""
        self._keep(self.model, logs or {})

    def _keep(self, model: keras.Model, logs: dict[str, Any]) -> None:
        self.updates.append(self.update)
        self.weights.append(record_weights(model))
        names = zip(SCORES, ("loss", *self.validation.names, HELD), strict=True)
        self.scores.append({name: float(logs.get(key, np.nan)) for name, key in names})


class UpdateLimit(Counting):
    """Stop after a number of updates, also within a Keras epoch."""

    def __init__(self, max_updates: int) -> None:
        super().__init__()
        self.max_updates = max_updates

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the update, and stop after the last."""
        super().on_train_batch_end(batch)
        if self.update >= self.max_updates:
            self.model.stop_training = True


class CriterionStop(keras.callbacks.Callback):
    """Stop when scores were held at a criterion, at so many consecutive validations; without any, never.

    `criterion` has their lowest values, by their names in the logs. `in_a_row` counts the validations up to the last
    at which it was held.
    """

    def __init__(self, criterion: Mapping[str, float], checks: int) -> None:
        super().__init__()
        self.criterion = criterion
        self.checks = checks
        self.in_a_row = 0

    @property
    def reached(self) -> bool:
        """Whether the criterion was held."""
        return self.in_a_row >= self.checks

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare the scores with the criterion."""
        if not self.criterion or self.reached:
            return
        scores = logs or {}
        is_held = all(scores[name] >= least for name, least in self.criterion.items())
        self.in_a_row = self.in_a_row + 1 if is_held else 0
        if self.reached:
            self.model.stop_training = True


class DivergenceStop(Counting):
    """Stop when the loss on a training batch or on the validation trials is not finite, or larger than `EXPLODED`.

    `reason` says which loss, and when; it is empty if none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reason = ""

    @property
    def diverged(self) -> bool:
        """Whether there was such a loss."""
        return bool(self.reason)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the update, and check the training loss."""
        super().on_train_batch_end(batch)
        self._check("training loss", (logs or {})["loss"])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the validation loss."""
        self._check("validation loss", (logs or {})["val_loss"])

    def _check(self, name: str, loss: Any) -> None:
        if not abs(float(loss)) < EXPLODED and not self.reason:
            self.reason = f"the {name} was {float(loss):.4g} at update {self.update}"
            self.model.stop_training = True


class ProgressNews(Counting):
    """Report the progress of training to a listener, at most once in an interval in s."""

    def __init__(self, listener: Callable[[Progress], None], max_updates: int, interval: float = 1.0) -> None:
        super().__init__()
        self.listener = listener
        self.max_updates = max_updates
        self.interval = interval
        self._first = 0
        self._start = self._last = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the update, and report if the interval is over."""
        super().on_train_batch_end(batch)
        now = time.monotonic()
        if not self._first:
            self._first, self._start = self.update, now  # the first update includes the compilation
        elif now - self._last >= self.interval:
            self._last = now
            per_update = (now - self._start) / (self.update - self._first)
            seconds_left = per_update * (self.max_updates - self.update)
            self.listener(Progress(self.update, self.max_updates, float((logs or {})["loss"]), seconds_left))
