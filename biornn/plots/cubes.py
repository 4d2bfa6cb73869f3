"""The memory states of several realisations as cubes, as in the paper's Figure 6."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biornn.analysis.dims import require_dims
from biornn.plots.memory_states import memory_states
from biornn.plots.panels import panels
from biornn.plots.style import COLOURS, MARKERS, SMALL, bare_space, open_axes
from biornn.schema import text


def cubes(scores: xr.DataArray, memory_state: xr.DataArray) -> Figure:
    """Plot the paths of several networks through their memory states, a panel each.

    Parameters
    ----------
    scores
        Dims `network`, `trial`, `time` and `component`, or `bit` where they are aligned: see `memory_states`.
    memory_state
        Dims `trial`, `time`.

    Returns
    -------
    matplotlib.figure.Figure
        One column's width per panel.

    Raises
    ------
    ValueError
        If a dim is missing, or there are fewer than three components.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", Figure 6.
    """
    require_dims(scores, "scores", ["network", "trial", "time"])

    def draw(network: str, ax: Axes) -> None:
        memory_states(scores.sel(network=network), memory_state, ax=ax)

    return panels(text(scores["network"]).values.tolist(), draw, projection="3d")


def cube_overlay(centroids: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Lay the aligned cubes of several networks on each other: a colour and a marker per network.

    Parameters
    ----------
    centroids
        Dims `network`, `memory_state`, `bit`, three bits, as `analysis.align_cubes` gives them.
    ax
        3-D Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        3-D axes with a collection of points per network; the ideal cube is grey.

    Raises
    ------
    ValueError
        If a dim is missing, or there are not three bits.
    """
    require_dims(centroids, "centroids", ["network", "memory_state", "bit"])
    if centroids.sizes["bit"] != 3:
        raise ValueError(f"centroids: expected three bits, got {centroids.sizes['bit']}")
    space: Any = open_axes(ax, height=3.0, projection="3d")
    names = text(centroids["memory_state"]).values.tolist()
    corners = np.array([[1.0 if sign == "+" else -1.0 for sign in name] for name in names])
    for start, end in _edges(corners):
        space.plot(*np.array([start, end]).T, color="0.55", linewidth=0.8, zorder=1)
    ink = rcParams["text.color"]
    for index, network in enumerate(text(centroids["network"]).values.tolist()):
        points = centroids.isel(network=index).transpose("memory_state", "bit").values
        look = {"color": COLOURS[index % len(COLOURS)], "marker": MARKERS[index % len(MARKERS)]}
        space.scatter(*points.T, s=16, label=network, depthshade=False, edgecolors=ink, linewidths=0.4, **look)
    for name, corner in zip(names, corners, strict=True):
        space.text(*(1.25 * corner), name.replace("-", "\N{MINUS SIGN}"), fontsize=SMALL, ha="center", va="center")
    bare_space(space, [f"bit {number} (aligned)" for number in (1, 2, 3)])
    for axis in (space.xaxis, space.yaxis, space.zaxis):
        axis.set_ticks([-1, 1], labels=[])  # the corners are named
    space.legend(loc="upper left", fontsize=SMALL, frameon=False, handletextpad=0.2)
    return cast(Axes, space)


def _edges(corners: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    pairs = [(one, other) for index, one in enumerate(corners) for other in corners[index + 1 :]]
    return [(one, other) for one, other in pairs if (one != other).sum() == 1]
