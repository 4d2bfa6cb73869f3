"""Scores by trial condition, beside those that can be had without doing the task."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from biornn.plots.rows import named_rows
from biornn.plots.selection import select
from biornn.schema import text

_ALL = "all trials"
_MOST_ROWS = 24  # more are no picture to read: those with the lowest scores stay


def trial_conditions(
    score: xr.DataArray,
    score_per_condition: xr.DataArray,
    shortcuts: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot the score of networks in all trials and in those of each trial condition, and the scores of shortcuts.

    A marker is the median over the networks (seeds) of a condition, its line reaches from their minimum to their
    maximum. Trial conditions stand in the order of their median scores, the best one on top.

    Parameters
    ----------
    score
        (network), with the coordinate `condition`: `score` of `biornn.analysis.performance`.
    score_per_condition
        (network, trial_condition), of the same networks. Conditions without any score are left out, and of more than 24
        those with the highest scores.
    shortcuts
        Policy -> its mean score over all trials, a line each: such as ``{"ignores the context": 0.75}``. NaN is left
        out. A network is beyond a shortcut only if its row of all trials is to the right of this line, and does not
        follow it only if no row is far to its left.
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
    >>> coords = {"condition": ("network", ["dale"]), "trial_condition": ["context=motion", "context=colour"]}
    >>> each = xr.DataArray([[0.9, 0.7]], coords, ("network", "trial_condition"))
    >>> ax = trial_conditions(each.mean("trial_condition"), each, {"ignores the context": 0.75})
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['all trials', 'context=motion', 'context=colour']
    """
    score = select(score, "score", "network")
    each = select(score_per_condition, "score_per_condition", "network", "trial_condition")
    each = each.isel(trial_condition=np.flatnonzero(each.notnull().any("network")))
    order = np.argsort(-each.median("network").values, kind="stable")[-_MOST_ROWS:]
    each = each.isel(trial_condition=order)
    names = [_ALL, *text(each["trial_condition"]).values.tolist()]
    rows = xr.concat([score, *each.transpose("trial_condition", ...).drop_vars("trial_condition")], "row")
    ax = named_rows(rows, names, shortcuts or {}, ax)
    ax.set_xlabel(str(score.attrs.get("score_name", score.attrs.get("long_name", "score"))).replace("_", " "))
    return ax
