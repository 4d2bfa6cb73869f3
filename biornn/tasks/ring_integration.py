"""Ring integration: the angle that an angular velocity leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.scalars import check_number, integer
from biornn.tasks.angular_velocity import AngularVelocity, share_near
from biornn.tasks.balanced import balanced, each_once
from biornn.tasks.observer import noise_sd
from biornn.tasks.periods import in_steps
from biornn.tasks.rings import angle_of, angular_distance, around, directions, sector_of, sine_and_cosine
from biornn.tasks.settings import check_length, check_settings
from biornn.tasks.task import Seed, Task, Trials, task_generator

_PERIODS = np.array(["cue", "turning", "pause"])
_SHARES = (np.arange(16) + 0.5) / 16  # of the trials, to average over their pauses
_Turns = tuple[dict[str, NDArray[Any]], NDArray[np.float32], NDArray[np.int64]]  # of trials, velocity, period


@dataclass(frozen=True)
class RingIntegration(Task):
    """Keep track of an angle, such as the head direction, from an angular velocity.

    A cue gives sine and cosine of the angle at the start. Then comes the velocity, in rad/s, and the outputs shall be
    the sine and the cosine of the angle: that of the start and the sum of the velocities so far times `dt`. In half of
    the trials the velocity pauses at 0. Each start direction with and without a pause is as frequent, to one trial.

    Parameters
    ----------
    n_directions
        Sectors of the ring, of which each is as frequent; the start is uniform in its sector, and so on the ring.
    cue, duration
        Lengths of the cue, in which nothing counts, and of the trial with the cue, in ms.
    velocity_sd, velocity_tau
        Standard deviation in rad/s, and time constant in ms, of the velocity: filtered Gaussian noise that begins at 0.
    pauses
        Whether there are pauses. After the cue, they begin in the first third of the trial, and last for up to two
        thirds of it, each uniformly.
    tolerance
        Largest error of an angle that is right, in degrees.
    dt
        Time step, in ms.
    noise, noise_tau
        σ and time constant τ (ms) of Gaussian noise in the inputs, which is not integrated. It means the same at any
        `dt`: a sample has the standard deviation ``σ sqrt(2 τ / dt)``.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    As in Cueva's code, with steps of 20 ms: 500 in a trial, 10 of the cue; a velocity is 0.8 times the last one, and
    noise of 0.03 rad per step. But pauses may begin in the cue there, velocities are per step, and there is no score.

    References
    ----------
    Cueva, Wang, Chin & Wei (2020), ICLR; https://arxiv.org/abs/1912.10189.

    Examples
    --------
    >>> import biornn as bn
    >>> trials = bn.tasks.RingIntegration().trials(2, seed=0)
    >>> bool(abs(trials.inputs[..., 0].astype(float).sum("time") * 0.02 - trials.turn).max() < 1e-9)
    True
    """

    name, score_name, trial_conditions = "ring_integration", "accuracy", ("direction", "paused")
    input_channels, n_inputs = ["velocity", "sin", "cos"], 3
    output_channels, n_outputs = ["sin", "cos"], 2

    n_directions: int = 8
    cue: float = 200.0
    duration: float = 10000.0
    velocity_sd: float = 2.5
    velocity_tau: float = 90.0
    pauses: bool = True
    tolerance: float = 18.0
    dt: float = 20.0
    noise: float = 0.0
    noise_tau: float = 100.0

    def __post_init__(self) -> None:
        """Check the settings."""
        times = "dt", "cue", "duration", "velocity_tau", "noise_tau"
        check_settings(self, times, ("velocity_sd", "tolerance", "noise"), ("pauses",))
        object.__setattr__(self, "n_directions", integer("n_directions", self.n_directions, minimum=1))
        check_number("cue", self.cue, f"at least dt={self.dt:g} ms", minimum=self.dt)
        check_number("duration", self.duration, "at least a step more than cue", minimum=self.cue + self.dt)
        check_number("tolerance", self.tolerance, "degrees above 0 and up to 180", maximum=180, above=0)
        check_length(self, "duration", self.duration)

    @property
    def chance(self) -> float:
        """Score of who always points to one angle."""
        return self.tolerance / 180

    @property
    def shortcuts(self) -> Mapping[str, float]:
        """Scores of who ignores the velocity, and of who begins at one angle in all trials."""
        variance, tolerance = self._velocity.variance_of_turn(self._n_times - self._n_cue), np.deg2rad(self.tolerance)
        near = [share_near(variance[1:], tolerance).mean()]
        if self.pauses:
            first, end = self._pause(*np.meshgrid(_SHARES, _SHARES))
            step = np.arange(self._n_cue + 1, self._n_times + 1)
            before, after = np.minimum(step, first[..., np.newaxis]) - self._n_cue, step - end[..., np.newaxis]
            near.append(share_near(variance[before] + variance[np.maximum(after, 0)], tolerance).mean())
        return {"keeps the start": float(np.mean(near)), "ignores the cue": self.chance}

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays."""
        return self._make(self._draw(n_trials, rng), rng)

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` says.

        On `trial` they have ``direction``, that of the sector of the start, in degrees, and ``paused``, which can be
        fixed; ``start_angle``, and ``turn``, by which the end is further, in rad.
        """
        rng = task_generator(seed)
        return self._labelled(self._draw(integer("n_trials", n_trials, minimum=1), rng, **fixed), rng)

    def probe(self) -> xr.Dataset:
        """Make one noise-free trial of each start direction with and without a pause, in the middle third.

        The velocity is constant, at its standard deviation, in every second direction to the other side.
        """
        of_trials = each_once(self._conditions())
        side = np.where(np.round(of_trials["direction"] * self.n_directions / 360) % 2, -1, 1)
        thirds = self._n_cue + np.array([1, 2]) * (self._n_times - self._n_cue) // 3
        period = self._periods(of_trials["paused"], *thirds)
        velocity = self.velocity_sd * side[:, np.newaxis] * (period == 1)
        return self._labelled((of_trials | {"start_angle": np.deg2rad(of_trials["direction"])}, velocity, period), None)

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Give the share of the time after the cue in which the angle of the outputs is right."""
        error = angular_distance(angle_of(outputs), angle_of(trials["targets"]))
        return (error <= np.deg2rad(self.tolerance)).isel(time=slice(self._n_cue, None)).mean("time")

    def pointed(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Name the direction in whose sector outputs point at the end of the trial; empty if they are not finite."""
        return sector_of(angle_of(outputs.isel(time=-1)), self.n_directions)

    def _conditions(self) -> dict[str, list[Any]]:
        rows = product(directions(self.n_directions), (False, True)[: 1 + self.pauses])
        return dict(zip(self.trial_conditions, map(list, zip(*rows, strict=True)), strict=True))

    def _draw(self, n_trials: int, rng: np.random.Generator, **fixed: Any) -> _Turns:
        of_trials = balanced(self._conditions(), n_trials, rng, fixed)
        start = around(of_trials["direction"], rng.random(n_trials), self.n_directions)
        period = self._periods(of_trials["paused"], *self._pause(rng.random(n_trials), rng.random(n_trials)))
        return of_trials | {"start_angle": start}, self._velocity.draw(period == 1, rng), period

    def _pause(self, of_onset: NDArray[np.float64], of_length: NDArray[np.float64]) -> tuple[NDArray[np.int64], ...]:
        """First step of a pause, and the one after its last, from uniform shares."""
        n_after = self._n_times - self._n_cue
        first = self._n_cue + (of_onset * (n_after // 3 + 1)).astype(int)
        return first, first + 1 + (of_length * (2 * n_after // 3)).astype(int)

    def _periods(self, paused: NDArray[np.bool_], first: ArrayLike, end: ArrayLike) -> NDArray[np.int64]:
        """Give the number of the period at each (trial, time), as in `_PERIODS`."""
        step = np.arange(self._n_times)
        first, end = (np.where(paused, one, self._n_times)[:, np.newaxis] for one in (first, end))
        return np.where(step < self._n_cue, 0, 1 + ((step >= first) & (step < end)))

    def _make(self, turns: _Turns, rng: np.random.Generator | None) -> Trials:
        of_trials, velocity, period = turns
        inputs = np.zeros((*period.shape, self.n_inputs), np.float32)
        inputs[..., 0] = velocity
        inputs[:, : self._n_cue, 1:] = sine_and_cosine(of_trials["start_angle"])[:, np.newaxis]
        if rng is not None and self.noise > 0:
            inputs += noise_sd(self.noise, self.noise_tau, self.dt) * rng.standard_normal(inputs.shape, np.float32)
        targets = sine_and_cosine(of_trials["start_angle"][:, np.newaxis] + self._turned(velocity))
        loss_weight = np.ones_like(targets)
        loss_weight[:, : self._n_cue] = 0
        return Trials(inputs, targets, loss_weight)

    def _labelled(self, turns: _Turns, rng: np.random.Generator | None) -> xr.Dataset:
        labels = turns[0] | {"turn": self._turned(turns[1])[:, -1]}
        return self.labelled(self._make(turns, rng), period=_PERIODS[turns[2]], **labels)

    def _turned(self, velocity: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.cumsum(velocity, axis=1, dtype=float) * (self.dt / 1000)

    @property
    def _velocity(self) -> AngularVelocity:
        return AngularVelocity(self.velocity_sd, self.velocity_tau, self.dt)

    @property
    def _n_cue(self) -> int:
        return int(in_steps(self.cue, self.dt))

    @property
    def _n_times(self) -> int:
        return int(in_steps(self.duration, self.dt))
