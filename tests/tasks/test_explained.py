import numpy as np
import pytest
import xarray as xr

from biornn.tasks.explained import share_explained

DIMS = ("trial", "time", "output_channel")
TARGETS = xr.DataArray(np.random.default_rng(0).standard_normal((3, 50, 2)), dims=DIMS)
ALL = xr.DataArray(np.ones((3, 50), bool), dims=DIMS[:2])


@pytest.mark.parametrize("factor", [0.0, 0.5, 0.9, 1.0, 1.5, 2.0, 3.0, -1.0])
def test_outputs_in_proportion_explain_what_the_closed_form_says(factor):
    found = share_explained(factor * TARGETS, TARGETS, ALL)
    np.testing.assert_allclose(found, [max(0, 1 - (1 - factor) ** 2)] * 3, atol=1e-12)


def test_noise_takes_its_own_power():
    targets = xr.DataArray(np.ones((1, 40_000, 1)), dims=DIMS)
    noise = 0.3 * np.random.default_rng(1).standard_normal(targets.shape)
    found = share_explained(targets + noise, targets, targets[..., 0] > 0).item()
    assert found == pytest.approx(1 - 0.09, abs=4 * 0.09 * np.sqrt(2 / 40_000))  # standard errors of a variance


def test_samples_that_do_not_count_do_not_count():
    counts = ALL & (xr.DataArray(np.arange(50), dims="time") < 20)
    outputs = TARGETS.where(counts, 1e30)
    outputs[0, 30] = np.nan
    assert (share_explained(outputs, TARGETS, counts) == 1).all()


def test_where_there_is_nothing_to_explain_there_is_no_score():
    targets = TARGETS.copy()
    targets[1] = 0.0
    np.testing.assert_array_equal(share_explained(targets, targets, ALL), [1, np.nan, 1])


def test_large_outputs_of_single_precision_do_not_overflow():
    targets = TARGETS.astype(np.float32)
    assert (share_explained(targets * 0 + np.float32(1e38), targets, ALL) == 0).all()
