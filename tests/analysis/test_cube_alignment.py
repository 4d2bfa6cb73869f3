"""Cubes of any turn, size and place come to lie on the ideal one."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import align_cubes, align_scores, memory_cube, principal_components

from .test_memory_cube import corners, planted, rotation


def test_turned_cubes_lie_on_each_other_when_aligned() -> None:
    turned = [planted(size * corners(3) @ rotation(9, seed)[:3] + seed) for seed, size in enumerate((1.0, 3.0, 0.5))]
    rates = xr.concat([rates for rates, _ in turned], dim="network")
    alignment = align_cubes(memory_cube(rates, turned[0][1]))
    for network in range(3):
        np.testing.assert_allclose(alignment["centroids"].isel(network=network), corners(3), atol=1e-9)
    np.testing.assert_allclose(alignment["scale"], [1.0, 3.0, 0.5])
    scores = principal_components(rates)["scores"]
    aligned = align_scores(scores, alignment)
    assert aligned.sizes["bit"] == 3
    np.testing.assert_allclose(aligned.isel(network=1, trial=0, time=slice(None, None, 4)), corners(3), atol=1e-9)


def test_what_cannot_be_aligned_is_refused() -> None:
    cube = memory_cube(*planted(corners(2) @ np.eye(2, 3)))
    with pytest.raises(ValueError, match="expected at least 2 components"):
        align_cubes(cube.isel(component=[0]))
    with pytest.raises(ValueError, match="expected the variable 'centroids'"):
        align_cubes(cube[["spread"]])
