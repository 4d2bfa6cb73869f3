"""The time that a network takes, from the times of its parts."""

from __future__ import annotations

from dataclasses import dataclass

from biornn.experiment.config import TrainingConfig


@dataclass(frozen=True)
class Timing:
    """Times in s: loading Keras, once a process; building, tracing and recording a network; an update; a validation."""

    building: float
    update: float
    validation: float
    loading: float = 0.0

    def network(self, training: TrainingConfig) -> float:
        """Estimate the time of one network in s, without loading Keras; a criterion may end its training earlier."""
        return self.building + self.update * training.max_updates + self.validation * training.n_validations
