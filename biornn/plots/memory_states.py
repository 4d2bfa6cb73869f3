"""The path of a network's activity through its memory states."""

from __future__ import annotations

from itertools import combinations
from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib import patheffects, rcParams
from matplotlib.axes import Axes
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.same_labels import same_labels
from biornn.plots.selection import select
from biornn.plots.style import COLOURS, GREY, MARKERS, MEDIUM, SMALL, bare_space, open_axes
from biornn.schema import text

#: How far outside of its marker a state is named, as a share of the size of the path.
_LABEL_OFFSET = 0.13


def memory_states(scores: xr.DataArray, memory_state: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Plot the path of one network through three dimensions, by the state that it has to hold.

    States that differ in one bit are joined: where the memory is a cube, one sees a cube.

    Parameters
    ----------
    scores
        Path of one network, dims `trial`, `time` and `component`, as `analysis.principal_components` or
        `analysis.singular_components` give it for the activity in a task's probe, or `bit`, as `analysis.align_scores`
        does; the first three are shown.
    memory_state
        Signs of the memorised bits, such as ``+-+``, dims `trial`, `time`. States with a 0, a bit that has not been set
        yet, are grey and without a name.
    ax
        3-D Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        3-D axes with a grey line per trial and, per state, a collection of its points, labelled with its name, and a
        large marker at their median, each of its own colour and shape; then a line for each pair of states that differ
        in one bit.

    Raises
    ------
    ValueError
        If the data are of more than one network, trials or times differ, there are fewer than three components, or
        `ax` is not three-dimensional.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> scores = xr.DataArray(np.eye(3)[np.newaxis], dims=("trial", "time", "component"))
    >>> state = xr.DataArray([["0", "+", "-"]], dims=("trial", "time"))
    >>> [text.get_text() for text in memory_states(scores, state).texts]
    ['+', '\u2212']
    """
    require_dims(scores, "scores", ["trial", "time"])
    dim = "bit" if "bit" in scores.dims else "component"
    path, states = _path(scores, memory_state, dim)
    if ax is not None and ax.name != "3d":
        raise ValueError(f"ax: expected 3-D Axes, got {type(ax).__name__}; use fig.add_subplot(projection='3d')")
    space: Any = open_axes(ax, height=3.0, projection="3d")  # matplotlib publishes no types of 3-D axes
    for trial in path:
        space.plot(*trial.T, color=GREY, linewidth=0.5, zorder=1)
    _draw_states(space, path.reshape(-1, 3), states.ravel())
    units = "aligned" if dim == "bit" else "a.u."
    azimuth = -60 if dim == "component" else -67
    bare_space(space, [f"{dim} {number} ({units})" for number in (1, 2, 3)], azimuth, zoom=0.97)
    if ax is None:
        for axis in (space.xaxis, space.yaxis, space.zaxis):
            axis.label.set_fontsize(MEDIUM)
    return cast(Axes, space)


def _path(scores: xr.DataArray, memory_state: xr.DataArray, dim: str) -> tuple[NDArray[np.floating], NDArray[np.str_]]:
    scores = select(scores, "scores", "trial", "time", dim)
    memory_state = select(memory_state, "memory_state", "trial", "time")
    if scores.sizes[dim] < 3:
        raise ValueError(f"scores: expected at least 3 {dim}s, got {scores.sizes[dim]}")
    scores, memory_state = same_labels(
        "memory_state", "the trials and times of scores", scores, memory_state, source="probe"
    )
    return scores.values[..., :3], text(memory_state).values


def _draw_states(ax: Any, points: NDArray[np.floating], states: NDArray[np.str_]) -> None:
    unset = np.char.find(states, "0") >= 0
    if unset.any():
        look = {"s": 14, "marker": "o", "facecolors": rcParams["axes.facecolor"], "edgecolors": GREY, "linewidths": 0.8}
        ax.scatter(*points[unset].T, label="a bit is not set yet", depthshade=False, **look)
        ax.legend(loc="upper left", fontsize=SMALL, frameon=False, handletextpad=0.2)
    names = np.unique(states[~unset]).tolist()
    # The median is where a state is held; the mean would be drawn towards the states that it is reached from.
    centroids = np.array([np.median(points[states == name], axis=0) for name in names]).reshape(-1, 3)
    ink = rcParams["text.color"]
    for index, name in enumerate(names):
        look = {"color": COLOURS[index % len(COLOURS)], "depthshade": False}
        marker = MARKERS[index % len(MARKERS)]
        ax.scatter(*points[states == name].T, s=3, marker=marker, linewidths=0, label=name, **look)
        ax.scatter(*centroids[index], s=42, marker=marker, edgecolors=ink, linewidths=0.6, **look)
    for first, second in combinations(range(len(names)), 2):
        if _n_differing_bits(names[first], names[second]) == 1:
            ax.plot(*centroids[[first, second]].T, color=ink, linewidth=0.8, alpha=0.7, zorder=2)
    _name_states(ax, centroids, names, np.ptp(points, axis=0))


def _n_differing_bits(first: str, second: str) -> int:
    return sum(one != other for one, other in zip(first, second, strict=True))


def _name_states(ax: Any, centroids: NDArray[np.floating], names: list[str], size: NDArray[np.floating]) -> None:
    """Name each state outside of its marker, as seen from the middle of all."""
    if not names:
        return
    size = np.where(size > 0, size, 1.0)
    outwards = (centroids - centroids.mean(axis=0)) / size
    length = np.linalg.norm(outwards, axis=1, keepdims=True)
    upwards = np.broadcast_to([0.0, 0.0, 1.0], outwards.shape).copy()  # a single state has no outside
    outwards = np.divide(outwards, length, out=upwards, where=length > 0)
    for name, place in zip(names, centroids + _LABEL_OFFSET * outwards * size, strict=True):
        ax.text(
            *place,
            name.replace("-", "\N{MINUS SIGN}"),
            fontsize=MEDIUM,
            fontweight="bold",
            ha="center",
            va="center",
            zorder=1000,  # the axes count their collections up from 1
            path_effects=[patheffects.withStroke(linewidth=2, foreground=rcParams["axes.facecolor"])],
        )
