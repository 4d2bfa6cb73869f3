"""Whether what is read from a population at one time can be read in the same way at another."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from biornn.plots.selection import select
from biornn.plots.style import SMALL, axis_label, open_axes


def cross_temporal(score: xr.DataArray, chance: float = 0.5, ax: Axes | None = None) -> Axes:
    """Plot the cross-temporal matrix of a decoder.

    Parameters
    ----------
    score
        (train_time, test_time), of one network or averaged over some: `score` of `biornn.analysis.decode`.
    chance
        Score of who knows nothing, which is white; what is above it is red, and below it blue.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        The matrix, times of the learning upwards, with a colour bar.

    Raises
    ------
    ValueError
        If there are other dims.

    Examples
    --------
    >>> import xarray as xr
    >>> times = {"train_time": [0.0, 20.0], "test_time": [0.0, 20.0]}
    >>> cross_temporal(xr.DataArray([[0.9, 0.5], [0.5, 0.8]], times, ("train_time", "test_time"))).get_xlabel()
    'test time (ms)'
    """
    score = select(score, "score", "train_time", "test_time")
    ax = open_axes(ax, height=2.8)
    reach = max(chance, 1 - chance)
    times = [_edges(score[dim].values.astype(float)) for dim in score.dims]
    low, high = chance - reach, chance + reach
    mesh = ax.pcolormesh(times[1], times[0], score.values, rasterized=True, cmap="RdBu_r", vmin=low, vmax=high)
    bar = ax.figure.colorbar(mesh, ax=ax, shrink=0.8)
    bar.ax.set_ylim(0, 1)
    bar.ax.tick_params(labelsize=SMALL)
    bar.set_label("score", fontsize=SMALL)
    ax.plot(*[[times[1][0], times[1][-1]]] * 2, color="0.4", linewidth=0.5, linestyle="--")
    ax.set_aspect("equal")
    ax.set_xlabel(axis_label(score["test_time"].assign_attrs(long_name="test time", units="ms")))
    ax.set_ylabel(axis_label(score["train_time"].assign_attrs(long_name="train time", units="ms")))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    return ax


def _edges(middles: np.ndarray) -> np.ndarray:
    """Give the edges of bins with these middles."""
    if middles.size == 1:
        return np.array([middles[0] - 0.5, middles[0] + 0.5])
    between = (middles[1:] + middles[:-1]) / 2
    return np.concatenate([[2 * middles[0] - between[0]], between, [2 * middles[-1] - between[-1]]])
