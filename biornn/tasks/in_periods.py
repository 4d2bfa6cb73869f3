"""Tasks whose trials are made of periods, in each of which inputs and targets stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.scalars import integer
from biornn.tasks.input_noise import add_noise
from biornn.tasks.observer import noise_sd
from biornn.tasks.periods import by_period, periods
from biornn.tasks.task import Seed, Task, Trials, task_generator

OfTrials = dict[str, NDArray[Any]]  # coordinates on trial


class Plan(NamedTuple):
    """What happens in each period; where `trial` has the length 1, it is the same in all trials."""

    n_steps: Sequence[ArrayLike]  # of each period, (trial) or one number
    inputs: NDArray[np.float32]  # (trial, period, input_channel)
    targets: NDArray[np.float32]  # (trial, period, output_channel)
    loss_weight: NDArray[np.float32]  # (trial, period, output_channel)


class InPeriods(Task):
    """A task whose inputs are constant in each period but for Gaussian noise, and its targets and loss weights too.

    A subclass says which trials there are (`_draw`, `_of_probe`) and what happens in them (`_plan`).

    Attributes
    ----------
    noise, noise_tau : float
        As for `noise_sd`, of noise as `add_noise` draws it; time in ms.
    rectify : bool
        Whether inputs below 0 become 0.
    """

    noise: float
    noise_tau: float
    rectify: bool = False

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return len(self.input_channels)

    @property
    def n_outputs(self) -> int:
        """Number of output channels."""
        return len(self.output_channels)

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays."""
        return self._make(self._draw(n_trials, rng), rng)[0]

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` says; which coordinates they have, their class says."""
        rng = task_generator(seed)
        return self._labelled(self._draw(integer("n_trials", n_trials, minimum=1), rng, **fixed), rng)

    def probe(self) -> xr.Dataset:
        """Make one noise-free trial of each condition."""
        return self._labelled(self._of_probe(), None)

    def _draw(self, n_trials: int, rng: np.random.Generator, **fixed: Any) -> OfTrials:
        """Draw the coordinates of trials, of which some may be fixed."""
        raise NotImplementedError

    def _of_probe(self) -> OfTrials:
        """Give the coordinates of the trials of the probe."""
        raise NotImplementedError

    @property
    def _period_names(self) -> Sequence[str]:
        """Name the periods in their order; one name may stand there more than once."""
        raise NotImplementedError

    @property
    def _n_times(self) -> int:
        """Number of steps of the longest possible trial."""
        raise NotImplementedError

    def _plan(self, of_trials: OfTrials) -> Plan:
        """Say what happens in trials with these coordinates."""
        raise NotImplementedError

    def _make(self, of_trials: OfTrials, rng: np.random.Generator | None) -> tuple[Trials, NDArray[np.int64]]:
        """Make arrays, without noise if there is no generator, and the number of the period at each (trial, time)."""
        plan = self._plan(of_trials)
        period = periods(self._n_times, *plan.n_steps)
        period = np.broadcast_to(period, (len(next(iter(of_trials.values()))), period.shape[-1]))
        inputs, targets, loss_weight = (by_period(values, period) for values in plan[1:])
        if rng is not None and self.noise > 0:
            sd = float(noise_sd(self.noise, self.noise_tau, self.dt))
            add_noise(inputs, period < len(plan.n_steps), sd, rng)
        if self.rectify:
            np.maximum(inputs, 0, out=inputs)
        return Trials(inputs, targets, loss_weight), period

    def _labelled(self, of_trials: OfTrials, rng: np.random.Generator | None) -> xr.Dataset:
        arrays, period = self._make(of_trials, rng)
        names = np.array([*self._period_names, "padding"])
        n_steps = (period < len(self._period_names)).sum(axis=1)
        return self.labelled(arrays, n_steps=n_steps, period=names[period], **of_trials)
