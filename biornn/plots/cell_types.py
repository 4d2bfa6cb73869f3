"""Units in the order of their cell types, and the marks that say so on an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axis import Axis, YAxis
from numpy.typing import NDArray

from biornn.plots.selection import select
from biornn.schema import text, type_signs

#: Share of an axis that a letter takes along it: that of a name which may reach beyond its units, and between names.
_LETTER, _BETWEEN = 0.02, 0.03
_LONGEST = 4  # letters of a name that is not shortened


@dataclass(frozen=True)
class CellTypeOrder:
    """Units sorted by cell type; within a type they keep their order.

    `order` holds their positions, `names` the cell types that there are, `edges` where each type starts and the number
    of units.
    """

    order: NDArray[np.intp]
    names: tuple[str, ...]
    edges: tuple[int, ...]

    @property
    def separators(self) -> list[float]:
        """Positions between the last unit of a type and the first of the next."""
        return [edge - 0.5 for edge in self.edges[1:-1]]

    def label(self, axis: Axis) -> None:
        """Name the types at the middle of their units on an axis that counts units from 0.

        Where no unit has a type, the axis goes on counting.
        """
        if self.names in ((), ("unconstrained",)):
            return
        middles = [(start + end - 1) / 2 for start, end in zip(self.edges, self.edges[1:], strict=False)]
        shares = np.diff(self.edges) / self.edges[-1]
        names, fit = list(self.names), _fit(self.names, shares)
        if not fit:
            names = [name if len(name) <= _LONGEST else f"{name[:3]}." for name in names]
            fit = _fit(names, shares)
        axis.set_ticks(middles, labels=names)
        axis.set_tick_params(length=0)
        if isinstance(axis, YAxis) == fit:  # along a vertical axis, or across a horizontal one
            axis.set_tick_params(labelrotation=90)
        if isinstance(axis, YAxis):
            for text in axis.get_ticklabels():
                text.set_verticalalignment("center")


def _fit(names: Sequence[str], shares: NDArray[np.floating]) -> bool:
    """Tell whether names fit beside shares of an axis, along it, and do not run into one another."""
    lengths = np.array([len(name) for name in names])
    apart, needed = ((one[1:] + one[:-1]) / 2 for one in (shares, _BETWEEN * lengths))
    return bool((shares >= _LETTER * lengths).all() and (apart >= needed).all())


def cell_type_order(cell_type: xr.DataArray | None, n_units: int) -> CellTypeOrder:
    """Order the units of one network by cell type, as `biornn.schema.type_signs` does: excitatory ones first.

    None leaves the units as they are, without names. Another dim than `unit`, another number of units or a type without
    a name or a sign is a ValueError.

    Examples
    --------
    >>> import xarray as xr
    >>> cell_type_order(xr.DataArray(["inhibitory", "excitatory"], dims="unit"), 2).order.tolist()
    [1, 0]
    """
    if cell_type is None:
        return CellTypeOrder(np.arange(n_units), (), (0, n_units))
    selected = select(cell_type, "cell_type", "unit")
    types, known = text(selected).values.tolist(), list(type_signs(selected))
    if len(types) != n_units:
        raise ValueError(f"cell_type: expected {n_units} units as in the data, got {len(types)}; select the same units")
    if "" in types:
        raise ValueError("cell_type: expected a cell type for each unit, got '' as of a network that failed")
    rank = np.array([known.index(name) for name in types])
    counts = np.bincount(rank, minlength=len(known))
    present = np.flatnonzero(counts)
    edges = (0, *np.cumsum(counts[present]).tolist())
    return CellTypeOrder(np.argsort(rank, kind="stable"), tuple(known[index] for index in present), edges)
