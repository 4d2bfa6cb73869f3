"""The accumulation of clicks against the statistics of Poisson trains, and policies that do not count all."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import skellam

from biornn.tasks import ClickAccumulation
from biornn.tasks.scores import mean_score, score_trials, trial_condition
from biornn.tasks.trials import make_probe, make_trials
from tests.tasks.choices import choosing, summed

OTHER = ClickAccumulation(n_catch=0, rate_differences=(0, 4, 20), total_rate=20, longest_stimulus=500, dt=10)


def higher_and_lower(trials):
    is_right = trials["higher_rate"] == "right"
    return trials["right_clicks"].where(is_right, trials["left_clicks"]), trials["left_clicks"].where(
        is_right, trials["right_clicks"]
    )


# ---- clicks


@pytest.mark.parametrize("dt", [1, 20, 30])
def test_the_inputs_hold_as_many_clicks_as_the_labels_say_and_the_same_area_at_any_dt(dt):
    task = ClickAccumulation(dt=dt, noise=0, baseline=0)
    trials = make_trials(task, 90, 0)
    for side in ("left", "right"):
        clicks = summed(trials, side) * dt / task.click_area
        np.testing.assert_allclose(clicks, trials[f"{side}_clicks"], atol=1e-3)
        assert (trials["inputs"].sel(input_channel=side).where(trials["period"] != "stimulus", 0) == 0).all()
    is_catch = trials["correct_choice"] == "none"
    assert (trials["difference"].isnull() == is_catch).all()
    assert (trials["right_clicks"] - trials["left_clicks"] == trials["difference"].fillna(0)).all()
    assert ((trials["difference"] > 0) == (trials["correct_choice"] == "right")).all()
    assert ((trials["difference"] < 0) == (trials["correct_choice"] == "left")).all()
    assert (trials["higher_rate"] == "none").equals(is_catch)
    assert set(ClickAccumulation(rate_differences=(0,)).trials(30, 0)["higher_rate"].values.tolist()) == {"none"}


@pytest.mark.parametrize("task", [ClickAccumulation(n_catch=0), OTHER], ids=["default", "other"])
def test_counts_are_those_of_poisson_trains_with_different_numbers(task):
    duration, n_trials = 300, 4000
    for difference in task.rate_differences:
        trials = task.trials(n_trials, seed=0, rate_difference=difference, stimulus_duration=duration)
        higher, lower = higher_and_lower(trials)
        means = (task.total_rate + difference) / 2 * 0.3, (task.total_rate - difference) / 2 * 0.3
        law = skellam(*means) if difference < task.total_rate else None
        counts = Counter((higher - lower).values.tolist())
        assert counts[0] == 0
        if law is None:  # on one side only
            assert (lower == 0).all()
            continue
        for net in (-2, -1, 1, 2, 5):
            expected = law.pmf(net) / (1 - law.pmf(0))
            error = 4 * np.sqrt(expected * (1 - expected) / n_trials)  # standard errors of a share
            assert counts[net] / n_trials == pytest.approx(expected, abs=error)


def test_the_side_of_the_answer_tells_nothing_of_the_rest():
    trials = ClickAccumulation(n_catch=0).trials(8000, seed=0, rate_difference=12, stimulus_duration=200)
    is_left = (trials["correct_choice"] == "left").values
    total = trials["left_clicks"] + trials["right_clicks"]
    with_rate = trials["higher_rate"] == trials["correct_choice"]
    for one in (abs(trials["difference"]), total, with_rate.astype(float)):
        error = 4 * one.std().item() * np.sqrt(2 / 4000)  # four standard errors of a difference of means
        assert one[is_left].mean().item() == pytest.approx(one[~is_left].mean().item(), abs=error)


def test_clicks_are_spread_evenly_over_the_stimulus():
    task = ClickAccumulation(n_catch=0, noise=0, baseline=0)
    trials = task.trials(4000, seed=0, stimulus_duration=400)
    during = trials["inputs"].sel(input_channel=["left", "right"]).sum("input_channel").sum("trial").values[5:25]
    expected = during.sum() / 20
    np.testing.assert_allclose(during, expected, atol=4 * np.sqrt(expected))  # Poisson


def test_fixation_stays_until_the_decision_and_in_catch_trials_to_the_end():
    trials = make_trials(ClickAccumulation(noise=0, baseline=0), 90, 0)
    on = trials["period"].isin(["fixation", "stimulus"])
    on |= (trials["period"] == "decision") & (trials["correct_choice"] == "none")
    assert (trials["inputs"].sel(input_channel="fixation") == on).all()


def test_durations_are_drawn_evenly_from_the_range():
    duration = ClickAccumulation(dt=1).trials(1000, seed=0)["stimulus_duration"].values
    assert 200 <= duration.min() < 220
    assert 980 < duration.max() <= 1000
    np.testing.assert_allclose(
        np.quantile(duration, [0.25, 0.5, 0.75]), [400, 600, 800], atol=4 * 800 * 0.5 / np.sqrt(1000)
    )


def test_the_probe_has_clicks_without_noise_and_each_condition_once():
    probe = make_probe(ClickAccumulation(baseline=0))
    assert probe["rate_difference"].values[:-1].tolist() == [12, 12, 27, 27, 34, 34, 38, 38]
    assert probe["correct_choice"].values.tolist() == ["left", "right"] * 4 + ["none"]
    assert (probe["inputs"] == probe["inputs"].round()).all()  # steps of 20 ms hold whole clicks
    assert set(probe["stimulus_duration"].values.tolist()) == {600}


# ---- scores


@pytest.mark.parametrize("task", [ClickAccumulation(n_catch=0), OTHER], ids=["default", "other"])
def test_shortcuts_score_what_is_declared(task):
    trials = make_trials(task, 12_000, 1)
    half = task.total_rate / 2 * trials["stimulus_duration"] / 1000
    policies = {
        "always one side": trials["difference"] == 0,
        "knows the higher rate only": trials["higher_rate"] == "right",
        "counts on one side only": trials["right_clicks"] > half,
    }
    assert set(policies) == set(task.shortcuts)
    for name, is_right in policies.items():
        expected = task.shortcuts[name]
        found = mean_score(score_trials(task, choosing(trials, is_right), trials)).item()
        # Four standard errors of a share; one side is exactly as often right as the other.
        assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 12_000))


def test_the_side_of_the_higher_rate_by_skellams_law():
    task = ClickAccumulation(rate_differences=(12,), shortest_stimulus=500, longest_stimulus=500)
    law = skellam(13, 7)  # clicks in 500 ms at 26 and at 14 Hz
    expected = law.sf(0) / (1 - law.pmf(0))
    assert task.shortcuts["knows the higher rate only"] == pytest.approx(expected, rel=1e-9)


def test_who_counts_the_inputs_is_right_in_every_trial():
    task = ClickAccumulation(n_catch=0)
    trials = make_trials(task, 2000, 0)
    counted = {
        side: (trials["inputs"].sel(input_channel=side) - task.baseline)
        .where(trials["period"] == "stimulus", 0)
        .round()
        for side in ("left", "right")
    }
    is_right = counted["right"].sum("time") > counted["left"].sum("time")
    assert (score_trials(task, choosing(trials, is_right), trials) == 1).all()


# ---- conditions and settings


def test_conditions_of_the_worst_one_are_the_differences_of_rates():
    task = ClickAccumulation()
    names = np.unique(trial_condition(task, make_trials(task, 90, 0))).tolist()
    assert names == [f"rate_difference={one}" for one in ("12.0", "27.0", "34.0", "38.0", "nan")]


@pytest.mark.parametrize(
    "fixed",
    [{"rate_difference": 27}, {"correct_choice": "left"}, {"correct_choice": "none"}, {"stimulus_duration": 400}],
)
def test_a_coordinate_can_be_fixed(fixed):
    trials = ClickAccumulation().trials(30, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


def test_what_comes_of_chance_cannot_be_fixed():
    with pytest.raises(TypeError, match=r"^difference: expected a coordinate of trials to fix, such as rate"):
        ClickAccumulation().trials(5, seed=0, difference=3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate_differences": (41,)}, "rate_differences: expected numbers from 0 to 40, got 41"),
        ({"rate_differences": ()}, "rate_differences: expected one or more numbers from 0 to 40, got"),
        ({"total_rate": 4}, "total_rate: expected from 5 to 10,000 Hz, got 4"),
        ({"total_rate": "a"}, "total_rate: expected a number of at least 0, got 'a'"),
        ({"click_area": 0}, "click_area: expected a positive time in ms, got 0"),
        ({"shortest_stimulus": 5}, "shortest_stimulus: expected at least dt=20 ms, got 5"),
        ({"longest_stimulus": 100}, "longest_stimulus: expected shortest_stimulus or more, got 100"),
    ],
)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        ClickAccumulation(**settings)
    assert "\n" not in str(raised.value)
