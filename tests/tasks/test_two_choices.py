"""What all forced choices have in common, and the settings of their sources."""

import dataclasses
import json
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import (
    ClickAccumulation,
    ContextDecision,
    MultisensoryIntegration,
    ParametricMemory,
    PerceptualDecision,
)
from biornn.tasks.registry import find_task
from biornn.tasks.scores import mean_score, score_trials
from biornn.tasks.trials import make_probe, make_trials
from biornn.tasks.two_choices import TwoChoices
from tests.tasks.choices import constant

TASKS = [PerceptualDecision, ContextDecision, MultisensoryIntegration, ParametricMemory, ClickAccumulation]
VARIANTS = [
    *(kind() for kind in TASKS),
    PerceptualDecision(dt=10, n_catch=0, noise=0, fixation=0, grace=0),
    ParametricMemory(dt=30, n_catch=3, rectify=True, decision=90, grace=60),
    PerceptualDecision(variable_stimulus=True),
    PerceptualDecision(variable_stimulus=True, dt=10, longest_stimulus=400, n_catch=5),
    PerceptualDecision(rectify=True, fixation=0, grace=0, coherences=[0, 31.25]),
    ContextDecision(coherences=[0, 20], stimulus=100),
    MultisensoryIntegration(frequencies=[5, 6.5, 9, 20], boundary=8, auditory_noise=0),
    ParametricMemory(pairs=[[10, 18]], shortest_delay=100, longest_delay=100),
    ClickAccumulation(rate_differences=[0, 10], total_rate=10, click_area=5, dt=1),
]


def name(task):
    changed = {f.name: getattr(task, f.name) for f in dataclasses.fields(task) if getattr(task, f.name) != f.default}
    return "-".join([task.name, *(f"{key}={value}" for key, value in changed.items())])


MORE = [
    *(kind(dt=10, n_catch=0, noise=0, fixation=0, grace=0) for kind in TASKS if kind != PerceptualDecision),
    *(kind(dt=30, n_catch=3, rectify=True, decision=90, grace=60) for kind in TASKS if kind != ParametricMemory),
]


every_kind = pytest.mark.parametrize("kind", TASKS)
every_variant = pytest.mark.parametrize(
    "task", [*VARIANTS, *(pytest.param(task, marks=pytest.mark.nightly) for task in MORE)], ids=name
)


# ---- by hand


@dataclass(frozen=True)
class Sides(TwoChoices):
    """A left, a right and a catch trial: fixation of one step, stimulus of two steps or one, decision of three."""

    input_channels = ("light",)

    dt: float = 10.0
    fixation: float = 10.0
    decision: float = 30.0
    grace: float = 10.0
    baseline: float = 1.0

    def _varied_steps(self, share):
        return np.where(np.asarray(share) > 0.5, 2, 1)

    def _levels(self, of_trials):
        return np.zeros((len(of_trials["correct_choice"]), 4, 1), np.float32)

    def three(self):
        conditions = {"correct_choice": np.array(["left", "right", "none"])}
        return self._named(*self._make(conditions, np.array([2, 1, 2]), None))


@pytest.fixture
def trials():
    return Sides().three()


def test_targets_and_loss_weight_by_hand(trials):
    low, high = np.float32(0.2), np.float32(1)
    left, right = (trials["targets"].sel(output_channel=side) for side in ("left", "right"))
    assert left.values.tolist() == [[low] * 3 + [high] * 3, [low] * 5 + [0], [low] * 6]
    assert right.values.tolist() == [[low] * 6, [low] * 2 + [high] * 3 + [0], [low] * 6]
    assert trials["loss_weight"][..., 0].values.tolist() == [[1, 0, 0, 1, 1, 1], [1, 0, 1, 1, 1, 0], [1] * 6]
    xr.testing.assert_equal(
        trials["loss_weight"][..., 1].drop_vars("output_channel"),
        trials["loss_weight"][..., 0].drop_vars("output_channel"),
    )
    assert trials["inputs"][..., 0].values.tolist() == [[1] * 6, [1] * 5 + [0], [1] * 6]
    assert trials["period"].values[1].tolist() == ["fixation", "stimulus", *["decision"] * 3, "padding"]
    assert trials["n_steps"].values.tolist() == [6, 5, 6]


def test_the_last_two_steps_of_each_trial_make_the_choice(trials):
    outputs = xr.zeros_like(trials["targets"])
    outputs[0, 4, 0] = outputs[1, 3, 1] = outputs[2, 5, 0] = 1.0
    outputs[0, 3, 1] = outputs[1, 5, 0] = 9.0  # within the grace time, and in the padding
    assert Sides().choice(outputs, trials).values.tolist() == ["left", "right", "left"]
    np.testing.assert_array_equal(Sides().score(outputs, trials), [1, 1, np.nan])
    np.testing.assert_array_equal(Sides().catch_score(outputs, trials), [np.nan, np.nan, 1])  # a mean of 0.5 is low
    np.testing.assert_array_equal(Sides().catch_score(outputs * 1.3, trials), [np.nan, np.nan, 0])


def test_equal_outputs_choose_left_and_infinite_ones_nothing(trials):
    assert Sides().choice(trials["targets"] * 0, trials).values.tolist() == ["left"] * 3
    assert Sides().choice(trials["targets"] * np.nan, trials).values.tolist() == [""] * 3


# ---- settings of the sources, from the last version of pycog's examples, and of the others that the classes name

SOURCES = {
    PerceptualDecision: {
        "coherences": (1, 2, 4, 8, 16),
        "periods": {"fixation": 100, "stimulus": 800, "decision": 300},
        "n_inputs": 2,
        "catch": 1 / 11,
    },
    ContextDecision: {
        "coherences": (1, 3, 10),
        "periods": {"fixation": 100, "stimulus": 800, "decision": 300},
        "n_inputs": 6,
        "catch": 1 / 73,
    },
    MultisensoryIntegration: {
        "frequencies": (9, 10, 11, 12, 13, 14, 15, 16),
        "boundary": 12.5,
        "periods": {"fixation": 100, "stimulus": 1000, "decision": 300},
        "n_inputs": 5,
        "catch": 5 / 25,
    },
    ParametricMemory: {
        "pairs": ((18, 10), (22, 14), (26, 18), (30, 22), (34, 26)),
        "shortest_delay": 2500,
        "longest_delay": 3500,
        "periods": {"fixation": 100, "first": 500, "delay": 3000, "second": 500, "decision": 300, "padding": 500},
        "n_inputs": 2,
        "catch": 1 / 11,
    },
    ClickAccumulation: {
        "rate_differences": (12, 27, 34, 38),
        "total_rate": 40,
        "shortest_stimulus": 200,
        "longest_stimulus": 1000,
        "noise": 0.01,
        "periods": {"fixation": 100, "stimulus": 600, "decision": 300, "padding": 400},
        "n_inputs": 3,
        "catch": 1 / 9,
    },
}


@every_kind
def test_settings_are_those_of_the_source(kind):
    task, source = kind(), dict(SOURCES[kind])
    probe = make_probe(task)
    periods, n_inputs, share_of_catch = (source.pop(one) for one in ("periods", "n_inputs", "catch"))
    assert {one: getattr(task, one) for one in source} == source
    lengths = {one: n * task.dt for one, n in Counter(probe["period"].values[0].tolist()).items()}
    assert lengths == periods
    assert (task.n_inputs, task.n_outputs) == (n_inputs, 2)
    n_others = probe.sizes["trial"] - 1  # the probe has one catch trial
    assert task.n_catch / (task.n_catch + n_others) == pytest.approx(share_of_catch)
    assert (task.dt, task.baseline, task.noise_tau) == (20, 0.2, 100)
    levels = np.unique(probe["targets"].values[probe["loss_weight"].values > 0])
    np.testing.assert_allclose(levels, [0.2, 1.0], rtol=1e-6)


# ---- what every one keeps to


@every_variant
def test_keeps_to_the_contract(task):
    bn.tasks.check(task)
    assert json.loads(json.dumps(dataclasses.asdict(task)))["dt"] == task.dt


@every_kind
def test_a_task_is_found_by_its_name_and_made_for_any_channels(kind):
    assert find_task(kind.name) is kind
    assert kind.for_channels(2, 2) == kind()


@every_variant
def test_the_targets_score_one_and_both_are_low_in_catch_trials(task):
    trials = make_trials(task, 150, 0)
    is_catch = trials["correct_choice"] == "none"
    assert is_catch.any() == (task.n_catch > 0)
    scores = score_trials(task, trials["targets"], trials)
    assert (scores.isnull() == is_catch).all()
    assert (scores.where(~is_catch, 1) == 1).all()
    assert (task.catch_score(trials["targets"], trials).where(is_catch, 1) == 1).all()
    choices = task.choice(trials["targets"], trials)
    assert (choices == trials["correct_choice"]).where(~is_catch, True).all()


@every_variant
def test_periods_tile_each_trial_in_their_order_and_then_there_is_padding(task):
    trials = make_trials(task, 150, 0)
    order = [*task._periods, "padding"]
    number = xr.apply_ufunc(np.vectorize(order.index), trials["period"])
    assert (number.diff("time") >= 0).all()
    steps = xr.DataArray(np.arange(trials.sizes["time"]), dims="time")
    assert ((number == len(order) - 1) == (steps >= trials["n_steps"])).all()
    for one in order[:-1]:
        length = (trials["period"] == one).sum("time") * task.dt
        expected = trials[task._varied] if one in ("delay", "stimulus") else getattr(task, one, None)
        expected = task.stimulus if expected is None else expected  # the first and the second one
        assert (abs(length - expected) <= task.dt / 2).all()  # rounded to steps


@every_variant
def test_padding_is_empty_and_does_not_count(task):
    trials = make_trials(task, 100, 0)
    padding = trials["period"] == "padding"
    for part in ("inputs", "targets", "loss_weight"):
        assert (trials[part].where(padding, 0) == 0).all()
    scores = score_trials(task, trials["targets"].where(~padding, 100.0), trials)
    xr.testing.assert_equal(scores, score_trials(task, trials["targets"], trials))


@every_variant
@pytest.mark.parametrize("levels", [(0.0, 0.0), (1.0, 0.2), (0.2, 1.0)])
def test_one_choice_always_scores_chance_exactly_where_trials_are_balanced(task, levels):
    n_conditions = make_probe(task).sizes["trial"] - 1 + task.n_catch
    trials = make_trials(task, 2 * n_conditions, 1)
    scores = score_trials(task, constant(trials, *levels), trials)
    assert mean_score(scores).item() == task.chance == 0.5
    assert next(iter(task.shortcuts.values())) == 0.5


@every_variant
def test_every_condition_is_as_frequent_to_one_trial(task):
    conditions = list(task._conditions(n_catch=1))
    probe = make_probe(task)
    every = Counter(zip(*(probe[one].values.astype(str) for one in conditions), strict=True))
    assert set(every.values()) <= {1, 2}  # 2: a side at no coherence
    n_conditions = probe.sizes["trial"] - 1 + task.n_catch
    for n_trials, spread in ((3 * n_conditions, 0), (3 * n_conditions + 1, 1)):
        trials = task.trials(n_trials, seed=0)
        counts = Counter(zip(*(trials[one].values.astype(str) for one in conditions), strict=True))
        weight = {one: task.n_catch if "none" in one else n for one, n in every.items()}
        extra = [counts[one] - 3 * weight[one] for one in every]
        assert (sum(extra), min(extra), max(extra)) == (spread, 0, spread)


@every_variant
def test_the_probe_has_no_noise_and_the_median_length(task):
    probe = make_probe(task)
    xr.testing.assert_identical(probe, make_probe(task))
    before = probe["inputs"].where(probe["period"] == "fixation")
    assert (before.max("trial").fillna(0) == before.min("trial").fillna(0)).all()
    assert set(probe[task._varied].values.tolist()) == {(task._varied_steps(0.5) * task.dt).item()}


@every_variant
def test_one_seed_gives_one_set_and_arrays_are_those_of_the_labelled_trials(task):
    trials = task.trials(20, seed=3)
    assert trials.identical(task.trials(20, seed=3))
    assert not trials["inputs"].equals(task.trials(20, seed=4)["inputs"])
    for part, array in task.arrays(20, np.random.default_rng(3))._asdict().items():
        np.testing.assert_array_equal(array, trials[part])
        assert array.dtype == np.float32


@every_kind
@pytest.mark.parametrize("dt", [2, 20])
def test_noise_has_the_same_spread_over_a_time_at_any_dt(kind, dt):
    noisy, quiet = (kind(dt=dt, noise=noise).trials(400, seed=0) for noise in (0.3, 0))
    noise = noisy["inputs"].astype(float) - quiet["inputs"]
    mean = noise.where(noisy["period"] == "decision").mean("time")
    # A mean over T = 300 ms has the variance σ² 2 τ / T. Of 800 such or more, the spread is known to 2.5 %.
    assert mean.std().item() == pytest.approx(0.3 * np.sqrt(2 * 100 / 300), rel=0.1)


@every_kind
def test_a_fixed_length_shortens_the_period_that_varies(kind):
    task = kind()
    trials = task.trials(5, seed=0, **{task._varied: 160})
    assert set(trials[task._varied].values.tolist()) == {160}
    assert trials.sizes["time"] == task.trials(5, seed=0).sizes["time"]
    assert (trials["n_steps"] < task.trials(5, seed=0)["n_steps"]).all()
    longest = task._varied_steps(1.0) * task.dt
    with pytest.raises(ValueError, match=f"^{task._varied}: expected 20 to {longest:g} ms, got {longest + 1:g}"):
        task.trials(5, seed=0, **{task._varied: float(longest + 1)})
    with pytest.raises(TypeError, match=r"^colour: expected a coordinate of trials to fix, such as "):
        task.trials(5, seed=0, colour=1)


@every_kind
def test_trials_are_made_fast_enough_to_stream(kind):
    # 20,000 in a second of the processor's time: 64 trials in 3 ms, a small share of an update. The fastest of ten.
    task, rng, elapsed = kind(), np.random.default_rng(0), []
    for _ in range(10):
        started = time.process_time()
        task.arrays(320, rng)
        elapsed.append(time.process_time() - started)
    assert 320 / min(elapsed) > 20_000


BAD = [
    *(({key: 0}, f"{key}: expected a positive time in ms, got 0") for key in ("dt", "decision", "noise_tau")),
    *(
        ({key: -1}, f"{key}: expected a number of at least 0, got -1")
        for key in ("fixation", "grace", "noise", "baseline")
    ),
    *(({"n_catch": value}, "n_catch: expected an integer of at least 0, got ") for value in (-1, 0.5, True)),
    ({"rectify": 1}, "rectify: expected true or false, got 1"),
    ({"grace": 290}, "grace: expected at least a step less than decision, got 290"),
    ({"dt": 1e-4}, "expected trials of at most 2,000,000 steps of dt=0.0001 ms"),
]


@every_kind
@pytest.mark.parametrize(("settings", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(kind, settings, message):
    with pytest.raises((TypeError, ValueError), match=message) as raised:
        kind(**settings)
    assert "\n" not in str(raised.value)
