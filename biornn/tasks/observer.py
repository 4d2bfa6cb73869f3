"""What an observer gets right who makes the best of noisy evidence."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray


def noise_sd(noise: ArrayLike, noise_tau: float, dt: float) -> NDArray[np.float64]:
    """Give the standard deviation of a sample of noise of size σ and time constant τ (ms): ``σ sqrt(2 τ / dt)``.

    Sums of samples over a time have then the same spread at any `dt`.
    """
    return np.asarray(noise, float) * np.sqrt(2 * noise_tau / dt)


def ideal_observer(difference: ArrayLike, duration: ArrayLike, noise: float, noise_tau: float) -> NDArray[np.float64]:
    """Give the probability to find the larger of two noisy inputs (see `noise_sd`) by summing their difference.

    It is ``Φ(d)`` with ``d = Δ sqrt(T) / (2 σ sqrt(τ))``: the sum over T / dt samples has the mean ``Δ T / dt`` and the
    variance ``4 σ² τ T / dt²``. Nobody does better. For a negative difference, it is the probability to be wrong.

    Parameters
    ----------
    difference
        Δ, of any shape that broadcasts with `duration`.
    duration
        T in ms.
    noise, noise_tau
        σ, and τ in ms.

    Examples
    --------
    >>> float(ideal_observer(0.032, 800, noise=0.1, noise_tau=100).round(3))
    0.675
    """
    spread = 2 * max(noise, 1e-100) * np.sqrt(noise_tau)  # without noise, 1 or 0, and 0.5 where there is no difference
    return scipy.special.ndtr(np.asarray(difference) * np.sqrt(duration) / spread)
