"""Densities of synapses from one cell type to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biornn.scalars import check_number

_DIMS = ("cell_type_pre", "cell_type_post")


def read_density(density: Any) -> Any:
    """Return a labelled array of densities as a mapping, from the presynaptic type to those of its targets."""
    if not hasattr(density, "dims"):
        return density
    if set(density.dims) != set(_DIMS) or not set(_DIMS) <= set(getattr(density, "indexes", ())):
        raise ValueError(f"density: expected labels along the dims {_DIMS}, got {tuple(map(str, density.dims))}")
    rows = density.transpose(*_DIMS)
    for dim in _DIMS:
        if not rows.indexes[dim].is_unique:
            raise ValueError(f"density: expected each type once along {dim}, got {rows[dim].values.tolist()}")
    pre, post = (rows[dim].values.tolist() for dim in _DIMS)
    return {name: dict(zip(post, row, strict=True)) for name, row in zip(pre, rows.values.tolist(), strict=True)}


def check_density(density: Mapping[Any, Any], known: Sequence[str], used: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return densities of types, or raise a ValueError that names the types.

    `known` are the types that there may be, `used` those that units have: they need a density from each to each.
    """
    for pre, row in density.items():
        if not isinstance(row, Mapping):
            raise ValueError(f"density.{pre}: expected a density to each cell type, got {row!r}")
        for name in (pre, *row):
            if name not in known:
                raise ValueError(f"density: expected the cell types {', '.join(map(repr, known))}, got {name!r}")
        for post, one in row.items():
            check_number(f"density.{pre}.{post}", one, "a number in [0, 1]", maximum=1)
    for pre in used:
        for post in used:
            if post not in density.get(pre, {}):
                raise ValueError(
                    f"density: expected one from each cell type to each, got none from {pre!r} to {post!r}"
                )
    return {pre: {post: float(one) for post, one in row.items()} for pre, row in density.items()}


def as_matrix(density: Mapping[str, Mapping[str, float]], types: Sequence[str]) -> NDArray[np.float64]:
    """Return densities from each of some types (rows) to each; 0 for types that no unit is of."""
    return np.array([[density.get(pre, {}).get(post, 0.0) for post in types] for pre in types])
