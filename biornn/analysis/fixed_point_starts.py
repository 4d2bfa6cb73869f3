"""Where a search for fixed points starts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biornn.analysis.run_to_rest import FAR
from biornn.analysis.stationary import Stationary

_Array = NDArray[np.float64]


def draw_starts(
    of: Stationary, given: _Array | None, n_starts: int, rng: np.random.Generator, is_first: bool
) -> _Array:
    """Draw starts (row, n_numbers) of which nothing needs to be known.

    Recorded activity, as it is and with noise; possible rates; and where the network goes from there in a random time.
    """
    n_recorded = 0 if given is None else (n_starts + 1) // 2
    n_box = n_starts - n_recorded
    parts = []
    if given is not None:
        chosen = given[rng.integers(len(given), size=n_recorded)]
        noise = _log_uniform(rng, 1e-3, 1.0, n_recorded) * (not is_first)
        parts.append(of.state_of(chosen + noise * given.std() * rng.standard_normal(chosen.shape)))
    box = of.state_of(possible_rates(of, n_box, rng))
    n_settling = n_box - n_box // 4
    parts += [_settled(of, box[:n_settling], rng), box[n_settling:]]
    return np.concatenate(parts)


def draw_between(known: _Array, n_hits: NDArray[np.int_], n_starts: int, rng: np.random.Generator) -> _Array:
    """Draw starts (row, n_numbers) between fixed points that are known, and beyond them, with some noise.

    Half of them are means of two to four, the others the fourth corners of parallelograms of three: fixed points of a
    network that holds several bits lie like the corners, edges and faces of a cube. Those that few starts led to are
    chosen more often, for points that are missing are next to them.
    """
    if not len(known):
        return np.empty((0, known.shape[1]))
    weights = rng.dirichlet(np.ones(4), n_starts)
    weights[:, 2:] *= rng.random((n_starts, 1)) < 0.5
    weights /= weights.sum(axis=1, keepdims=True)
    weights[rng.random(n_starts) < 0.3] = [0.5, 0.5, 0, 0]
    weights[: n_starts // 2] = [1, 1, -1, 0]
    rare = 1 / (1.0 + n_hits)
    chosen = known[rng.choice(len(known), size=(n_starts, 4), p=rare / rare.sum())]
    size = max(float(known.std()), 1e-3)
    noise = _log_uniform(rng, 1e-3, 0.3, n_starts) * size * rng.standard_normal((n_starts, known.shape[1]))
    return np.asarray(np.einsum("rk,rku->ru", weights, chosen) + noise)


def possible_rates(of: Stationary, n_rows: int, rng: np.random.Generator) -> _Array:
    """Draw rates (row, unit) in the box of possible ones; where weights read few directions, half of them along these.

    In a box of many units the sums that such weights read are all close to their means, and attractors may be far away.
    The largest sum in a direction is that of the corner of the box that lies in it, so rates between the middle and
    corners in random directions have sums of every size, in nearly all directions.
    """
    rates = rates_in_box(of, n_rows, rng)
    if of.directions is not None:
        along = rates[::2]
        toward = rng.standard_normal((len(along), of.directions.shape[1])) @ of.directions.T
        low, high = _limits(of, len(along), rng)
        middle = (low + high) / 2
        rates[::2] = middle + rng.random((len(along), 1)) * (np.where(toward > 0, high, low) - middle)
    return rates


def rates_in_box(of: Stationary, n_rows: int, rng: np.random.Generator) -> _Array:
    """Draw rates (row, unit) between their limits; where there are none, up to some times what a unit receives."""
    low, high = _limits(of, n_rows, rng)
    return low + (high - low) * rng.random((n_rows, of.n_units))


def _limits(of: Stationary, n_rows: int, rng: np.random.Generator) -> list[_Array]:
    size = _log_uniform(rng, 0.01, 10.0, n_rows) * (1 + np.abs(of.drive).max())
    return [np.where(np.isinf(limit), np.sign(limit) * size, limit) for limit in of.limits]


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


def _log_uniform(rng: np.random.Generator, low: float, high: float, n_rows: int) -> _Array:
    return np.exp(rng.uniform(np.log(low), np.log(high), (n_rows, 1)))


def in_steps(of: Stationary, n_time_constants: int, most: int) -> int:
    """Return the steps of so many time constants of the median unit, which can be infinite; at most so many."""
    return min(most, int(np.ceil(n_time_constants / max(float(np.median(of.leak)), n_time_constants / most))))
