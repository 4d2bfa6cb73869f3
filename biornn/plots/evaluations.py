"""Scores under other settings of a task than those of the training."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr
from matplotlib.axes import Axes

from biornn.plots.rows import named_rows
from biornn.plots.selection import select
from biornn.schema import text


def evaluations(score: xr.DataArray, shortcuts: Mapping[str, float] | None = None, ax: Axes | None = None) -> Axes:
    """Plot the scores of networks under several settings of their task, by condition.

    A marker is the median over the networks (seeds) of a condition, its line reaches from their minimum to their
    maximum.

    Parameters
    ----------
    score
        (network, evaluation), with the coordinate `condition`, such as that in the group `evaluations` which `biornn
        evaluate` adds to a run. The first evaluation is set apart.
    shortcuts
        Policy -> its score, a line each, such as ``{"ignores the context": 0.75}``; NaN is left out.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        A line per shortcut, then markers and lines per condition.

    Raises
    ------
    ValueError
        If there are other dims, or no conditions.

    Examples
    --------
    >>> import xarray as xr
    >>> coords = {"condition": ("network", ["dale"]), "evaluation": ["own settings", "delay=3000"]}
    >>> ax = evaluations(xr.DataArray([[0.9, 0.7]], coords, ("network", "evaluation")))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['own settings', 'delay=3000']
    """
    score = select(score, "score", "network", "evaluation")
    rows = score.transpose("evaluation", "network").rename(evaluation="row")
    names = text(score["evaluation"]).values.tolist()
    ax = named_rows(rows.drop_vars("row"), names, shortcuts or {}, ax)
    ax.set_xlabel(str(score.attrs.get("score_name", score.attrs.get("long_name", "score"))).replace("_", " "))
    return ax
