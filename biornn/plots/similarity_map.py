"""Networks as points of a plane, near where they are alike."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from biornn.plots.selection import select
from biornn.plots.similarity import blocks, is_distance
from biornn.plots.style import COLOURS, MARKERS, SMALL, open_axes

_Array = NDArray[np.float64]


def similarity_map(matrix: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Plot networks as points of a plane, whose distances are as near as they can be to those of a matrix.

    Axes have no meaning beyond that: rotations and reflections of the plane would do as well. The title says how much
    of the squared distances the plane holds; with little, near points need not be alike.

    Parameters
    ----------
    matrix
        As `biornn.analysis.similarity` gives it: dims `network`, `other_network`, with the coordinate `condition`.
        Similarities become angles by the arc cosine (CKA and the mean of as many canonical correlations are cosines:
        Williams et al. 2021). Networks without a value are left out; the legend says how many.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        With one collection of points per condition.

    Raises
    ------
    ValueError
        If there is another dim, such as `snapshot`, no coordinate `condition`, or fewer than two networks with values.

    Notes
    -----
    Classical multidimensional scaling: eigenvectors of the doubly centred squared distances. Torgerson (1952),
    Psychometrika 17, 401. The share is that of the positive eigenvalues.

    Examples
    --------
    >>> import xarray as xr
    >>> matrix = xr.DataArray(
    ...     [[0.0, 1.0], [1.0, 0.0]],
    ...     dims=("network", "other_network"),
    ...     coords={"condition": ("network", ["free", "dale"])},
    ... )
    >>> similarity_map(matrix).get_title(loc="left")
    'plane: 100 % of the squared distances'
    """
    matrix = select(matrix, "matrix", "network", "other_network")
    order, names, edges = blocks(matrix)
    values = matrix.values[np.ix_(order, order)]
    known = ~np.isnan(np.diagonal(values))
    if known.sum() < 2:
        raise ValueError(f"matrix: expected at least two networks with values, got {known.sum()}")
    kept = values[np.ix_(known, known)]
    points = np.full((len(values), 2), np.nan)
    points[known], share = _scaled(kept if is_distance(kept) else np.arccos(np.clip(kept, -1.0, 1.0)))
    ax = open_axes(ax, height=3.0 + 0.13 * len(names))
    for index, (start, end) in enumerate(pairwise(edges)):
        n_failed = int((~known[start:end]).sum())
        first, second = points[start:end][known[start:end]].T
        ax.scatter(
            first,
            second,
            s=22,
            marker=MARKERS[index % len(MARKERS)],
            color=[COLOURS[index % len(COLOURS)]],
            linewidths=0,
            alpha=0.85,
            label=names[index] + (f" ({n_failed} failed)" if n_failed else ""),
        )
    units = "rad" if not is_distance(kept) else matrix.attrs.get("units", "1")
    ending = "" if units == "1" else f" ({units})"
    ax.set(xlabel=f"first coordinate{ending}", ylabel=f"second coordinate{ending}")
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.08)
    ax.locator_params(nbins=5)
    ax.set_title(f"plane: {100 * share:.0f} % of the squared distances", fontsize=SMALL, loc="left")
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        fontsize=SMALL,
        frameon=False,
        handletextpad=0.3,
        ncols=2 if len(names) > 3 and max(map(len, names)) < 18 else 1,
    )
    return ax


def _scaled(distances: _Array) -> tuple[_Array, float]:
    """Points (network, 2) of classical scaling, the largest coordinate of each axis positive, and the share kept."""
    centring = np.eye(len(distances)) - 1 / len(distances)
    sizes, vectors = np.linalg.eigh(-0.5 * centring @ distances**2 @ centring)
    sizes = np.maximum(sizes, 0.0)  # angles need not fit into a flat space
    points = (vectors * np.sqrt(sizes))[:, ::-1][:, :2]
    points *= np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])
    total = sizes.sum()
    return points, float(sizes[-2:].sum() / total) if total else 1.0
