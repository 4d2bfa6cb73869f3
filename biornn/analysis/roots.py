"""Roots of a map at many starts at once, and a proof of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.floating]

_MAX_STEPS = 200
_GOOD_STEP, _VERY_GOOD_STEP = 1e-4, 0.75  # shares of the predicted decrease
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 0.1, 1e-10, 1e12
_CONVERGED = 1e-10  # residual that Newton's steps take over from, over 1 + the length of the state
_STATIONARY = 1e-7  # half of the gradient of |g|², over |g| and the largest norm of the derivatives on the way
_N_POLISHING = 8
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
    is no other; NaN and 0 where nothing is proved. `inverse_norm` is the norm of the inverse of the derivatives.
    """

    error_bound: _Array
    unique_within: _Array
    inverse_norm: _Array


def find_roots(of: Map, starts: _Array) -> Candidates:
    """Look for a root from each start (row, n), each on its own.

    Levenberg and Marquardt's steps, damped in proportion to ``|g|²``, so that they converge quadratically also to roots
    that are not isolated (Fan & Yuan 2005, Computing 74, 23); a row stops once it has converged or ``|g|`` has a local
    minimum. Then small steps of Newton's, as long as they make ``|g|`` smaller.
    """
    n_at_once = max(1, _MATRIX_NUMBERS // starts.shape[1] ** 2)
    parts = [_from_some(of, starts[first : first + n_at_once]) for first in range(0, len(starts), n_at_once)]
    state, residual, is_stationary = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Candidates(state, residual, is_stationary)


def _from_some(of: Map, starts: _Array) -> Candidates:
    state, is_stationary = starts.copy(), np.zeros(len(starts), bool)
    running = np.arange(len(starts))
    damping, steepest = np.full(len(starts), _FIRST_DAMPING), np.zeros(len(starts))
    value = of.values(state)
    slope, normal = _derivatives(of, state, value)
    for _ in range(_MAX_STEPS):
        squared = np.square(value).sum(axis=1)
        length = np.sqrt(squared)
        converged = length <= _CONVERGED * (1 + np.linalg.norm(state[running], axis=1))
        # |D g| <= |D| |g|: where it is far below, |g| has a minimum that is not zero.
        steepest = np.maximum(steepest, np.sqrt(np.trace(normal, axis1=1, axis2=2)))
        stationary = ~converged & (np.linalg.norm(slope, axis=1) <= _STATIONARY * steepest * length)
        stuck = damping > _MOST_DAMPING
        is_stationary[running] = stationary
        keep = ~(converged | stationary | stuck | ~np.isfinite(squared))
        running, damping, value, squared = running[keep], damping[keep], value[keep], squared[keep]
        slope, normal, steepest = slope[keep], normal[keep], steepest[keep]
        if not running.size:
            break
        added = damping * squared
        step = _solve(normal, added, slope)
        predicted = -np.sum(step * slope, axis=1) + added * np.square(step).sum(axis=1)
        after = of.values(state[running] + step)
        ratio = (squared - np.square(after).sum(axis=1)) / np.maximum(predicted, np.finfo(float).tiny)
        good = np.isfinite(ratio) & (ratio > _GOOD_STEP)
        damping = np.where(good, np.where(ratio > _VERY_GOOD_STEP, damping / 8, damping), damping * 4)
        damping = np.maximum(damping, _LEAST_DAMPING)
        state[running[good]] += step[good]
        value[good] = after[good]
        if good.any():
            slope[good], normal[good] = _derivatives(of, state[running[good]], value[good])
    return _polished(of, state, is_stationary)


def _derivatives(of: Map, state: _Array, value: _Array) -> tuple[_Array, _Array]:
    """Return half of the gradient of ``|g|²``, (row, n), and the matrix of the normal equations."""
    derivatives = of.derivatives(state)
    return np.einsum("rij,rj->ri", derivatives, value), derivatives @ np.swapaxes(derivatives, 1, 2)


def _solve(normal: _Array, added: _Array, slope: _Array) -> _Array:
    """Solve the damped normal equations; rows that cannot be solved do not move."""
    damped = normal.copy()
    diagonal = np.arange(normal.shape[1])
    damped[:, diagonal, diagonal] += np.maximum(added, np.finfo(float).tiny)[:, np.newaxis]
    return -_solved(damped, slope)


def _solved(matrices: _Array, right: _Array) -> _Array:
    try:
        found: _Array = np.linalg.solve(matrices, right[..., np.newaxis])[..., 0]
    except np.linalg.LinAlgError:  # one of them is singular: one by one
        found = np.stack([_least(*one) for one in zip(matrices, right, strict=True)])
    return found


def _least(matrix: _Array, right: _Array) -> _Array:
    if not np.isfinite(matrix).all():
        return np.zeros_like(right)
    found: _Array = np.linalg.lstsq(matrix, right, rcond=None)[0]
    return found


def _polished(of: Map, state: _Array, is_stationary: NDArray[np.bool_]) -> Candidates:
    residual = np.linalg.norm(of.values(state), axis=1)
    running = np.flatnonzero(~is_stationary & np.isfinite(residual) & (residual > 0))
    for _ in range(_N_POLISHING):
        if not running.size:
            break
        values, derivatives = of.values(state[running]), of.derivatives(state[running])
        step = _solved(np.swapaxes(derivatives, 1, 2), values)
        moved = state[running] - step
        after = np.linalg.norm(of.values(moved), axis=1)
        is_small = np.linalg.norm(step, axis=1) <= _SMALL_STEP * (1 + np.linalg.norm(moved, axis=1))
        better = is_small & (after < residual[running])
        running = running[better]
        state[running], residual[running] = moved[better], after[better]
    return Candidates(state, residual, is_stationary)


def prove(residual: _Array, derivatives: _Array, curvature: float, region: _Array) -> Proof:
    """Prove that there is one root near each row, by the theorem of Newton and Kantorovich.

    Parameters
    ----------
    residual
        Length of ``g``, and of its rounding error, (row,).
    derivatives
        (row, n, n).
    curvature
        Lipschitz constant of the derivatives, in the spectral norm.
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
        unique = np.minimum((1 + root) / (inverse_norm * curvature), region) if curvature else region
    proved = is_regular & (h <= 0.5) & np.isfinite(newton) & (error < region)
    return Proof(np.where(proved, error, np.nan), np.where(proved, unique, 0.0), inverse_norm)
