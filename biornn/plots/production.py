"""What is produced over what was asked for."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from biornn.plots.bands import band, band_legend, look, members_by_condition
from biornn.plots.selection import select
from biornn.plots.style import axis_label, open_axes

_MOST_LEVELS = 9  # more are put together in so many groups of trials


def production(produced: xr.DataArray, asked: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Plot what networks produce, such as an interval, over what was asked for, by condition.

    Each network's mean at each value that was asked for, or, of more than nine, in nine groups of as many trials; the
    line is the median over the networks (seeds) of a condition, the band reaches from their minimum to their maximum.

    Parameters
    ----------
    produced
        (network, trial), with the coordinate `condition`; NaN where nothing was produced.
    asked
        (trial), in the same units. Their attributes `long_name` and `units` name the axes.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        The line of what is right, dashed, then a line and a band per condition.

    Raises
    ------
    ValueError
        If there are other dims, or no conditions.

    Examples
    --------
    >>> import xarray as xr
    >>> asked = xr.DataArray([800.0, 1200.0], dims="trial", attrs={"long_name": "interval", "units": "ms"})
    >>> coords = {"condition": ("network", ["dale"])}
    >>> produced = xr.DataArray([[900.0, 1100.0]], dims=("network", "trial"), coords=coords)
    >>> production(produced, asked).get_xlabel()
    'asked for: interval (ms)'
    """
    produced, asked = select(produced, "produced", "network", "trial"), select(asked, "asked", "trial")
    ax = open_axes(ax, height=2.6)
    level, group = _groups(asked.values.astype(float))
    ends = [level.min(), level.max()] if level.size else []
    ax.plot(ends, ends, color="0.2", linestyle="--", linewidth=1, label="as asked for", zorder=3)
    for index, (name, members) in enumerate(members_by_condition(produced, "produced").items()):
        bare = members.drop_vars([one for one in members.coords if "trial" in members[one].dims])
        means = [bare.isel(trial=np.flatnonzero(group == number)).mean("trial") for number in range(level.size)]
        along = xr.concat(means, "level", coords="minimal", compat="override").assign_coords(level=level)
        band(ax, along.transpose("network", "level"), "level", name, look(index))
    label = axis_label(asked)
    ax.set_xlabel(f"asked for: {label}")
    ax.set_ylabel(f"produced: {label}")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    band_legend(ax)
    return ax


def _groups(asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean of what was asked for in each group of trials, ascending, and the group of each trial, -1: none."""
    known = np.isfinite(asked)
    distinct, group = np.unique(asked.round(6), return_inverse=True)  # measured in targets of single precision
    if distinct.size > _MOST_LEVELS:
        group = np.empty(asked.size, int)
        group[np.argsort(asked, kind="stable")] = np.arange(asked.size) * _MOST_LEVELS // max(known.sum(), 1)
    group = np.where(known, group, -1)
    present, group = np.unique(group, return_inverse=True)
    group = group - int(present.size > 0 and present[0] == -1)
    n_groups = group.max(initial=-1) + 1
    return np.array([asked[group == number].mean() for number in range(n_groups)]), group
