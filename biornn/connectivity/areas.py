"""Areas of units, and the densities of synapses within and between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity.labels import given_array, own_labels
from biornn.scalars import integer


def check_areas(areas: Any, n_units: int) -> tuple[int, ...]:
    """Return the number of units of each area as Python's own, or raise an error."""
    if not isinstance(areas, list | tuple | np.ndarray):
        raise TypeError(f"areas: expected the number of units of each area, got {areas!r}")
    sizes = tuple(integer("areas", size, minimum=1) for size in areas)
    if sum(sizes) != n_units:
        raise ValueError(f"areas: expected sizes that sum to n_units={n_units}, got {sizes}")
    return sizes


def check_area_density(area_density: ArrayLike, n_areas: int) -> NDArray[np.float64]:
    """Return the densities (area_pre, area_post), read by their labels where they have some, or raise an error."""
    dims = ("area_pre", "area_post")
    names = own_labels("area_density", area_density, dims) or range(n_areas)
    densities = given_array("area_density", area_density, dict.fromkeys(dims, np.array(names)), float)
    if densities.shape != (n_areas, n_areas) or not ((densities >= 0) & (densities <= 1)).all():
        raise ValueError(
            f"area_density: expected shape {(n_areas, n_areas)} with values in [0, 1], "
            f"got shape {densities.shape}, values {densities.tolist()}"
        )
    return densities
