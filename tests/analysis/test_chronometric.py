"""Chronometric curves against planted times, and of an accumulator whose times have a closed form."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import chronometric
from biornn.tasks import PerceptualDecision

LEVELS = np.array([1, 2, 4, 8, 16.0])


def trials(values):
    return xr.DataArray(np.array(values, float), dims=("network", "trial")[-np.ndim(values) :])


def test_means_spread_and_counts_by_hand():
    found = chronometric(trials([[500, 700, np.nan, 400], [np.nan] * 4]), trials([1, 1, 2, 2]))
    np.testing.assert_array_equal(found["mean"], [[600, 400], [np.nan, np.nan]])
    np.testing.assert_allclose(found["sd"], [[np.sqrt(20_000), np.nan], [np.nan, np.nan]])
    assert found["n_answered"].values.tolist() == [[2, 1], [0, 0]]
    assert found["n_missing"].values.tolist() == [[0, 1], [2, 2]]
    assert found["slope"].values[0] == pytest.approx(-200, rel=1e-12)
    assert np.isnan(found["slope"].values[1])
    assert found["level"].values.tolist() == [1, 2]


def test_planted_slopes_are_found():
    rng = np.random.default_rng(0)
    strength = trials(np.repeat(LEVELS, 2000))
    times = [900 - slope * np.log2(strength.values) + rng.normal(0, 100, strength.size) for slope in (80, 0)]
    found = chronometric(trials(times), strength)
    # The standard error is 100 ms / sqrt(10,000 · 2), for the variance of the logarithm is 2; four of them.
    np.testing.assert_allclose(found["slope"], [-80, 0], atol=4 * 100 / np.sqrt(20_000))
    np.testing.assert_allclose(found["mean"][0], 900 - 80 * np.log2(LEVELS), atol=4 * 100 / np.sqrt(2000))
    np.testing.assert_allclose(found["sd"], 100, rtol=0.08)  # four standard errors of a deviation of 2,000: 0.063


def test_no_evidence_is_in_the_curve_and_not_in_its_slope():
    found = chronometric(trials([1000, 900, 800, 1]), trials([0, 1, 2, np.nan]))
    assert found["mean"].values.tolist() == [1000, 900, 800]
    assert found["slope"].item() == pytest.approx(-100)
    assert np.isnan(chronometric(trials([1000, 900]), trials([0, 1]))["slope"])


def test_an_accumulator_to_a_bound_has_the_times_and_the_accuracy_of_the_closed_form():
    bound, coherences = 40.0, (2.0, 4.0, 8.0)
    task = PerceptualDecision(
        coherences=coherences, reaction_time=True, stimulus=5000, n_catch=0, dt=5, earliest_decision=0, fixation=5
    )
    made = task.trials(3000, seed=0)
    during = made["inputs"].where(made["period"] != "fixation", 0).astype(float)
    evidence = (during.sel(input_channel="right") - during.sel(input_channel="left")).cumsum("time") * task.dt
    sides = xr.concat([-evidence, evidence], made["output_channel"]) / bound  # the threshold is 1
    outputs = sides.transpose("trial", "time", "output_channel")
    right = task.score(outputs, made)
    found = chronometric(task.reaction_times(outputs, made), made["coherence"])
    # Drift 0.032 c per ms; variance 4 σ² τ = 4 per ms. Steps overshoot the bound by 0.583 s sqrt(dt) (Siegmund 1985).
    s2, drift = 4.0, 0.032 * np.array(coherences)
    a = bound + 0.583 * np.sqrt(s2 * task.dt)
    expected = a / drift * np.tanh(a * drift / s2) - task.dt  # the first sample is at the onset, time 0
    error = found["sd"].values / np.sqrt(1000)
    assert (abs(found["mean"].values - expected) < 4 * error).all()
    share = 1 / (1 + np.exp(-2 * a * drift / s2))
    for coherence, one in zip(coherences, share, strict=True):
        correct = right[(made["coherence"] == coherence).values].mean().item()
        assert correct == pytest.approx(one, abs=4 * np.sqrt(one * (1 - one) / 1000) + 1e-3)
    assert found["slope"].item() < 0
    assert found["n_missing"].values.tolist() == [0, 0, 0]


def test_trials_that_differ_are_named():
    with pytest.raises(ValueError, match=r"^strength: expected the trials of reaction_time, got others"):
        chronometric(trials([1.0]), trials([1.0, 2.0]))
