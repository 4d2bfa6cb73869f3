"""Scores by trial condition, beside those that can be had without doing the task."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from biornn.plots.bands import look, members_by_condition
from biornn.plots.selection import select
from biornn.plots.style import LINES, legend_above, open_axes

_ALL = "all trials"
_MOST_ROWS = 24  # more are no picture to read: those with the lowest scores stay
_LONGEST = 40  # letters of a name
_SPREAD = 0.6  # of a row, which the networks of all conditions share


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
    names = [_ALL, *each["trial_condition"].values.astype(str).tolist()]
    rows = xr.concat([score, *each.transpose("trial_condition", ...).drop_vars("trial_condition")], "row")
    policies = _by_score(shortcuts or {})
    members = members_by_condition(rows, "score")
    ax = open_axes(ax, height=0.9 + 0.19 * len(names) + 0.13 * (len(policies) + len(members)))
    for index, (value, who) in enumerate(policies.items()):
        line = LINES[1:][index % (len(LINES) - 1)]
        ax.axvline(value, color="0.45", linewidth=1, linestyle=line, label=", ".join(who), zorder=0)
    at = np.arange(len(names))
    for index, (condition, of_networks) in enumerate(members.items()):
        shift = _SPREAD * ((index + 0.5) / len(members) - 0.5)
        colour, marker = look(index)["color"], look(index)["marker"]
        low, middle, high = (getattr(of_networks, name)("network") for name in ("min", "median", "max"))
        ax.hlines(at + shift, low, high, color=colour, linewidth=1)
        ax.plot(middle, at + shift, linestyle="", marker=marker, color=colour, markersize=3.5, label=condition)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.axhline(0.5, color="0.8", linewidth=0.5)
    ax.set_yticks(at, [shorten(name.replace(".0", ""), _LONGEST, placeholder="…") for name in names])
    ax.set_xlabel(str(score.attrs.get("score_name", score.attrs.get("long_name", "score"))).replace("_", " "))
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    legend_above(ax)
    return ax


def _by_score(policies: Mapping[str, float]) -> dict[float, list[str]]:
    """Put policies together that score the same; NaN is left out."""
    found: dict[float, list[str]] = {}
    for name, score in policies.items():
        if score == score:
            found.setdefault(round(float(score), 6), []).append(name)
    return found
