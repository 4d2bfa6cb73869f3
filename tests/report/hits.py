"""A task of one's own: no probe, no memory state, no choice, one channel."""

from typing import Any

import numpy as np
import xarray as xr

from biornn.tasks import Task, Trials
from biornn.tasks.task import Seed, task_generator


class Hits(Task):
    """Repeat a noisy level in every sample."""

    score_name = "hits"
    n_inputs = n_outputs = 1

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make trials of 20 steps."""
        targets = np.broadcast_to(rng.choice(np.array([-1, 1]), (n_trials, 1, 1)), (n_trials, 20, 1))
        return Trials(targets + rng.normal(0, 0.1, targets.shape), targets, np.ones(targets.shape))

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Label trials."""
        return self.labelled(self.arrays(n_trials, task_generator(seed)))

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Share of the samples that are within 0.5 of the target."""
        return (abs(outputs - trials["targets"]) < 0.5).mean(["time", "output_channel"])
