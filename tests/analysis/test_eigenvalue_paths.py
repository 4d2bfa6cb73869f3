"""Planted paths are found again; who left the circle, and when."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import (
    distance_from_orthogonal,
    dominant_eigenvalue,
    eigenmodes,
    eigenspectrum,
    eigenvalue_paths,
    escape_update,
    memory_cube,
    n_outside,
)


def test_shuffled_paths_are_put_together_again() -> None:
    rng = np.random.default_rng(0)
    start = rng.standard_normal(30) + 1j * rng.standard_normal(30)
    steps = 0.01 * (rng.standard_normal((6, 30)) + 1j * rng.standard_normal((6, 30)))
    planted = start + np.cumsum(steps, axis=0)
    shuffled = np.array([rng.permutation(values) for values in planted[:-1]] + [planted[-1]])
    paths = eigenvalue_paths(xr.DataArray(shuffled, dims=("snapshot", "mode")))
    np.testing.assert_array_equal(paths, planted)


def test_networks_broadcast_and_dims_keep_their_order() -> None:
    values = xr.DataArray(np.random.default_rng(1).standard_normal((3, 2, 4)), dims=("mode", "network", "snapshot"))
    paths = eigenvalue_paths(values)
    assert paths.dims == values.dims
    xr.testing.assert_equal(paths.isel(network=1), eigenvalue_paths(values.isel(network=1)))
    np.testing.assert_array_equal(np.sort(paths, axis=0), np.sort(values, axis=0))


def test_a_snapshot_that_is_not_finite_is_passed_over() -> None:
    values = xr.DataArray([[0.9, -0.9], [np.nan, np.nan], [-1.0, 1.0]], dims=("snapshot", "mode"))
    np.testing.assert_array_equal(eigenvalue_paths(values), [[-0.9, 0.9], [np.nan, np.nan], [-1.0, 1.0]])
    assert np.isnan(eigenvalue_paths(values * np.nan)).all()


def test_the_number_outside() -> None:
    values = xr.DataArray([[1.0, 1j, -1.01, 0.9 + 0.9j], [0.1, 0.2, 0.3, np.nan]], dims=("snapshot", "mode"))
    np.testing.assert_array_equal(n_outside(values), [2, np.nan])
    np.testing.assert_array_equal(n_outside(values, radius=1.02), [1, np.nan])
    orthogonal = np.linalg.qr(np.random.default_rng(0).standard_normal((50, 50)))[0]
    weights = xr.DataArray(orthogonal, dims=("unit_pre", "unit_post"))
    assert n_outside(eigenspectrum(weights), radius=1.001) == 0
    with pytest.raises(ValueError, match="radius: expected a number of at least 0"):
        n_outside(values, radius=-1.0)


def test_when_an_eigenvalue_left_for_good() -> None:
    moduli = [[0.9, 0.9, 0.9, 1.1], [1.1, 0.9, 1.1, 1.1], [1.1, 1.1, 0.9, 1.1]]
    paths = xr.DataArray(moduli, dims=("snapshot", "mode"), coords={"update": ("snapshot", [0, 100, 250])})
    np.testing.assert_array_equal(escape_update(paths), [100, 250, np.nan, 0])
    snapshots = paths.drop_vars("update").assign_coords(snapshot=[0, 1, 5])
    np.testing.assert_array_equal(escape_update(snapshots), [1, 5, np.nan, 0])
    unknown = snapshots.assign_coords(update=("snapshot", [0, -1, -1]))
    np.testing.assert_array_equal(escape_update(unknown), [1, 5, np.nan, 0])
    assert (escape_update(unknown).units, escape_update(paths).units) == ("1", "update")
    gap = xr.DataArray([[2.0, 0.5], [np.nan, np.nan], [2.0, 2.0], [np.nan, np.nan]], dims=("snapshot", "mode"))
    np.testing.assert_array_equal(escape_update(gap.assign_coords(snapshot=[0, 1, 2, 3])), [0, 2])
    with pytest.raises(ValueError, match="'snapshot' is missing"):
        escape_update(paths.isel(snapshot=0))


def test_chunked_arrays_go_in_too(run: xr.DataTree) -> None:
    weights = run["weights"].recurrent_weights
    chunked = weights.chunk({"network": 1})
    for function in (
        lambda w: eigenvalue_paths(eigenspectrum(w)),
        lambda w: eigenmodes(w)["condition_number"],
        lambda w: dominant_eigenvalue(eigenspectrum(w))["eigenvalue"],
        distance_from_orthogonal,
    ):
        xr.testing.assert_allclose(function(chunked).compute(), function(weights))
    rates, states = run["probe_activity"].rates, run["probe_trials"].memory_state
    for name, score in memory_cube(rates.chunk({"network": 1}), states).compute().data_vars.items():
        xr.testing.assert_allclose(score, memory_cube(rates, states)[name])
