import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color

from biornn.plots.similarity import similarity

NAN = np.nan


def make_matrix(values, condition, seed=None, **attrs):
    coords = {"condition": ("network", list(condition))}
    if seed is not None:
        coords["seed"] = ("network", list(seed))
    return xr.DataArray(np.asarray(values, float), dims=("network", "other_network"), coords=coords, attrs=attrs)


def names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def bar(ax):
    return next(other for other in ax.figure.axes if other is not ax)


def test_networks_stand_by_condition_and_seed_without_the_diagonal():
    values = [[1.0, 0.1, 0.2, 0.3], [0.1, 1.0, 0.4, 0.5], [0.2, 0.4, 1.0, 0.6], [0.3, 0.5, 0.6, 1.0]]
    ax = similarity(make_matrix(values, "baba", [1, 0, 0, 1]))
    order = [2, 0, 1, 3]  # condition b first, as in the design
    expected = np.array(values)[np.ix_(order, order)]
    np.fill_diagonal(expected, NAN)
    np.testing.assert_array_equal(ax.images[0].get_array().filled(NAN), expected)
    assert ax.images[0].get_clim() == (0.1, 0.6)
    assert names(ax) == ["b", "a"]
    assert ax.get_yticks().tolist() == [0.5, 2.5]  # the middles of two blocks of two
    assert ax.get_aspect() == 1


def test_lighter_is_more_alike_for_similarities_and_distances():
    values = np.array([[1.0, 0.2, 0.8], [0.2, 1.0, 0.5], [0.8, 0.5, 1.0]])
    for matrix in (values, 1 - values):
        image = similarity(make_matrix(matrix, "aab")).images[0]
        near, far = (image.cmap(image.norm(matrix[0, other]))[:3] for other in (2, 1))
        assert sum(near) > sum(far)


def test_colour_bar_names_the_measure_and_its_units():
    values = [[0.0, 0.5], [0.5, 0.0]]
    ax = similarity(make_matrix(values, "ab", units="rad", long_name="angular Procrustes distance"))
    assert bar(ax).get_xlabel() == "angular Procrustes distance (rad)\nlighter: more alike"
    ax = similarity(make_matrix(values, "ab", units="1", long_name="linear CKA"))
    assert bar(ax).get_xlabel() == "linear CKA\nlighter: more alike"


def test_failed_networks_are_grey_and_said_to_be():
    values = np.array([[1.0, NAN, 0.3], [NAN, NAN, NAN], [0.3, NAN, 1.0]])
    ax = similarity(make_matrix(values, "aab"))
    failed = np.isfinite(ax.images[1].get_array().filled(NAN))
    np.testing.assert_array_equal(failed, [[False, True, False], [True, True, True], [False, True, False]])
    grey = ax.images[1].cmap(ax.images[1].norm(0.6))
    assert same_color(grey, (0.6, 0.6, 0.6)) or np.allclose(grey[:3], 0.6, atol=1 / 256)  # a step of the colours
    assert "grey: failed" in ax.get_xlabel()
    assert "failed" not in similarity(make_matrix(np.eye(2) + 0.1, "ab")).get_xlabel()
    similarity(make_matrix(np.full((3, 3), NAN), "aab"))  # nothing at all is no error


def test_every_condition_is_bracketed_on_both_sides_in_its_colour():
    ax = similarity(make_matrix(np.eye(5) + 0.2, "aabbb"))
    bars = [line for line in ax.get_lines() if line.get_linewidth() == 3.0]
    assert len(bars) == 4
    assert [line.get_color() for line in bars[::2]] == [line.get_color() for line in bars[1::2]]
    assert bars[0].get_color() != bars[2].get_color()
    rows = bars[2].get_ydata()
    assert 1.5 <= rows[0] < 1.7
    assert 4.3 < rows[1] <= 4.5


def test_long_names_of_many_conditions_do_not_meet_and_leave_room():
    long = [
        f"dale-{d}+density-{s}+{a}" for d in ("none", "0.8") for s in (1.0, 0.2) for a in ("autapses", "no-autapses")
    ]
    matrix = make_matrix(np.random.default_rng(0).random((80, 80)), np.repeat(long, 10), list(range(10)) * 8)
    ax = similarity(matrix)
    ax.figure.canvas.draw()
    assert [name.replace("\n", "") for name in names(ax)] == long
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(above.y0 >= below.y1 - 1 for above, below in itertools.pairwise(boxes))  # to one pixel
    assert min(box.x0 for box in boxes) >= 0
    assert ax.get_window_extent().width > 0.5 * ax.figure.bbox.width


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert similarity(make_matrix(np.eye(2), "ab"), ax=ax) is ax


def test_what_cannot_be_drawn_is_refused_in_one_line():
    matrix = make_matrix(np.eye(2), "ab")
    with pytest.raises(ValueError, match="matrix: expected the coordinate 'condition' on network"):
        similarity(matrix.drop_vars("condition"))
    with pytest.raises(ValueError, match="select one snapshot first"):
        similarity(matrix.expand_dims("snapshot"))
