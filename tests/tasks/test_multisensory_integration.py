"""Multisensory integration against the ideal combination of two senses, and policies that use one of them."""

import numpy as np
import pytest
from scipy.special import ndtr

from biornn.tasks import MultisensoryIntegration
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score
from biornn.tasks.trials import make_probe, make_trials
from tests.tasks.choices import choosing, summed

SENSES = ("visual", "auditory")


def evidence_of(task, trials, until=np.inf):
    """Frequency in Hz that each sense's inputs show, less the boundary, as their mean over the stimulus."""
    slope = 1.6 / (max(task.frequencies) - min(task.frequencies))
    duration = np.minimum(trials["stimulus_duration"], until - 100)
    middle = (max(task.frequencies) + min(task.frequencies)) / 2
    for sense in SENSES:
        rising, falling = (summed(trials, f"{sense}_{tuning}", until=until) for tuning in ("rising", "falling"))
        yield (rising - falling) * task.dt / duration / slope + middle - task.boundary


def weighed(task, trials, until=np.inf):
    """Evidence of an observer who knows which senses there are, and weighs them by their reliability."""
    visual, auditory = evidence_of(task, trials, until)
    weights = {sense: 1 / task.ideal_sigma(sense) ** 2 for sense in SENSES}
    both = weights["visual"] * visual + weights["auditory"] * auditory
    return both.where(trials["modality"] == "both", visual.where(trials["modality"] == "visual", auditory))


@pytest.mark.parametrize("auditory_noise", [None, 0.2, 2.0])
def test_reliabilities_of_the_senses_add_up(auditory_noise):
    task = MultisensoryIntegration(auditory_noise=auditory_noise)
    visual, auditory, both = (task.ideal_sigma(one) for one in (*SENSES, "both"))
    assert 1 / both**2 == pytest.approx(1 / visual**2 + 1 / auditory**2, rel=1e-12)
    # σ_v = 2 σ sqrt(τ / T) / (1.6 / 7) Hz
    assert visual == pytest.approx(2 * 0.5 * np.sqrt(100 / 1000) / (1.6 / 7), rel=1e-12)
    assert auditory == pytest.approx(visual * (auditory_noise or 0.5) / 0.5, rel=1e-12)
    np.testing.assert_allclose(task.ideal_score([11, 14]), ndtr(1.5 / both), rtol=1e-12)


def test_a_sense_without_noise_is_enough():
    task = MultisensoryIntegration(auditory_noise=0)
    assert task.ideal_sigma("auditory") == task.ideal_sigma("both") == 0
    assert task.ideal_score([12, 13], "both").tolist() == [1, 1]
    assert MultisensoryIntegration(noise=0).ideal_score(12.5) == 0.5


@pytest.mark.parametrize(
    "task",
    [
        MultisensoryIntegration(n_catch=0),
        MultisensoryIntegration(n_catch=0, dt=10, auditory_noise=1.0),
        MultisensoryIntegration(n_catch=0, frequencies=(5, 6, 8, 20), boundary=7, noise=0.3),
    ],
    ids=["equal", "unequal", "boundary"],
)
def test_an_ideal_observer_of_the_tasks_own_inputs_scores_what_the_closed_form_says(task):
    trials = make_trials(task, 4800, 0)
    scores = score_trials(task, choosing(trials, weighed(task, trials) > 0), trials)
    for modality in (*SENSES, "both"):
        is_modality = (trials["modality"] == modality).values
        expected = task.ideal_score(task.frequencies, modality)
        found = scores[is_modality].groupby(trials["frequency"][is_modality]).mean().values
        n_each = is_modality.sum() / len(task.frequencies)
        # Four standard errors of a share, and a trial where it is as good as 1.
        error = 4 * np.sqrt(expected * (1 - expected) / n_each) + 1 / n_each
        assert (abs(found - expected) < error).all()


def test_shortcuts_score_what_is_declared():
    task = MultisensoryIntegration(n_catch=0, auditory_noise=0.8)
    trials = make_trials(task, 6000, 1)
    visual, auditory = evidence_of(task, trials)
    policies = {
        "always one choice": 0 * visual,
        "uses visual inputs only": visual,
        "uses auditory inputs only": auditory,
        "sees 100 ms only": weighed(task, trials, until=200),
    }
    assert set(task.shortcuts) == set(policies)
    for name, evidence in policies.items():
        scores = score_trials(task, choosing(trials, evidence > 0), trials)
        # Four standard errors of a share of 6,000.
        assert mean_score(scores).item() == pytest.approx(task.shortcuts[name], abs=4 * 0.5 / np.sqrt(6000))
    one_sense = score_trials(task, choosing(trials, visual > 0), trials)
    assert worst_score(task, one_sense, trials).item() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(2000))


def test_inputs_of_the_probe_by_hand():
    task = MultisensoryIntegration()
    probe = make_probe(task)
    assert probe["input_channel"].values.tolist() == [
        "visual_falling", "visual_rising", "auditory_falling", "auditory_rising", "start"
    ]  # fmt: skip
    assert probe["modality"].values.tolist() == ["visual"] * 8 + ["auditory"] * 8 + ["both"] * 8 + ["none"]
    assert probe["frequency"].values[:8].tolist() == [9, 10, 11, 12, 13, 14, 15, 16]
    assert probe["correct_choice"].values[:8].tolist() == ["low"] * 4 + ["high"] * 4
    during = probe["inputs"].where(probe["period"] == "stimulus").mean("time") - 0.2
    # 0.4 + 0.8 (f - 9) / 7 and its mirror image: 0.4 and 1.2 at 9 Hz, 0.857 and 0.743 at 13 Hz
    rising = 0.4 + 0.8 * 4 / 7
    expected = [[1.2, 0.4, 0, 0, 1], [0, 0, 1.6 - rising, rising, 1], [0.4, 1.2, 0.4, 1.2, 1], [0] * 5]
    np.testing.assert_allclose(during[[0, 12, 23, 24]], expected, atol=1e-6)
    start = probe["inputs"].sel(input_channel="start") - 0.2
    on = probe["period"].isin(["stimulus", "decision"]) & (probe["modality"] != "none")
    np.testing.assert_allclose(start, on, atol=1e-6)


def test_noise_of_each_sense_is_its_own():
    trials = MultisensoryIntegration(auditory_noise=2.0).trials(400, seed=0)
    sd = trials["inputs"].where(trials["period"] == "fixation").astype(float).std(("trial", "time"))
    expected = np.array([0.5, 0.5, 2, 2, 0.5]) * np.sqrt(2 * 100 / 20)
    np.testing.assert_allclose(sd, expected, rtol=0.06)  # of 2,000 samples: known to 1.6 %


def test_conditions_of_the_worst_one_are_the_modalities():
    task = MultisensoryIntegration()
    names = np.unique(trial_condition(task, make_trials(task, 60, 0))).tolist()
    assert names == ["modality=auditory", "modality=both", "modality=none", "modality=visual"]


@pytest.mark.parametrize(
    "fixed",
    [
        {"modality": "both", "frequency": 13},
        {"correct_choice": "low"},
        {"modality": "none"},
        {"stimulus_duration": 500},
    ],
)
def test_a_coordinate_can_be_fixed(fixed):
    trials = MultisensoryIntegration().trials(30, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"frequencies": (12.5, 13)},
            r"frequencies: expected as many above boundary=12\.5 Hz as below, got \(12\.5, 13",
        ),
        ({"frequencies": (9, 13, 14)}, r"frequencies: expected as many above boundary=12\.5 Hz as below, got"),
        ({"frequencies": ()}, "frequencies: expected one or more numbers from 0 to 1000, got"),
        ({"frequencies": 9}, "frequencies: expected one or more numbers from 0 to 1000, got 9"),
        ({"boundary": "low"}, "boundary: expected a number of at least 0, got 'low'"),
        ({"boundary": 3}, "frequencies: expected as many above boundary=3 Hz as below"),
        ({"auditory_noise": -1}, "auditory_noise: expected a number of at least 0, got -1"),
        ({"stimulus": 0}, "stimulus: expected a positive time in ms, got 0"),
    ],
)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        MultisensoryIntegration(**settings)
    assert "\n" not in str(raised.value)


def test_an_unknown_modality_is_named():
    with pytest.raises(ValueError, match=r"^modality: expected one of visual, auditory, both, got 'smell'$"):
        MultisensoryIntegration().ideal_score(9, "smell")
