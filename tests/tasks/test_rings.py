"""Rings against angles by hand."""

import numpy as np
import pytest
import xarray as xr

from biornn.tasks.rings import (
    angle_of,
    angular_distance,
    around,
    directions,
    nearest_direction,
    sector_of,
    sine_and_cosine,
    von_mises,
)


def test_directions_are_evenly_spaced():
    assert directions(8) == [0, 45, 90, 135, 180, 225, 270, 315]
    assert directions(1) == [0]


def test_sectors_around_directions_tile_the_ring():
    np.testing.assert_allclose(np.rad2deg(around([90, 0, 0], [0.5, 0.75, 0], 4)), [90, 22.5, 315])
    share = (np.arange(10) + 0.5) / 10
    angles = np.sort(np.concatenate([around(one, share, 8) for one in directions(8)]))
    np.testing.assert_allclose(np.diff(angles), 2 * np.pi / 80)
    assert angles.min() >= 0
    assert angles.max() < 2 * np.pi


@pytest.mark.parametrize(("angle", "expected"), [(0, 0), (44, 0), (46, 90), (314, 270), (316, 0), (360, 0)])
def test_the_nearest_direction_is_that_of_the_sector(angle, expected):
    assert nearest_direction(np.deg2rad(angle), 4) == expected


def test_tuned_units_by_hand():
    responses = von_mises(np.deg2rad([0, 90]), n_units=4, kappa=2, height=4)
    side, back = 4 * np.exp(-2), 4 * np.exp(-4)  # 4 exp(2 (cos d - 1)) at 90 and 180 degrees
    np.testing.assert_allclose(responses, [[4, side, back, side], [side, 4, side, back]], rtol=1e-6)
    assert responses.dtype == np.float32
    np.testing.assert_array_equal(von_mises([0.3, 1], 5, 0, 1), 1)  # without a concentration, all respond alike


def test_sine_and_cosine_give_the_angle_back():
    angle = np.linspace(-3, 3, 25).reshape(5, 5)
    pairs = sine_and_cosine(angle)
    np.testing.assert_allclose(pairs, np.stack([np.sin(angle), np.cos(angle)], axis=-1), atol=1e-6)
    outputs = xr.DataArray(np.insert(2.5 * pairs, 0, 7, axis=-1), dims=("network", "trial", "output_channel"))
    found = angle_of(outputs)
    assert found.dims == ("network", "trial")
    np.testing.assert_allclose(found, angle, atol=1e-6)  # also where they are not of length 1


def test_distances_go_round_the_ring():
    one, other = np.deg2rad([0, 10, 350, 0, 90, -170]), np.deg2rad([0, 350, 10, 180, 720, 170])
    np.testing.assert_allclose(np.rad2deg(angular_distance(one, other)), [0, 20, 20, 180, 90, 20], atol=1e-9)
    np.testing.assert_allclose(angular_distance(one, other), angular_distance(other, one), atol=1e-12)


def test_a_sector_is_named_after_its_direction():
    angle = np.deg2rad([0, 44, 46, 314, -46, 359.9, 720, np.nan])
    names = sector_of(xr.DataArray(angle, dims="trial"), 4)
    assert names.values.tolist() == ["0", "0", "90", "270", "270", "0", "0", ""]
    assert sector_of(xr.DataArray(angle[:3], dims="trial"), 16).values.tolist() == ["0", "45", "45"]
