"""Slope, bias and spread against planted lines, and of the tasks that ask for something."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import production
from biornn.tasks import ReadySetGo, SineGenerator

NAMES = ("bias", "slope", "intercept", "spread", "rmse")


def trials(values):
    return xr.DataArray(np.asarray(values, float), dims=("network", "trial")[-np.ndim(values) :], attrs={"units": "ms"})


def test_planted_lines_are_found():
    rng = np.random.default_rng(0)
    asked = rng.uniform(800, 1500, 20_000)
    produced = 300 + 0.7 * asked + rng.normal(0, 50, asked.size)
    found = production(trials(produced), trials(asked))
    # Standard errors: 0.0018 of the slope, 2.1 ms of the intercept, 0.25 ms of the spread; four of them.
    assert found["slope"].item() == pytest.approx(0.7, abs=0.007)
    assert found["intercept"].item() == pytest.approx(300, abs=9)
    assert found["spread"].item() == pytest.approx(50, abs=1)
    assert found["bias"].item() == pytest.approx((produced - asked).mean(), abs=1e-9)
    variance = (produced - asked).var()
    assert found["rmse"].item() ** 2 == pytest.approx(found["bias"].item() ** 2 + variance, rel=1e-12)
    assert found["bias"].attrs["units"] == found["intercept"].attrs["units"] == "ms"


def test_a_perfect_line_has_no_spread_and_who_ignores_what_is_asked_for_has_no_slope():
    asked = trials([800, 1000, 1500])
    both = trials([[810, 1010, 1510], [1100, 1100, 1100]])
    found = production(both, asked)
    np.testing.assert_allclose(found["slope"], [1, 0], atol=1e-12)
    np.testing.assert_allclose(found["intercept"], [10, 1100])
    np.testing.assert_allclose(found["bias"], [10, 0], atol=1e-9)
    np.testing.assert_allclose(found["spread"], 0, atol=1e-9)
    np.testing.assert_allclose(found["rmse"], [10, np.sqrt((300**2 + 100**2 + 400**2) / 3)])


def test_trials_without_a_product_are_counted_and_left_out():
    asked = trials([1, 2, 3, 4, np.nan])
    found = production(trials([[1, np.nan, 3, 4, 5], [np.nan] * 5]), asked)
    assert found["n_produced"].values.tolist() == [3, 0]
    assert found["n_missing"].values.tolist() == [1, 4]
    assert found["bias"].values[0] == 0
    assert all(np.isnan(found[name].values[1]) for name in NAMES)


def test_where_all_is_asked_alike_there_is_no_slope_and_a_spread_about_the_mean():
    found = production(trials([1, 2, 3]), trials([2, 2, 2]))
    assert np.isnan(found["slope"])
    assert found["bias"].item() == 0
    assert found["spread"].item() == 1
    assert np.isnan(production(trials([1]), trials([2]))["spread"])


def test_who_waits_for_a_share_of_the_interval_has_that_slope():
    task = ReadySetGo()
    made = task.trials(60, seed=0)
    step = xr.DataArray(np.arange(made.sizes["time"]), dims="time")
    before = (task.fixation + made["interval"]) / task.dt
    go = (before + 0.5 * made["interval"] / task.dt + 20).round()
    outputs = (step >= go).astype(float).expand_dims("output_channel").transpose("trial", "time", "output_channel")
    found = production(task.produced(outputs, made)["interval"], task.produced(made["targets"], made)["interval"])
    # 0.5 of the interval and 400 ms, rounded to steps of 20 ms: uniform errors, a standard deviation of 5.8 ms.
    assert found["slope"].item() == pytest.approx(0.5, abs=0.02)
    assert found["spread"].item() < 10
    assert found["n_missing"].item() == 0
    never = production(task.produced(0 * outputs, made)["interval"], made["interval"])
    assert never["n_missing"].item() == 60


def test_a_slower_and_smaller_sine_has_the_errors_that_were_planted():
    task = SineGenerator(longest_duration=5000)
    made = task.trials(25, seed=0)
    phase = 2 * np.pi * 0.9 * made["frequency"] * made["time"] / 1000
    outputs = (0.1 + 0.45 * np.sin(phase)).expand_dims("output_channel").transpose("trial", "time", "output_channel")
    produced, asked = (task.produced(one, made) for one in (outputs, made["targets"]))
    np.testing.assert_allclose(asked["frequency"], made["frequency"], rtol=1e-6)  # targets are in single precision
    frequency, amplitude = (production(produced[name], asked[name]) for name in ("frequency", "amplitude"))
    assert frequency["slope"].item() == pytest.approx(0.9, abs=1e-6)
    assert amplitude["bias"].item() == pytest.approx(-0.45, abs=1e-6)
    assert np.isnan(amplitude["slope"])  # one amplitude is asked for
    assert produced["frequency"].attrs["units"] == "Hz"


def test_trials_that_differ_are_named():
    with pytest.raises(ValueError, match=r"^asked: expected the trials of produced, got others"):
        production(trials([1.0]), trials([1.0, 2.0]))
