"""Initial recurrent weights that are given: checked against mask and signs, and scaled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biornn.connectivity.initial_weights import has_cycle
from biornn.connectivity.labels import place

#: Spectral radius over the largest weight below which it is taken for rounding.
_SMALLEST = 1e-6
_SIGNS = {1: "excitatory", -1: "inhibitory"}


def check_given(
    name: str,
    weights: NDArray[np.float64],
    mask: NDArray[np.bool_],
    sign: NDArray[np.int8],
    labels: Mapping[str, NDArray[Any]],
    law: str = "cell_type",
    autapses: bool = True,
) -> None:
    """Refuse weights (pre, post) that contradict mask, sign or autapses, and name the place of the first.

    `labels` are those of the dims, and `law` is the setting that the signs are from.
    """

    def check(is_right: NDArray[np.bool_], expected: str, fix: str) -> None:
        if not is_right.all():
            first = np.unravel_index(is_right.argmin(), is_right.shape)
            where = place(first, labels)
            raise ValueError(f"{name}: expected {expected}, got {weights[first]:g} {where}; {fix}")

    check(np.isfinite(weights), "finite weights", "give it a number")
    exists = mask | (weights == 0)
    if not autapses:
        is_right = ~np.diag(~exists.diagonal())
        check(is_right, "no weight of a unit to itself", "set it to 0, or autapses to True")
    check(exists, "no weight where the mask has no synapse", "set it to 0, or change the mask")
    for one, expected in ((1, "at least 0"), (-1, "at most 0")):
        is_right = (weights * one >= 0) | (sign != one)[:, np.newaxis]
        source = f"from {_SIGNS[one]} units" if law == "cell_type" else f"by {law}"
        check(is_right, f"weights of {expected} {source}", f"change its sign, or {law}")


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
