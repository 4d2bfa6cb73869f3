"""Roots of a map at many starts at once, and a proof of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]

_MAX_STEPS = 60  # with 200 there are more slow points, and as many roots in twice the time
_PARTS = (1.0, 0.5, 0.25)  # of Newton's step that are tried
_GOOD_STEP, _VERY_GOOD_STEP = 1e-4, 0.75  # shares of the predicted decrease
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 0.1, 1e-10, 1e12
_CONVERGED = 1e-10  # residual that Newton's steps take over from, over 1 + the length of the state
_STATIONARY = 1e-7  # half of the gradient of |g|², over |g| and the largest norm of the derivatives on the way
_N_POLISHING = 8
_EXACT = 4 * np.finfo(float).eps  # residual, over 1 + the length of the state, that is rounding
_SMALL_STEP = 1e-3  # of Newton's, over 1 + the length of the state; larger ones run along a manifold, or away
_ROUNDING = 0.01  # share of the smallest singular value that rounding may change
_MATRIX_NUMBERS = 2**19  # of all matrices that are worked on at once: 4 MB, which stay in the processor's cache


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


def find_roots(of: Map, starts: _Array) -> Candidates:
    """Look for a root from each start (row, n), each on its own.

    Newton's steps, halved until ``|g|`` falls enough; where none does, those of Levenberg and Marquardt, damped in
    proportion to ``|g|²``, so that they converge quadratically also to roots that are not isolated (Fan & Yuan 2005,
    Computing 74, 23), until such a step is as good as predicted. A row stops once it has converged or ``|g|`` has a
    local minimum. Then small steps of Newton's, as long as they make ``|g|`` smaller.
    """
    if not len(starts):
        return Candidates(starts, np.empty(0), np.zeros(0, bool))
    n_at_once = max(1, _MATRIX_NUMBERS // starts.shape[1] ** 2)
    parts = [_from_some(of, starts[first : first + n_at_once]) for first in range(0, len(starts), n_at_once)]
    state, residual, is_stationary = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Candidates(state, residual, is_stationary)


class _Rows:
    """The rows that are not done, as arrays (row, ...)."""

    def __init__(self, of: Map, state: _Array) -> None:
        self._of = of
        self.place = np.arange(len(state))
        self.state, self.value = state, of.values(state)
        self.derivatives = of.derivatives(state)
        self.damping = np.full(len(state), _FIRST_DAMPING)
        self.steepest = np.zeros(len(state))
        self.is_damped = np.zeros(len(state), bool)

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Leave out rows that are done."""
        for name in ("place", "state", "value", "derivatives", "damping", "steepest", "is_damped"):
            setattr(self, name, getattr(self, name)[kept])

    def newton(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Make Newton's steps; those of which no part makes ``|g|`` small enough are not made, and False."""
        step = -_solved(np.swapaxes(self.derivatives[rows], 1, 2), self.value[rows])
        length = np.linalg.norm(self.value[rows], axis=1)
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

    def damped(self, rows: NDArray[np.intp]) -> None:
        """Make the steps of Levenberg and Marquardt; where one makes ``|g|`` larger, the next is shorter instead."""
        derivatives, value = self.derivatives[rows], self.value[rows]
        slope = np.einsum("rij,rj->ri", derivatives, value)
        squared = np.square(value).sum(axis=1)
        added = np.maximum(self.damping[rows] * squared, np.finfo(float).tiny)
        normal = derivatives @ np.swapaxes(derivatives, 1, 2)
        diagonal = np.arange(normal.shape[1])
        normal[:, diagonal, diagonal] += added[:, np.newaxis]
        step = -_solved(normal, slope)
        predicted = -np.sum(step * slope, axis=1) + added * np.square(step).sum(axis=1)
        after = self._of.values(self.state[rows] + step)
        ratio = (squared - np.square(after).sum(axis=1)) / np.maximum(predicted, np.finfo(float).tiny)
        good, very_good = ratio > _GOOD_STEP, ratio > _VERY_GOOD_STEP  # False for NaN
        damping = self.damping[rows] * np.where(very_good, 1 / 8, np.where(good, 1, 4))
        self.damping[rows] = np.maximum(damping, _LEAST_DAMPING)
        self.is_damped[rows] = ~very_good
        self._move(rows[good], step[good], after[good])

    def _move(self, rows: NDArray[np.intp], step: _Array, value: _Array) -> None:
        self.state[rows] += step
        self.value[rows] = value
        self.derivatives[rows] = self._of.derivatives(self.state[rows])


def _from_some(of: Map, starts: _Array) -> Candidates:
    rows = _Rows(of, starts.copy())
    state, is_stationary = starts.copy(), np.zeros(len(starts), bool)
    for _ in range(_MAX_STEPS):
        length = np.linalg.norm(rows.value, axis=1)
        converged = length <= _CONVERGED * (1 + np.linalg.norm(rows.state, axis=1))
        # |D g| <= |D| |g|: where it is far below, |g| has a minimum that is not zero.
        rows.steepest = np.maximum(rows.steepest, np.linalg.norm(rows.derivatives, axis=(1, 2)))
        slope = np.linalg.norm(np.einsum("rij,rj->ri", rows.derivatives, rows.value), axis=1)
        stationary = ~converged & (slope <= _STATIONARY * rows.steepest * length)
        state[rows.place], is_stationary[rows.place] = rows.state, stationary
        rows.keep(~(converged | stationary | (rows.damping > _MOST_DAMPING) | ~np.isfinite(length)))
        if not rows.place.size:
            break
        undamped = np.flatnonzero(~rows.is_damped)
        rows.is_damped[undamped] = ~rows.newton(undamped)
        rows.damped(np.flatnonzero(rows.is_damped))
    return _polished(of, state, is_stationary)


def _solved(matrices: _Array, right: _Array) -> _Array:
    try:
        found = np.linalg.solve(matrices, right[..., np.newaxis])[..., 0].astype(np.float64)
    except np.linalg.LinAlgError:  # one of them is singular: one by one
        found = np.array([_least(*one) for one in zip(matrices, right, strict=True)])
    return found


def _least(matrix: _Array, right: _Array) -> _Array:
    if not np.isfinite(matrix).all():
        return np.zeros_like(right)
    return np.linalg.lstsq(matrix, right, rcond=None)[0].astype(np.float64)


def _polished(of: Map, state: _Array, is_stationary: NDArray[np.bool_]) -> Candidates:
    residual = np.linalg.norm(of.values(state), axis=1)
    # A step from what is exact already would be due to rounding alone, and lead along a manifold.
    is_inexact = residual > _EXACT * (1 + np.linalg.norm(state, axis=1))
    running = np.flatnonzero(~is_stationary & np.isfinite(residual) & is_inexact)
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
    return Candidates(state, residual, is_stationary)


def prove(residual: _Array, derivatives: _Array, curvature: float | _Array, region: _Array) -> Proof:
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
        is_regular = inverse_norm * singular_values[:, 0] * derivatives.shape[1] * np.finfo(float).eps < _ROUNDING
        newton = inverse_norm * residual
        h = inverse_norm * newton * curvature
        root = np.sqrt(1 - 2 * np.minimum(h, 0.5))
        error = newton * 2 / (1 + root)  # without the cancellation of 1 - root
        unique = np.minimum((1 + root) / (inverse_norm * curvature), region)
    proved = is_regular & (h <= 0.5) & np.isfinite(newton) & (error < region)
    return Proof(np.where(proved, error, np.nan), np.where(proved, unique, 0.0))
