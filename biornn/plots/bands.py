"""What the networks of a condition have in common: their median, and the range that they span."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from biornn.plots.style import COLOURS, LINES, MARKERS, legend_above
from biornn.schema import text


def look(index: int) -> dict[str, Any]:
    """Return colour, line and marker of the condition at a position."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": LINES[index % len(LINES)],
        "marker": MARKERS[index % len(MARKERS)],
    }


def members_by_condition(values: xr.DataArray, name: str) -> dict[str, xr.DataArray]:
    """Give the values of the networks of each condition, in the order of the design.

    A ValueError calls an argument without conditions by its name.
    """
    if "condition" not in values.coords:
        raise ValueError(f"{name}: expected the coordinate 'condition', found {sorted(map(str, values.coords))}")
    condition = text(values["condition"]).values
    return {one: values.isel(network=np.flatnonzero(condition == one)) for one in dict.fromkeys(condition.tolist())}


def band(ax: Axes, values: xr.DataArray, along: str, label: str, look: dict[str, Any]) -> None:
    """Draw the median of networks as a line and their range as a band; points without any value are gaps.

    `values` have the dim `network` and one more, on which the coordinate `along` is drawn along the horizontal axis.
    """
    dim = values[along].dims[0]
    known = values.isel({dim: np.flatnonzero(values.notnull().any("network"))})
    if along == "update" and (values[along] < 0).any():  # networks that do not share their updates have none
        along = str(dim)
    x = known[along].values
    every = max(1, len(x) // 8)
    if known.sizes["network"]:
        low, high = known.min("network"), known.max("network")
        ax.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)
        ax.plot(x, known.median("network"), label=label, markevery=every, markersize=3.5, linewidth=1.4, **look)
    else:
        ax.plot([], [], label=label, markersize=3.5, linewidth=1.4, **look)


def band_legend(ax: Axes) -> None:
    """Put the legend of bands above the axes, and say what line and band are."""
    legend_above(ax, title="line: median of networks, band: min to max", handlelength=3.0)
