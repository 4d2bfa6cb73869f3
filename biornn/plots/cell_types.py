"""Units in the order of their cell types, and the marks that say so on an axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axis import Axis, YAxis
from numpy.typing import NDArray

from biornn.plots.selection import select
from biornn.schema import CELL_TYPES, text

#: Share of the units from which on the whole name of a type fits beside them; the longest needs more.
_FITS_FROM = {"excitatory": 0.2, "inhibitory": 0.2, "unconstrained": 0.3}


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
        fits = all(share >= _FITS_FROM[name] for name, share in zip(self.names, shares, strict=True))
        axis.set_ticks(middles, labels=[name if fits else f"{name[:3]}." for name in self.names])
        axis.set_tick_params(length=0)
        if isinstance(axis, YAxis):
            axis.set_tick_params(labelrotation=90)
            for text in axis.get_ticklabels():
                text.set_verticalalignment("center")


def cell_type_order(cell_type: xr.DataArray | None, n_units: int) -> CellTypeOrder:
    """Order the units of one network by cell type: excitatory, inhibitory, unconstrained.

    None leaves the units as they are, without names. Another dim than `unit`, another number of units or an unknown
    type is a ValueError.

    Examples
    --------
    >>> import xarray as xr
    >>> cell_type_order(xr.DataArray(["inhibitory", "excitatory"], dims="unit"), 2).order.tolist()
    [1, 0]
    """
    if cell_type is None:
        return CellTypeOrder(np.arange(n_units), (), (0, n_units))
    types = text(select(cell_type, "cell_type", "unit")).values
    if len(types) != n_units:
        raise ValueError(f"cell_type: expected {n_units} units as in the data, got {len(types)}; select the same units")
    strange = sorted(set(types.tolist()) - set(CELL_TYPES))
    if strange:
        raise ValueError(f"cell_type: expected one of {CELL_TYPES}, got {strange[0]!r}")
    rank = np.array([CELL_TYPES.index(name) for name in types.tolist()])
    counts = np.bincount(rank, minlength=len(CELL_TYPES))
    present = np.flatnonzero(counts)
    edges = (0, *np.cumsum(counts[present]).tolist())
    return CellTypeOrder(np.argsort(rank, kind="stable"), tuple(CELL_TYPES[index] for index in present), edges)
