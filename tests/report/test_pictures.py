from io import BytesIO

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from biornn.plots.style import COLUMN_WIDTH, open_figure
from biornn.report.pictures import Picture, one_panel, png
from biornn.report.section import Section, drawn


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(content)).convert("L"), float)


def test_a_figure_is_drawn_once_as_matplotlib_draws_it() -> None:
    def figure() -> Figure:
        new = open_figure(2.0, 1.5)
        new.add_subplot().plot([0, 1], label="a line")
        new.legend(loc="outside lower center")
        return new

    buffer = BytesIO()
    figure().savefig(buffer, format="png", dpi=150)
    np.testing.assert_array_equal(pixels(png(figure())), pixels(buffer.getvalue()))


def test_a_section_becomes_plain_data_and_pictures() -> None:
    figures = []

    def draw() -> Figure:
        figures.append(Figure(figsize=(2, 1)))
        return figures[-1]

    section = drawn(Section("id", "Title", ("a paragraph", Picture("name", draw, "alt", "caption"))))
    assert len(figures) == 1
    assert section.data == {
        "id": "id",
        "title": "Title",
        "blocks": [
            "a paragraph",
            {"kind": "picture", "name": "name", "alt": "alt", "caption": "caption", "width": 220, "height": 110},
        ],
    }
    assert pixels(section.pictures["name"]).shape == (150, 300)


def test_one_panel_is_as_wide_as_a_column() -> None:
    figure = one_panel(lambda ax: ax.plot([0, 1]), 2.0)()
    assert tuple(figure.get_size_inches()) == (COLUMN_WIDTH, 2.0)
    assert len(figure.axes[0].get_lines()) == 1
