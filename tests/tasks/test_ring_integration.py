"""Ring integration against sums of velocities, counted conditions and policies that do not integrate."""

import dataclasses
import json
import time
from collections import Counter

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import RingIntegration
from biornn.tasks.rings import sine_and_cosine
from biornn.tasks.scores import mean_score, score_trials, trial_condition
from biornn.tasks.trials import make_probe, make_trials

SETTINGS = [
    {},
    {"dt": 5, "duration": 1500, "noise": 0.1},
    {"pauses": False, "duration": 2000},
    {"n_directions": 1, "duration": 240, "tolerance": 180, "velocity_sd": 0},
    {"n_directions": 3, "cue": 20, "duration": 60},
]
some_settings = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def pointing(trials, angle):
    """Outputs that point to an angle at all times, the same in all trials or (trial)."""
    pair = sine_and_cosine(np.broadcast_to(angle, trials.sizes["trial"]))
    return xr.zeros_like(trials["targets"]) + pair[:, np.newaxis]


@some_settings
def test_keeps_to_the_contract_and_the_targets_score_one(settings):
    task = RingIntegration(**settings)
    bn.tasks.check(task)
    assert json.loads(json.dumps(dataclasses.asdict(task)))["duration"] == task.duration
    trials = make_trials(task, 32, 0)
    assert (score_trials(task, trials["targets"], trials) == 1).all()


STEP = 0.02  # s: a step of the source
SOURCE = {
    "steps of a trial": (RingIntegration().duration / 20, 500),
    "steps of the cue": (RingIntegration().cue / 20, 10),
    "share of the velocity that is kept": (np.exp(-20 / RingIntegration().velocity_tau), 0.8),
    "noise that is added, in rad per step": (RingIntegration().velocity_sd * STEP * np.sqrt(1 - 0.8**2), 0.03),
    "share of trials with a pause": (np.mean(RingIntegration()._conditions()["paused"]), 0.5),
    "step": (RingIntegration().dt, 20),
}


@pytest.mark.parametrize(("found", "expected"), SOURCE.values(), ids=list(SOURCE))
def test_numbers_of_the_source(found, expected):
    assert found == pytest.approx(expected, rel=2e-3)  # 90 ms for 89.6 ms
    assert RingIntegration.for_channels(3, 2) == RingIntegration()


@pytest.mark.parametrize("dt", [5, 20])
def test_targets_are_the_start_and_the_sum_of_the_velocities(dt):
    trials = make_trials(RingIntegration(dt=dt, duration=3000), 40, 0)
    velocity = trials["inputs"].sel(input_channel="velocity", drop=True).astype(float)
    angle = trials["start_angle"] + velocity.cumsum("time") * dt / 1000
    # Single precision of angles up to 30 rad.
    np.testing.assert_allclose(trials["targets"].sel(output_channel="sin"), np.sin(angle), atol=1e-5)
    np.testing.assert_allclose(trials["targets"].sel(output_channel="cos"), np.cos(angle), atol=1e-5)
    np.testing.assert_allclose(trials["turn"], velocity.sum("time") * dt / 1000, atol=1e-6)
    assert abs(trials["turn"]).max() > 1


def test_cue_gives_the_start_and_nothing_else_does():
    trials = make_trials(RingIntegration(), 40, 0)
    is_cue = trials["period"] == "cue"
    assert (is_cue == (trials["time"] < 200)).all()
    start = sine_and_cosine(trials["start_angle"].values)
    shown = trials["inputs"].sel(input_channel=["sin", "cos"])
    np.testing.assert_allclose(shown.where(is_cue).mean("time"), start, atol=1e-6)
    assert (shown.where(~is_cue, 0) == 0).all()
    assert (trials["inputs"].sel(input_channel="velocity").where(is_cue, 0) == 0).all()
    assert (trials["loss_weight"] == ~is_cue).all()


def test_velocity_pauses_once_in_paused_trials_only():
    trials = make_trials(RingIntegration(), 400, 0)
    pause = trials["period"] == "pause"
    assert (pause.any("time") == trials["paused"]).all()
    velocity = trials["inputs"].sel(input_channel="velocity")
    assert (velocity.where(pause, 0) == 0).all()
    assert (velocity.where(trials["period"] == "turning", 1) != 0).all()
    paused = pause.values[trials["paused"].values]
    assert (np.diff(paused.astype(int), axis=1) == 1).sum() == len(paused)  # each begins once
    n_after = 490
    first, n_steps = paused.argmax(axis=1) - 10, paused.sum(axis=1)
    assert first.min() >= 0
    assert first.max() <= n_after / 3
    assert n_steps.min() >= 1
    assert n_steps.max() <= 2 * n_after / 3 + 1
    # Means of uniform laws, four standard errors of 200 trials.
    assert first.mean() == pytest.approx(n_after / 6, abs=4 * n_after / 3 / np.sqrt(12 * 200))
    assert n_steps.mean() == pytest.approx(n_after / 3, abs=4 * 2 * n_after / 3 / np.sqrt(12 * 200))


def test_without_pauses_there_are_none():
    trials = make_trials(RingIntegration(pauses=False), 16, 0)
    assert not trials["paused"].any()
    assert set(np.unique(trials["period"])) == {"cue", "turning"}


def test_probe_by_hand():
    task = RingIntegration(n_directions=2, dt=100, cue=100, duration=700, velocity_sd=2)
    probe = make_probe(task)
    assert probe["direction"].values.tolist() == [0, 0, 180, 180]
    assert probe["paused"].values.tolist() == [False, True] * 2
    steady, paused = [0, 2, 2, 2, 2, 2, 2], [0, 2, 2, 0, 0, 2, 2]
    expected = [steady, paused, np.negative(steady), np.negative(paused)]
    np.testing.assert_array_equal(probe["inputs"].sel(input_channel="velocity"), expected)
    assert probe["period"].values[1].tolist() == ["cue", "turning", "turning", "pause", "pause", "turning", "turning"]
    np.testing.assert_allclose(probe["turn"], [1.2, 0.8, -1.2, -0.8])
    np.testing.assert_allclose(probe["targets"].values[2, -1], [np.sin(np.pi - 1.2), np.cos(np.pi - 1.2)], atol=1e-6)


def test_the_probe_visits_each_condition_once():
    task = RingIntegration()
    counts = Counter(trial_condition(task, make_probe(task)).tolist())
    assert len(counts) == 16
    assert set(counts.values()) == {1}


# ---- scores


def test_score_is_the_share_of_the_time_after_the_cue_in_which_the_angle_is_right():
    task = RingIntegration(dt=100, cue=200, duration=1200)
    trials = make_trials(task, 8, 0)
    for turn, expected in ((17, 1), (-17, 1), (19, 0), (-19, 0)):
        angle = np.arctan2(trials["targets"][..., 0], trials["targets"][..., 1]) + np.deg2rad(turn)
        outputs = trials["targets"].copy(data=3 * sine_and_cosine(angle))  # of any length
        assert (score_trials(task, outputs, trials) == expected).all()
    wrong = trials["targets"].copy()
    wrong[{"time": slice(0, 5)}] *= -1  # in the cue, and in 3 of 10 steps
    np.testing.assert_allclose(score_trials(task, wrong, trials), 0.7)
    several = xr.concat([trials["targets"], -trials["targets"]], dim="network")
    assert mean_score(score_trials(task, several, trials)).values.tolist() == [1, 0]


@pytest.mark.parametrize("settings", [{}, {"tolerance": 60, "duration": 1000}], ids=str)
def test_one_angle_always_and_ignoring_the_cue_score_chance(settings):
    task = RingIntegration(**settings)
    trials = make_trials(task, 3000, 1)
    assert task.chance == task.shortcuts["ignores the cue"] == task.tolerance / 180
    turned = np.arctan2(trials["targets"][..., 0], trials["targets"][..., 1]) - trials["start_angle"]
    for outputs in (pointing(trials, 2.0), trials["targets"].copy(data=sine_and_cosine(turned))):
        found = score_trials(task, outputs, trials)
        # Four standard errors of the mean over trials.
        assert found.mean().item() == pytest.approx(task.chance, abs=4 * found.std().item() / np.sqrt(3000))


@pytest.mark.parametrize(
    "settings",
    [{"pauses": False}, {"dt": 10, "duration": 2200}]
    + [pytest.param(settings, marks=pytest.mark.nightly) for settings in ({}, {"tolerance": 60})],
    ids=str,
)
def test_keeping_the_start_scores_what_is_declared(settings):
    task = RingIntegration(**settings)
    trials = make_trials(task, 3000, 1)
    found = score_trials(task, pointing(trials, trials["start_angle"].values), trials)
    expected = task.shortcuts["keeps the start"]
    # Four standard errors of the mean over trials, and 0.001 for the grid of pauses.
    assert found.mean().item() == pytest.approx(expected, abs=4 * found.std().item() / np.sqrt(3000) + 1e-3)
    assert expected > task.chance


# ---- conditions, seeds, speed, settings


@pytest.mark.parametrize("pauses", [True, False])
def test_starts_and_pauses_are_balanced_exactly_and_starts_are_uniform(pauses):
    trials = RingIntegration(pauses=pauses, duration=400).trials(480, seed=0)
    counts = Counter(zip(trials["direction"].values.tolist(), trials["paused"].values.tolist(), strict=True))
    assert len(counts) == 8 * (1 + pauses)
    assert len(set(counts.values())) == 1
    share = np.sort(trials["start_angle"].values) / (2 * np.pi)
    # Kolmogorov's bound at 0.1 %, which stratified angles do not even reach.
    assert abs(share - np.arange(share.size) / share.size).max() < 1.95 / np.sqrt(share.size)


@some_settings
def test_one_seed_gives_one_set_and_arrays_are_those_of_the_labelled_trials(settings):
    task = RingIntegration(**settings)
    trials = task.trials(20, seed=3)
    assert trials.identical(task.trials(20, seed=3))
    for name, array in task.arrays(20, np.random.default_rng(3))._asdict().items():
        np.testing.assert_array_equal(array, trials[name])
        assert array.dtype == np.float32


def test_noise_is_added_to_the_inputs_only():
    plain, noisy = (RingIntegration(noise=noise).trials(40, seed=0) for noise in (0, 0.1))
    xr.testing.assert_equal(plain["targets"], noisy["targets"])
    difference = (noisy["inputs"] - plain["inputs"]).astype(float)
    # σ sqrt(2 τ / dt), of 60,000 samples: known to 0.3 %.
    assert difference.std().item() == pytest.approx(0.1 * np.sqrt(10), rel=0.012)


@pytest.mark.parametrize("fixed", [{"direction": 90}, {"paused": True, "direction": 0}])
def test_a_coordinate_can_be_fixed(fixed):
    trials = RingIntegration().trials(20, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"turn": 1}, TypeError, "turn: expected a coordinate of trials to fix, such as direction, paused"),
        ({"direction": 10}, ValueError, "direction: expected one of 0.0, 45.0, "),
    ],
)
def test_what_cannot_be_fixed_is_named_in_one_line(fixed, error, message):
    with pytest.raises(error, match=f"^{message}"):
        RingIntegration().trials(5, seed=0, **fixed)


def test_trials_are_made_fast_enough_to_stream():
    # 64 trials of 500 steps in 20 ms, a small share of an update. The fastest of ten, on a machine that may be busy.
    task, rng, elapsed = RingIntegration(), np.random.default_rng(0), []
    for _ in range(10):
        started = time.perf_counter()
        task.arrays(64, rng)
        elapsed.append(time.perf_counter() - started)
    assert min(elapsed) < 20e-3


BAD = [
    *(
        ({key: 0}, f"{key}: expected a positive time in ms, got 0")
        for key in ("dt", "cue", "duration", "velocity_tau", "noise_tau")
    ),
    *(({key: -1}, f"{key}: expected a number of at least 0, got -1") for key in ("velocity_sd", "noise", "tolerance")),
    ({"pauses": 1}, "pauses: expected true or false, got 1"),
    ({"n_directions": 0}, "n_directions: expected an integer of at least 1, got 0"),
    ({"cue": 10}, "cue: expected at least dt=20 ms, got 10"),
    ({"duration": 200}, "duration: expected at least a step more than cue, got 200"),
    ({"tolerance": 0}, "tolerance: expected degrees above 0 and up to 180, got 0"),
    ({"duration": 1e9}, "duration: expected trials of at most 2,000,000 steps of dt=20 ms"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}") as raised:
        RingIntegration(**settings)
    assert "\n" not in str(raised.value)
