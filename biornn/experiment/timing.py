"""How long a network takes, from what its parts take."""

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
        """Estimate the time that one network takes at most, without loading Keras, in s.

        Parameters
        ----------
        training
            Its training; a criterion may end it earlier.
        """
        n_validations = -(-training.max_updates // training.validate_every)
        return self.building + self.update * training.max_updates + self.validation * n_validations
