"""The activity of all units of a network in one trial."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from numpy.typing import NDArray

from biornn.plots.cell_types import cell_type_order
from biornn.plots.selection import select, select_trial
from biornn.plots.style import MEDIUM, SMALL, open_axes


def activity(
    rates: xr.DataArray, trial: int = 0, cell_type: xr.DataArray | None = None, ax: Axes | None = None
) -> Axes:
    """Plot the rates of one network in one trial: a row per unit, over time.

    Colours diverge from zero where rates have both signs; otherwise they start at zero.

    Parameters
    ----------
    rates
        Rates of one network, dims `trial`, `time`, `unit`. NaN is grey.
    trial
        Position of the trial.
    cell_type
        Type of each unit, dims `unit`; units are sorted by it, and lines separate the types.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        Its one mesh holds the sorted rates (unit, time).

    Raises
    ------
    IndexError
        If there is no such trial.
    ValueError
        If the rates are of more than one network, or `cell_type` does not fit.

    Examples
    --------
    >>> import xarray as xr
    >>> rates = xr.DataArray([[[0.0, 1.0], [0.5, 0.5]]], dims=("trial", "time", "unit"), coords={"time": [0.0, 1.0]})
    >>> activity(rates).get_xlabel()
    'time (ms)'
    """
    values = select(select_trial(rates, "rates", trial), "rates", "unit", "time")
    types = cell_type_order(cell_type, values.sizes["unit"])
    matrix = values.values[types.order]
    is_signed = bool((matrix < 0).any())
    limit = float(np.abs(matrix[np.isfinite(matrix)]).max(initial=0.0)) or 1.0
    ax = open_axes(ax, height=2.4)
    mesh = ax.pcolormesh(
        _edges(values["time"].values),
        np.arange(len(matrix) + 1) - 0.5,
        np.ma.masked_invalid(matrix),
        cmap=colormaps["RdBu_r" if is_signed else "viridis"].with_extremes(bad="0.75"),
        vmin=-limit if is_signed else 0.0,
        vmax=limit,
        rasterized=True,
    )
    ax.invert_yaxis()
    for position in types.separators:
        ax.axhline(position, color="black" if is_signed else "white", linewidth=0.8)
    types.label(ax.yaxis)
    ax.set_xlabel("time (ms)")
    ax.set_ylabel("unit")
    bar = ax.figure.colorbar(mesh, ax=ax)
    units = rates.attrs.get("units", "1")
    bar.set_label(f"rate ({'a.u.' if units in ('', '1') else units})", fontsize=MEDIUM)
    bar.ax.tick_params(labelsize=SMALL)
    return ax


def _edges(times: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return where the cells of evenly spaced times begin and end; a single time is as wide as 1 ms."""
    half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.5
    return np.append(times - half, times[-1] + half)
