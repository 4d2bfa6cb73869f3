"""Which condition each trial has: equally many of each, of those that agree with what the caller fixes; or one each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def balanced(
    conditions: Mapping[str, Sequence[Any]], n_trials: int, rng: np.random.Generator, fixed: Mapping[str, Any]
) -> dict[str, NDArray[Any]]:
    """Give each trial a condition, in random order.

    Every condition gets equally many trials; those left over go to as many conditions, drawn without replacement. So
    the counts of any two conditions differ by one at most.

    Parameters
    ----------
    conditions
        Coordinate -> its value in each condition. A condition that stands there twice is twice as frequent.
    n_trials
        Number of trials.
    rng
        Generator.
    fixed
        Coordinate -> the value that it shall have in all trials.

    Returns
    -------
    dict of str to numpy.ndarray
        Coordinate -> its value in each trial.

    Raises
    ------
    TypeError
        If something else than a coordinate is fixed.
    ValueError
        If no condition has the value.

    Examples
    --------
    >>> import numpy as np
    >>> conditions = {"coherence": [4, 4, 8, 8], "side": ["left", "right", "left", "right"]}
    >>> balanced(conditions, 2, np.random.default_rng(0), {"coherence": 8})["coherence"].tolist()
    [8, 8]
    """
    rows = list(range(len(next(iter(conditions.values())))))
    for name, value in fixed.items():
        if name not in conditions:
            raise TypeError(f"{name}: expected a coordinate of trials to fix, such as {', '.join(conditions)}")
        possible = {row: conditions[name][row] for row in rows}
        rows = [row for row, one in possible.items() if one == value or (one != one and value != value)]  # or both NaN
        if not rows:
            known = ", ".join(str(one) for one in dict.fromkeys(possible.values()))
            raise ValueError(f"{name}: expected one of {known}, got {value!r}")
    n_each, n_over = divmod(n_trials, len(rows))
    chosen = np.append(np.tile(rows, n_each), rng.permutation(rows)[:n_over]).astype(int)
    chosen = rng.permutation(chosen)
    return {name: np.array(values)[chosen] for name, values in conditions.items()}


def each_once(conditions: Mapping[str, Sequence[Any]]) -> dict[str, NDArray[Any]]:
    """Give a trial of each condition, in their order: coordinate -> its value in each trial.

    Examples
    --------
    >>> {name: values.tolist() for name, values in each_once({"stimulus": ["go", "go", "no-go"]}).items()}
    {'stimulus': ['go', 'no-go']}
    """
    rows = dict.fromkeys(zip(*conditions.values(), strict=True))
    return {name: np.array(values) for name, values in zip(conditions, zip(*rows, strict=True), strict=True)}
