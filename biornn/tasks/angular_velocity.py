"""An angular velocity that is filtered Gaussian noise, and how far one turns by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray


@dataclass(frozen=True)
class AngularVelocity:
    """Gaussian noise with a time constant, which begins at 0; in the long run its standard deviation is `sd`.

    Parameters
    ----------
    sd
        In rad/s.
    tau, dt
        Time constant and time step, in ms.
    """

    sd: float
    tau: float
    dt: float

    def draw(self, turns: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw velocities in rad/s, (trial, time): 0 where a trial does not turn, from where it begins again."""
        turns = np.ascontiguousarray(turns.T)
        velocity = rng.standard_normal(turns.shape, np.float32)
        velocity *= np.float32(self._added) * turns
        kept = np.float32(self._kept) * turns
        for earlier, now, left in zip(velocity[:-1], velocity[1:], kept[1:], strict=True):
            left *= earlier
            now += left
        return velocity.T

    def variance_of_turn(self, n_steps: int) -> NDArray[np.float64]:
        """Give the variance in rad² of how far one has turned after 0, 1, …, `n_steps` steps."""
        lasting = np.cumsum(self._kept ** np.arange(n_steps))  # what a change of velocity adds to the turn
        return np.append(0, np.cumsum((self._added * self.dt / 1000 * lasting) ** 2))

    @property
    def _kept(self) -> float:
        """Share of the velocity that is left after a step."""
        return float(np.exp(-self.dt / self.tau))

    @property
    def _added(self) -> float:
        """Standard deviation of what each step adds to the velocity."""
        return self.sd * float(np.sqrt(1 - self._kept**2))


def share_near(variance: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Give the probability that a normal turn of mean 0 ends within a tolerance of the start, on the ring.

    Variance in rad², of any shape, and tolerance in rad, up to π.

    Examples
    --------
    >>> share_near(np.array([0.0, 0.01, 1e9]), np.pi / 10).round(3).tolist()
    [1.0, 0.998, 0.1]
    """
    sd = np.sqrt(np.clip(variance, 1e-30, 100))[..., np.newaxis]  # from 10 rad on it is uniform on the ring
    rounds = 2 * np.pi * np.arange(-11, 12)
    beyond, before = (scipy.special.ndtr((rounds + sign * tolerance) / sd) for sign in (1, -1))
    share: NDArray[np.float64] = (beyond - before).sum(axis=-1)
    return share
