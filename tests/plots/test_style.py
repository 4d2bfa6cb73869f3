import matplotlib.pyplot as plt

from biornn.plots.style import COLOURS, COLUMN_WIDTH, SMALL, open_axes


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
