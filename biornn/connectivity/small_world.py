"""Small worlds: a ring of near neighbours, of which some synapses lead far away."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity.labels import labelled_mask
from biornn.scalars import check_number, integer


def small_world(
    n_units: int, k: int, p: float, *, directed: bool = True, seed: int = 0, unit_names: ArrayLike | None = None
) -> xr.DataArray:
    """Draw the mask of a small world (Watts & Strogatz 1998, Nature 393, 440).

    On a ring, each unit is connected with its `k` nearest neighbours, half of them on each side, in both directions.
    Then synapses move at random, to targets that the unit does not have yet, never to itself.

    Parameters
    ----------
    n_units
        Number of units.
    k
        Number of neighbours, even and less than `n_units`: the out-degree of each unit if directed, else the mean
        degree.
    p
        Probability, in [0, 1], that a synapse moves: 0 leaves the ring, 1 leaves nothing of it.
    directed
        True: each synapse moves by itself to another target of its presynaptic unit, which keeps `k` of them. False, as
        in the source: the two synapses of a pair move together, and the mask stays symmetric.
    seed
        Non-negative integer.
    unit_names
        (unit,) labels of the units; None: none.

    Returns
    -------
    xarray.DataArray
        Boolean mask (unit_pre, unit_post).

    Raises
    ------
    ValueError, TypeError
        If a setting is impossible.

    Examples
    --------
    >>> import biornn as bn
    >>> mask = bn.connectivity.small_world(100, k=10, p=0.1, seed=1)
    >>> int(mask.sum("unit_post").min()), int(mask.sum("unit_post").max())
    (10, 10)
    """
    n_units = integer("n_units", n_units, minimum=1)
    k = check_small_world("", n_units, k, p, directed)
    rng = np.random.default_rng(integer("seed", seed, minimum=0))
    return labelled_mask(draw_small_world(rng, n_units, k, p, directed), unit_names)


def check_small_world(where: str, n_units: int, k: Any, p: Any, directed: Any) -> int:
    """Refuse impossible settings, whose names in messages `where` precedes, and return `k` as Python's own."""
    k = integer(f"{where}k", k, minimum=2)
    if k % 2 or k >= n_units:
        raise ValueError(f"{where}k: expected an even number of neighbours, less than n_units={n_units}, got {k}")
    check_number(f"{where}p", p, "a number in [0, 1]", maximum=1)
    if not isinstance(directed, bool | np.bool_):
        raise TypeError(f"{where}directed: expected true or false, got {directed!r}")
    return k


def draw_small_world(rng: np.random.Generator, n_units: int, k: int, p: float, directed: bool) -> NDArray[np.bool_]:
    """Draw a mask (unit_pre, unit_post); which synapses move is nested in `p`."""
    units, near = np.arange(n_units)[:, np.newaxis], np.arange(1, k // 2 + 1)
    mask = np.zeros((n_units, n_units), bool)
    neighbours = (units + np.concatenate([near, -near])) % n_units
    mask[units, neighbours] = True
    if not directed:
        moving = rng.random((k // 2, n_units)) < p  # neighbours at distance 1 first, as in the source
        for distance, unit in np.argwhere(moving).tolist():
            _move_pair(rng, mask, unit, (unit + distance + 1) % n_units)
        return mask
    moving = rng.random((n_units, k)) < p
    mask[units, neighbours] = ~moving
    keys = np.where(mask | (units == units.T), np.inf, rng.random(mask.shape))
    rank = keys.argsort(axis=1).argsort(axis=1)
    return mask | (rank < moving.sum(axis=1, keepdims=True))


def _move_pair(rng: np.random.Generator, mask: NDArray[np.bool_], unit: int, neighbour: int) -> None:
    """Connect a unit, instead of with this neighbour, with any that it is not connected with."""
    mask[unit, neighbour] = mask[neighbour, unit] = False
    possible = np.flatnonzero(~mask[unit])
    possible = possible[possible != unit]
    target = possible[rng.integers(possible.size)]
    mask[unit, target] = mask[target, unit] = True
