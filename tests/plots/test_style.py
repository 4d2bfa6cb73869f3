import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from biornn.plots.style import (
    CELL_TYPE_COLOURS,
    COLOURS,
    COLUMN_WIDTH,
    SMALL,
    cell_type_colours,
    figures_of_width,
    fitted,
    open_axes,
    open_figure,
    open_panels,
)


def test_new_axes_are_one_column_wide_with_legible_text():
    ax = open_axes(None, height=2.0)
    assert ax.figure.get_size_inches().tolist() == [COLUMN_WIDTH, 2.0]
    texts = [ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()]
    assert len(texts) > 2
    assert all(text.get_size() >= 7 for text in texts)
    assert SMALL >= 7


def test_given_axes_are_left_as_they_are():
    _, ax = plt.subplots()
    size = ax.xaxis.label.get_size()
    assert open_axes(ax, height=1.0) is ax
    assert ax.xaxis.label.get_size() == size
    assert len(plt.get_fignums()) == 1


def test_no_colour_is_a_grey():
    assert all(max(colour) - min(colour) > 0.1 for colour in COLOURS)
    assert len(set(COLOURS)) == len(COLOURS) == 9


def test_panels_keep_about_their_width_at_any_width_of_the_figure():
    figure, axes = open_panels(3, 3, width=2.0, height=1.0)
    assert tuple(figure.get_size_inches()) == (6.0, 1.0)
    assert [ax.get_subplotspec().colspan.start for ax in axes] == [0, 1, 2]
    for width, n_columns in ((1.5, 1), (2.9, 1), (3.1, 2), (6.0, 3), (9.0, 3)):
        with figures_of_width(width):
            figure, axes = open_panels(3, 3, width=2.0, height=1.0)
        n_rows = -(-3 // n_columns)
        assert figure.get_figwidth() == width
        assert figure.get_figheight() == pytest.approx(n_rows * width / n_columns / 2)  # panels keep their shape
        assert [ax.get_subplotspec().get_gridspec().get_geometry() for ax in axes] == [(n_rows, n_columns)] * 3
        assert figure.axes == axes  # and no empty one
    with figures_of_width(3.0):
        assert open_panels(20, 2, width=3.0, height=3.0)[0].get_figheight() < 9.5  # a page has no more
        assert open_figure(6.0, 2.0).get_size_inches().tolist() == [3.0, 2.0]
    assert open_figure(6.0, 2.0).get_figwidth() == 6.0


def test_words_are_broken_into_lines_that_fit():
    words = "line: median of networks, band: min to max"
    assert fitted(words, Figure(figsize=(6, 1)), size=7) == words
    narrow = fitted(words, Figure(figsize=(2, 1)), size=7).split("\n")
    assert " ".join(narrow) == words
    assert all(len(line) * 0.6 * 7 <= 2 * 72 for line in narrow)


def test_types_of_one_sign_are_shades_of_its_colour_and_the_usual_ones_are_as_ever():
    assert cell_type_colours({"excitatory": 1, "inhibitory": -1, "unconstrained": 0}) == CELL_TYPE_COLOURS
    colours = cell_type_colours({"E": 1, "PV": -1, "SST": -1, "VIP": -1})
    assert list(colours) == ["E", "PV", "SST", "VIP"]
    assert colours["E"] == CELL_TYPE_COLOURS["excitatory"]
    lightness = [sum(colours[name]) for name in ("PV", "SST", "VIP")]
    assert lightness[1] - lightness[0] > 0.4 < lightness[2] - lightness[1]  # told apart also in grey
    assert all(colours[name][2] == max(colours[name]) for name in ("PV", "SST", "VIP"))  # all are blue
