"""Means over networks and their intervals, by hand and against planted networks."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr

from biornn.analysis import pooled, psychometric


def networks(values, conditions):
    dims = ("network", "level")[: np.ndim(values)]
    return xr.DataArray(values, dims=dims, coords={"condition": ("network", list(conditions))})


def test_means_and_counts_by_hand():
    found = pooled(networks([[1.0, 2.0], [3.0, np.nan], [np.nan, np.nan], [7.0, 8.0]], "aaab"))
    assert found["condition"].values.tolist() == ["a", "b"]
    assert found["mean"].values.tolist() == [[2.0, 2.0], [7.0, 8.0]]
    assert found["n_networks"].values.tolist() == [[2, 1], [1, 1]]
    assert found["n_missing"].values.tolist() == [[1, 2], [0, 0]]
    assert found["ci_low"].isnull().values.tolist() == [[False, True], [True, True]]


def test_networks_that_are_all_alike_have_an_interval_without_width():
    found = pooled(networks([0.5, 0.5, 0.5], "aaa")).isel(condition=0)
    assert found["ci_low"].item() == found["ci_high"].item() == found["mean"].item() == 0.5


def test_without_conditions_all_networks_are_one():
    found = pooled(xr.DataArray([1.0, 2.0, 6.0], dims="network"))
    assert found["condition"].values.tolist() == ["all"]
    assert found["mean"].item() == 3


def test_intervals_hold_the_mean_as_often_as_is_said_of_comparisons():
    rng = np.random.default_rng(0)
    found = pooled(xr.DataArray(rng.normal(2, 1, (10, 400)), dims=("network", "draw")), n_resamples=999)
    held = ((found["ci_low"] <= 2) & (found["ci_high"] >= 2)).mean().item()
    # 90 % with ten networks, as `compare` says; four standard errors of a share of 400.
    assert held == pytest.approx(0.9, abs=4 * np.sqrt(0.9 * 0.1 / 400))


def test_a_pooled_curve_keeps_the_spread_of_networks_whose_biases_differ_and_a_fit_to_all_trials_does_not():
    rng = np.random.default_rng(0)
    biases, sigma = np.linspace(-4, 4, 9), 2.0
    stimulus = xr.DataArray(np.repeat(np.arange(-10.0, 11), 400), dims="trial")
    chosen = rng.random((9, stimulus.size)) < ndtr((stimulus.values - biases[:, np.newaxis]) / sigma)
    choice = xr.DataArray(chosen, dims=("network", "trial"))
    own = pooled(psychometric(stimulus, choice)["sigma"])
    every = psychometric(xr.DataArray(np.tile(stimulus, 9), dims="trial"), xr.DataArray(chosen.ravel(), dims="trial"))
    # The error of σ of one network is 0.03, by simulation.
    assert own["mean"].item() == pytest.approx(sigma, abs=0.05)
    # Biases are uniform, which is not normal: a mixture of so many curves has nearly the variance σ² + s².
    assert every["sigma"].item() == pytest.approx(np.sqrt(sigma**2 + biases.var()), rel=0.05)


def test_what_cannot_be_pooled_is_named():
    with pytest.raises(ValueError, match=r"^values: expected the dims \['network'\]"):
        pooled(xr.DataArray([1.0], dims="trial"))
    with pytest.raises(ValueError, match=r"^n_resamples: expected at least 99, got 9"):
        pooled(xr.DataArray([1.0, 2.0], dims="network"), n_resamples=9)
