"""Initial recurrent weights that are given: checked against mask and signs, and scaled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from biornn.connectivity.cell_types import NAMES
from biornn.connectivity.initial_weights import has_cycle
from biornn.connectivity.labels import place

#: Spectral radius over the largest weight below which it is taken for rounding.
_SMALLEST = 1e-6


def check_given(
    weights: NDArray[np.float64],
    mask: NDArray[np.bool_],
    sign: NDArray[np.int8],
    unit_names: NDArray[Any],
    autapses: bool,
) -> None:
    """Refuse weights (unit_pre, unit_post) that contradict mask, sign or autapses, with the units of the first."""
    _check(np.isfinite(weights), weights, unit_names, "finite weights", "give it a number")
    exists = mask | (weights == 0)
    if not autapses:
        is_right = ~np.diag(~exists.diagonal())
        _check(is_right, weights, unit_names, "no weight of a unit to itself", "set it to 0, or autapses to True")
    _check(exists, weights, unit_names, "no weight where the mask has no synapse", "set it to 0, or change the mask")
    for one, expected in ((1, "at least 0"), (-1, "at most 0")):
        is_right = (weights * one >= 0) | (sign != one)[:, np.newaxis]
        expected = f"weights of {expected} from {NAMES[one]} units"
        _check(is_right, weights, unit_names, expected, "change its sign, or the cell type")


def scaled_given(weights: NDArray[np.float64], spectral_radius: float | None) -> NDArray[np.float64]:
    """Scale weights to a spectral radius, without a cycle as drawn ones; None leaves them as they are."""
    if spectral_radius is None:
        return weights
    radius = np.abs(np.linalg.eigvals(weights)).max() if has_cycle(weights != 0) else 1.0
    if radius < _SMALLEST * np.abs(weights).max():
        raise ValueError(
            f"spectral_radius: expected None with initial weights whose own is 0, got {spectral_radius:g}; they cannot "
            "be scaled to it"
        )
    return weights * (spectral_radius / radius)


def _check(
    is_right: NDArray[np.bool_], weights: NDArray[np.float64], unit_names: NDArray[Any], expected: str, fix: str
) -> None:
    if is_right.all():
        return
    first = np.unravel_index(is_right.argmin(), is_right.shape)
    where = place(first, {"unit_pre": unit_names, "unit_post": unit_names})
    raise ValueError(f"initial: expected {expected}, got {weights[first]:g} {where}; {fix}")
