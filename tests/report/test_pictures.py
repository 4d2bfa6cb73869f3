from base64 import b64decode
from io import BytesIO

import numpy as np
from matplotlib import rcParams
from matplotlib.figure import Figure
from PIL import Image as Pixels

from biornn.plots.style import COLUMN_WIDTH, PAGE_WIDTH
from biornn.report.pictures import Picture, images


def mean_colour(address: str) -> float:
    kind, data = address.split(",", 1)
    assert kind == "data:image/webp;base64"
    return float(np.asarray(Pixels.open(BytesIO(b64decode(data))).convert("L")).mean())


def test_a_wide_picture_has_a_version_for_each_width_and_scheme() -> None:
    drawn = []

    def draw(n_columns: int) -> Figure:
        drawn.append((n_columns, rcParams["text.color"]))
        return Figure(figsize=(PAGE_WIDTH if n_columns > 1 else COLUMN_WIDTH, 1))

    found = images(Picture("wide", draw, "alt", "caption"))
    narrow, dark = "(max-width: 40rem)", "(prefers-color-scheme: dark)"
    assert [image.media for image in found] == [
        f"screen and {narrow} and {dark}",
        f"screen and {narrow}",
        f"screen and {dark}",
        "",
    ]
    assert [image.width for image in found] == [368, 368, 759, 759]
    assert [mean_colour(image.address) < 60 for image in found] == [True, False, True, False]
    assert len({colour for _, colour in drawn}) == 2
    assert rcParams["text.color"] == "black"  # left as it was


def test_a_narrow_picture_has_one_width() -> None:
    found = images(Picture("narrow", lambda n_columns: Figure(figsize=(COLUMN_WIDTH, 1)), "alt", "caption"))
    assert [image.media for image in found] == ["screen and (prefers-color-scheme: dark)", ""]
