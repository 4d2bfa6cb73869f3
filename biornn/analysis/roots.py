"""Roots of a map at many starts at once, and a proof of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

_Array = NDArray[np.float64]
#: Gives for each state (row, n) the root to which Newton's method is known to lead from there; NaN where none is.
Known = Callable[[_Array], _Array]
#: `map`, or that of a pool of threads, which then works on several blocks of rows at a time.
MapBlocks = Callable[..., Iterable[Any]]

MAX_STEPS = 60  # with 200 there are more slow points, and as many roots in twice the time
_PARTS = (1.0, 0.5, 0.25)  # of Newton's step that are tried
_GOOD_STEP, _VERY_GOOD_STEP = 1e-4, 0.75  # shares of the predicted decrease
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 0.1, 1e-10, 1e12
_CONVERGED = 1e-10  # residual that Newton's steps take over from, over 1 + the length of the state
_STATIONARY = 1e-7  # half of the gradient of |g|², over |g| and the largest norm of the derivatives on the way
_N_POLISHING = 8
_EXACT = 4 * np.finfo(float).eps  # residual, over 1 + the length of the state, that is rounding
_SMALL_STEP = 1e-3  # of Newton's, over 1 + the length of the state; larger ones run along a manifold, or away
_ROUNDING = 0.01  # share of the smallest singular value that rounding may change
_MATRIX_NUMBERS = 2**19  # of the matrices that are worked on at once: 4 MB, which stay in the processor's cache


@dataclass(frozen=True)
class Map:
    """What is to be zero, ``g``, of rows of n numbers, and its derivatives.

    Parameters
    ----------
    values
        ``g`` of (row, n).
    derivatives
        ``D`` of (row, n): (row, n, n), where ``D[r, i, j]`` is that of the number j of ``g`` by the number i of row r.
    """

    values: Callable[[_Array], _Array]
    derivatives: Callable[[_Array], _Array]


class Candidates(NamedTuple):
    """Where each start led: the state (row, n), the length of ``g`` there, and whether ``|g|`` has a minimum there."""

    state: _Array
    residual: _Array
    is_stationary: NDArray[np.bool_]


class Proof(NamedTuple):
    """What is known of the root next to each row.

    `error_bound` is the largest distance of the one root that there is, `unique_within` the distance within which there
    is no other; NaN and 0 where nothing is proved.
    """

    error_bound: _Array
    unique_within: _Array


def find_roots(
    of: Map, starts: _Array, known: Known | None = None, max_steps: int = MAX_STEPS, map_blocks: MapBlocks = map
) -> Candidates:
    """Look for a root from each start (row, n), each on its own, in so many steps at most.

    Newton's steps, halved until ``|g|`` falls enough; where none does, those of Levenberg and Marquardt, damped in
    proportion to ``|g|²``, so that they converge quadratically also to roots that are not isolated (Fan & Yuan 2005,
    Computing 74, 23), until such a step is as good as predicted. A row stops once it has converged or ``|g|`` has a
    local minimum. Then small steps of Newton's, as long as they make ``|g|`` smaller.

    A row that comes to where it is known which root Newton's method leads to ends there: `known` gives these roots.

    Starts are worked on in blocks, one after the other or, with the `map` of a pool of threads, several at a time.
    """
    found = map_blocks(lambda block: _find_roots(of, starts[block], known, max_steps), blocks_of(starts))
    state, residual, is_stationary = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return Candidates(state, residual, is_stationary)


def _find_roots(of: Map, starts: _Array, known: Known | None, max_steps: int) -> Candidates:
    rows = _Rows(of, starts.copy(), max_steps)
    is_known, is_stationary = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
    running = np.arange(len(starts))
    while running.size:
        if known is not None:
            root = known(rows.state[running])
            is_known[running] = np.isfinite(root).all(axis=1)
            rows.state[running] = np.where(is_known[running, np.newaxis], root, rows.state[running])
        running = running[~(is_known[running] | rows.are_done(running))]
        derivatives = of.derivatives(rows.state[running])
        is_stationary[running] = rows.are_lowest(running, derivatives)
        running, derivatives = running[~is_stationary[running]], derivatives[~is_stationary[running]]
        rows.step(running, derivatives)
    rough = np.flatnonzero(~is_known & ~is_stationary)
    rows.state[rough] = _polished(of, rows.state[rough])
    return Candidates(rows.state, np.linalg.norm(of.values(rows.state), axis=1), is_stationary)


def rows_at_once(n: int) -> int:
    """Return how many rows of n numbers are worked on at once."""
    return max(1, _MATRIX_NUMBERS // max(1, n**2))


def blocks_of(state: _Array) -> list[slice]:
    """Return blocks of rows (row, n) that are worked on at once; one of no rows where there are none."""
    n_at_once = rows_at_once(state.shape[1])
    return [slice(first, first + n_at_once) for first in range(0, max(1, len(state)), n_at_once)]


class _Rows:
    """Where each start has led so far, as arrays (row, ...)."""

    def __init__(self, of: Map, state: _Array, max_steps: int) -> None:
        self._of, self._max_steps = of, max_steps
        self.state, self._value = state, of.values(state)
        self._damping = np.full(len(state), _FIRST_DAMPING)
        self._steepest = np.zeros(len(state))
        self._is_damped = np.zeros(len(state), bool)
        self._n_steps = np.zeros(len(state), int)

    def are_done(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Say which have converged, and which never will."""
        length = np.linalg.norm(self._value[rows], axis=1)
        converged = length <= _CONVERGED * (1 + np.linalg.norm(self.state[rows], axis=1))
        is_lost = (self._damping[rows] > _MOST_DAMPING) | ~np.isfinite(length)
        return np.asarray(converged | is_lost | (self._n_steps[rows] >= self._max_steps))

    def are_lowest(self, rows: NDArray[np.intp], derivatives: _Array) -> NDArray[np.bool_]:
        """Say where ``|g|`` has a minimum that is not zero: ``|D g| <= |D| |g|`` is far below."""
        steepness = np.sqrt(np.einsum("rij,rij->r", derivatives, derivatives))
        self._steepest[rows] = np.maximum(self._steepest[rows], steepness)
        slope = np.linalg.norm(np.einsum("rij,rj->ri", derivatives, self._value[rows]), axis=1)
        length = np.linalg.norm(self._value[rows], axis=1)
        return np.asarray(slope <= _STATIONARY * self._steepest[rows] * length)

    def step(self, rows: NDArray[np.intp], derivatives: _Array) -> None:
        """Make a step of Newton's or, where that fails or failed before, one of Levenberg and Marquardt."""
        undamped = np.flatnonzero(~self._is_damped[rows])
        if undamped.size:
            self._is_damped[rows[undamped]] = ~self._newton(rows[undamped], derivatives[undamped])
        damped = np.flatnonzero(self._is_damped[rows])
        if damped.size:
            self._damped(rows[damped], derivatives[damped])
        self._n_steps[rows] += 1

    def _newton(self, rows: NDArray[np.intp], derivatives: _Array) -> NDArray[np.bool_]:
        """Make Newton's steps; those of which no part makes ``|g|`` small enough are not made, and False."""
        step = -_solved(np.swapaxes(derivatives, 1, 2), self._value[rows])
        length = np.linalg.norm(self._value[rows], axis=1)
        made = np.zeros(len(rows), bool)
        for part in _PARTS:
            left = np.flatnonzero(~made)
            if not left.size:
                break
            after = self._of.values(self.state[rows[left]] + part * step[left])
            good = np.linalg.norm(after, axis=1) <= (1 - part / 4) * length[left]  # False for NaN
            self._move(rows[left[good]], part * step[left[good]], after[good])
            made[left[good]] = True
        return made

    def _damped(self, rows: NDArray[np.intp], derivatives: _Array) -> None:
        """Make the steps of Levenberg and Marquardt; where one makes ``|g|`` larger, the next is shorter instead."""
        value = self._value[rows]
        slope = np.einsum("rij,rj->ri", derivatives, value)
        squared = np.square(value).sum(axis=1)
        added = np.maximum(self._damping[rows] * squared, np.finfo(float).tiny)
        normal = derivatives @ np.swapaxes(derivatives, 1, 2)
        diagonal = np.arange(normal.shape[1])
        normal[:, diagonal, diagonal] += added[:, np.newaxis]
        step = -_solved_positive(normal, slope)
        predicted = -np.sum(step * slope, axis=1) + added * np.square(step).sum(axis=1)
        after = self._of.values(self.state[rows] + step)
        ratio = (squared - np.square(after).sum(axis=1)) / np.maximum(predicted, np.finfo(float).tiny)
        good, very_good = ratio > _GOOD_STEP, ratio > _VERY_GOOD_STEP  # False for NaN
        damping = self._damping[rows] * np.where(very_good, 1 / 8, np.where(good, 1, 4))
        self._damping[rows] = np.maximum(damping, _LEAST_DAMPING)
        self._is_damped[rows] = ~very_good
        self._move(rows[good], step[good], after[good])

    def _move(self, rows: NDArray[np.intp], step: _Array, value: _Array) -> None:
        self.state[rows] += step
        self._value[rows] = value


def _solved(matrices: _Array, right: _Array) -> _Array:
    try:
        found = np.linalg.solve(matrices, right[..., np.newaxis])[..., 0].astype(np.float64)
    except np.linalg.LinAlgError:  # one of them is singular: one by one
        found = np.array([_least(*one) for one in zip(matrices, right, strict=True)])
    return found


def _solved_positive(matrices: _Array, right: _Array) -> _Array:
    """Solve with symmetric positive matrices, in half the time."""
    found = np.empty_like(right)
    for row, (matrix, side) in enumerate(zip(matrices, right, strict=True)):
        _, found[row], is_singular = scipy.linalg.lapack.dposv(matrix, side)
        if is_singular:
            found[row] = _least(matrix, side)
    return found


def _least(matrix: _Array, right: _Array) -> _Array:
    if not np.isfinite(matrix).all():
        return np.zeros_like(right)
    return np.linalg.lstsq(matrix, right, rcond=None)[0].astype(np.float64)


def _polished(of: Map, state: _Array) -> _Array:
    """Make small steps of Newton's from states (row, n), as long as they make ``|g|`` smaller."""
    residual = np.linalg.norm(of.values(state), axis=1)
    # A step from what is exact already would be due to rounding alone, and lead along a manifold.
    is_inexact = residual > _EXACT * (1 + np.linalg.norm(state, axis=1))
    running = np.flatnonzero(np.isfinite(residual) & is_inexact)
    for _ in range(_N_POLISHING):
        if not running.size:
            break
        values, derivatives = of.values(state[running]), of.derivatives(state[running])
        step = _solved(np.swapaxes(derivatives, 1, 2), values)
        moved = state[running] - step
        after = np.linalg.norm(of.values(moved), axis=1)
        is_small = np.linalg.norm(step, axis=1) <= _SMALL_STEP * (1 + np.linalg.norm(moved, axis=1))
        better = is_small & (after < residual[running])
        running, moved, after = running[better], moved[better], after[better]
        state[running], residual[running] = moved, after
        running = running[after > _EXACT * (1 + np.linalg.norm(moved, axis=1))]
    return state


def prove(
    residual: _Array,
    derivatives: _Array,
    curvature: float | _Array,
    region: _Array,
    rounding: float | None = None,
) -> Proof:
    """Prove that there is one root near each row, by the theorem of Newton and Kantorovich.

    Parameters
    ----------
    residual
        Length of ``g``, and of its rounding error, (row,).
    derivatives
        (row, n, n).
    curvature
        Lipschitz constant of the derivatives, in the spectral norm; a number or (row,).
    region
        Distance within which that constant holds, (row,).
    rounding
        Largest error that rounding makes in the derivatives, in the spectral norm; None: as in sums of n numbers that
        are no larger than the derivatives.

    Returns
    -------
    Proof
        Kantorovich & Akilov (1982), Functional Analysis, chapter 18, theorem 6: with ``b`` the norm of the inverse,
        ``e = b |g|`` and ``h = b e L <= 1/2``, there is a root within ``(1 - sqrt(1 - 2h)) / (b L)``, and no other
        within ``(1 + sqrt(1 - 2h)) / (b L)``.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        singular_values = np.linalg.svd(derivatives, compute_uv=False)
        inverse_norm = 1 / singular_values[:, -1]
        if rounding is None:
            rounding = singular_values[:, 0] * derivatives.shape[1] * np.finfo(float).eps
        is_regular = inverse_norm * rounding < _ROUNDING
        newton = inverse_norm * residual
        h = inverse_norm * newton * curvature
        root = np.sqrt(1 - 2 * np.minimum(h, 0.5))
        error = newton * 2 / (1 + root)  # without the cancellation of 1 - root
        unique = np.minimum((1 + root) / (inverse_norm * curvature), region)
    proved = is_regular & (h <= 0.5) & np.isfinite(newton) & (error < region)
    return Proof(np.where(proved, error, np.nan), np.where(proved, unique, 0.0))
