"""How every figure looks: column width, sizes of text, colours, markers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from biornn.schema import CELL_TYPES

#: Width of one column of a journal, 85 mm, and of two, in inches.
COLUMN_WIDTH, PAGE_WIDTH = 3.35, 6.9
_TALLEST = 9.3  # inches that a page has for a figure
#: Sizes of text in points: ticks, legends and annotations; labels of axes.
SMALL, MEDIUM = 7, 8
#: Grey for what is there for comparison only.
GREY = "0.6"
#: Told apart by readers who do not see all colours; grey is left out, and yellow, faint on white, comes last.
COLOURS = [sns.color_palette("colorblind")[index] for index in (0, 1, 2, 3, 4, 5, 9, 6, 8)]
#: Red drives and blue holds back, as in diverging maps of weights.
CELL_TYPE_COLOURS = {"excitatory": COLOURS[3], "inhibitory": COLOURS[0], "unconstrained": COLOURS[2]}
_SHADE = 0.5  # how far the darkest shade of a colour is on the way to black, and the lightest on that to white
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
LINES: list[str | tuple[int, tuple[int, ...]]] = ["-", (0, (4, 1)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (7, 2))]


def cell_type_colours(signs: Mapping[str, int]) -> dict[str, tuple[float, float, float]]:
    """Give each cell type, whose sign is given, the colour of its sign; several of one sign, shades from dark to light.

    Examples
    --------
    >>> colours = cell_type_colours({"E": 1, "PV": -1, "SST": -1})
    >>> colours["E"] == CELL_TYPE_COLOURS["excitatory"]
    True
    >>> sum(colours["PV"]) < sum(CELL_TYPE_COLOURS["inhibitory"]) < sum(colours["SST"])
    True
    """
    found: dict[str, Any] = {}
    for base, sign in CELL_TYPES.items():
        names, colour = [name for name, one in signs.items() if one == sign], CELL_TYPE_COLOURS[base]
        dark, light = ([float(np.interp(_SHADE, [0, 1], [part, end])) for part in colour] for end in (0, 1))
        shades = sns.blend_palette([tuple(dark), colour, tuple(light)], max(len(names), 2))  # type: ignore[list-item]
        found |= zip(names, [tuple(shade) for shade in shades] if len(names) > 1 else [colour], strict=False)
    return {name: found[name] for name in signs}


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


def axis_label(values: xr.DataArray) -> str:
    """Write what values are called, and their units if they have any: the label of their axis."""
    units = values.attrs.get("units", "1")
    name = str(values.attrs.get("long_name", values.name))
    return name if units in ("", "1", name) else f"{name} ({units})"


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


_asked_width: ContextVar[float | None] = ContextVar("_asked_width", default=None)


@contextmanager
def figures_of_width(width: float | None) -> Iterator[None]:
    """Have `open_figure` and `open_panels` make figures of this width in inches; the sizes of text stay.

    Panels are put below one another rather than made much narrower than they are by themselves.
    """
    token = _asked_width.set(width)
    try:
        yield
    finally:
        _asked_width.reset(token)


def open_figure(width: float, height: float) -> Figure:
    """Make a figure for several panels, with width and height in inches; pyplot does not keep it."""
    # Loads the backend: only with it a notebook learns to show figures that pyplot does not keep.
    plt.draw_if_interactive()
    asked = _asked_width.get() or width
    return Figure(figsize=(asked, height * max(1.0, asked / width)), layout="constrained")


def open_panels(
    n_panels: int, n_columns: int, width: float, height: float, **options: Any
) -> tuple[Figure, list[Any]]:  # matplotlib publishes no types of 3-D axes
    """Make a figure of panels of a width and height in inches, some side by side, and return the panels in order.

    Other arguments are those of `matplotlib.figure.Figure.subplots`.
    """
    figure_width = n_columns * width
    tallest = np.inf
    if (asked := _asked_width.get()) is not None:
        n_columns = min(n_panels, max(1, round(asked / width)))
        figure_width, height, tallest = asked, height * asked / n_columns / width, _TALLEST
    n_rows = -(-n_panels // n_columns)
    figure = open_figure(figure_width, min(n_rows * height, tallest))
    axes = figure.subplots(n_rows, n_columns, squeeze=False, **options).ravel().tolist()
    for unused in axes[n_panels:]:
        unused.remove()
    return figure, axes[:n_panels]


def fitted(words: str, figure: Figure, size: float) -> str:
    """Break words, of a size in points, into lines that fit into a figure."""
    # A letter is about 0.6 times as wide as it is high.
    return fill(words, max(1, int(figure.get_figwidth() * 72 / (0.6 * size))))


def set_text_sizes(ax: Axes) -> None:
    """Set the text of axes that this package opened to the sizes for one column's width."""
    ax.tick_params(labelsize=SMALL)
    for axis in (ax.xaxis, ax.yaxis, getattr(ax, "zaxis", ax.xaxis)):
        axis.label.set_fontsize(MEDIUM)
    ax.title.set_fontsize(MEDIUM)
