"""Tuning of units against planted regressions, and a null that holds its level."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import tuning

N = 400
RNG = np.random.default_rng(0)
COHERENCE = xr.DataArray(RNG.choice([-8.0, -2.0, 2.0, 8.0], N), dims="trial")
CONTEXT = xr.DataArray(RNG.choice(["colour", "motion"], N), dims="trial")
PERIOD = xr.DataArray(np.array([["fixation", "stimulus", "stimulus", "padding"]] * N), dims=("trial", "time"))
BOTH = {"coherence": COHERENCE, "context": CONTEXT}


def standard(values):
    return (values - values.mean()) / values.std()


def over_time(during, before=0.0):
    """Rates (trial, time, unit) that are one thing in the fixation and another one in the stimulus."""
    during = np.asarray(during, float)
    before = np.broadcast_to(before, during.shape)
    return xr.DataArray(
        np.stack([before, during + 1, during - 1, 0 * during + 99], axis=1), dims=("trial", "time", "unit")
    )


def noise(n_units, size=1.0, seed=1):
    return size * np.random.default_rng(seed).standard_normal((N, n_units))


def test_planted_coefficients_and_shares_are_found_in_their_period():
    x, z = standard(COHERENCE.values), standard((CONTEXT == "motion").values.astype(float))
    signal = np.stack([3 * x, 2 * z, 3 * x - 2 * z], axis=1)
    found = tuning(over_time(signal + noise(3), noise(3, seed=2)), PERIOD, BOTH, n_shuffles=49)
    assert found["period"].values.tolist() == ["fixation", "stimulus"]
    assert found["n_trials"].values.tolist() == [N, N]
    during = found.sel(period="stimulus")
    spread = np.sqrt(np.array([10, 5, 14]))  # of the rates
    expected = np.array([[3, 0], [0, 2], [3, -2]]) / spread[:, np.newaxis]
    # Standard errors of about 1 / sqrt(400), over the spread; regressors are drawn, and correlate by so much.
    np.testing.assert_allclose(during["beta"], expected, atol=0.08)
    np.testing.assert_allclose(during["unique"], expected**2, atol=0.06)
    np.testing.assert_allclose(during["explained"], [0.9, 0.8, 13 / 14], atol=0.03)
    assert (during["p_value"].values[[0, 1, 2, 2], [0, 1, 0, 1]] == 1 / 50).all()
    assert (found["explained"].sel(period="fixation") < 0.03).all()


def test_without_an_effect_the_null_is_the_share_of_the_columns_and_p_values_are_uniform():
    three = xr.DataArray(np.random.default_rng(3).choice(list("abc"), N), dims="trial")
    found = tuning(over_time(noise(600)), PERIOD, {"coherence": COHERENCE, "three": three}).sel(period="stimulus")
    np.testing.assert_allclose(found["null"].mean("unit"), np.array([1, 2]) / (N - 1), rtol=0.05)
    np.testing.assert_allclose(found["unique"].mean("unit"), np.array([1, 2]) / (N - 1), rtol=0.2)
    for level in (0.05, 0.5):
        share = (found["p_value"] <= level).mean("unit")
        np.testing.assert_allclose(share, level, atol=4 * np.sqrt(level * (1 - level) / 600))  # standard errors
    assert found["beta"].sel(regressor="three").isnull().all()  # it has two columns


def test_the_null_is_of_what_the_other_regressors_leave():
    """Freedman and Lane: a strong effect of one regressor is no part of the null of another."""
    x = standard(COHERENCE.values)[:, np.newaxis]
    found = tuning(over_time(3 * x + noise(200)), PERIOD, BOTH).sel(period="stimulus")
    # Of the variance, 9 + 1, the noise is a tenth; a column explains 1 / (N - 1) of it.
    np.testing.assert_allclose(found["null"].sel(regressor="context").mean("unit"), 0.1 / (N - 1), rtol=0.05)


def test_what_two_regressors_share_belongs_to_neither():
    x = standard(COHERENCE.values)
    copy = x + 0.5 * np.random.default_rng(4).standard_normal(N)
    near = {"coherence": COHERENCE, "choice": xr.DataArray(copy, dims="trial")}
    found = tuning(over_time(x[:, np.newaxis]), PERIOD, near, n_shuffles=9).sel(period="stimulus", unit=0)
    assert found["explained"].item() == pytest.approx(1)
    assert found["unique"].sel(regressor="choice").item() == pytest.approx(0, abs=1e-9)
    # What a noisy copy leaves of x: 0.25 / 1.25 of its variance, but for the draw.
    assert found["unique"].sel(regressor="coherence").item() == pytest.approx(0.2, abs=0.04)


def test_regressors_may_differ_between_networks():
    x = standard(COHERENCE.values)
    rates = xr.concat([over_time(x[:, np.newaxis]), over_time(-x[:, np.newaxis])], "network")
    rates = rates.assign_coords(network=["one", "other"], condition=("network", ["a", "b"]))
    choice = xr.DataArray(np.stack([x, -x]), {"network": ["one", "other"]}, ("network", "trial"))
    found = tuning(rates, PERIOD, {"choice": choice}, n_shuffles=9)
    assert found["beta"].dims == ("network", "period", "unit", "regressor")
    np.testing.assert_allclose(found["beta"].sel(period="stimulus").values.ravel(), 1)
    shared = tuning(rates, PERIOD, {"stimulus": COHERENCE}, n_shuffles=9)
    np.testing.assert_allclose(shared["beta"].sel(period="stimulus").values.ravel(), [1, -1])
    alone = tuning(rates.sel(network="other", drop=True), PERIOD, {"stimulus": COHERENCE}, n_shuffles=9)
    np.testing.assert_allclose(alone["unique"], shared["unique"].sel(network="other"))
    assert shared["condition"].values.tolist() == ["a", "b"]


def test_trials_without_a_value_are_left_out_and_what_does_not_vary_is_nan():
    x = COHERENCE.where(COHERENCE > -8)
    rates = over_time(np.stack([x.fillna(50.0), np.full(N, 0.3)], axis=1))
    constant = xr.ones_like(COHERENCE)
    found = tuning(rates, PERIOD, {"x": x, "constant": constant, "twice": 2 * x}, n_shuffles=9).sel(period="stimulus")
    assert found["n_trials"].item() == (COHERENCE > -8).sum()
    assert found["explained"].values[0] == pytest.approx(1)
    assert np.isnan(found["explained"].values[1])
    assert found["unique"].isnull().all()  # x and twice determine each other
    few = tuning(rates, PERIOD, {"x": x.where(np.arange(N) < 2)}, n_shuffles=9)
    assert few["beta"].isnull().all()


def test_what_is_missing_is_named():
    rates = over_time(noise(1))
    with pytest.raises(ValueError, match=r"^regressors: expected at least one, got none"):
        tuning(rates, PERIOD, {})
    with pytest.raises(ValueError, match=r"^regressors\['x'\]: expected the dims \['trial'\]"):
        tuning(rates, PERIOD, {"x": xr.DataArray(1.0)})
    with pytest.raises(ValueError, match=r"^period: expected the trials and times of rates, got others"):
        tuning(rates, PERIOD[:5], BOTH)
