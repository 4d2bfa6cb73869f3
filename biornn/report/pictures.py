"""Pictures of a report: for light and dark surroundings, for wide and narrow ones, and the text that replaces them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biornn.plots.style import COLUMN_WIDTH, open_figure, set_text_sizes

#: Pixels per inch: a figure of a page's width stays sharp on a screen with two pixels per point of the page.
_DPI = 200
#: Size on the page, in its points per inch of the figure.
_POINTS_PER_INCH = 110
_INK, _PAPER = "#dfe3e8", "#171b21"  # as in page.css
_DARK: dict[Any, str] = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), _PAPER),
    "grid.color": "0.35",
}


@dataclass(frozen=True)
class Picture:
    """A figure, to be drawn once its surroundings are known.

    Parameters
    ----------
    name
        What its file is called.
    draw
        Takes how many panels may stand in a row (2 on a page, 1 on a phone), returns a new figure each time. It
        computes nothing that could be computed before.
    alt
        What it shows, with the main numbers, for those who do not see it.
    caption
        What it shows, and how to read it.
    """

    name: str
    draw: Callable[[int], Figure]
    alt: str
    caption: str
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Image:
    """One version of a picture, whole within the page.

    Parameters
    ----------
    media
        Media query for which it is meant.
    address
        ``data:`` URL.
    width, height
        Size on the page, in points.
    """

    media: str
    address: str
    width: int
    height: int


def images(picture: Picture) -> list[Image]:
    """Draw all versions of a picture.

    Parameters
    ----------
    picture
        The picture.

    Returns
    -------
    list of Image
        In the order in which a browser should try them; the last is for all that is left: wide and light, as it is
        printed. A picture that is narrow anyway has one width.
    """
    is_wide = picture.draw(2).get_figwidth() > COLUMN_WIDTH
    sizes = [(1, "(max-width: 40rem)"), (2, "")] if is_wide else [(2, "")]
    return [
        _image(picture, n_columns, " and ".join(["screen", *filter(None, [size, scheme])] if size or scheme else []))
        for n_columns, size in sizes
        for scheme in ("(prefers-color-scheme: dark)", "")
    ]


def _image(picture: Picture, n_columns: int, media: str) -> Image:
    buffer = BytesIO()
    with mpl.rc_context(_DARK if "dark" in media else None):
        figure = picture.draw(n_columns)
        # Lossless: lines and text stay exact, at about half of a PNG's size.
        figure.savefig(buffer, format="webp", dpi=_DPI, pil_kwargs={"lossless": True, "method": 4})
    width, height = (round(_POINTS_PER_INCH * inches) for inches in figure.get_size_inches())
    return Image(media, "data:image/webp;base64," + b64encode(buffer.getvalue()).decode(), width, height)


def one_panel(draw: Callable[[Axes], Any], height: float) -> Callable[[int], Figure]:
    """Make what a `Picture` draws from what draws into one Axes; it has one column's width.

    Parameters
    ----------
    draw
        Draws into the Axes that it is given.
    height
        Height of the figure, in inches.
    """

    def figure_of(n_columns: int) -> Figure:
        figure = open_figure(COLUMN_WIDTH, height)
        ax = figure.add_subplot()
        draw(ax)
        set_text_sizes(ax)
        return figure

    return figure_of
