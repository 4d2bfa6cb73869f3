import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.similarity_map import similarity_map

PLANE = np.random.default_rng(0).normal(size=(6, 2))


def make_matrix(values, condition, **attrs):
    dims = ("network", "other_network")
    return xr.DataArray(values, dims=dims, coords={"condition": ("network", list(condition))}, attrs=attrs)


def distances(points):
    return np.linalg.norm(points[:, np.newaxis] - points, axis=-1)


def drawn(ax):
    return np.concatenate([points.get_offsets() for points in ax.collections])


def test_points_of_a_plane_come_back_up_to_a_turn():
    matrix = make_matrix(distances(PLANE), "aabbcc", units="rad")
    ax = similarity_map(matrix)
    # Roots of eigenvalues that are good to 1e-16 of the largest.
    np.testing.assert_allclose(distances(drawn(ax)), matrix, atol=1e-7)
    assert ax.get_title(loc="left") == "plane: 100 % of the squared distances"
    assert [points.get_label() for points in ax.collections] == ["a", "b", "c"]
    assert ax.get_xlabel() == "first coordinate (rad)"
    # The larger spread lies along the first coordinate.
    assert np.ptp(drawn(ax)[:, 0]) > np.ptp(drawn(ax)[:, 1])


def test_networks_keep_their_condition_whatever_the_order():
    order = [4, 0, 2, 5, 1, 3]
    ax = similarity_map(make_matrix(distances(PLANE[order]), "cabcab"))
    assert [points.get_label() for points in ax.collections] == ["c", "a", "b"]
    first = PLANE[[4, 5]]
    np.testing.assert_allclose(distances(ax.collections[0].get_offsets().data), distances(first), atol=1e-7)


def test_similarities_become_angles():
    angles = np.array([0.0, 0.3, 1.0])
    ax = similarity_map(make_matrix(np.cos(angles[:, np.newaxis] - angles), "aab"))
    # Angles on a line: one coordinate holds them all. The arc cosine is good to the root of rounding.
    np.testing.assert_allclose(distances(drawn(ax)), np.abs(angles[:, np.newaxis] - angles), atol=1e-6)
    assert ax.get_xlabel() == "first coordinate (rad)"


def test_share_is_that_of_the_plane():
    corners = 2.0 * np.eye(4)  # a regular tetrahedron: three equal directions
    ax = similarity_map(make_matrix(distances(corners), "aabb"))
    assert ax.get_title(loc="left") == "plane: 67 % of the squared distances"


def test_failed_networks_are_left_out_and_counted():
    values = distances(PLANE)
    values[1] = values[:, 1] = np.nan
    ax = similarity_map(make_matrix(values, "aabbcc"))
    assert [points.get_label() for points in ax.collections] == ["a (1 failed)", "b", "c"]
    assert len(drawn(ax)) == 5


def test_conditions_differ_by_colour_and_marker():
    ax = similarity_map(make_matrix(distances(PLANE), "aabbcc"))
    assert len({tuple(points.get_facecolor()[0]) for points in ax.collections}) == 3
    assert len({points.get_paths()[0].vertices.tobytes() for points in ax.collections}) == 3


def test_networks_that_coincide_and_given_axes():
    _, ax = plt.subplots()
    assert similarity_map(make_matrix(np.zeros((2, 2)), "ab"), ax=ax) is ax
    np.testing.assert_allclose(drawn(ax), 0.0)


def test_too_few_networks_are_refused():
    values = distances(PLANE[:2])
    values[1] = values[:, 1] = np.nan
    with pytest.raises(ValueError, match="matrix: expected at least two networks with values, got 1"):
        similarity_map(make_matrix(values, "ab"))
