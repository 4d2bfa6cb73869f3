"""What each unit of a network encodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from biornn.plots.cell_types import CellTypeOrder, cell_type_order
from biornn.plots.selection import select
from biornn.plots.style import COLOURS, GREY, legend_above, open_axes

_SHARES = ("variance_explained", "interaction", "residual")


def selectivity(selectivity: xr.Dataset, cell_type: xr.DataArray | None = None, ax: Axes | None = None) -> Axes:
    """Plot how the variance of every unit's rate divides among the bits of the memory: one stacked bar per unit.

    Within a cell type, units are sorted by the bit that explains most, then by how much it explains.

    Parameters
    ----------
    selectivity
        Of one network, as `analysis.selectivity` gives it: `variance_explained` (unit, bit), `interaction` and
        `residual` (unit).
    cell_type
        Type of each unit, dims `unit`; units are sorted by it first, and lines separate the types.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        Steps (`matplotlib.patches.StepPatch`) for each bit, then for the interactions and the residual. A unit that
        never changes, or of a network that diverged, has no bar.

    Raises
    ------
    ValueError
        If a variable is missing or of more than one network, or `cell_type` does not fit.

    Examples
    --------
    >>> import xarray as xr
    >>> shares = xr.Dataset(
    ...     {
    ...         "variance_explained": (("unit", "bit"), [[0.0, 0.9], [0.5, 0.5]]),
    ...         "interaction": ("unit", [0.1, 0.0]),
    ...         "residual": ("unit", [0.0, 0.0]),
    ...     },
    ...     {"bit": [1, 2]},
    ... )
    >>> [steps.get_label() for steps in selectivity(shares).patches]
    ['bit 1', 'bit 2', 'interactions', 'residual']
    """
    for name in _SHARES:
        if name not in selectivity:
            raise ValueError(f"selectivity: expected {name!r}, found {sorted(map(str, selectivity.data_vars))}")
    of_bits = select(selectivity["variance_explained"], "variance_explained", "unit", "bit")
    types = cell_type_order(cell_type, of_bits.sizes["unit"])
    shares: dict[str, tuple[NDArray[np.floating], Any]] = {
        f"bit {bit}": (of_bits.values[:, index], COLOURS[index % len(COLOURS)])
        for index, bit in enumerate(of_bits["bit"].values.tolist())
    }
    shares["interactions"] = (select(selectivity["interaction"], "interaction", "unit").values, GREY)
    shares["residual"] = (select(selectivity["residual"], "residual", "unit").values, "0.85")
    order = _sorted(types, of_bits.values)
    ax = open_axes(ax, height=2.4)
    bottom, edges = np.zeros(len(order)), np.arange(len(order) + 1) - 0.5
    for name, (values, colour) in shares.items():
        height = np.nan_to_num(values[order])
        ax.stairs(bottom + height, edges, baseline=bottom, fill=True, color=colour, label=name, linewidth=0)
        bottom = bottom + height
    for position in types.separators:
        ax.axvline(position, color="black", linewidth=1.2)  # on bars, whose colours are the same in any style
    types.label(ax.xaxis)
    ax.set_xlim(-0.5, len(order) - 0.5)
    ax.set_ylim(0, 1)
    ax.set_xlabel("unit, sorted by its main bit")
    ax.set_ylabel("share of the rate's variance")
    legend_above(ax, ncols=min(len(shares), 5), handlelength=0.8, handletextpad=0.3, columnspacing=0.8)
    return ax


def _sorted(types: CellTypeOrder, of_bits: NDArray[np.floating]) -> NDArray[np.intp]:
    """Sort the units of each type by their main bit, then by its share, largest first."""
    shares = np.nan_to_num(of_bits[types.order], nan=-1.0)
    of_type = np.repeat(np.arange(len(types.edges) - 1), np.diff(types.edges))
    return types.order[np.lexsort((-shares.max(axis=1), shares.argmax(axis=1), of_type))]
