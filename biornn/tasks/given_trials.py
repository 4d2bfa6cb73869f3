"""Trials that were given as arrays, with nothing known of them but inputs and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import xarray as xr

from biornn.scalars import check_number
from biornn.tasks.task import Seed, Task, Trials

_NO_VARIANCE = 1e-12  # of targets in single precision, as a share of their squared mean: rounding alone


@dataclass(frozen=True)
class GivenTrials(Task):
    """The task of trials that come from elsewhere: a regression of the outputs on the targets. It draws no trials.

    The score of a trial is the explained variance of the targets: 1 minus its mean squared error divided by the
    variance of the targets over all trials, both weighted as in the loss; 0 where that is negative. So the mean over
    trials of one length is the explained variance of all, unless some trial is worse than the mean of the targets. NaN
    in a trial without any loss weight, and where the targets do not vary.

    Parameters
    ----------
    input_channels, output_channels
        Their names.
    dt
        Time step, in ms.

    Raises
    ------
    ValueError
        If there are no channels, or `dt` is not above 0.

    Examples
    --------
    >>> from biornn.tasks.given_trials import GivenTrials
    >>> GivenTrials(["velocity"], ["position"], dt=2.0).n_outputs
    1
    """

    name, score_name, chance = "given trials", "explained variance", 0.0

    input_channels: Sequence[str] = ("input_1",)  # type: ignore[assignment]  # a list once it is checked
    output_channels: Sequence[str] = ("output_1",)  # type: ignore[assignment]
    dt: float = 1.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check_number("dt", self.dt, "a time step above 0 ms", above=0)
        for name in ("input_channels", "output_channels"):
            names = [str(one) for one in getattr(self, name)]
            if not names or len(set(names)) < len(names):
                raise ValueError(f"{name}: expected at least one name, all of them distinct, got {names}")
            object.__setattr__(self, name, names)

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return len(self.input_channels)

    @property
    def n_outputs(self) -> int:
        """Number of output channels."""
        return len(self.output_channels)

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Refuse to make trials."""
        self._refuse()

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Refuse to make trials."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ValueError("task: expected one that draws trials, got trials that were given as arrays")

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Explained variance of the targets in each (..., trial), at least 0."""
        sample, every = ["time", "output_channel"], ["trial", "time"]
        targets, weight = trials["targets"].astype(float), trials["loss_weight"].astype(float)
        mean = (xr.dot(targets, weight, dim=every) / weight.sum(every)).fillna(0)  # of channels without any weight
        variance = xr.dot((targets - mean) ** 2, weight, dim=[*every, "output_channel"]) / weight.sum()
        error = xr.dot((outputs - targets) ** 2, weight, dim=sample) / weight.sum(sample)
        return (1 - error / variance.where(variance > _NO_VARIANCE * (mean**2).max())).clip(min=0)
