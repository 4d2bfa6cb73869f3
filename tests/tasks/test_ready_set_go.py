"""Ready, set, go: intervals by hand, the margin at its edges, and policies that do not measure."""

import dataclasses
import json
import time
from collections import Counter

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import ReadySetGo, task_of
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score
from biornn.tasks.trials import make_probe, make_trials

SETTINGS = [
    {},
    {"dt": 10, "noise": 0.1},
    {"dt": 1},
    {"fixation": 0, "margin": 0, "margin_time": 0},
    {"shortest_interval": 200, "longest_interval": 240, "pulse": 20},
    {"dt": 30, "margin": 0.5},
]
some_settings = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def going(trials, at):
    """Outputs that are 1 from a time of the trial on, in ms: one time, or (trial), or (network)."""
    return (xr.zeros_like(trials["targets"]) + (trials["time"] >= at)).transpose(..., *trials["targets"].dims)


def onset_of_set(trials):
    """Time of the first sample of set, in ms, as the period says."""
    return trials["time"].isel(time=(trials["period"] == "set").argmax("time")).drop_vars("time")


def each_interval(task):
    """One trial of each interval that a task has."""
    steps = round(task.shortest_interval / task.dt), round(task.longest_interval / task.dt)
    intervals = np.arange(steps[0], steps[1] + 1) * task.dt
    return xr.concat([task.trials(1, 0, interval=interval) for interval in intervals], "trial")


@some_settings
def test_keeps_to_the_contract(settings):
    task = ReadySetGo(**settings)
    bn.tasks.check(task)
    trials = make_trials(task, 5, 0)
    assert task_of(trials) == task
    assert json.loads(trials.attrs["task_settings"]) == dataclasses.asdict(task)


def test_the_settings_are_those_of_the_source():
    source = {
        "fixation": 100,
        "pulse": 83,
        "shortest_interval": 800,
        "longest_interval": 1500,
        "margin": 0.2,
        "margin_time": 25,
    }
    assert {name: getattr(ReadySetGo(), name) for name in source} == source


# ---- what is right


@some_settings
def test_the_targets_themselves_produce_the_interval_and_score_one(settings):
    task = ReadySetGo(**settings)
    for trials in (make_trials(task, 60, 0), make_probe(task)):
        # Times are whole steps times dt, exact to rounding.
        np.testing.assert_allclose(task.produced_interval(trials["targets"], trials), trials["interval"], rtol=1e-12)
        assert (score_trials(task, trials["targets"], trials) == 1).all()


def test_produced_interval_by_hand():
    task = ReadySetGo(fixation=100)
    trials = task.trials(6, 0, interval=1000)  # set begins at 1,100 ms, and the trial ends at 3,180 ms
    at = xr.DataArray([1100.0, 2100.0, 2101.0, 500.0, 3180.0, 3160.0], dims="trial")
    outputs = going(trials, at)
    np.testing.assert_array_equal(task.produced_interval(outputs, trials), [0, 1000, 1020, -600, np.nan, 2060])
    np.testing.assert_array_equal(task.score(outputs, trials), [0, 1, 1, 0, 0, 0])
    assert task.produced_interval(0.5 * outputs, trials).isnull().all()  # not above the threshold
    np.testing.assert_array_equal(
        task.produced_interval(0.51 * outputs, trials), task.produced_interval(outputs, trials)
    )
    assert (task.score(outputs * np.nan, trials) == 0).all()


@pytest.mark.parametrize("interval", [800, 1000, 1500])
def test_the_margin_is_a_fifth_of_the_interval_and_25_ms(interval):
    task = ReadySetGo(dt=1)
    margin = interval / 5 + 25
    trials = task.trials(6, 0, interval=interval)
    off = xr.DataArray([-margin - 1, -margin, -1, 0, margin, margin + 1], dims="trial")
    scores = task.score(going(trials, onset_of_set(trials) + interval + off), trials)
    assert scores.values.tolist() == [0, 1, 1, 1, 1, 0]


def test_only_the_first_response_counts():
    task = ReadySetGo()
    trials = task.trials(3, 0, interval=1200)
    outputs = trials["targets"].copy()
    outputs[0, 70:] = 0.0  # set begins at 1,300 ms, so that this comes before the go
    outputs[1, 130:] = -1.0
    outputs[2, 20] = 0.6
    produced = task.produced_interval(outputs, trials)
    np.testing.assert_array_equal(produced, [np.nan, 1200, 400 - 1300])


def test_scores_broadcast_over_networks():
    task = ReadySetGo()
    trials = make_trials(task, 12, 0)
    several = xr.concat([trials["targets"], 0 * trials["targets"]], dim="network")
    assert task.produced_interval(several, trials).dims == ("network", "trial")
    assert mean_score(score_trials(task, several, trials)).values.tolist() == [1, 0]


def test_padding_does_not_count():
    task = ReadySetGo()
    trials = make_trials(task, 100, 0)
    padding = xr.DataArray(np.arange(trials.sizes["time"]), dims="time") >= trials["n_steps"]
    assert padding.any()
    assert (padding == (trials["period"] == "padding")).all()
    for name in ("inputs", "targets", "loss_weight"):
        assert (trials[name].where(padding, 0) == 0).all()
    assert (trials["loss_weight"].where(~padding, 1) == 1).all()
    assert task.produced_interval(0 * trials["targets"] + padding, trials).isnull().all()


# ---- trials


def test_periods_and_pulses_by_hand():
    trials = ReadySetGo(dt=10).trials(1, 0, interval=900)
    lengths = Counter(trials["period"].values[0].tolist())
    # 83 ms are 8 steps; measure is what is left of the interval, and production lasts two intervals.
    expected = {"fixation": 10, "ready": 8, "measure": 82, "set": 8, "production": 180, "padding": 180}
    assert lengths == expected
    assert list(dict.fromkeys(trials["period"].values[0].tolist())) == list(expected)
    for name in ("ready", "set"):
        pulse = trials["inputs"].sel(input_channel=name)
        assert (pulse == (trials["period"] == name)).all()
    np.testing.assert_array_equal(trials["time"][trials["targets"].values[0, :, 0] > 0][[0, -1]], [1900, 2870])


@some_settings
def test_the_interval_is_from_onset_to_onset(settings):
    trials = make_trials(ReadySetGo(**settings), 30, 0)
    ready = trials["time"].isel(time=(trials["period"] == "ready").argmax("time")).drop_vars("time")
    np.testing.assert_allclose(onset_of_set(trials) - ready, trials["interval"], rtol=1e-12)


@pytest.mark.parametrize("n_trials", [3, 4, 36, 100])
def test_ranges_are_balanced_exactly(n_trials):
    task = ReadySetGo()
    trials = task.trials(n_trials, seed=n_trials)
    counts = Counter(trials["interval_range"].values.tolist())
    assert max(counts.values()) - min(counts.values()) <= 1
    edges = {"short": (800, 1020), "medium": (1040, 1260), "long": (1280, 1500)}
    for name, interval in zip(trials["interval_range"].values, trials["interval"].values, strict=True):
        assert edges[name][0] <= interval <= edges[name][1]
    assert set(trial_condition(task, trials)) == {f"interval_range={name}" for name in counts}


def test_intervals_are_even_over_the_range():
    interval = ReadySetGo(dt=10).trials(7100, seed=0)["interval"].values
    found, counts = np.unique(interval, return_counts=True)
    np.testing.assert_array_equal(found, np.arange(800, 1501, 10))
    # Chi-square of 71 equally frequent values: mean 70, standard deviation sqrt(140), and four of these.
    assert ((counts - 100) ** 2 / 100).sum() < 70 + 4 * np.sqrt(140)


def test_probe_visits_the_middle_of_each_range_once_without_noise():
    probe = make_probe(ReadySetGo(noise=1.0))
    assert dict(zip(probe["interval_range"].values.tolist(), probe["interval"].values.tolist(), strict=True)) == {
        "short": 900,
        "medium": 1140,
        "long": 1380,
    }
    assert set(np.unique(probe["inputs"])) == {0, 1}


@pytest.mark.parametrize("dt", [1, 10, 20])
def test_noise_has_the_same_spread_over_a_time_at_any_dt(dt):
    trials = ReadySetGo(dt=dt, noise=0.1).trials(1000, seed=0, interval=800)
    mean = trials["inputs"].astype(float).where(trials["period"] == "production").mean("time")
    # A mean over T = 1,600 ms: variance σ² 2 τ / T. Of 2,000 such, the standard deviation is known to 1.6 %.
    np.testing.assert_allclose(mean.std(), 0.1 * np.sqrt(200 / 1600), rtol=0.07)


# ---- policies that do not measure


@pytest.mark.parametrize("settings", [{}, {"margin": 0.1, "margin_time": 0}, {"dt": 50}], ids=str)
def test_who_goes_at_one_time_of_the_trial_gets_chance_at_best(settings):
    task = ReadySetGo(**settings)
    trials = each_interval(task)
    sizes = Counter(trials["interval_range"].values.tolist())
    share = xr.DataArray([1 / (3 * sizes[name]) for name in trials["interval_range"].values], dims="trial")
    at = xr.DataArray(trials["time"].values, dims="network")
    found = (task.score(going(trials, at), trials) * share).sum("trial")
    assert found.max().item() == pytest.approx(task.chance, abs=1e-12)


@pytest.mark.parametrize("settings", [{}, {"dt": 10}, {"margin": 0.1, "margin_time": 0}], ids=str)
def test_shortcuts_score_what_is_declared(settings):
    task = ReadySetGo(**settings)
    trials = make_trials(task, 6000, 1)
    policies = {
        "always the mean interval": going(trials, onset_of_set(trials) + 1150),
        "never goes": 0 * trials["targets"],
    }
    assert set(task.shortcuts) == set(policies)
    for name, outputs in policies.items():
        found = mean_score(score_trials(task, outputs, trials)).item()
        # Four standard errors of a share of 6,000.
        assert found == pytest.approx(task.shortcuts[name], abs=4 * 0.5 / np.sqrt(6000))


def test_shortcuts_and_chance_in_fine_steps_are_those_of_the_closed_form():
    task = ReadySetGo(dt=1)
    # Within the margin of 1150 are the intervals from (1150 - 25) / 1.2 to (1150 + 25) / 0.8.
    assert task.shortcuts["always the mean interval"] == pytest.approx((1175 / 0.8 - 1125 / 1.2) / 700, abs=2 / 700)
    # Who goes t after ready produces t less the interval: within (t - 25) / 2.2 and (t + 25) / 1.8, here 1500.
    assert task.chance == pytest.approx((1500 - (1500 * 1.8 - 50) / 2.2) / 700, abs=2 / 700)


def test_where_all_is_right_no_score_is_above_one():
    task = ReadySetGo(margin=5.0)
    assert task.chance == task.shortcuts["always the mean interval"] == 1


def test_the_mean_interval_fails_in_the_worst_range():
    task = ReadySetGo()
    trials = make_trials(task, 3000, 0)
    scores = score_trials(task, going(trials, onset_of_set(trials) + 1150), trials)
    assert worst_score(task, scores, trials).item() < 0.5 < mean_score(scores).item()


# ---- seeds, speed, settings


@some_settings
def test_one_seed_gives_one_set_and_arrays_are_those_of_the_labelled_trials(settings):
    task = ReadySetGo(**settings)
    trials = task.trials(20, seed=3)
    assert trials.identical(task.trials(20, seed=3))
    assert not trials.equals(task.trials(20, seed=4))
    for name, array in task.arrays(20, np.random.default_rng(3))._asdict().items():
        np.testing.assert_array_equal(array, trials[name])
        assert array.dtype == np.float32


@pytest.mark.parametrize(
    "fixed", [{"interval": 800}, {"interval": 1500.0, "interval_range": "long"}, {"interval_range": "medium"}]
)
def test_a_coordinate_can_be_fixed(fixed):
    trials = ReadySetGo().trials(30, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"colour": 1}, TypeError, "colour: expected a coordinate of trials to fix, such as interval_range"),
        ({"interval": 700}, ValueError, "interval: expected 800 to 1500 ms, got 700"),
        ({"interval_range": "tiny"}, ValueError, "interval_range: expected one of short, medium, long, got 'tiny'"),
        ({"interval": 800, "interval_range": "long"}, ValueError, "interval_range: expected one of short, got 'long'"),
    ],
)
def test_what_cannot_be_fixed_is_named_in_one_line(fixed, error, message):
    with pytest.raises(error, match=f"^{message}"):
        ReadySetGo().trials(5, seed=0, **fixed)


@pytest.mark.parametrize("settings", [{}, {"noise": 0.1}], ids=str)
def test_trials_are_made_fast_enough_to_stream(settings):
    # 20,000 trials a second. The fastest of five, on a machine that may be five times as busy.
    task, rng, elapsed = ReadySetGo(**settings), np.random.default_rng(0), []
    for _ in range(5):
        started = time.perf_counter()
        task.arrays(640, rng)
        elapsed.append(time.perf_counter() - started)
    assert min(elapsed) < 5 * 640 / 20_000


BAD = [
    *(
        ({key: 0}, f"{key}: expected a positive time in ms, got 0")
        for key in ("dt", "pulse", "shortest_interval", "longest_interval", "noise_tau")
    ),
    *(
        ({key: -1}, f"{key}: expected a number of at least 0, got -1")
        for key in ("fixation", "margin", "margin_time", "noise")
    ),
    ({"pulse": 10}, "pulse: expected at least dt=20 ms, got 10"),
    ({"shortest_interval": 100}, "shortest_interval: expected at least 103 ms, 1 of dt=20 ms above pulse, got 100"),
    (
        {"longest_interval": 830},
        "longest_interval: expected at least 840 ms, 2 of dt=20 ms above shortest_interval, got 830",
    ),
    ({"dt": "a"}, "dt: expected a positive time in ms, got 'a'"),
    ({"dt": 1e-3}, "longest_interval: expected trials of at most 2,000,000 steps of dt=0.001 ms, got 4683 ms"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}") as raised:
        ReadySetGo(**settings)
    assert "\n" not in str(raised.value)
