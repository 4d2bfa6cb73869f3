"""Where a search for fixed points starts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biornn.analysis.run_to_rest import FAR
from biornn.analysis.stationary import Stationary

_Array = NDArray[np.float64]


def draw_starts(
    of: Stationary, given: _Array | None, known: _Array, n_starts: int, rng: np.random.Generator, is_first: bool
) -> _Array:
    """Draw a batch of starts (row, n_numbers).

    Recorded activity, as it is and with noise; the box of possible rates; where the network goes from there in a random
    time; and states between fixed points that are known already.
    """
    n_between = n_starts // 2 if len(known) else 0
    n_recorded = 0 if given is None else (n_starts - n_between) // 2
    n_box = n_starts - n_between - n_recorded
    parts = [_between(known, n_between, rng)] if n_between else []
    if given is not None:
        chosen = given[rng.integers(len(given), size=n_recorded)]
        noise = _log_uniform(rng, 1e-3, 1.0, n_recorded) * (not is_first)
        parts.append(of.state_of(chosen + noise * given.std() * rng.standard_normal(chosen.shape)))
    box = of.state_of(rates_in_box(of, n_box, rng))
    n_settling = n_box - n_box // 4
    parts += [_settled(of, box[:n_settling], rng), box[n_settling:]]
    return np.concatenate(parts)


def rates_in_box(of: Stationary, n_rows: int, rng: np.random.Generator) -> _Array:
    """Draw rates (row, unit) between their limits; where there are none, up to some times what a unit receives."""
    size = _log_uniform(rng, 0.01, 10.0, n_rows) * (1 + np.abs(of.drive).max())
    low, high = (np.where(np.isinf(limit), np.sign(limit) * size, limit) for limit in of.limits)
    return low + (high - low) * rng.random((n_rows, of.n_units))


def _settled(of: Stationary, state: _Array, rng: np.random.Generator) -> _Array:
    """Let each state run for a random time, up to some time constants."""
    longest = in_steps(of, 30, 2000)
    end = np.ceil(longest ** rng.random(len(state))).astype(int)
    settled = state.copy()
    with np.errstate(over="ignore", invalid="ignore"):
        for time in range(1, longest + 1):
            state = of.step(state)
            settled[end == time] = state[end == time]
    finite = np.isfinite(settled).all(axis=1) & (np.abs(settled).max(axis=1) < FAR)
    settled[~finite] = rng.standard_normal((int(np.sum(~finite)), of.n_numbers))
    return settled


def _between(known: _Array, n_rows: int, rng: np.random.Generator) -> _Array:
    """Draw means of two to four fixed points, with some noise."""
    weights = rng.dirichlet(np.ones(4), n_rows)
    weights[:, 2:] *= rng.random((n_rows, 1)) < 0.5
    weights /= weights.sum(axis=1, keepdims=True)
    weights[rng.random(n_rows) < 0.3] = [0.5, 0.5, 0, 0]
    middle = np.einsum("rk,rku->ru", weights, known[rng.integers(len(known), size=(n_rows, 4))])
    size = max(float(known.std()), 1e-3)
    return middle + _log_uniform(rng, 1e-3, 0.3, n_rows) * size * rng.standard_normal(middle.shape)


def _log_uniform(rng: np.random.Generator, low: float, high: float, n_rows: int) -> _Array:
    return np.exp(rng.uniform(np.log(low), np.log(high), (n_rows, 1)))


def in_steps(of: Stationary, n_time_constants: int, most: int) -> int:
    """Return the steps of so many time constants of the median unit, which can be infinite; at most so many."""
    return min(most, int(np.ceil(n_time_constants / max(float(np.median(of.leak)), n_time_constants / most))))
