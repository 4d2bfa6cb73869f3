import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.analysis import fixed_points as find
from biornn.analysis import slow_manifolds as trace
from biornn.plots import fixed_point_eigenvalues, fixed_points, fixed_points_in_training, slow_manifolds
from tests.analysis.test_fixed_points import one

RATES = np.array([[1.0, 0, 0, 0], [-1, 0, 0, 0], [0, 0, 0.5, 0], [0, 2, 0, 0], [np.nan] * 4])
EIGENVALUES = np.array([[0.5, 0.1], [0.6, 0.2j], [1.2, 0.3], [0.99, 0.4], [np.nan, np.nan]])


def points():
    """Two stable points, a saddle between them, a slow point, and padding."""
    return xr.Dataset(
        {
            "rates": (("fixed_point", "unit"), RATES),
            "outputs": (("fixed_point", "output_channel"), 2 * RATES[:, :3]),
            "kind": ("fixed_point", ["stable", "stable", "saddle", "slow", ""]),
            "n_unstable": ("fixed_point", [0, 0, 1, -1, -1]),
            "eigenvalues": (("fixed_point", "mode"), EIGENVALUES),
        },
        {"output_channel": ["bit_1", "bit_2", "bit_3"]},
    )


def outputs():
    values = np.random.default_rng(0).normal(size=(2, 5, 3))
    return xr.DataArray(values, {"output_channel": ["bit_1", "bit_2", "bit_3"]}, ("trial", "time", "output_channel"))


def drawn(ax):
    return {one.get_label(): np.array(one._offsets3d).T for one in ax.collections}


def test_each_kind_stands_at_its_outputs():
    leads_to = xr.DataArray([[-1, -1], [-1, -1], [0, 1], [-1, -1], [-1, -1]], dims=("fixed_point", "side"))
    ax = fixed_points(points(), outputs(), leads_to)
    found = drawn(ax)
    assert list(found) == ["stable", "saddle, 1 unstable mode", "slow"]
    np.testing.assert_array_equal(found["stable"], 2 * RATES[:2, :3])
    np.testing.assert_array_equal(found["slow"], 2 * RATES[3:4, :3])
    paths, joined = ax.get_lines()[:2], ax.get_lines()[2:]
    np.testing.assert_array_equal(np.array(paths[1].get_data_3d()).T, outputs().values[1])
    for line, attractor in zip(joined, (0, 1), strict=True):
        np.testing.assert_array_equal(np.array(line.get_data_3d()).T, 2 * RATES[[2, attractor], :3])
    assert ax.get_xlabel() == "output bit 1"


def test_in_components_the_points_are_where_the_activity_is():
    # Activity that visits the points: their scores are those of the same activity.
    rates = xr.DataArray(RATES[np.newaxis, [0, 1, 2, 3]], dims=("trial", "time", "unit"))
    ax = fixed_points(points(), rates)
    path = np.array(ax.get_lines()[0].get_data_3d()).T
    np.testing.assert_allclose(np.concatenate(list(drawn(ax).values())), path, atol=1e-12)
    assert ax.get_zlabel() == "component 3 (a.u.)"


def test_eigenvalues_by_kind_without_slow_points():
    ax = fixed_point_eigenvalues(points())
    found = {one.get_label(): np.asarray(one.get_offsets()) for one in ax.collections}
    assert list(found) == ["saddle, 1 unstable mode", "stable"]
    np.testing.assert_array_equal(found["stable"], [[0.5, 0], [0.1, 0], [0.6, 0], [0, 0.2]])
    low, high = ax.get_xlim()
    assert low < 0
    assert 1.2 < high < 1.5


def test_modes_that_other_networks_have_are_padding():
    ax = fixed_point_eigenvalues(points().pad({"mode": (0, 2)}))
    assert {one.get_label(): len(one.get_offsets()) for one in ax.collections} == {
        "saddle, 1 unstable mode": 2,
        "stable": 4,
    }
    assert ax.get_xlim() == fixed_point_eigenvalues(points()).get_xlim()


def test_a_pitchfork_in_training():
    first = points().assign(kind=("fixed_point", ["", "", "stable", "", ""]))
    both = xr.concat([first, points()], "snapshot")
    ax = fixed_points_in_training(both.assign_coords(update=("snapshot", [0, 50])), "bit_1")
    found = {one.get_label(): np.asarray(one.get_offsets()).tolist() for one in ax.collections}
    assert found == {"stable": [[0, 0], [50, 2], [50, -2]], "saddle, 1 unstable mode": [[50, 0]], "slow": [[50, 0]]}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("update", "output bit 1")
    with pytest.raises(ValueError, match="output_channel: expected one of bit_1, bit_2, bit_3, got 'bit_9'"):
        fixed_points_in_training(both, "bit_9")


def test_the_speed_along_a_curve():
    weights = one([[1.6]], alpha=0.1)
    found = find(weights)
    curves = trace(found.isel(fixed_point=[2]), weights, step=0.05, n_steps=40, slow=1e9)
    ax = slow_manifolds(curves)
    line = ax.get_lines()[1]
    np.testing.assert_array_equal(line.get_ydata(), curves.speed[0])
    x, y = (values[np.isfinite(line.get_ydata())] for values in line.get_data())
    assert len(x) > 20
    np.testing.assert_allclose(y, 0.1 * (np.tanh(1.6 * x) - x), atol=1e-9)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least 3 along output_channel, got 2"):
        fixed_points(points(), outputs().isel(output_channel=slice(2)))
    with pytest.raises(ValueError, match="ax: expected 3-D Axes"):
        fixed_points(points(), outputs(), ax=plt.figure().add_subplot())
    with pytest.raises(ValueError, match="select one network first"):
        fixed_point_eigenvalues(points().expand_dims(network=2))
