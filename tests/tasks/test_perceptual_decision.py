"""The perceptual decision against closed forms, counted conditions and policies that do not do it."""

import time
from collections import Counter

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr

from biornn.tasks import PerceptualDecision
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score
from biornn.tasks.trials import make_probe, make_trials
from tests.tasks.choices import choosing, constant, summed


def difference(trials, until=np.inf):
    """Sum over the stimulus, or its first ms, of the right input less the left one."""
    return summed(trials, "right", until=until) - summed(trials, "left", until=until)


# ---- what is right


@pytest.mark.parametrize("left_right", [(0.0, 0.0), (0.2, 0.2), (1.0, 0.2), (0.2, 1.0)])
def test_silence_and_one_side_always_score_chance_exactly_where_trials_are_balanced(left_right):
    task = PerceptualDecision()
    trials = make_trials(task, 110, 1)
    scores = score_trials(task, constant(trials, *left_right), trials)
    assert mean_score(scores).item() == task.chance == task.shortcuts["always one side"] == 0.5
    assert worst_score(task, scores, trials).item() == 0.5
    assert task.catch_score(constant(trials, *left_right), trials).mean().item() == (max(left_right) < 0.6)


def test_choice_is_the_larger_mean_after_the_grace_time():
    task = PerceptualDecision(n_catch=0, coherences=[8])
    trials = make_trials(task, 6, 0)
    outputs = constant(trials, 0.3, 0.4)
    outputs[{"time": trials["time"] < 1000, "output_channel": 0}] = 50.0  # until the grace time ends, at 1,000 ms
    assert set(task.choice(outputs, trials).values.tolist()) == {"right"}
    outputs[{"time": [50], "output_channel": 0}] = 3.0  # one of the ten samples that count
    assert set(task.choice(outputs, trials).values.tolist()) == {"left"}
    assert set(task.choice(outputs * np.nan, trials).values.tolist()) == {""}


def test_choice_and_score_broadcast_over_networks():
    task = PerceptualDecision()
    trials = make_trials(task, 44, 0)
    several = xr.concat([trials["targets"], trials["targets"][..., ::-1].values + 0 * trials["targets"]], dim="network")
    scores = score_trials(task, several, trials)
    assert scores.dims == ("network", "trial")
    assert mean_score(scores).values.tolist() == [1, 0]
    assert task.choice(several, trials).dims == ("network", "trial")


def test_loss_weight_is_one_but_during_the_stimulus_and_targets_are_high_for_the_right_side_only():
    trials = make_trials(PerceptualDecision(), 44, 0)
    is_catch = trials["correct_choice"] == "none"
    expected = (trials["period"] != "stimulus") | is_catch
    assert (trials["loss_weight"] == expected).all()
    high = (trials["period"] == "decision") & (trials["output_channel"] == trials["correct_choice"])
    np.testing.assert_allclose(trials["targets"], xr.where(high, 1.0, 0.2).transpose("trial", "time", ...), rtol=1e-7)


def test_periods_by_hand():
    trials = make_trials(PerceptualDecision(dt=10), 11, 0)
    assert dict(Counter(trials["period"].values[0].tolist())) == {"fixation": 10, "stimulus": 80, "decision": 30}
    assert trials["time"].values[-1] == 1190


# ---- inputs


def test_inputs_of_the_probe_by_hand():
    probe = make_probe(PerceptualDecision(coherences=[1, 16]))
    assert probe["signed_coherence"].values[:-1].tolist() == [-1, 1, -16, 16]
    assert probe["correct_choice"].values.tolist() == ["left", "right", "left", "right", "none"]
    during = probe["inputs"].where(probe["period"] == "stimulus").mean("time")
    # The baseline 0.2, and (1 ± 3.2 c / 100) / 2: 0.516 and 0.484 at 1 %, 0.756 and 0.244 at 16 %.
    expected = [[0.716, 0.684], [0.684, 0.716], [0.956, 0.444], [0.444, 0.956], [0.2, 0.2]]
    np.testing.assert_allclose(during, expected, rtol=1e-6)
    np.testing.assert_allclose(probe["inputs"].where(probe["period"] != "stimulus", 0.2), 0.2, rtol=1e-6)


def test_start_cue_comes_with_the_stimulus_and_not_in_catch_trials():
    task = PerceptualDecision(variable_stimulus=True, noise=0, baseline=0)
    trials = make_trials(task, 44, 0)
    assert trials["input_channel"].values.tolist() == ["left", "right", "start"]
    on = trials["period"].isin(["stimulus", "decision"]) & (trials["correct_choice"] != "none")
    assert (trials["inputs"].sel(input_channel="start") == on).all()


@pytest.mark.parametrize("dt", [1, 10, 20])
def test_noise_has_the_same_spread_over_a_time_at_any_dt(dt):
    trials = PerceptualDecision(dt=dt, n_catch=0).trials(2000, seed=0, coherence=4, correct_choice="left")
    mean = trials["inputs"].astype(float).where(trials["period"] == "stimulus").mean("time")
    # A mean over T: variance σ² 2 τ / T = 0.0025. Of 4,000 such, the standard deviation is known to 1.1 %.
    np.testing.assert_allclose((mean - mean.mean("trial")).std(), 0.05, rtol=0.05)
    np.testing.assert_allclose(mean.mean("trial"), [0.764, 0.636], atol=4 * 0.05 / np.sqrt(2000))


def test_rectified_inputs_are_the_others_where_these_are_positive():
    plain, rectified = (PerceptualDecision(rectify=rectify).trials(50, seed=0) for rectify in (False, True))
    assert (plain["inputs"] < 0).any()
    xr.testing.assert_equal(rectified["inputs"], plain["inputs"].clip(0))


# ---- the ideal observer and shortcuts


def test_ideal_score_of_the_closed_form_by_hand():
    found = PerceptualDecision().ideal_score([1, 2, 4, 8, 16])
    # d = 0.032 c sqrt(800) / (2 · 0.1 · sqrt(100)) = 0.45255 c
    np.testing.assert_allclose(found, ndtr(0.032 * np.sqrt(800) / 2 * np.array([1, 2, 4, 8, 16])), rtol=1e-12)
    np.testing.assert_allclose(found.round(3), [0.675, 0.817, 0.965, 1, 1], atol=5e-4)
    assert PerceptualDecision().ideal_score(0) == 0.5
    np.testing.assert_allclose(PerceptualDecision().ideal_score([-2]), 1 - PerceptualDecision().ideal_score([2]))
    assert PerceptualDecision(noise=0).ideal_score([0, 1]).tolist() == [0.5, 1]
    np.testing.assert_allclose(
        PerceptualDecision().ideal_score(1, 400), PerceptualDecision(stimulus=400).ideal_score(1)
    )


@pytest.mark.parametrize("dt", [10, 20])
@pytest.mark.parametrize("variable", [False, True])
def test_an_ideal_integrator_of_the_tasks_own_inputs_scores_what_the_closed_form_says(dt, variable):
    task = PerceptualDecision(dt=dt, variable_stimulus=variable, n_catch=0, coherences=(1, 4, 8))
    trials = make_trials(task, 6000, 0)
    scores = score_trials(task, choosing(trials, difference(trials) >= 0), trials)
    for coherence, expected in zip(task.coherences, task.ideal_score(task.coherences), strict=True):
        found = scores[(trials["coherence"] == coherence).values]
        # Four standard errors of a share.
        assert found.mean().item() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / found.size))


@pytest.mark.parametrize("variable", [False, True])
def test_shortcuts_score_what_is_declared(variable):
    task = PerceptualDecision(variable_stimulus=variable, n_catch=0, dt=10)
    trials = make_trials(task, 5000, 1)
    n_stimulus = (trials["period"] == "stimulus").sum("time")
    right = trials["inputs"].sel(input_channel="right", drop=True).astype(float)
    excess = right.where(trials["period"] == "stimulus", 0).sum("time") - n_stimulus * (task.baseline + 0.5)
    policies = {
        "always one side": xr.zeros_like(excess),
        "sees one input only": excess,
        "sees 100 ms only": difference(trials, until=200),
    }
    assert set(task.shortcuts) == set(policies)
    for name, evidence in policies.items():
        found = mean_score(score_trials(task, choosing(trials, evidence >= 0), trials)).item()
        # Four standard errors of a share of 5,000.
        assert found == pytest.approx(task.shortcuts[name], abs=4 * 0.5 / np.sqrt(5000))


# ---- conditions


@pytest.mark.parametrize("n_catch", [0, 1, 5])
def test_conditions_are_balanced_exactly(n_catch):
    task = PerceptualDecision(n_catch=n_catch)
    trials = task.trials(3 * (10 + n_catch), seed=0)
    counts = Counter(zip(trials["coherence"].fillna(-1).values, trials["correct_choice"].values, strict=True))
    assert counts.pop((-1.0, "none"), 0) == 3 * n_catch
    assert set(counts.values()) == {3}
    assert len(counts) == 10


def test_conditions_of_the_worst_one_are_the_coherences():
    task = PerceptualDecision()
    trials = make_trials(task, 110, 0)
    names = np.unique(trial_condition(task, trials)).tolist()
    assert names == [f"coherence={c}" for c in ("1.0", "16.0", "2.0", "4.0", "8.0", "nan")]
    wrong = trials["targets"].where(trials["coherence"] != 16, 0)
    scores = score_trials(task, wrong, trials)
    assert worst_score(task, scores, trials).item() == 0.5  # the catch trials have no score
    assert mean_score(scores).item() == 0.9


def test_durations_are_those_of_a_truncated_exponential():
    task = PerceptualDecision(variable_stimulus=True, dt=1, coherences=[4], fixation=0, decision=10, grace=0)
    duration = task.trials(4000, seed=0)["stimulus_duration"].values
    assert duration.min() >= 80
    assert duration.max() <= 1500
    shift = np.exp(-(1500 - 80) / 330)
    expected = 80 + 330 - (1500 - 80) * shift / (1 - shift)  # mean of an exponential distribution cut off at 1,420
    assert duration.mean() == pytest.approx(expected, abs=4 * duration.std() / np.sqrt(4000))  # standard errors


@pytest.mark.parametrize(
    "fixed",
    [
        {"coherence": 4},
        {"correct_choice": "right"},
        {"correct_choice": "none"},
        {"signed_coherence": -16.0},
        {"coherence": 2, "correct_choice": "left", "stimulus_duration": 400},
    ],
)
def test_a_coordinate_can_be_fixed(fixed):
    trials = PerceptualDecision().trials(30, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


def test_a_fixed_duration_shortens_the_stimulus():
    trials = make_trials(PerceptualDecision(), 5, 0).sizes, PerceptualDecision().trials(5, 0, stimulus_duration=400)
    assert trials[1].sizes == trials[0]
    assert trials[1]["n_steps"].values.tolist() == [40] * 5


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"colour": 1}, TypeError, "colour: expected a coordinate of trials to fix, such as coherence"),
        ({"coherence": 3}, ValueError, "coherence: expected one of 1.0, 2.0, 4.0, 8.0, 16.0, nan, got 3"),
        ({"correct_choice": "up"}, ValueError, "correct_choice: expected one of left, right, none, got 'up'"),
        ({"coherence": 4, "correct_choice": "none"}, ValueError, "correct_choice: expected one of left, right, got"),
        ({"stimulus_duration": 900}, ValueError, "stimulus_duration: expected 20 to 800 ms, got 900"),
        ({"stimulus_duration": 0}, ValueError, "stimulus_duration: expected 20 to 800 ms, got 0"),
    ],
)
def test_what_cannot_be_fixed_is_named_in_one_line(fixed, error, message):
    with pytest.raises(error, match=f"^{message}") as raised:
        PerceptualDecision().trials(5, seed=0, **fixed)
    assert "\n" not in str(raised.value)


# ---- the reaction-time form


def reaction_task(**settings):
    return PerceptualDecision(reaction_time=True, **settings)


def test_the_stimulus_lasts_until_the_end_and_answers_count_from_some_time_on():
    trials = make_trials(reaction_task(noise=0, baseline=0), 22, 0)
    assert trials["input_channel"].values.tolist() == ["left", "right", "start"]
    assert dict(Counter(trials["period"].values[0].tolist())) == {"fixation": 5, "stimulus": 15, "decision": 25}
    on = (trials["period"] != "fixation") & (trials["correct_choice"] != "none")
    assert (trials["inputs"].sel(input_channel="start") == on).all()
    both = trials["inputs"].sel(input_channel=["left", "right"]).sum("input_channel")
    np.testing.assert_allclose(both, on, atol=1e-6)  # the two inputs add up to 1
    assert set(trials["stimulus_duration"].values.tolist()) == {800.0}
    high = (trials["period"] == "decision") & (trials["output_channel"] == trials["correct_choice"])
    np.testing.assert_allclose(trials["targets"], xr.where(high, 1.2, 0.2).transpose("trial", "time", ...), rtol=1e-6)
    weighted = (trials["period"] != "stimulus") | (trials["correct_choice"] == "none")
    assert (trials["loss_weight"] == weighted).all()


def answering(trials, at, left=0.0, right=0.0):
    """Outputs that are 0 until a time in ms since the onset of the stimulus, and then constant."""
    return constant(trials, left, right).where(trials["time"] >= 100 + at, 0.0)


@pytest.mark.parametrize("at", [-40.0, 0.0, 260.0, 760.0])
def test_the_reaction_time_is_that_of_the_first_output_above_the_threshold(at):
    task = reaction_task(n_catch=0)
    trials = make_trials(task, 20, 0)
    outputs = answering(trials, at, 0.4, 1.01)
    assert set(task.reaction_times(outputs, trials).values.tolist()) == {at}
    assert set(task.choice(outputs, trials).values.tolist()) == {"right"}
    expected = (trials["correct_choice"] == "right") & (at >= 0)  # before the stimulus nobody can know
    assert (task.score(outputs, trials) == expected).all()


def test_the_first_one_counts_and_of_two_at_once_the_larger():
    task = reaction_task(n_catch=0)
    trials = make_trials(task, 4, 0)
    first = answering(trials, 200, 1.1, 0) + answering(trials, 400, 0, 9.0)
    assert set(task.choice(first, trials).values.tolist()) == {"left"}
    assert set(task.choice(answering(trials, 200, 1.1, 1.2), trials).values.tolist()) == {"right"}


def test_no_answer_is_wrong_and_right_in_catch_trials():
    task = reaction_task()
    trials = make_trials(task, 22, 0)
    silent, always = constant(trials, 1.0, 0.2), answering(trials, 300, 1.2, 0.2)
    assert task.reaction_times(silent, trials).isnull().all()  # at the threshold, and not above
    assert (task.choice(silent, trials) == "").all()
    assert mean_score(score_trials(task, silent, trials)).item() == 0
    assert mean_score(score_trials(task, always, trials)).item() == task.chance == 0.5
    assert task.catch_score(silent, trials).mean().item() == 1
    assert task.catch_score(always, trials).mean().item() == 0
    assert task.catch_score(silent, trials).count().item() == 2
    assert (task.choice(silent * np.nan, trials) == "").all()


def test_reaction_times_broadcast_over_networks():
    task = reaction_task()
    trials = make_trials(task, 22, 0)
    several = xr.concat([answering(trials, at, 1.2, 0.2) for at in (100, 300)], "network")
    times = task.reaction_times(several, trials)
    assert times.dims == ("network", "trial")
    assert times.mean("trial").values.tolist() == [100, 300]
    assert task.choice(several, trials).dims == ("network", "trial")
    assert (task.reaction_times(trials["targets"], trials).dropna("trial") == 300).all()


def test_the_source_of_the_reaction_time_form():
    task = PerceptualDecision.preset("song2016_reaction_time")
    assert (task.stimulus, task.earliest_decision, task.threshold, task.n_catch) == (800, 300, 1, 8)
    assert task.trials(18, 0)["correct_choice"].values.tolist().count("none") == 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variable_stimulus": True}, "variable_stimulus: expected false in the reaction-time form, got true"),
        ({"threshold": 1.2}, "threshold: expected a number above 0.2 and below 1.2, got 1.2"),
        ({"threshold": 0.2}, "threshold: expected a number above 0.2 and below 1.2, got 0.2"),
        ({"earliest_decision": 800}, "earliest_decision: expected at least a step less than stimulus=800 ms, got 800"),
    ],
)
def test_impossible_settings_of_the_reaction_time_form_are_named(settings, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        reaction_task(**settings)


# ---- seeds, speed, settings


def test_trials_are_made_fast_enough_to_stream():
    # 64 trials in 5 ms: a small share of an update. The fastest of five, on a machine that may be busy.
    task, rng, elapsed = PerceptualDecision(variable_stimulus=True), np.random.default_rng(0), []
    for _ in range(5):
        started = time.perf_counter()
        task.arrays(640, rng)
        elapsed.append(time.perf_counter() - started)
    assert min(elapsed) < 10 * 5e-3


BAD = [
    *(({key: 0}, f"{key}: expected a positive time in ms, got 0") for key in ("stimulus", "mean_stimulus")),
    *(({"coherences": value}, "coherences: expected ") for value in ((), 4, (32,), (-1,), ("a",), (float("nan"),))),
    ({"variable_stimulus": 1}, "variable_stimulus: expected true or false, got 1"),
    ({"stimulus": 5}, "stimulus: expected at least dt=20 ms, got 5"),
    ({"longest_stimulus": 40}, "longest_stimulus: expected shortest_stimulus or more, got 40"),
    ({"dt": 1e-4}, "stimulus: expected trials of at most 2,000,000 steps of dt=0.0001 ms, got 1900 ms"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}") as raised:
        PerceptualDecision(**settings)
    assert "\n" not in str(raised.value)
