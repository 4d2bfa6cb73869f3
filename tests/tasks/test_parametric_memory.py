"""Parametric working memory against a comparison of its own inputs, and policies that use one frequency."""

from collections import Counter

import numpy as np
import pytest
from scipy.special import ndtr

from biornn.tasks import ParametricMemory
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score
from biornn.tasks.trials import make_probe, make_trials
from tests.tasks.choices import choosing, summed


@pytest.mark.parametrize("n_each", [1, 4])
def test_the_best_use_of_one_frequency_is_right_in_seven_trials_of_ten_exactly(n_each):
    task = ParametricMemory()
    trials = make_trials(task, n_each * 11, 0)
    # The extremes of all tell what is right; of those in the middle half are the higher ones.
    policies = {
        "first": [trials["first"] < border for border in (17, 21, 25, 29)],
        "second": [trials["second"] > border for border in (17, 21, 25, 29)],
    }
    for is_second in [one for several in policies.values() for one in several]:
        scores = score_trials(task, choosing(trials, is_second), trials)
        assert mean_score(scores).item() == task.shortcuts["uses one frequency only"] == 0.7
        assert worst_score(task, scores, trials).item() == 0
    compared = score_trials(task, choosing(trials, trials["second"] > trials["first"]), trials)
    assert worst_score(task, compared, trials).item() == 1


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [(((10, 18),), 1.0), (((10, 18), (18, 26)), 0.75), (((10, 18), (18, 26), (26, 10)), 5 / 6)],
)
def test_the_use_of_one_frequency_in_other_pairs_by_hand(pairs, expected):
    task = ParametricMemory(pairs=pairs, n_catch=0)
    assert task.shortcuts["uses one frequency only"] == pytest.approx(expected)
    trials = task.trials(2 * len(pairs), seed=0)
    right = Counter(zip(trials["first"].values.tolist(), trials["correct_choice"].values.tolist(), strict=True))
    best = sum(max(right[one, "first"], right[one, "second"]) for one in {key[0] for key in right})
    assert best / (2 * len(pairs)) == pytest.approx(expected)


def test_ideal_score_of_the_closed_form_by_hand():
    task = ParametricMemory()
    # Δ = 1.6 · 8 / 24 between the sums of the two inputs, over 500 ms; d = Δ sqrt(T) / (2 sqrt(2) σ sqrt(τ))
    expected = ndtr(1.6 * 8 / 24 * np.sqrt(500) / (2 * np.sqrt(2) * 0.1 * 10))
    np.testing.assert_allclose(task.ideal_score([18, 10], [10, 18]), expected, rtol=1e-12)
    assert task.ideal_score(20, 20) == 0.5
    assert task.ideal_score(18, 10) > 0.9999


@pytest.mark.parametrize("dt", [10, 20])
def test_a_comparison_of_the_tasks_own_inputs_scores_what_the_closed_form_says(dt):
    task = ParametricMemory(
        dt=dt, n_catch=0, noise=0.5, pairs=((18, 10), (20, 18), (34, 22)), shortest_delay=100, longest_delay=300
    )
    trials = make_trials(task, 6000, 0)
    first, second = (
        summed(trials, "rising", period) - summed(trials, "falling", period) for period in ("first", "second")
    )
    scores = score_trials(task, choosing(trials, second > first), trials)
    for pair in task.pairs:
        is_pair = (np.minimum(trials["first"], trials["second"]) == min(pair)).values
        expected, found = task.ideal_score(*pair), scores[is_pair]
        # Four standard errors of a share.
        assert found.mean().item() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / found.size))


def test_inputs_and_times_of_the_probe_by_hand():
    probe = make_probe(ParametricMemory())
    assert probe["first"].values[:4].tolist() == [18, 10, 22, 14]
    assert probe["second"].values[:4].tolist() == [10, 18, 14, 22]
    assert probe["correct_choice"].values.tolist() == ["first", "second"] * 5 + ["none"]
    assert set(probe["delay"].values.tolist()) == {3000}
    expected = [
        (0, "fixation"),
        (100, "first"),
        (600, "delay"),
        (3600, "second"),
        (4100, "decision"),
        (4400, "padding"),
    ]
    periods = probe["period"].values[0]
    changes = np.flatnonzero(periods[1:] != periods[:-1]) + 1
    assert [(probe["time"].values[one], periods[one]) for one in [0, *changes]] == expected
    level = {
        one: probe["inputs"].where(probe["period"] == one).mean("time") - 0.2 for one in ("first", "delay", "second")
    }
    # 0.4 + 0.8 (f - 10) / 24 and its mirror image: 0.667 and 0.933 at 18 Hz, 0.4 and 1.2 at 10 Hz
    np.testing.assert_allclose(level["first"][0], [1.6 - 2 / 3, 2 / 3], rtol=1e-5)
    np.testing.assert_allclose(level["second"][0], [1.2, 0.4], rtol=1e-5)
    np.testing.assert_allclose(level["delay"], 0, atol=1e-6)
    np.testing.assert_allclose(level["first"][10], 0, atol=1e-6)  # the catch trial


def test_delays_are_drawn_evenly_from_the_range():
    delay = ParametricMemory(dt=1).trials(500, seed=0)["delay"].values
    assert 2500 <= delay.min() < 2520  # of 500: the next to the limit is 2 ms away, more than 20 ms in one of e^10
    assert 3480 < delay.max() <= 3500
    quartiles = np.quantile(delay, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles, [2750, 3000, 3250], atol=4 * 1000 * 0.5 / np.sqrt(500))  # standard errors


def test_conditions_of_the_worst_one_are_pairs_in_order():
    task = ParametricMemory()
    names = np.unique(trial_condition(task, make_trials(task, 22, 0)))
    assert len(names) == 11
    assert "first=18.0, second=10.0" in names


@pytest.mark.parametrize(
    "fixed",
    [
        {"first": 18, "second": 26},
        {"correct_choice": "second"},
        {"correct_choice": "none"},
        {"first": 22, "delay": 3000},
    ],
)
def test_a_coordinate_can_be_fixed(fixed):
    trials = ParametricMemory().trials(12, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


PAIRS = "pairs: expected one or more pairs of different frequencies above 0 Hz, got "


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pairs": ()}, PAIRS),
        ({"pairs": 3}, f"{PAIRS}3"),
        ({"pairs": (18, 10)}, f"{PAIRS}18"),
        ({"pairs": ((18, 10, 2),)}, PAIRS),
        *(
            ({"pairs": ((18, 10), bad)}, PAIRS)
            for bad in ((18, 18), (0, 10), (-1, 3), (float("nan"), 1), ("a", 1), (True, 2))
        ),
        ({"stimulus": 5}, "stimulus: expected at least dt=20 ms, got 5"),
        ({"shortest_delay": 0}, "shortest_delay: expected a positive time in ms, got 0"),
        ({"longest_delay": 2000}, "longest_delay: expected shortest_delay or more, got 2000"),
    ],
)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises(ValueError) as raised:
        ParametricMemory(**settings)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
