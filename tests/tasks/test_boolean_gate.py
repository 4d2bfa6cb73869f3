"""Boolean gates against their truth tables, counted patterns and policies that do not compute them."""

import time
from collections import Counter

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import BooleanGate
from biornn.tasks.scores import mean_score, score_trials, worst_score
from biornn.tasks.trials import make_probe, make_trials

TRUE = {
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "xor": lambda a, b: a != b,
    "not": lambda a: not a,
    "pulse": lambda a: a,
}
SETTINGS = [{}, {"dt": 5}, {"longest_gap": 60}, {"noise": 0, "gap": 0, "onset": 0}, {"dt": 20, "pulse_width": 40}]
every_gate = pytest.mark.parametrize("gate", TRUE)
every_gate_and_all_settings = pytest.mark.parametrize(
    ("gate", "settings"),
    [  # all of them nightly
        pytest.param(gate, settings, marks=() if not at or (at - which) % 4 == 0 else pytest.mark.nightly)
        for which, gate in enumerate(TRUE)
        for at, settings in enumerate(SETTINGS)
    ],
    ids=str,
)


def constant(trials, level):
    """Outputs that are the same at all times, in all trials or (trial)."""
    return xr.zeros_like(trials["targets"]) + level


@every_gate_and_all_settings
def test_keeps_to_the_contract(gate, settings):
    bn.tasks.check(BooleanGate(gate, **settings))


@every_gate_and_all_settings
def test_answers_follow_the_truth_table_and_the_targets_score_one(gate, settings):
    task = BooleanGate(gate, **settings)
    trials = make_trials(task, 64, 0)
    for pattern, answer in zip(
        trials["pattern"].values.tolist(), trials["correct_choice"].values.tolist(), strict=True
    ):
        assert answer == ("high" if TRUE[gate](*(one == "1" for one in pattern)) else "low")
    assert (score_trials(task, trials["targets"], trials) == 1).all()
    assert (trials["loss_weight"] == 1).all()


def test_times_of_a_gate_by_hand():
    probe = make_probe(BooleanGate("xor"))
    assert probe["pattern"].values.tolist() == ["00", "01", "10", "11"]
    pulse, silence = [0] * 30 + [1] * 20 + [0] * 150, [0] * 200
    assert probe["inputs"].values[1].T.tolist() == [silence, pulse]
    assert probe["inputs"].values[3].T.tolist() == [pulse, pulse]
    assert probe["targets"].values[..., 0].tolist() == [silence, [0] * 70 + [1] * 130, [0] * 70 + [1] * 130, silence]
    expected = ["before"] * 30 + ["stimulus"] * 20 + ["gap"] * 20 + ["answer"] * 130
    assert probe["period"].values[2].tolist() == expected


def test_times_of_the_timed_pulse_by_hand():
    probe = make_probe(BooleanGate("pulse"))
    assert probe["targets"].values[..., 0].tolist() == [[0] * 200, [0] * 70 + [1] * 20 + [0] * 110]
    assert Counter(probe["period"].values[1].tolist())["rest"] == 110


def test_gaps_vary_up_to_the_longest_and_move_the_answer():
    task = BooleanGate("or", longest_gap=23)
    trials = task.trials(400, seed=0)
    assert set(trials["gap"].values.tolist()) == {20, 21, 22, 23}
    onset = (trials["targets"].isel(output_channel=0) > 0).argmax("time")
    is_high = (trials["correct_choice"] == "high").values
    assert (onset == 50 + trials["gap"])[is_high].all()
    assert trials.sizes["time"] == 30 + 20 + 23 + 130


@pytest.mark.parametrize("dt", [1, 5])
def test_noise_has_the_same_spread_over_a_time_at_any_dt(dt):
    inputs = BooleanGate(dt=dt).trials(2000, seed=0, pattern="00")["inputs"].astype(float).mean("time")
    # A mean over 200 ms: standard deviation 0.1 / sqrt(200). Of 4,000 such, it is known to 1.1 %.
    np.testing.assert_allclose(inputs.std(), 0.1 / np.sqrt(200), rtol=0.05)


# ---- scores


@every_gate
def test_constant_answers_and_other_shortcuts_score_what_is_declared(gate):
    task = BooleanGate(gate)
    trials = make_trials(task, 40, 0)
    first, any_pulse = (trials["pattern"].str[:1] == "1"), trials["pattern"].str.contains("1")
    policies = {"always low": constant(trials, 0.0), "always high": constant(trials, 1.0)}
    if gate in ("and", "or", "xor"):
        # The best of the four answers to the first input alone.
        answers = [
            constant(trials, xr.where(first, *pair)) for pair in ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1.0, 1.0))
        ]
        policies["one input only"] = max(answers, key=lambda one: mean_score(score_trials(task, one, trials)).item())
    if gate == "xor":
        policies["high after any pulse"] = constant(trials, 1.0 * any_pulse)
    if gate == "pulse":
        policies["never rests"] = constant(trials, 1.0 * any_pulse)
    found = {name: mean_score(score_trials(task, outputs, trials)).item() for name, outputs in policies.items()}
    assert found == dict(task.shortcuts)
    assert task.chance == max(found["always low"], found["always high"])


@every_gate
def test_silent_outputs_say_low_and_fail_in_one_pattern_at_least(gate):
    task = BooleanGate(gate)
    trials = make_trials(task, 40, 0)
    scores = score_trials(task, constant(trials, 0.0), trials)
    assert (scores == (trials["correct_choice"] == "low")).all()
    assert worst_score(task, scores, trials).item() == 0


def test_choice_is_the_mean_over_the_answer_alone():
    task = BooleanGate("xor")
    trials = make_trials(task, 8, 0)
    outputs = constant(trials, 0.4)
    outputs[{"time": slice(0, 70)}] = 100.0
    assert set(task.choice(outputs, trials).values.tolist()) == {"low"}
    outputs[{"time": [199]}] = 0.4 + 0.2 * 130  # lifts the mean of 130 samples by 0.2
    assert set(task.choice(outputs, trials).values.tolist()) == {"high"}
    assert set(task.choice(outputs * np.inf, trials).values.tolist()) == {""}


def test_scores_broadcast_over_networks():
    task = BooleanGate()
    trials = make_trials(task, 8, 0)
    scores = score_trials(task, xr.concat([trials["targets"], 1 - trials["targets"]], dim="network"), trials)
    assert mean_score(scores).values.tolist() == [1, 0]


# ---- conditions, seeds, speed, settings


@every_gate
@pytest.mark.parametrize("n_each", [1, 7])
def test_patterns_are_balanced_exactly(gate, n_each):
    task = BooleanGate(gate)
    n_patterns = 2**task.n_inputs
    counts = Counter(task.trials(n_each * n_patterns, seed=0)["pattern"].values.tolist())
    assert set(counts.values()) == {n_each}
    assert len(counts) == n_patterns


@pytest.mark.parametrize("fixed", [{"pattern": "01"}, {"correct_choice": "low"}, {"gap": 30}])
def test_a_coordinate_can_be_fixed(fixed):
    trials = BooleanGate(longest_gap=40).trials(20, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"coherence": 1}, TypeError, "coherence: expected a coordinate of trials to fix, such as pattern"),
        ({"pattern": "2"}, ValueError, "pattern: expected one of 00, 01, 10, 11, got '2'"),
        ({"gap": 21}, ValueError, "gap: expected from 20 to 20 ms, got 21"),
    ],
)
def test_what_cannot_be_fixed_is_named_in_one_line(fixed, error, message):
    with pytest.raises(error, match=f"^{message}"):
        BooleanGate().trials(5, seed=0, **fixed)


def test_one_seed_gives_one_set_and_arrays_are_those_of_the_labelled_trials():
    task = BooleanGate(longest_gap=60)
    trials = task.trials(20, seed=3)
    assert trials.identical(task.trials(20, seed=3))
    for name, array in task.arrays(20, np.random.default_rng(3))._asdict().items():
        np.testing.assert_array_equal(array, trials[name])
        assert array.dtype == np.float32


def test_trials_are_made_fast_enough_to_stream():
    # 32 trials in 5 ms: a small share of an update. The fastest of five, on a machine that may be busy.
    task, rng, elapsed = BooleanGate(), np.random.default_rng(0), []
    for _ in range(5):
        started = time.perf_counter()
        task.arrays(320, rng)
        elapsed.append(time.perf_counter() - started)
    assert min(elapsed) < 10 * 5e-3


BAD = [
    ({"gate": "nand"}, "gate: expected one of and, or, xor, not, pulse, got 'nand'"),
    ({"gate": None}, "gate: expected one of and, or, xor, not, pulse, got None"),
    *(({key: 0}, f"{key}: expected a positive time in ms, got 0") for key in ("dt", "pulse_width", "tail")),
    *(({key: -1}, f"{key}: expected a number of at least 0, got -1") for key in ("onset", "gap", "noise")),
    ({"pulse_width": 0.5}, "pulse_width: expected at least dt=1 ms, got 0.5"),
    ({"gate": "pulse", "tail": 20}, "tail: expected at least dt=1 ms more than 20 ms, got 20"),
    ({"longest_gap": 10}, "longest_gap: expected at least gap=20 ms, got 10"),
    ({"tail": 3e6}, "tail: expected trials of at most 2,000,000 steps of dt=1 ms"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        BooleanGate(**settings)
    assert "\n" not in str(raised.value)
