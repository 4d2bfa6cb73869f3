"""Pairs of inputs that are tuned to a frequency: one falls with it, while the other one rises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.scalars import check_number
from biornn.tasks.opposed import opposed
from biornn.tasks.task import Task

_WEAK, _STRONG = 0.4, 1.2  # of the two inputs, at the ends of their tuning
Tuning = tuple[float, float]  # frequencies in Hz
OF_TASK: Any = None  # a tuning from the lowest to the highest frequency of the task


def check_tuning(task: Task, tuning: object, name: str, frequencies: Iterable[float]) -> None:
    """Set the setting `tuning` of a frozen task: two frequencies in Hz, or None for the lowest and the highest.

    A ValueError says what they cannot be, and which of the `frequencies`, the setting `name`, would have an input
    below 0.
    """
    frequencies = list(frequencies)
    if tuning is None:
        tuning = min(frequencies), max(frequencies)
    if not isinstance(tuning, list | tuple) or len(tuning) != 2:
        raise ValueError(f"tuning: expected a lower and a higher frequency in Hz, got {tuning!r}")
    low, high = tuning
    check_number("tuning", low, "a lower and a higher frequency in Hz")
    check_number("tuning", high, f"a frequency above {low:g} Hz", above=low)
    beyond = (high - low) * _WEAK / (_STRONG - _WEAK)
    ends = low - beyond, high + beyond
    for frequency in frequencies:
        expected = f"frequencies from {ends[0]:g} to {ends[1]:g} Hz, where no input is below 0"
        check_number(name, frequency, expected, *ends)
    object.__setattr__(task, "tuning", (float(low), float(high)))


def tuned_inputs(frequency: ArrayLike, tuning: Tuning) -> NDArray[np.float32]:
    """Give the levels (..., 2) of the falling and of the rising input at frequencies in Hz; 0 where they are NaN.

    Examples
    --------
    >>> tuned_inputs([9, 12.5, 16, 19.5], (9, 16)).astype(float).round(3).tolist()
    [[1.2, 0.4], [0.8, 0.8], [0.4, 1.2], [0.0, 1.6]]
    """
    low, high = tuning
    return opposed((2 * np.asarray(frequency) - low - high) / (high - low), _WEAK, _STRONG)


def per_hertz(tuning: Tuning) -> float:
    """Give by how much the rising input, less the falling one, rises with 1 Hz."""
    low, high = tuning
    return 2 * (_STRONG - _WEAK) / (high - low)
