"""The interface of a task, which training and recording use."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Seed = int | np.random.SeedSequence | np.random.Generator


@runtime_checkable
class Task(Protocol):
    """A task: anything that makes labelled trials from a seed."""

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""

    @property
    def n_outputs(self) -> int:
        """Number of output channels."""

    def arrays(self, n_trials: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Make inputs (trial, time, input_channel) and targets (trial, time, output_channel), without labels."""

    def sample(self, n_trials: int, seed: Seed) -> xr.Dataset:
        """Make random trials, labelled as the group `trials` of the schema."""

    def probe(self) -> xr.Dataset:
        """Make the noise-free set that visits every condition of the task once, labelled the same way."""
