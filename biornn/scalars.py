"""Single numbers that a caller gives: Python's own, or numpy's."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np


def integer(name: str, value: Any, minimum: int) -> int:
    """Return an integer as Python's own, which does not overflow and which JSON can write.

    TypeError if `value` is not an integer (truth values are not), ValueError if it is below `minimum`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name}: expected an integer of at least {minimum}, got {value!r}")
    if number < minimum:
        raise ValueError(f"{name}: expected an integer of at least {minimum}, got {number}")
    return number


def is_real(value: Any) -> bool:
    """Return whether a value is a single real number and not a truth value; NaN and infinities are numbers, too."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def check_number(
    name: str,
    value: Any,
    expected: str = "a number of at least 0",
    minimum: float = 0.0,
    maximum: float = np.inf,
    above: float = -np.inf,
) -> None:
    """Refuse, with a ValueError, what is no finite real number in [minimum, maximum] that is larger than `above`."""
    if not is_real(value) or not minimum <= value <= maximum or not above < value < np.inf:
        raise ValueError(f"{name}: expected {expected}, got {value!r}")
