"""Distances of matrices whose distances are known."""

import numpy as np
import xarray as xr

from biornn.analysis import distance_from_initial, distance_from_orthogonal

MATRIX = ("unit_pre", "unit_post")


def orthogonal(n_units: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(0).standard_normal((n_units, n_units)))[0]


def test_distance_from_initial() -> None:
    initial = orthogonal(6)
    change = np.zeros((6, 6))
    change[2, 3] = 0.6
    weights = xr.DataArray(np.stack([initial, initial + change, 3 * initial]), dims=("snapshot", *MATRIX))
    np.testing.assert_allclose(distance_from_initial(weights), [0, 0.6 / np.sqrt(6), 2])
    two = xr.concat([weights, weights * 0, weights * np.nan], dim="network")
    assert np.isnan(distance_from_initial(two).isel(network=[1, 2])).all()


def test_distance_from_orthogonal() -> None:
    turned = orthogonal(6)
    assert distance_from_orthogonal(xr.DataArray(turned, dims=MATRIX)) < 1e-12
    np.testing.assert_allclose(distance_from_orthogonal(xr.DataArray(0 * turned, dims=MATRIX)), 1)
    stretched = turned @ np.diag([1.0, 1, 1, 1, 1, 4])  # the nearest orthogonal matrix is `turned` itself
    expected = np.linalg.norm(stretched - turned) / np.linalg.norm(turned)
    both = xr.DataArray(np.stack([stretched, stretched * np.nan]), dims=("network", *MATRIX))
    np.testing.assert_allclose(distance_from_orthogonal(both), [expected, np.nan])
