"""The validation trials, and how well a model does on them and keeps its memory states."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from biornn.analysis.retention import n_held_states, share_held
from biornn.tasks import Task, TaskError
from biornn.tasks.scores import mean_score, score_trials, worst_score
from biornn.tasks.seeds import generator
from biornn.tasks.trials import make_probe, make_trials
from biornn.training.recording import ModelRunner, find_layers, record_constants, record_weights

HELD = "val_held"
MOST_STATES = 64  # six bits: with more, measuring takes longer than training


class Validation(keras.callbacks.Callback):
    """Run the model on validation trials after every Keras epoch, and add loss and scores to the logs.

    These are ``val_loss``, with penalties, and under the task's name of its score ``val_accuracy`` (mean over the
    trials) and ``val_worst_accuracy`` (mean over those of the worst trial condition). Later callbacks, such as
    ``EarlyStopping``, can monitor them. They are NaN or infinite where an output is.

    Where the probe of the task says what is to be held, up to 64 states, `holds` is True. The logs then also have
    ``val_held``, the share of the memory states that outlive 5,000 ms without input: measured where the score is at
    least `held_from`, as it takes a tenth of the time of 50 updates, and NaN elsewhere.
    """

    def __init__(
        self, model: keras.Model, task: Task, n_trials: int, seed: int, *, held_from: float | None = None
    ) -> None:
        super().__init__()
        self.task = task
        self._probe = None if held_from is None else make_probe(task)
        self._held_from = held_from
        n_states = 0 if self._probe is None else n_held_states(self._probe, task)
        self.holds = 0 < n_states <= MOST_STATES
        self.trials = make_trials(task, n_trials, generator("validation", seed))
        self.names = "val_loss", f"val_{task.score_name}", f"val_worst_{task.score_name}"
        self._network = model
        self._run = ModelRunner(model)

    def measure(self) -> dict[str, float]:
        """Return the scores of the model as it is now, under their names in the logs."""
        rates, outputs = self._run(self.trials["inputs"].values)
        error = self.trials["targets"].copy(data=outputs.astype(np.float64)) - self.trials["targets"]
        weight = self.trials["loss_weight"].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # of a network that diverged
            loss = float((weight * error**2).sum() / weight.sum()) + self._penalties(rates)
        scores = score_trials(self.task, self.trials["targets"].copy(data=outputs), self.trials)
        if scores.isnull().all() and np.isfinite(outputs).all():
            n_trials = scores.sizes["trial"]
            raise TaskError(f"task {self.task.name}: score: expected some of {n_trials} trials scored, got NaN in all")
        worst = worst_score(self.task, scores, self.trials)
        found = dict(zip(self.names, (loss, float(mean_score(scores)), float(worst)), strict=True))
        if self.holds and self._held_from is not None:
            found[HELD] = self.held() if found[self.names[1]] >= self._held_from else np.nan
        return found

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the scores to the logs."""
        if logs is not None:
            logs.update(self.measure())

    def held(self) -> float:
        """Return the share of the memory states that the model as it is now holds."""
        assert self._probe is not None
        weights = record_weights(self._network).merge(record_constants(self._network))
        return float(share_held(weights, self._probe, self.task))

    def _penalties(self, rates: Any) -> float:
        weights = [v for v in self._network.trainable_variables if getattr(v, "regularizer", None) is not None]
        penalties = [float(variable.regularizer(variable)) for variable in weights]
        of_rates = find_layers(self._network)[0].activity_regularizer
        if of_rates is not None:
            penalties.append(float(of_rates(keras.ops.convert_to_tensor(rates))) / len(rates))  # as Keras does
        return sum(penalties)
