"""Several networks side by side: one panel each, one legend for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biornn.plots.style import COLUMN_WIDTH, MEDIUM, open_panels, set_text_sizes

_PANEL_HEIGHT = 3.1  # inches


def panels(names: Sequence[str], draw: Callable[[str, Axes], Any], projection: str | None = None) -> Figure:
    """Draw one panel per network, with its name as title: two in a row, one column's width each.

    A legend that panels share stands once, below them. No network at all is a ValueError.
    """
    if not names:
        raise ValueError("names: expected at least one network to draw, got none")
    look = {"projection": projection}
    figure, axes = open_panels(len(names), min(len(names), 2), COLUMN_WIDTH, _PANEL_HEIGHT, subplot_kw=look)
    for name, ax in zip(names, axes, strict=True):
        draw(name, ax)
        set_text_sizes(ax)
        ax.set_title(name, fontsize=9, y=1.0)  # given, so that matplotlib need not measure all labels to find it
    share_legend(figure)
    return figure


def share_legend(figure: Figure) -> None:
    """Put one legend below all panels in place of one above each; an entry that several of them have appears once."""
    legends = [legend for ax in figure.axes if (legend := ax.get_legend()) is not None]
    if not legends:
        return
    entries: dict[str, Artist] = {}
    for legend in legends:
        for handle, entry in zip(legend.legend_handles, legend.get_texts(), strict=True):
            if handle is not None:
                entries.setdefault(entry.get_text(), handle)
    names = list(entries)
    for legend in legends:
        legend.remove()
    figure.legend(
        list(entries.values()),
        names,
        loc="outside lower center",
        ncols=_n_that_fit(names, figure),
        fontsize=MEDIUM,
        frameon=False,
    )


def _n_that_fit(names: Sequence[str], figure: Figure) -> int:
    """Count the entries of a legend that stand side by side in a figure."""
    # A letter is about 0.6 times as wide as it is high; the line, marker and gaps of an entry take 5 letters' heights.
    widths = [(5 + 0.6 * len(name)) * MEDIUM / 72 for name in names]
    if sum(widths) <= figure.get_figwidth():
        return len(names)
    return max(1, int(figure.get_figwidth() / max(widths)))
