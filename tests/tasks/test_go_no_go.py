"""Go or no-go against times by hand, counted stimuli and policies that ignore them."""

import time
from collections import Counter

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import GoNoGo
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score
from biornn.tasks.trials import make_probe, make_trials

SETTINGS = [
    {},
    {"dt": 100, "noise": 0},
    {"dt": 5, "longest_delay": 900},
    {"go_per_no_go": 4, "fixation": 300, "delay": 0, "grace": 0},
]
some_settings = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def constant(trials, level):
    """Outputs that are the same at all times, in all trials or (trial)."""
    return xr.zeros_like(trials["targets"]) + level


@some_settings
def test_keeps_to_the_contract_and_the_targets_score_one(settings):
    task = GoNoGo(**settings)
    bn.tasks.check(task)
    trials = make_trials(task, 60, 0)
    assert (score_trials(task, trials["targets"], trials) == 1).all()


@pytest.mark.parametrize(
    ("name", "value"), {"fixation": 0, "stimulus": 500, "delay": 500, "decision": 500, "longest_delay": None}.items()
)
def test_times_of_the_source(name, value):
    assert getattr(GoNoGo(), name) == value
    assert GoNoGo().for_channels(3, 1) == GoNoGo()


def test_probe_by_hand():
    probe = make_probe(GoNoGo(dt=250, fixation=250, grace=250))
    assert probe["stimulus"].values.tolist() == probe["correct_choice"].values.tolist() == ["go", "no-go"]
    periods = ["fixation", "stimulus", "stimulus", "delay", "delay", "decision", "decision"]
    assert probe["period"].values.tolist() == [periods, periods]
    fixation, stimulus, none = [1, 1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 0, 0, 0], [0] * 7
    assert probe["inputs"].transpose("trial", "input_channel", "time").values.tolist() == [
        [fixation, stimulus, none],
        [fixation, none, stimulus],
    ]
    assert probe["targets"].values[..., 0].tolist() == [[0, 0, 0, 0, 0, 1, 1], none]
    assert (probe["loss_weight"] == 1).all()


def test_delays_vary_up_to_the_longest_and_trials_are_padded():
    trials = make_trials(GoNoGo(dt=100, longest_delay=800, noise=0), 200, 0)
    assert set(trials["delay"].values.tolist()) == {500, 600, 700, 800}
    assert trials.sizes["time"] == 18
    np.testing.assert_array_equal(trials["n_steps"], 10 + trials["delay"] / 100)
    padding = xr.DataArray(np.arange(18), dims="time") >= trials["n_steps"]
    assert (padding == (trials["period"] == "padding")).all()
    for name in ("inputs", "targets", "loss_weight"):
        assert (trials[name].where(padding, 0) == 0).all()
    scores = score_trials(GoNoGo(dt=100), trials["targets"].where(~padding, 100.0), trials)
    assert (scores == 1).all()


@pytest.mark.parametrize("go_per_no_go", [1, 4])
def test_going_always_or_never_scores_what_is_declared(go_per_no_go):
    task = GoNoGo(go_per_no_go=go_per_no_go)
    trials = make_trials(task, 60, 0)
    policies = {"always goes": constant(trials, 1.0), "never goes": constant(trials, 0.0)}
    scores = {name: score_trials(task, outputs, trials) for name, outputs in policies.items()}
    assert {name: mean_score(one).item() for name, one in scores.items()} == pytest.approx(dict(task.shortcuts))
    assert task.chance == max(task.shortcuts.values()) == go_per_no_go / (1 + go_per_no_go)
    assert [worst_score(task, one, trials).item() for one in scores.values()] == [0, 0]


def test_choice_is_the_mean_over_the_decision_after_the_grace_time():
    task = GoNoGo()
    trials = make_trials(task, 4, 0)
    outputs = constant(trials, 0.4)
    outputs[{"time": slice(0, 55)}] = 100.0  # until the grace time ends, at 1,100 ms
    assert set(task.choice(outputs, trials).values.tolist()) == {"no-go"}
    outputs[{"time": [60]}] = 0.4 + 0.2 * 20  # lifts the mean of 20 samples by 0.2
    assert set(task.choice(outputs, trials).values.tolist()) == {"go"}
    assert set(task.choice(outputs * np.nan, trials).values.tolist()) == {""}
    several = xr.concat([trials["targets"], 1 - trials["targets"]], dim="network")
    assert mean_score(score_trials(task, several, trials)).values.tolist() == [1, 0]


@pytest.mark.parametrize("go_per_no_go", [1, 3])
def test_stimuli_are_balanced_exactly(go_per_no_go):
    task = GoNoGo(go_per_no_go=go_per_no_go)
    trials = task.trials(5 * (1 + go_per_no_go), seed=0)
    assert Counter(trials["stimulus"].values.tolist()) == {"go": 5 * go_per_no_go, "no-go": 5}
    assert set(trial_condition(task, trials).tolist()) == {"stimulus=go", "stimulus=no-go"}


@pytest.mark.parametrize("dt", [5, 20])
def test_noise_has_the_same_spread_over_a_time_at_any_dt(dt):
    inputs = GoNoGo(dt=dt).trials(1000, seed=0)["inputs"].astype(float)
    mean = inputs.isel(time=slice(-500 // dt, None)).mean("time")
    # A mean over T: standard deviation σ sqrt(2 τ / T). Of 3,000 such, it is known to 1.3 %.
    np.testing.assert_allclose(mean.std(), 0.1 * np.sqrt(200 / 500), rtol=0.055)


@pytest.mark.parametrize("fixed", [{"stimulus": "go"}, {"correct_choice": "no-go"}, {"delay": 700}])
def test_a_coordinate_can_be_fixed(fixed):
    trials = GoNoGo(longest_delay=900).trials(20, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"rule": 1}, TypeError, "rule: expected a coordinate of trials to fix, such as stimulus"),
        ({"stimulus": "stop"}, ValueError, "stimulus: expected one of go, no-go, got 'stop'"),
        ({"delay": 400}, ValueError, "delay: expected from 500 to 500 ms, got 400"),
    ],
)
def test_what_cannot_be_fixed_is_named_in_one_line(fixed, error, message):
    with pytest.raises(error, match=f"^{message}"):
        GoNoGo().trials(5, seed=0, **fixed)


def test_trials_are_made_fast_enough_to_stream():
    # 20,000 trials per second. The fastest of ten, on a machine that may be busy.
    task, rng, elapsed = GoNoGo(), np.random.default_rng(0), []
    for _ in range(10):
        started = time.perf_counter()
        task.arrays(640, rng)
        elapsed.append(time.perf_counter() - started)
    assert min(elapsed) < 640 / 20_000


BAD = [
    *(({key: 0}, f"{key}: expected a positive time in ms, got 0") for key in ("dt", "stimulus", "decision")),
    *(
        ({key: -1}, f"{key}: expected a number of at least 0, got -1")
        for key in ("fixation", "delay", "grace", "noise")
    ),
    *(({"go_per_no_go": one}, "go_per_no_go: expected an integer of at least 1, got ") for one in (0, 1.5, True)),
    ({"stimulus": 10}, "stimulus: expected at least dt=20 ms, got 10"),
    ({"grace": 490}, "grace: expected at least a step less than decision, got 490"),
    ({"longest_delay": 400}, "longest_delay: expected at least delay=500 ms, got 400"),
    ({"delay": 1e9}, "delay: expected trials of at most 2,000,000 steps of dt=20 ms"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}") as raised:
        GoNoGo(**settings)
    assert "\n" not in str(raised.value)
