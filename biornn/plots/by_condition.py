"""A number per network, by condition."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from biornn.plots.bands import look
from biornn.plots.selection import select
from biornn.plots.style import GREY, open_axes
from biornn.schema import text


def by_condition(values: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Plot a number of every network as a dot, a row per condition, with the median of each condition.

    Networks of one seed are joined by a thin line: where conditions are matched by seed, a constraint that does the
    same to all of them makes these lines parallel.

    Parameters
    ----------
    values
        Dim `network`, with the coordinates `condition` and `seed`. Networks without a value are left out.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        A line for each seed, then for each condition its dots and a short line at their median.

    Raises
    ------
    ValueError
        If there is another dim, or a coordinate is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> accuracy = xr.DataArray(
    ...     [0.98, 0.97],
    ...     dims="network",
    ...     coords={"condition": ("network", ["free", "dale"]), "seed": ("network", [0, 0])},
    ... )
    >>> [label.get_text() for label in by_condition(accuracy).get_yticklabels()]
    ['free', 'dale']
    """
    values = select(values, "values", "network")
    for name in ("condition", "seed"):
        if name not in values.coords:
            raise ValueError(f"values: expected the coordinate {name!r}, found {sorted(map(str, values.coords))}")
    condition, seed, numbers = text(values["condition"]).values, values["seed"].values, values.values.astype(float)
    names = list(dict.fromkeys(condition.tolist()))
    row = np.array([names.index(name) for name in condition.tolist()])
    ax = open_axes(ax, height=0.8 + 0.22 * len(names))
    for one in np.unique(seed):
        own = (seed == one) & np.isfinite(numbers)
        ax.plot(numbers[own], row[own], color=GREY, linewidth=0.5, alpha=0.7, zorder=1)
    for index in range(len(names)):
        own = numbers[(row == index) & np.isfinite(numbers)]
        colour = look(index)["color"]
        ax.plot(own, np.full(own.size, index), "o", color=colour, markersize=4, alpha=0.8, markeredgewidth=0)
        if own.size:
            ax.vlines(np.median(own), index - 0.32, index + 0.32, color=colour, linewidth=2)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_yticks(range(len(names)), names)
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.margins(x=0.12)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
