"""The recurrent weights of a network as a matrix."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from numpy.typing import NDArray

from biornn.plots.cell_types import cell_type_order
from biornn.plots.selection import select
from biornn.plots.style import MEDIUM, SMALL, open_axes

#: Weights beyond this percentile of the non-zero |w| get the colour of the limit, so that a few do not pale the rest.
_PERCENTILE = 99


def connectivity(
    recurrent_weights: xr.DataArray, cell_type: xr.DataArray | None = None, ax: Axes | None = None
) -> Axes:
    """Plot the recurrent weights of one network: a row per presynaptic, a column per postsynaptic unit.

    Under Dale's law a row has one colour.

    Parameters
    ----------
    recurrent_weights
        Effective weights of one network at one snapshot, dims `unit_pre`, `unit_post`. Dimensionless. NaN is grey.
    cell_type
        Type of each unit, dims `unit`; units are sorted by it, and lines separate the types.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        Its image holds the sorted weights, its colour bar says where colours are limited.

    Raises
    ------
    ValueError
        If the data are of more than one network or snapshot, or `cell_type` does not fit.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.DataArray([[0.0, 0.5], [-0.5, 0.0]], dims=("unit_pre", "unit_post"))
    >>> connectivity(weights).get_ylabel()
    'presynaptic unit'
    """
    weights = select(recurrent_weights, "recurrent_weights", "unit_pre", "unit_post").values
    types = cell_type_order(cell_type, len(weights))
    weights = weights[np.ix_(types.order, types.order)]
    limit, is_beyond = _limit(weights)
    ax = open_axes(ax, height=2.8)
    cmap = colormaps["RdBu_r"].with_extremes(bad="0.75")
    image = ax.imshow(weights, cmap=cmap, vmin=-limit, vmax=limit, interpolation="nearest")
    for position in types.separators:
        ax.axhline(position, color="black", linewidth=0.8)
        ax.axvline(position, color="black", linewidth=0.8)
    types.label(ax.xaxis)
    types.label(ax.yaxis)
    ax.set_xlabel("postsynaptic unit")
    ax.set_ylabel("presynaptic unit")
    bar = ax.figure.colorbar(image, ax=ax, extend="both" if is_beyond else "neither", shrink=0.85)
    cut = f"\nlimit: {_PERCENTILE}th percentile of |w|" if is_beyond else ""
    bar.set_label(f"effective weight (a.u.){cut}", fontsize=MEDIUM)
    bar.ax.tick_params(labelsize=SMALL)
    return ax


def _limit(weights: NDArray[np.floating]) -> tuple[float, bool]:
    """Weight at which the colours end, and whether any weight is beyond it."""
    sizes = np.abs(weights[np.isfinite(weights) & (weights != 0)])
    if not sizes.size:
        return 1.0, False
    limit = float(np.percentile(sizes, _PERCENTILE))
    return limit, bool((sizes > limit).any())
