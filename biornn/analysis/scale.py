"""A power of two that brings numbers to the size of one, so that their squares neither overflow nor vanish."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def power_of_two(values: NDArray[np.floating], axis: tuple[int, ...] | None = None) -> Any:
    """Give the largest power of two that is no larger than the largest magnitude.

    Division by it is exact: what does not depend on the scale of the numbers keeps its last digit. It is taken over the
    axes, which stay with size 1, or over all values, for one number; 1 where all are zero, or one is not finite.
    """
    keep = axis is not None
    largest = np.maximum(
        values.max(axis=axis, keepdims=keep, initial=0.0), -values.min(axis=axis, keepdims=keep, initial=0.0)
    ).astype(np.float64)
    is_size = np.isfinite(largest) & (largest > 0)
    exponent = np.frexp(np.where(is_size, largest, 1.0))[1] - 1
    return np.ldexp(1.0, exponent)


def centred(samples: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Take samples (sample, unit) about their mean; return them and the mean over a power of two, and the power."""
    scale = power_of_two(samples)
    mean = samples.mean(axis=0, dtype=np.float64)
    about_mean = np.subtract(samples, mean, dtype=np.float64)
    about_mean /= scale
    return about_mean, mean / scale, scale
