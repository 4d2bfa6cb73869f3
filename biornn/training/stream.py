"""An endless stream of fresh training trials."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from biornn.tasks import Task
from biornn.tasks.seeds import generator


class TrialStream(keras.utils.PyDataset):
    """Batches of trials that never end and never repeat: batch i is a function of the seed and of i alone.

    Parameters
    ----------
    task
        Makes the trials.
    batch_size
        Trials per batch.
    seed
        Non-negative integer.
    """

    def __init__(self, task: Task, batch_size: int, seed: int) -> None:
        super().__init__()
        self.task = task
        self.batch_size = batch_size
        self.seed = seed

    @property
    def num_batches(self) -> None:
        """None: the stream has no end."""
        return

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Make inputs (trial, time, input_channel) and targets (trial, time, output_channel) of one batch."""
        return self.task.arrays(self.batch_size, generator("training", self.seed, index))
