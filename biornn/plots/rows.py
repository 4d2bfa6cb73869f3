"""Numbers of networks in named rows, by condition, with lines to compare them with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import shorten

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from biornn.plots.bands import look, members_by_condition
from biornn.plots.style import LINES, legend_above, open_axes

_LONGEST = 40  # letters of a name
_WHOLE = re.compile(r"(?<=\d)\.0(?!\d)")  # the end of a whole number, which says nothing
_SPREAD = 0.6  # of a row, which the networks of all conditions share


def named_rows(rows: xr.DataArray, names: Sequence[str], policies: Mapping[str, float], ax: Axes | None) -> Axes:
    """Draw rows (row, network) from above: a marker at the median of each condition, a line from minimum to maximum.

    The first row is set apart. Policies, name -> score, are vertical lines; those that score the same share one, and
    NaN is left out.
    """
    lines = _by_score(policies)
    members = members_by_condition(rows, "score")
    ax = open_axes(ax, height=0.9 + 0.19 * len(names) + 0.13 * (len(lines) + len(members)))
    for index, (value, who) in enumerate(lines.items()):
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
    ax.set_yticks(at, [shorten(_WHOLE.sub("", name), _LONGEST, placeholder="…") for name in names])
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    legend_above(ax)
    return ax


def _by_score(policies: Mapping[str, float]) -> dict[float, list[str]]:
    found: dict[float, list[str]] = {}
    for name, score in policies.items():
        if score == score:
            found.setdefault(round(float(score), 6), []).append(name)
    return found
