"""The same circuit, rewired: masks with the degrees of a given one and everything else at random."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity.cell_types import Table, check_table, default_table, group_numbers, types_by_unit
from biornn.connectivity.labels import given_array, labelled_mask, name_units, truth_values
from biornn.scalars import integer

#: Trades of every unit. On a ring of 1,000 units, 20 of them leave as much of it in place as chance does.
_N_TRADES = 30


def rewired(
    mask: ArrayLike, *, cell_type: ArrayLike | None = None, cell_types: Table | None = None, seed: int = 0
) -> xr.DataArray:
    """Draw a mask that has the degrees of a given one, uniformly among those that trades lead to.

    The in-degree and the out-degree of every unit are kept, and with cell types each of them for every type of partner:
    a unit gets as many synapses from units of each type as before. Autapses stay where they are, and no new
    ones come. Two units of one type trade targets: of those that only one of them has, each gets as many as before, at
    random (the curveball: Strona et al. 2014, Nat. Commun. 5, 4114; Carstens 2015, Phys. Rev. E 91, 042812).

    Parameters
    ----------
    mask
        (unit_pre, unit_post) boolean, labelled or not.
    cell_type
        (unit,) as in `Connectivity`; None: all units are of one type.
    cell_types
        Table of the types, as in `Connectivity`, where they are not excitatory, inhibitory and unconstrained.
    seed
        Non-negative integer.

    Returns
    -------
    xarray.DataArray
        Boolean mask (unit_pre, unit_post), with the labels of `mask`.

    Raises
    ------
    ValueError, TypeError
        If the mask is not square, or if no other mask has its degrees.

    Notes
    -----
    Trades never turn round a cycle of three units that have no other synapses: of such a mask no other is found.

    Examples
    --------
    >>> import biornn as bn
    >>> ring = bn.connectivity.small_world(100, k=10, p=0.0)
    >>> shuffled = bn.connectivity.rewired(ring, seed=1)
    >>> bool((shuffled.sum("unit_pre") == 10).all()), bool((shuffled & ring).mean() < 0.02)
    (True, True)
    """
    values = np.asarray(mask)
    n_units = values.shape[0] if values.ndim else 0
    names = name_units(None, n_units, {"mask": mask, "cell_type": cell_type})
    labels = dict.fromkeys(("unit_pre", "unit_post"), names)
    values = given_array("mask", mask, labels, None)
    if values.shape != (n_units, n_units):
        raise ValueError(f"mask: expected a square of units, got the shape {values.shape}")
    old = truth_values("mask", values, labels)
    group = np.zeros(n_units, np.intp)
    if cell_type is not None:
        table = default_table(None) if cell_types is None else check_table(cell_types)
        group = group_numbers(table, types_by_unit(cell_type, table, names))
    check_can_rewire("mask", old, group)
    new = rewire(np.random.default_rng(integer("seed", seed, minimum=0)), old, group)
    return labelled_mask(new, names if hasattr(mask, "indexes") and mask.indexes else None)


def rewire(rng: np.random.Generator, mask: NDArray[np.bool_], group: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Trade targets between units of each group (unit,), for targets of each group by themselves."""
    mask = mask.copy()
    groups = _members(group)
    for _ in range(_N_TRADES):
        for members in groups:
            order = rng.permutation(members)
            for first, second in zip(order[::2], order[1::2], strict=False):
                for targets in groups:
                    own = targets[mask[first, targets] != mask[second, targets]]
                    own = own[(own != first) & (own != second)]  # autapses
                    mask[first, own] = rng.permutation(mask[first, own])
                    mask[second, own] = ~mask[first, own]
    return mask


def moved_from(
    rng: np.random.Generator, old: NDArray[np.bool_], new: NDArray[np.bool_], group: NDArray[np.integer]
) -> NDArray[np.intp]:
    """Return for each place (unit_pre, unit_post) the column of the old matrix whose value it has now.

    A synapse that is in both masks stays; another one moves, with its weight, to a new target of its presynaptic unit,
    of the same group as the old one. Each row is a permutation.
    """
    source = np.tile(np.arange(group.size), (group.size, 1))
    for targets in _members(group):
        rows, lost = np.nonzero((old & ~new)[:, targets])
        _, gained = np.nonzero((new & ~old)[:, targets])  # in every row as many as are lost
        lost = targets[lost[np.lexsort((rng.random(rows.size), rows))]]
        source[rows, targets[gained]], source[rows, lost] = lost, targets[gained]
    return source


def check_can_rewire(name: str, mask: NDArray[np.bool_], group: NDArray[np.integer]) -> None:
    """Raise a ValueError if no two units of a group can trade targets."""
    groups = _members(group)
    for members in groups:
        for targets in groups:
            own = mask[np.ix_(members, targets)]
            autapse = members[:, np.newaxis] == targets
            for row, is_self in zip(own, autapse, strict=True):
                given, taken = (one & ~autapse & ~is_self for one in (row & ~own, own & ~row))
                if (given.any(axis=1) & taken.any(axis=1)).any():
                    return
    raise ValueError(
        f"{name}: expected a mask that can be rewired, got one in which no two units of a cell type can trade targets; "
        "rewire another one, or leave it as it is"
    )


def _members(group: NDArray[np.integer]) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(group == one) for one in np.unique(group)]
