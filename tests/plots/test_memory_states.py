import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from biornn.plots.memory_states import memory_states
from biornn.plots.style import GREY

DIMS = ("trial", "time", "component")


def make_path(states=("00", "0+", "++", "++", "++", "+-", "+-")):
    scores = np.random.default_rng(0).normal(size=(1, len(states), 4))
    time = {"time": np.arange(len(states), dtype=float)}
    return xr.DataArray(scores, dims=DIMS, coords=time), xr.DataArray([list(states)], dims=DIMS[:2], coords=time)


def points(collection):
    return np.array(collection._offsets3d).T


def by_label(ax):
    return {collection.get_label(): collection for collection in ax.collections}


def test_path_and_points_of_each_state():
    scores, states = make_path()
    ax = memory_states(scores.transpose(), states.transpose())
    values = scores.values[0, :, :3]
    np.testing.assert_array_equal(np.array(ax.get_lines()[0].get_data_3d()).T, values)
    drawn = by_label(ax)
    np.testing.assert_array_equal(points(drawn["++"]), values[2:5])
    np.testing.assert_array_equal(points(drawn["+-"]), values[5:])
    assert ax.get_xlabel() == "component 1 (a.u.)"
    assert ax.get_zlabel() == "component 3 (a.u.)"


def test_states_with_an_unset_bit_are_grey_and_the_legend_says_so():
    scores, states = make_path()
    ax = memory_states(scores, states)
    unset = by_label(ax)["a bit is not set yet"]
    np.testing.assert_array_equal(points(unset), scores.values[0, :2, :3])
    assert tuple(unset.get_edgecolor()[0, :3]) == to_rgb(GREY)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a bit is not set yet"]


def test_each_state_is_named_outside_of_a_large_marker_at_its_median():
    scores, states = make_path()
    ax = memory_states(scores, states)
    values = scores.values[0, :, :3]
    assert [text.get_text() for text in ax.texts] == ["++", "+\N{MINUS SIGN}"]
    large = np.array([points(one)[0] for one in ax.collections if one.get_sizes()[0] == 42])
    np.testing.assert_array_equal(large, [np.median(values[2:5], axis=0), np.median(values[5:], axis=0)])
    names = np.array([text.get_position_3d() for text in ax.texts])
    size = np.ptp(values, axis=0)
    between = [np.linalg.norm((pair[0] - pair[1]) / size) for pair in (names, large)]
    assert between[0] == pytest.approx(between[1] + 2 * 0.13)


def test_states_that_differ_in_one_bit_are_joined():
    names = [a + b + c for a in "+-" for b in "+-" for c in "+-"]
    scores, states = make_path(names)
    lines = memory_states(scores, states).get_lines()[1:]
    assert len(lines) == 12
    corners = {tuple(point): name for name, point in zip(names, scores.values[0, :, :3].tolist(), strict=True)}
    for line in lines:
        ends = [corners[tuple(point)] for point in np.array(line.get_data_3d()).T.tolist()]
        assert sum(one != other for one, other in zip(*ends, strict=True)) == 1


def test_aligned_paths_are_named_by_their_bits():
    scores, states = make_path()
    ax = memory_states(scores.rename(component="bit"), states)
    assert ax.get_ylabel() == "bit 2 (aligned)"


def test_states_differ_by_colour_and_marker():
    names = [a + b + c for a in "+-" for b in "+-" for c in "+-"]
    ax = memory_states(*make_path(names))
    drawn = [by_label(ax)[name] for name in names]
    assert len({tuple(one.get_facecolor()[0]) for one in drawn}) == 8
    assert len({one.get_paths()[0].vertices.tobytes() for one in drawn}) == 8
    assert ax.get_legend() is None


def test_nothing_but_unset_states_is_drawn_without_names():
    ax = memory_states(*make_path(["00", "0-"]))
    assert len(ax.texts) == 0


def test_draws_into_given_axes_if_they_have_three_dimensions():
    ax = plt.figure().add_subplot(projection="3d")
    assert memory_states(*make_path(), ax=ax) is ax
    with pytest.raises(ValueError, match=r"ax: expected 3-D Axes, got Axes; use fig\.add_subplot"):
        memory_states(*make_path(), ax=plt.figure().add_subplot())


def test_data_that_do_not_fit_are_refused():
    scores, states = make_path()
    with pytest.raises(ValueError, match=r"scores: .*select one network first"):
        memory_states(scores.expand_dims("network"), states)
    with pytest.raises(ValueError, match="expected at least 3 components, got 2"):
        memory_states(scores.isel(component=slice(2)), states)
    with pytest.raises(ValueError, match="memory_state: expected the trials and times of scores"):
        memory_states(scores, states.isel(time=slice(1, None)))
