"""Pictures of a report, each drawn once, and the text that replaces them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 150  # pixels per inch; a page shows 110
#: Size on the page, in its points per inch of the figure.
POINTS_PER_INCH = 110


@dataclass(frozen=True)
class Picture:
    """A figure that is not drawn yet.

    `name` is that of its file, lower-case letters and underscores; `draw` computes nothing that could be computed
    before; `alt` says what it shows, with the main numbers, to readers who do not see it; `caption` also how to read
    it.
    """

    name: str
    draw: Callable[[], Figure]
    alt: str
    caption: str
    kind: ClassVar[str] = "picture"


def png(figure: Figure) -> bytes:
    """Draw a figure as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = BytesIO()
    figure.set_dpi(_DPI)
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
    # `savefig` would draw all of it twice: once more for the layout, which is done.
    # The fastest compression that still halves the size: pictures are drawn often, and copied seldom.
    FigureCanvasAgg(figure).print_png(buffer, pil_kwargs={"compress_level": 3})
    return buffer.getvalue()


def network_panels(
    name: str,
    networks: Sequence[str],
    draw: Callable[[str, Axes], Any],
    say: Callable[[str], str],
    alt: str,
    caption: str,
) -> Picture:
    """Make a picture with a panel per network; `alt` is followed by what `say` gives for each of them."""

    def figure_of() -> Figure:
        from biornn.plots.panels import panels

        return panels(networks, draw)

    said = "; ".join(f"{network}: {say(network)}" for network in networks)
    return Picture(name, figure_of, f"{alt} {said}.", caption)


def one_panel(draw: Callable[[Axes], Any], height: float) -> Callable[[], Figure]:
    """Make the `draw` of a `Picture` that is one column wide from a function that draws into one Axes."""

    def figure_of() -> Figure:
        from biornn.plots.style import COLUMN_WIDTH, open_panels, set_text_sizes

        figure, (ax,) = open_panels(1, 1, COLUMN_WIDTH, height)
        draw(ax)
        set_text_sizes(ax)
        return figure

    return figure_of
