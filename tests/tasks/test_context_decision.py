"""The context-dependent decision against closed forms, and policies that ignore the context or the time."""

from collections import Counter

import numpy as np
import pytest
from scipy.special import ndtr

from biornn.tasks import ContextDecision
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score
from biornn.tasks.trials import make_probe, make_trials
from tests.tasks.choices import choosing, summed


def difference(trials, feature, until=np.inf):
    """Sum of the right input of a feature less the left one."""
    return summed(trials, f"{feature}_right", until=until) - summed(trials, f"{feature}_left", until=until)


def of_context(trials, motion, colour):
    return motion.where(trials["context"] == "motion", colour)


@pytest.mark.parametrize("n_each", [1, 3])
def test_who_ignores_the_context_is_right_in_three_quarters_exactly(n_each):
    task = ContextDecision()
    trials = make_trials(task, n_each * 73, 0)
    both = trials["motion_coherence"] + trials["colour_coherence"]
    for evidence in (trials["motion_coherence"], trials["colour_coherence"], both):
        scores = score_trials(task, choosing(trials, evidence > 0), trials)
        assert mean_score(scores).item() == task.shortcuts["ignores the context"] == 0.75
        assert worst_score(task, scores, trials).item() < 0.6
    right = score_trials(task, choosing(trials, trials["signed_coherence"] > 0), trials)
    assert mean_score(right).item() == 1


def test_no_policy_without_the_context_does_better():
    # Of the two trials with the same motion and colour, one in each context, it makes one choice.
    task = ContextDecision(n_catch=0)
    trials = task.trials(72, seed=0)
    n_right = Counter(
        zip(
            trials["motion_coherence"].values,
            trials["colour_coherence"].values,
            trials["correct_choice"].values,
            strict=True,
        )
    )
    stimuli = {key[:2] for key in n_right}
    best = sum(max(n_right[*one, "left"], n_right[*one, "right"]) for one in stimuli) / 72
    assert best == 0.75


def test_shortcuts_by_the_inputs_score_what_is_declared():
    task = ContextDecision(n_catch=0)
    trials = make_trials(task, 5040, 1)
    brief = of_context(trials, *(difference(trials, one, until=200) for one in ("motion", "colour")))
    found = mean_score(score_trials(task, choosing(trials, brief > 0), trials)).item()
    # Four standard errors of a share of 5,040.
    assert found == pytest.approx(task.shortcuts["sees 100 ms only"], abs=4 * 0.5 / np.sqrt(5040))
    assert set(task.shortcuts) == {"always one side", "ignores the context", "sees 100 ms only"}


@pytest.mark.parametrize("dt", [10, 20])
def test_an_ideal_integrator_of_the_tasks_own_inputs_scores_what_the_closed_form_says(dt):
    task = ContextDecision(dt=dt, n_catch=0, noise=0.15)
    trials = make_trials(task, 7200, 0)
    is_motion = summed(trials, "motion_context") > summed(trials, "colour_context")  # read off the inputs, too
    evidence = difference(trials, "motion").where(is_motion, difference(trials, "colour"))
    scores = score_trials(task, choosing(trials, evidence > 0), trials)
    for coherence, expected in zip(task.coherences, task.ideal_score(task.coherences), strict=True):
        found = scores[(trials["coherence"] == coherence).values]
        # Four standard errors of a share, and a trial where it is as good as 1.
        error = 4 * np.sqrt(expected * (1 - expected) / found.size) + 1 / found.size
        assert found.mean().item() == pytest.approx(expected, abs=error)


def test_ideal_score_of_the_closed_form_by_hand():
    task = ContextDecision()
    # d = 0.05 c sqrt(800) / (2 · 0.1 · sqrt(100)) = 0.7071 c
    np.testing.assert_allclose(task.ideal_score([1, 3, 10]), ndtr(np.sqrt(0.5) * np.array([1, 3, 10])), rtol=1e-12)
    assert task.ideal_score(0) == 0.5
    np.testing.assert_allclose(task.ideal_score(-1) + task.ideal_score(1), 1)
    np.testing.assert_allclose(
        task.ideal_score(3, [200, 400]), [ContextDecision(stimulus=t).ideal_score(3) for t in (200, 400)]
    )


def test_inputs_of_the_probe_by_hand():
    probe = make_probe(ContextDecision(coherences=[10]))
    assert probe["input_channel"].values.tolist() == [
        "motion_context", "colour_context", "motion_left", "motion_right", "colour_left", "colour_right"
    ]  # fmt: skip
    assert probe["context"].values.tolist() == ["motion"] * 4 + ["colour"] * 4 + ["none"]
    assert probe["motion_coherence"].values[:8].tolist() == [-10, -10, 10, 10] * 2
    assert probe["colour_coherence"].values[:8].tolist() == [-10, 10] * 4
    assert probe["signed_coherence"].values[:8].tolist() == [-10, -10, 10, 10, -10, 10, -10, 10]
    assert [side[0] for side in probe["correct_choice"].values[:8]] == [*"llrrlrlr"]
    during = probe["inputs"].where(probe["period"] == "stimulus").mean("time")
    # The baseline 0.2, the context 1, and (1 ± 5 c / 100) / 2: 0.75 and 0.25 at 10 %.
    expected = [[1.2, 0.2, 0.95, 0.45, 0.45, 0.95], [0.2, 1.2, 0.45, 0.95, 0.45, 0.95], [0.2] * 6]
    np.testing.assert_allclose(during[[1, 7, 8]], expected, rtol=1e-6)
    np.testing.assert_allclose(probe["inputs"].where(probe["period"] != "stimulus", 0.2), 0.2, rtol=1e-6)


def test_at_no_coherence_a_feature_is_as_often_right_on_each_side():
    trials = ContextDecision(coherences=[0, 10], n_catch=0).trials(64, seed=0, coherence=0, context="colour")
    assert Counter(trials["correct_choice"].values.tolist()) == {"left": 32, "right": 32}
    assert (trials["colour_coherence"] == 0).all()


def test_conditions_of_the_worst_one_are_contexts_and_coherences():
    task = ContextDecision()
    names = np.unique(trial_condition(task, make_trials(task, 146, 0)))
    assert len(names) == 7
    assert "context=motion, coherence=3.0" in names


@pytest.mark.parametrize(
    "fixed",
    [
        {"context": "colour"},
        {"motion_coherence": -3, "colour_coherence": 10},
        {"coherence": 1, "correct_choice": "right"},
        {"context": "none"},
        {"signed_coherence": -10.0, "stimulus_duration": 400},
    ],
)
def test_a_coordinate_can_be_fixed(fixed):
    trials = ContextDecision().trials(30, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        *(({"coherences": one}, "coherences: expected ") for one in ((), 4, (21,), (-1,), ("a",), (float("nan"),))),
        ({"stimulus": 0}, "stimulus: expected a positive time in ms, got 0"),
        ({"stimulus": 5}, "stimulus: expected at least dt=20 ms, got 5"),
    ],
)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        ContextDecision(**settings)
    assert "\n" not in str(raised.value)
