"""Where units are, and synapses that become rare with distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity.labels import given_array, labelled_mask, name_units, place
from biornn.connectivity.masks import erdos_renyi
from biornn.scalars import check_number, integer

#: Labels of the axes.
AXES = np.array(["x", "y", "z"])


def distance_dependent(positions: ArrayLike, length: float, *, autapses: bool = False, seed: int = 0) -> xr.DataArray:
    """Draw a mask in which a synapse exists with probability exp(−d / `length`), at a distance d of its units.

    Each direction is drawn by itself. The draws do not depend on `length`: masks of one seed are nested in it.

    Parameters
    ----------
    positions
        (unit, axis), labelled or not, in one to three dimensions (see `Connectivity`).
    length
        Length constant, positive, in the unit of the positions.
    autapses
        Whether a unit connects to itself: at no distance, the probability is 1.
    seed
        Non-negative integer.

    Returns
    -------
    xarray.DataArray
        Boolean mask (unit_pre, unit_post), with the labels of the units.

    Raises
    ------
    ValueError, TypeError
        If a setting is impossible.

    Examples
    --------
    >>> import biornn as bn
    >>> import numpy as np
    >>> line = np.arange(100.0)[:, np.newaxis]
    >>> mask = bn.connectivity.distance_dependent(line, length=5.0, seed=1)
    >>> bool(mask.values.diagonal(1).mean() > mask.values.diagonal(20).mean())
    True
    """
    sizes = getattr(positions, "sizes", None)
    n_units = sizes.get("unit", 0) if sizes is not None else len(np.atleast_1d(np.asarray(positions)))
    names = name_units(None, n_units, {"positions": positions})
    places = check_positions(positions, names)
    check_length("length", length)
    rng = np.random.default_rng(integer("seed", seed, minimum=0))
    mask = erdos_renyi(rng, ~np.eye(n_units, dtype=bool) | autapses, connection_probability(places, length))
    return labelled_mask(mask, names if getattr(positions, "indexes", None) else None)


def check_positions(positions: Any, unit_names: NDArray[Any]) -> NDArray[np.float64]:
    """Return positions (unit, axis), in the order of units and axes, or raise an error that names the unit."""
    n_axes = getattr(positions, "sizes", {}).get("axis") or (np.shape(positions) or (0,))[-1]
    labels = {"unit": unit_names, "axis": AXES[:n_axes]}
    places = given_array("positions", positions, labels, float)
    if places.ndim != 2 or len(places) != len(unit_names) or not 1 <= places.shape[1] <= len(AXES):
        raise ValueError(f"positions: expected shape ({len(unit_names)}, 1 to {len(AXES)} axes), got {places.shape}")
    if not (is_right := np.isfinite(places)).all():
        first = np.unravel_index(is_right.argmin(), places.shape)
        raise ValueError(f"positions: expected finite numbers, got {places[first]} {place(first, labels)}")
    return places


def check_length(name: str, length: Any) -> None:
    """Refuse, with a ValueError, a length constant that is no positive number."""
    check_number(name, length, "a positive length, in the unit of the positions", above=0)


def connection_probability(positions: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Return exp(−d / length) for each pair of units (unit_pre, unit_post)."""
    squares = sum(np.subtract.outer(axis, axis) ** 2 for axis in positions.T)
    return np.exp(-np.sqrt(squares) / length)
