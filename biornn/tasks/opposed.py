"""Pairs of inputs with opposite tuning."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def opposed(value: ArrayLike, low: float = 0.0, high: float = 1.0) -> NDArray[np.float32]:
    """Give the levels (..., 2) of two inputs, the first of which falls with a value, while the second one rises.

    They are linear, `high` and `low` at -1, and `low` and `high` at 1. Where the value is NaN, both are 0.

    Examples
    --------
    >>> opposed([0.0, 0.5, np.nan]).tolist()
    [[0.5, 0.5], [0.25, 0.75], [0.0, 0.0]]
    """
    rising = (np.asarray(value, np.float32)[..., np.newaxis] * np.array([-1, 1], np.float32) + 1) / 2
    return np.nan_to_num(np.float32(low) + np.float32(high - low) * rising)
