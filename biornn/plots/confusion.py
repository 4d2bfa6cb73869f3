"""Which choices are made where which would be right."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from biornn.plots.selection import select
from biornn.plots.style import SMALL, open_axes
from biornn.schema import text

_MOST_NUMBERS = 6  # choices of which each cell has room for its number
_DARK = 0.6  # share from which on the colour of a cell is too dark for black text


def confusion(share: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Plot a confusion matrix: in which share of the trials with a correct choice each choice was made.

    Parameters
    ----------
    share
        (correct_choice, choice), such as `share` of `biornn.analysis.confusion`, of one network or averaged over some.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        One row per correct choice, from above, one column per choice; what is right is framed. With up to six choices
        each cell has its number.

    Raises
    ------
    ValueError
        If there are other dims.

    Examples
    --------
    >>> import xarray as xr
    >>> labels = {"correct_choice": ["go", "no-go"], "choice": ["go", "no-go"]}
    >>> confusion(xr.DataArray([[0.9, 0.1], [0.2, 0.8]], labels)).get_xlabel()
    'choice'
    """
    share = select(share, "share", "correct_choice", "choice")
    right, made = (text(share[dim]).values.tolist() for dim in share.dims)
    ax = open_axes(ax, height=1.2 + 0.3 * len(right))
    ax.imshow(share.values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, name in enumerate(right):
        if name in made:
            column = made.index(name)
            edges = np.array([-0.5, 0.5, 0.5, -0.5, -0.5]), np.array([-0.5, -0.5, 0.5, 0.5, -0.5])
            ax.plot(column + edges[0], row + edges[1], color="0.2", linewidth=0.8)
    if max(len(right), len(made)) <= _MOST_NUMBERS:
        for (row, column), value in np.ndenumerate(share.values):
            colour = "white" if value > _DARK else "black"
            ax.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=SMALL)
    ax.set_xticks(range(len(made)), made, rotation=45 if max(map(len, made)) > _MOST_NUMBERS else 0, ha="center")
    ax.set_yticks(range(len(right)), right)
    ax.set_xlabel("choice")
    ax.set_ylabel("correct choice")
    return ax
