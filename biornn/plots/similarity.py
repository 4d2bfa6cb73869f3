"""How alike every two networks are, as a matrix in the order of the conditions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from numpy.typing import NDArray

from biornn.plots.selection import select
from biornn.plots.style import COLOURS, GREY, MEDIUM, SMALL, open_axes
from biornn.schema import text

#: Letters of a line of a condition's name; longer names are broken where their parts are joined.
_LINE = 22


def similarity(matrix: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Plot similarities or distances of networks, ordered by condition and within it by seed.

    Lighter is more alike, for distances too. A bar in the colour of each condition brackets its networks on both sides;
    columns are in the order of the rows. The diagonal, each network with itself, is left empty. Networks without a
    value are grey.

    Parameters
    ----------
    matrix
        As `biornn.analysis.similarity` gives it: dims `network`, `other_network`, with the coordinate `condition` and,
        where it is there, `seed` on network.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        Its first image holds the sorted matrix, its y ticks name the conditions.

    Raises
    ------
    ValueError
        If there is another dim, such as `snapshot`, or no coordinate `condition`.

    Examples
    --------
    >>> import xarray as xr
    >>> matrix = xr.DataArray(
    ...     [[1.0, 0.3], [0.3, 1.0]],
    ...     dims=("network", "other_network"),
    ...     coords={"condition": ("network", ["free", "dale"])},
    ...     attrs={"long_name": "linear CKA"},
    ... )
    >>> [label.get_text() for label in similarity(matrix).get_yticklabels()]
    ['free', 'dale']
    """
    matrix = select(matrix, "matrix", "network", "other_network")
    order, names, edges = blocks(matrix)
    values = matrix.values[np.ix_(order, order)]
    is_failed = np.isnan(np.diagonal(values))
    ax = open_axes(ax, height=3.4)
    failed = np.where(is_failed[:, np.newaxis] | is_failed, float(GREY), np.nan)
    cmap = "viridis_r" if is_distance(values) else "viridis"
    compared = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    low, high = _limits(compared)
    image = ax.imshow(compared, cmap=colormaps[cmap], vmin=low, vmax=high, interpolation="nearest")
    ax.imshow(failed, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    for edge in edges[1:-1]:
        ax.axhline(edge - 0.5, color=ax.get_facecolor(), linewidth=1.0)
        ax.axvline(edge - 0.5, color=ax.get_facecolor(), linewidth=1.0)
    _bracket(ax, names, edges)
    ax.set_xlabel("networks, columns as rows" + ("\n(grey: failed or silent)" if is_failed.any() else ""))
    bar = ax.figure.colorbar(image, ax=ax, orientation="horizontal", shrink=0.9, aspect=25)
    units = matrix.attrs.get("units", "1")
    label = str(matrix.attrs.get("long_name", matrix.name or "similarity"))
    bar.set_label(f"{label if units == '1' else f'{label} ({units})'}\nlighter: more alike", fontsize=MEDIUM)
    bar.ax.tick_params(labelsize=SMALL)
    bar.ax.locator_params(nbins=5)
    return ax


def blocks(matrix: xr.DataArray) -> tuple[NDArray[np.intp], list[str], list[int]]:
    """Order the networks of a matrix by condition, in the order of the design, and within it by seed.

    Returns the positions of the networks, the names of the conditions, and where each starts with the number of
    networks.
    """
    if "condition" not in matrix.coords:
        raise ValueError(
            f"matrix: expected the coordinate 'condition' on network, found {sorted(map(str, matrix.coords))}"
        )
    conditions = text(matrix["condition"]).values.tolist()
    names = list(dict.fromkeys(conditions))
    index = np.array([names.index(one) for one in conditions])
    seeds = matrix["seed"].values if "seed" in matrix.coords else np.zeros(len(index))
    edges = [0, *np.cumsum(np.bincount(index)).tolist()]
    return np.lexsort((seeds, index)), names, edges


def is_distance(values: NDArray[np.floating]) -> bool:
    """Tell distances, with a diagonal of zeros, from similarities."""
    return not np.nan_to_num(np.diagonal(values)).any()


def _limits(compared: NDArray[np.floating]) -> tuple[float, float]:
    """Smallest and largest value between two networks; a little more than one value."""
    known = compared[np.isfinite(compared)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return (low, high) if high > low else (low - 0.01, high + 0.01)


def _bracket(ax: Axes, names: list[str], edges: list[int]) -> None:
    """Name each condition once beside its rows, and mark its rows and columns with a bar of its colour."""
    n_networks = edges[-1]
    for index, (start, end) in enumerate(pairwise(edges)):
        gap = min(0.1, 0.008 * n_networks)
        span = (start - 0.5 + gap, end - 0.5 - gap)
        look: dict[str, Any] = {
            "color": COLOURS[index % len(COLOURS)],
            "linewidth": 3.0,
            "solid_capstyle": "butt",
            "clip_on": False,
        }
        ax.plot((-0.02, -0.02), span, transform=ax.get_yaxis_transform(), **look)
        ax.plot(span, (-0.02, -0.02), transform=ax.get_xaxis_transform(), **look)
    middles = [(start + end - 1) / 2 for start, end in pairwise(edges)]
    ax.set_yticks(middles, labels=[_broken(name) for name in names], linespacing=0.95)
    ax.set_xticks([])
    ax.tick_params(axis="both", length=0, pad=7)
    ax.xaxis.labelpad = 8
    ax.set(xlim=(-0.5, n_networks - 0.5), ylim=(n_networks - 0.5, -0.5))
    ax.spines[:].set_visible(False)


def _broken(name: str) -> str:
    """Break the long name of a crossed condition into lines after the signs that join its parts."""
    lines = [""]
    for part in name.replace("+", "+\n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > _LINE:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
