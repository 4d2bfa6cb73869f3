"""Networks on other settings of their task: a leaky memory, whose longest delay is known."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import evaluate
from biornn.tasks import GoNoGo, PerceptualDecision
from tests.analysis.networks import network, side_by_side, with_those_that_cannot_run

TASK = GoNoGo(noise=0.0, delay=200)


def leaky(keeps):
    """A unit that keeps a share of its rate in each step, begins with that of a go stimulus, and is read out at 1."""
    n_stimulus = TASK.stimulus / TASK.dt
    at_the_end = (1 - keeps**n_stimulus) / (1 - keeps)  # of the stimulus, with an input of 1 in each step
    one = network([[keeps]], [[0.0], [1.0], [0.0]], [[1 / at_the_end]])
    return one.assign_coords(output_channel=["go"])


def longest_delay(keeps):
    """Delay in steps up to which the mean output over the answer is above 0.5."""
    n_grace, n_decision = TASK.grace / TASK.dt, TASK.decision / TASK.dt
    steps = np.arange(n_grace, n_decision) + 1  # after the delay
    return np.floor(np.log(0.5 / (keeps**steps).mean()) / np.log(keeps))


@pytest.mark.parametrize("keeps", [0.98, 0.99])
def test_a_leaky_memory_does_its_task_up_to_the_delay_of_the_closed_form(keeps):
    weights = leaky(keeps)
    last = longest_delay(keeps) * TASK.dt
    assert last > TASK.delay - TASK.dt
    for delay, score in ((last, 1.0), (last + TASK.dt, 0.5), (5000, 0.5)):
        found = evaluate(weights, replace(TASK, delay=delay), n_trials=10)
        assert found["score"].item() == score
        assert found["worst_score"].item() == (1.0 if score == 1 else 0.0)
    assert found["worst_condition"].item() == "stimulus=go"
    assert found["score_per_condition"].sel(trial_condition="stimulus=no-go").item() == 1


def test_the_trials_are_those_of_the_seed_and_many_are_run_in_parts(monkeypatch):
    weights, noisy = leaky(0.9), replace(TASK, noise=0.6)
    once = evaluate(weights, noisy, n_trials=40, seed=1)
    assert once.identical(evaluate(weights, noisy, n_trials=40, seed=1))
    assert not once["mse"].equals(evaluate(weights, noisy, n_trials=40, seed=2)["mse"])
    monkeypatch.setattr(sys.modules["biornn.analysis.evaluate"], "_TRIALS_AT_ONCE", 7)
    xr.testing.assert_allclose(once, evaluate(weights, noisy, n_trials=40, seed=1))


def test_noise_in_the_units_brings_an_integrator_to_chance():
    weights = leaky(0.99)
    scores = [
        evaluate(weights, TASK, n_trials=400, recurrent_noise=noise)["score"].item() for noise in (0.0, 0.1, 1000.0)
    ]
    assert scores[:2] == [1, 1]  # the output of 1 has an s.d. below 0.01
    assert scores[2] == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(400))


def test_networks_that_cannot_run_have_no_score():
    several = with_those_that_cannot_run(leaky(0.99))
    found = evaluate(several, TASK, n_trials=4)
    assert found["score"].values[0] == 1
    assert np.isnan(found["score"].values[1:]).all()
    assert found["worst_condition"].values[1:].tolist() == [""] * 3


def test_what_was_asked_stands_in_the_attributes():
    found = evaluate(side_by_side(a=leaky(0.9), b=leaky(0.99)), replace(TASK, delay=400), n_trials=4, seed=3)
    assert found["score"].dims == ("network",)
    assert json.loads(found.attrs["task_settings"])["delay"] == 400
    assert (found.attrs["n_trials"], found.attrs["trial_seed"], found.attrs["recurrent_noise"]) == (4, 3, 0.0)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"^task: expected 3 along input_channel, as the networks have, got 2 of"):
        evaluate(leaky(0.9), PerceptualDecision())
    with pytest.raises(ValueError, match=r"^n_trials: expected an integer of at least 1, got 0"):
        evaluate(leaky(0.9), TASK, n_trials=0)
