"""Memory pro and anti against angles and times by hand, counted conditions and policies that do not do it."""

import dataclasses
import json
import time
from collections import Counter

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import MemoryProAnti
from biornn.tasks.rings import sine_and_cosine
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score
from biornn.tasks.trials import make_probe, make_trials

SETTINGS = [
    {},
    {"dt": 10, "noise": 0},
    {"n_directions": 1, "grace": 0, "tolerance": 10},
    {"n_directions": 5, "delay": [400, 400], "response": (500.0, 500.0)},
]
some_settings = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def pointing(trials, angle, fixation=0.0):
    """Outputs that point to an angle, the same in all trials or (trial), at all times."""
    pair = sine_and_cosine(np.broadcast_to(angle, trials.sizes["trial"]))
    outputs = np.insert(pair, 0, fixation, axis=-1)
    return xr.zeros_like(trials["targets"]) + outputs[:, np.newaxis]


@some_settings
def test_keeps_to_the_contract_and_the_targets_score_one(settings):
    task = MemoryProAnti(**settings)
    bn.tasks.check(task)
    assert json.loads(json.dumps(dataclasses.asdict(task)))["delay"] == list(task.delay)
    trials = make_trials(task, 60, 0)
    assert (score_trials(task, trials["targets"], trials) == 1).all()


SOURCE = {
    "fixation": (300, 700),
    "stimulus": (200, 1600),
    "delay": (200, 1600),
    "response": (300, 700),
    "grace": 100,
    "tolerance": np.rad2deg(0.2 * np.pi),
    "dt": 20,
    "noise": 0.01,
    "noise_tau": 100,
}


@pytest.mark.parametrize(("name", "value"), SOURCE.items())
def test_numbers_of_the_source(name, value):
    assert getattr(MemoryProAnti(), name) == pytest.approx(value)
    assert MemoryProAnti.for_channels(5, 3) == MemoryProAnti()


def test_probe_by_hand():
    task = MemoryProAnti(
        n_directions=4, dt=100, fixation=(200, 200), stimulus=(100, 100), delay=(100, 100), response=(300, 300)
    )
    probe = make_probe(task)
    assert probe["rule"].values.tolist() == probe["correct_choice"].values.tolist() == ["pro"] * 4 + ["anti"] * 4
    assert probe["direction"].values.tolist() == [0, 90, 180, 270] * 2
    np.testing.assert_allclose(np.rad2deg(probe["angle"]), [0, 90, 180, 270] * 2)
    np.testing.assert_allclose(np.rad2deg(probe["response_angle"]), [0, 90, 180, 270, 180, 270, 0, 90], atol=1e-9)
    expected = ["fixation", "fixation", "stimulus", "delay", "response", "response", "response"]
    assert probe["period"].values.tolist() == [expected] * 8
    anti = probe.isel(trial=5)  # the stimulus is at 90 degrees
    inputs = [[1, 1, 1, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0], [0] * 7, [0] * 7, [1] * 7]
    np.testing.assert_allclose(anti["inputs"].values.T, inputs, atol=1e-6)
    targets = [[0.8, 0.8, 0.8, 0.8, 0, 0, 0], [0, 0, 0, 0, -1, -1, -1], [0] * 7]
    np.testing.assert_allclose(anti["targets"].values.T, targets, atol=1e-6)
    weights = [0, 1, 1, 1, 0, 5, 5]
    np.testing.assert_array_equal(anti["loss_weight"].values.T, [np.multiply(2, weights), weights, weights])


def test_the_probe_visits_each_condition_once():
    task = MemoryProAnti()
    counts = Counter(trial_condition(task, make_probe(task)).tolist())
    assert len(counts) == 16
    assert set(counts.values()) == {1}


def test_periods_tile_the_trial_and_last_as_long_as_they_say():
    trials = make_trials(MemoryProAnti(), 300, 0)
    assert trials.sizes["time"] == (700 + 1600 + 1600 + 700) / 20
    for name in ("fixation", "stimulus", "delay", "response"):
        np.testing.assert_array_equal((trials["period"] == name).sum("time") * 20, trials[name])
        shortest, longest = getattr(MemoryProAnti(), name)
        assert (trials[name].min().item(), trials[name].max().item()) == pytest.approx((shortest, longest), abs=40)
    order = ["fixation", "stimulus", "delay", "response", "padding"]
    numbers = np.vectorize(order.index)(trials["period"].values)
    assert (np.diff(numbers, axis=1) >= 0).all()
    padding = trials["period"] == "padding"
    assert (padding.sum("time") == trials.sizes["time"] - trials["n_steps"]).all()
    for name in ("inputs", "targets", "loss_weight"):
        assert (trials[name].where(padding, 0) == 0).all()


# ---- scores


def test_choice_names_what_the_outputs_do():
    task = MemoryProAnti()
    trials = make_trials(task, 32, 0)
    angle = trials["angle"].values
    for turn, fixation, expected in [
        (0, 0.0, "pro"),
        (35, 0.0, "pro"),
        (-35, 0.49, "pro"),
        (37, 0.0, "elsewhere"),
        (180 + 35, 0.0, "anti"),
        (180 - 37, 0.0, "elsewhere"),
        (0, 0.51, "fixation"),
    ]:
        outputs = pointing(trials, angle + np.deg2rad(turn), fixation)
        assert set(task.choice(outputs, trials).values.tolist()) == {expected}
    assert set(task.choice(outputs * np.nan, trials).values.tolist()) == {""}


def test_only_the_response_after_the_grace_time_counts():
    task = MemoryProAnti()
    trials = make_trials(task, 32, 0)
    step = xr.DataArray(np.arange(trials.sizes["time"]), dims="time")
    counts = (step >= trials["n_steps"] - trials["response"] / 20 + 5) & (step < trials["n_steps"])
    assert (score_trials(task, trials["targets"].where(counts, 50.0), trials) == 1).all()
    last = step == trials["n_steps"] - 1  # turns the mean round
    assert (score_trials(task, trials["targets"].where(~last, -1000 * trials["targets"]), trials) == 0).all()


def test_choice_and_score_broadcast_over_networks():
    task = MemoryProAnti()
    trials = make_trials(task, 32, 0)
    several = xr.concat([trials["targets"], 0 * trials["targets"] + [0.8, 0, 0]], dim="network")
    scores = score_trials(task, several, trials)
    assert scores.dims == ("network", "trial")
    assert mean_score(scores).values.tolist() == [1, task.shortcuts["keeps fixation"]]


@pytest.mark.parametrize("rule", ["pro", "anti"])
def test_who_ignores_the_rule_scores_a_half(rule):
    task = MemoryProAnti()
    trials = make_trials(task, 64, 0)
    scores = score_trials(task, pointing(trials, trials["angle"].values + np.pi * (rule == "anti")), trials)
    assert mean_score(scores).item() == task.shortcuts["ignores the rule"] == 0.5
    assert worst_score(task, scores, trials).item() == 0


NIGHTLY = [pytest.param(*one, marks=pytest.mark.nightly) for one in ((36, 1.0), (36, 4.0), (10, 0.0), (10, 1.0))]


@pytest.mark.parametrize(("tolerance", "angle"), [(36, 0.0), (10, 4.0), *NIGHTLY])
def test_one_angle_always_scores_chance(tolerance, angle):
    task = MemoryProAnti(tolerance=tolerance)
    trials = make_trials(task, 4000, 1)
    found = mean_score(score_trials(task, pointing(trials, angle), trials)).item()
    # Four standard errors of a share of 4,000 at most: angles are stratified by direction.
    assert found == pytest.approx(task.chance, abs=4 * np.sqrt(task.chance / 4000))
    assert task.chance == tolerance / 180


# ---- conditions


@pytest.mark.parametrize("n_directions", [1, 8])
def test_rules_and_directions_are_balanced_exactly_and_angles_are_uniform(n_directions):
    trials = MemoryProAnti(n_directions=n_directions).trials(100 * n_directions, seed=0)
    counts = Counter(zip(trials["rule"].values.tolist(), trials["direction"].values.tolist(), strict=True))
    assert len(counts) == 2 * n_directions
    assert set(counts.values()) == {50}
    share = np.sort(trials["angle"].values) / (2 * np.pi)
    # Kolmogorov's bound at 0.1 %, which stratified angles do not even reach.
    assert abs(share - np.arange(share.size) / share.size).max() < 1.95 / np.sqrt(share.size)


@pytest.mark.parametrize(
    "fixed",
    [
        {"rule": "anti"},
        {"direction": 90},
        {"angle": 6.2, "rule": "pro"},
        {"fixation": 400, "stimulus": 200, "delay": 1600, "response": 300},
    ],
)
def test_a_coordinate_can_be_fixed(fixed):
    trials = make_trials(MemoryProAnti(), 30, 0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


def test_a_fixed_angle_is_in_its_direction():
    assert set(MemoryProAnti().trials(5, seed=0, angle=6.2)["direction"].values.tolist()) == {0}
    assert set(MemoryProAnti().trials(5, seed=0, angle=1.0)["direction"].values.tolist()) == {45}


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"colour": 1}, TypeError, "colour: expected a coordinate of trials to fix, such as rule, direction"),
        ({"rule": "go"}, ValueError, "rule: expected one of pro, anti, got 'go'"),
        ({"angle": 7}, ValueError, "angle: expected rad from 0 to 2π, got 7"),
        ({"angle": 1.0, "direction": 90}, ValueError, "direction: expected one of 45.0, got 90"),
        ({"delay": 100}, ValueError, "delay: expected from 200 to 1600 ms, got 100"),
    ],
)
def test_what_cannot_be_fixed_is_named_in_one_line(fixed, error, message):
    with pytest.raises(error, match=f"^{message}"):
        MemoryProAnti().trials(5, seed=0, **fixed)


# ---- speed, settings


def test_trials_are_made_fast_enough_to_stream():
    # 64 trials in 10 ms, a small share of an update. The fastest of ten, on a machine that may be busy.
    task, rng, elapsed = MemoryProAnti(), np.random.default_rng(0), []
    for _ in range(10):
        started = time.perf_counter()
        task.arrays(64, rng)
        elapsed.append(time.perf_counter() - started)
    assert min(elapsed) < 10e-3


BAD = [
    *(({key: 0}, f"{key}: expected a positive time in ms, got 0") for key in ("dt", "noise_tau")),
    *(({key: -1}, f"{key}: expected a number of at least 0, got -1") for key in ("grace", "noise", "tolerance")),
    ({"tolerance": 0}, "tolerance: expected degrees above 0 and below 90, got 0"),
    ({"tolerance": 90}, "tolerance: expected degrees above 0 and below 90, got 90"),
    ({"n_directions": 0}, "n_directions: expected an integer of at least 1, got 0"),
    ({"delay": 300}, "delay: expected the shortest and the longest time in ms, got 300"),
    ({"stimulus": (10, 300)}, "stimulus: expected times of at least dt=20 ms, got 10"),
    ({"response": (700, 300)}, "response: expected a longest time of at least the shortest, 700 ms, got 300"),
    ({"grace": 290}, "grace: expected at least a step less than fixation and response, got 290"),
    ({"delay": (200, 1e9)}, "delay: expected trials of at most 2,000,000 steps of dt=20 ms"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}") as raised:
        MemoryProAnti(**settings)
    assert "\n" not in str(raised.value)
