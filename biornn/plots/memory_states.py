"""The path of a network's activity through its memory states."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from biornn.plots.selection import select
from biornn.plots.style import COLOURS, GREY, MARKERS, MEDIUM, SMALL, open_axes
from biornn.schema import text

#: How far above its marker a state is named, as a share of the height of the path.
_LABEL_OFFSET = 0.12


def memory_states(scores: xr.DataArray, memory_state: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Plot the path of one network through its first three components, by the state that it has to hold.

    Parameters
    ----------
    scores
        Scores of one network, dims `trial`, `time`, `component`, as `analysis.principal_components` gives them for the
        activity in a task's probe; the first three components are shown.
    memory_state
        Signs of the memorised bits, such as ``+-+``, dims `trial`, `time`. States with a 0, a bit that has not been set
        yet, are grey and without a name.
    ax
        3-D Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        3-D axes with a grey line per trial and, per state, a collection of its points, labelled with its name, and a
        large marker at their median.

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
    path, states = _path(scores, memory_state)
    if ax is not None and ax.name != "3d":
        raise ValueError(f"ax: expected 3-D Axes, got {type(ax).__name__}; use fig.add_subplot(projection='3d')")
    space: Any = open_axes(ax, height=2.9, projection="3d")  # matplotlib publishes no types of 3-D axes
    for trial in path:
        space.plot(*trial.T, color=GREY, linewidth=0.6, zorder=1)
    _draw_states(space, path.reshape(-1, 3), states.ravel())
    for axis, component in zip((space.xaxis, space.yaxis, space.zaxis), (1, 2, 3), strict=True):
        axis.set_label_text(f"component {component} (a.u.)")
        axis.set_major_locator(MaxNLocator(4))
        axis.set_ticklabels([])  # the numbers of a rotated space say nothing, and collide with the labels
        axis.labelpad = -12
    space.set_box_aspect((1, 1, 0.85), zoom=0.92)  # the layout does not see the label of the third axis
    if ax is None:
        for axis in (space.xaxis, space.yaxis, space.zaxis):
            axis.label.set_fontsize(MEDIUM)
    return cast(Axes, space)


def _path(scores: xr.DataArray, memory_state: xr.DataArray) -> tuple[NDArray[np.floating], NDArray[np.str_]]:
    scores = select(scores, "scores", "trial", "time", "component")
    memory_state = select(memory_state, "memory_state", "trial", "time")
    if scores.sizes["component"] < 3:
        raise ValueError(f"scores: expected at least 3 components, got {scores.sizes['component']}")
    try:
        scores, memory_state = xr.align(scores, memory_state, join="exact", copy=False)
    except ValueError as error:
        raise ValueError(
            "memory_state: expected the trials and times of scores, got others; take both from the same probe"
        ) from error
    return scores.values[..., :3], text(memory_state).values


def _draw_states(ax: Any, points: NDArray[np.floating], states: NDArray[np.str_]) -> None:
    unset = np.char.find(states, "0") >= 0
    if unset.any():
        ax.scatter(*points[unset].T, s=20, marker="o", color=GREY, label="a bit is not set yet", depthshade=False)
        ax.legend(loc="upper left", fontsize=SMALL, frameon=False, handletextpad=0.2)
    names = np.unique(states[~unset])
    # The median is where a state is held; the mean would be drawn towards the states that it is reached from.
    centroids = np.array([np.median(points[states == name], axis=0) for name in names]).reshape(-1, 3)
    above = _LABEL_OFFSET * np.ptp(points[:, 2])
    for index, name in enumerate(names.tolist()):
        look = {"color": COLOURS[index % len(COLOURS)], "depthshade": False}
        marker = MARKERS[index % len(MARKERS)]
        ax.scatter(*points[states == name].T, s=4, marker=marker, linewidths=0, label=name, **look)
        ax.scatter(*centroids[index], s=40, marker=marker, edgecolors="black", linewidths=0.6, **look)
        ax.text(
            *(centroids[index] + (0, 0, above)),
            name.replace("-", "\N{MINUS SIGN}"),
            fontsize=MEDIUM,
            fontweight="bold",
            ha="center",
            va="center",
            zorder=1000,  # the axes count their collections up from 1
            path_effects=[patheffects.withStroke(linewidth=2, foreground="white")],
        )
