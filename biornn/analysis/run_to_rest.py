"""Running a network without changing input until it stands still."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biornn.analysis.stationary import Stationary

_Array = NDArray[np.float64]

#: Largest state of a run that goes on.
FAR = 1e6
_CHECKED = 25  # steps until it is asked whether a network stands still


def run_to_rest(of: Stationary, state: _Array, still: float, n_steps: int) -> tuple[_Array, NDArray[np.bool_]]:
    """Run from states (row, n_numbers) until each stands still, for at most so many steps.

    It stands still if its speed, over 1 + its length, is at most `still`. Returns the last state of each (of one that
    leaves all bounds, one of those on its way), and which stand still.
    """
    state, stands_still = state.copy(), np.zeros(len(state), bool)
    running, rows = np.arange(len(state)), state
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(0, n_steps, _CHECKED):
            if not running.size:
                break
            for _ in range(_CHECKED):
                rows = of.step(rows)
            is_near = np.abs(rows).max(axis=1) < FAR  # False for NaN
            is_still = is_near & (of.speed(rows) <= still * (1 + np.linalg.norm(rows, axis=1)))
            state[running], stands_still[running] = rows, is_still
            goes_on = is_near & ~is_still
            running, rows = running[goes_on], rows[goes_on]
    return state, stands_still
