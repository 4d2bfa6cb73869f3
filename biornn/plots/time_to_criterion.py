"""How many networks reached the criterion, over training."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from biornn.plots.style import COLOURS, LINES, MARKERS, legend_above, open_axes


def time_to_criterion(result: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Plot the share of networks that have reached the criterion, over optimizer updates, by condition.

    One step line per condition (1 minus the Kaplan-Meier estimate), of all its networks, failed ones among them. A
    marker at the end stands on a line where networks were left that had not got there. The legend counts them.

    Parameters
    ----------
    result
        What `biornn.analysis.time_to_criterion` returned.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a variable is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> from biornn import analysis
    >>> history = xr.Dataset(
    ...     {
    ...         "updates_to_criterion": ("network", [100.0, float("nan")]),
    ...         "status": ("network", ["criterion_reached", "diverged"]),
    ...     },
    ...     coords={
    ...         "condition": ("network", ["unconstrained", "dale"]),
    ...         "seed": ("network", [0, 0]),
    ...         "update": ("snapshot", [0, 100, 200]),
    ...     },
    ... )
    >>> ax = time_to_criterion(analysis.time_to_criterion(history))
    >>> [entry.get_text() for entry in ax.get_legend().get_texts()]
    ['unconstrained: 1 of 1', 'dale: 0 of 1 (1 failed)']
    """
    for name in ("not_reached", "n_networks", "n_reached", "n_censored", "n_failed"):
        if name not in result:
            raise ValueError(f"result: expected {name!r}, found {sorted(map(str, result.variables))}")
    ax = open_axes(ax, height=2.1 + 0.13 * result.sizes["condition"])
    step = result["update"].values
    for index, condition in enumerate(result["condition"].values.tolist()):
        one = result.isel(condition=index)
        share = 1 - one["not_reached"].transpose("update").values
        ax.plot(
            step, share, drawstyle="steps-post", label=f"{condition}: {_counts(one)}",
            color=COLOURS[index % len(COLOURS)], linestyle=LINES[index % len(LINES)], linewidth=1.4,
            marker=MARKERS[index % len(MARKERS)] if one["n_censored"] else "", markersize=4.5, clip_on=False,
            markevery=[step.size - 1],
        )  # fmt: skip
    ax.set_xlabel("optimizer updates")
    ax.set_ylabel("share that reached the criterion")
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlim(0, np.max(step))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.spines[["top", "right"]].set_visible(False)
    legend_above(ax, title="networks that reached it (marker: not all)", handlelength=3.0)
    return ax


def _counts(one: xr.Dataset) -> str:
    """``7 of 10 (1 failed)``."""
    counts = f"{int(one['n_reached'])} of {int(one['n_networks'])}"
    return counts + f" ({int(one['n_failed'])} failed)" * (int(one["n_failed"]) > 0)
