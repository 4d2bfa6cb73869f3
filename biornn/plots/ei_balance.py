"""Excitatory, inhibitory and net recurrent current over time."""

from __future__ import annotations

import matplotlib as mpl
import xarray as xr
from matplotlib.axes import Axes

from biornn.plots.selection import select
from biornn.plots.style import CELL_TYPE_COLOURS, GREY, legend_above, open_axes

_SPLITS = {"weight": "split by the sign of the weight", "contribution": "split by the sign of rate × weight"}


def ei_balance(balance: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Plot the excitatory and the inhibitory current of one network over time, and what is left of them.

    Parameters
    ----------
    balance
        `excitatory` and `inhibitory`, dims `time`: of one network, means over trials and units from
        `analysis.ei_balance`, or of one unit in one trial from `analysis.currents`.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        A line for zero, then one each for the excitatory, the inhibitory and the net current. The legend says how the
        current was split.

    Raises
    ------
    ValueError
        If a variable is missing, or has another dim than `time`, such as `network`.

    Examples
    --------
    >>> import xarray as xr
    >>> balance = xr.Dataset(
    ...     {"excitatory": ("time", [1.0, 2.0]), "inhibitory": ("time", [-1.0, -1.5])}, {"time": [0.0, 1.0]}
    ... )
    >>> [text.get_text() for text in ei_balance(balance).get_legend().get_texts()]
    ['excitatory', 'inhibitory', 'net']
    """
    for name in ("excitatory", "inhibitory"):
        if name not in balance:
            raise ValueError(f"balance: expected {name!r}, found {sorted(map(str, balance.data_vars))}")
    excitatory, inhibitory = (select(balance[name], name, "time") for name in ("excitatory", "inhibitory"))
    ax = open_axes(ax, height=2.2)
    ax.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    time = excitatory["time"]
    ax.plot(time, excitatory, color=CELL_TYPE_COLOURS["excitatory"], linewidth=1.4, label="excitatory")
    ax.plot(
        time,
        inhibitory,
        color=CELL_TYPE_COLOURS["inhibitory"],
        linewidth=1.4,
        linestyle=(0, (4, 1)),
        label="inhibitory",
    )
    ax.plot(time, excitatory + inhibitory, color=mpl.rcParams["text.color"], linewidth=1.0, label="net")
    ax.set_xlabel("time (ms)")
    ax.set_ylabel("recurrent current (a.u.)")
    legend_above(ax, title=_SPLITS.get(excitatory.attrs.get("split", "")), ncols=3)
    return ax
