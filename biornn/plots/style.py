"""How every figure looks: column width, sizes of text, colours, markers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

#: Width of one column of a journal, 85 mm, and of two, in inches.
COLUMN_WIDTH, PAGE_WIDTH = 3.35, 6.9
#: Sizes of text in points: ticks, legends and annotations; labels of axes.
SMALL, MEDIUM = 7, 8
#: Grey for what is there for comparison only.
GREY = "0.6"
#: Told apart by readers who do not see all colours; grey is left out, and yellow, faint on white, comes last.
COLOURS = [sns.color_palette("colorblind")[index] for index in (0, 1, 2, 3, 4, 5, 9, 6, 8)]
#: Red drives and blue holds back, as in diverging maps of weights.
CELL_TYPE_COLOURS = {"excitatory": COLOURS[3], "inhibitory": COLOURS[0], "unconstrained": COLOURS[2]}
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
LINES: list[str | tuple[int, tuple[int, ...]]] = ["-", (0, (4, 1)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (7, 2))]


def open_axes(ax: Axes | None, height: float, projection: str | None = None) -> Axes:
    """Return the Axes to draw into: those of the caller, or new ones of one column's width and a height in inches.

    Axes of the caller keep the sizes of text that the caller chose.
    """
    if ax is not None:
        return ax
    figure = plt.figure(figsize=(COLUMN_WIDTH, height), layout="constrained")
    new: Axes = figure.add_subplot(projection=projection)
    set_text_sizes(new)
    return new


def legend_above(ax: Axes, *entries: Any, **options: Any) -> None:
    """Put the legend above the axes, without a frame; arguments are those of `matplotlib.axes.Axes.legend`."""
    look = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "frameon": False}
    ax.legend(*entries, **{**look, "fontsize": SMALL, "title_fontsize": SMALL, **options})


def bare_space(space: Any, names: Sequence[str], azimuth: float = -67, zoom: float = 0.95) -> None:
    """Name the three axes of 3-D Axes, and leave out their numbers, panes and grid.

    The numbers of a rotated space say nothing, and lines of a grid would be taken for edges of a cube.
    """
    for axis, name in zip((space.xaxis, space.yaxis, space.zaxis), names, strict=True):
        axis.set_label_text(name)
        axis.set_major_locator(MaxNLocator(4))
        axis.set_ticklabels([])
        axis.labelpad = -12
        axis.set_pane_color((1.0, 1.0, 1.0, 0.0))
    space.grid(False)
    space.view_init(elev=18, azim=azimuth)
    space.set_box_aspect((1, 1, 0.85), zoom=zoom)  # the layout does not see the label of the third axis


def open_figure(width: float, height: float) -> Figure:
    """Make a figure for several panels, with width and height in inches; pyplot does not keep it."""
    # Loads the backend: only with it a notebook learns to show figures that pyplot does not keep.
    plt.draw_if_interactive()
    return Figure(figsize=(width, height), layout="constrained")


def set_text_sizes(ax: Axes) -> None:
    """Set the text of axes that this package opened to the sizes for one column's width."""
    ax.tick_params(labelsize=SMALL)
    for axis in (ax.xaxis, ax.yaxis, getattr(ax, "zaxis", ax.xaxis)):
        axis.label.set_fontsize(MEDIUM)
    ax.title.set_fontsize(MEDIUM)
