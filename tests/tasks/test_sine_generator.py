"""The sine generator against closed forms, counted conditions and outputs that ignore the input."""

import dataclasses
import itertools
import json
import time
from collections import Counter

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import SineGenerator, task_of
from biornn.tasks.scores import mean_score, score_trials, trial_condition
from biornn.tasks.trials import make_probe, make_trials

SETTINGS = [
    {},
    {"dt": 5, "noise": 0.0},
    {"frequencies": (1.25,)},
    {"frequencies": [2, 1], "duration": 1000, "longest_duration": 1500},
    {"frequencies": (0.8, 1.0, 1.2, 1.4), "duration": 1300, "amplitude": 2},
]
some_settings = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def sine(trials, frequency, amplitude=0.9, late_by=0.0):
    """Outputs that are a sine of a frequency in Hz, late by a phase: one, or (trial)."""
    phase = 2 * np.pi * frequency * trials["time"] / 1000 - late_by
    return (xr.zeros_like(trials["targets"], float) + amplitude * np.sin(phase)).transpose(*trials["targets"].dims)


@pytest.mark.parametrize("settings", [*SETTINGS, {"duration": 2000, "longest_duration": 2600}], ids=str)
def test_keeps_to_the_contract(settings):
    task = SineGenerator(**settings)
    bn.tasks.check(task)
    trials = make_trials(task, 5, 0)
    assert task_of(trials) == task
    assert json.loads(json.dumps(dataclasses.asdict(task)))["frequencies"] == list(task.frequencies)


def test_the_settings_are_those_of_the_source():
    song = SineGenerator.preset("song2016")
    bn.tasks.check(song)
    (frequency,) = song.frequencies
    tau = 100
    assert 1000 / frequency == 8 * tau
    assert song.amplitude == SineGenerator().amplitude == 0.9
    assert (song.duration, song.longest_duration) == (2 * 8 * tau, None)
    assert (song.trials(20, 0)["inputs"] == 0).all()
    assert song.chance == song.shortcuts["always the middle frequency"] == 1


# ---- what is right


@some_settings
def test_the_targets_themselves_score_one(settings):
    task = SineGenerator(**settings)
    for trials in (make_trials(task, 40, 0), make_probe(task)):
        assert (score_trials(task, trials["targets"], trials) == 1).all()


@pytest.mark.parametrize("factor", [0, 0.5, 0.9, 1.3, 2.5, -1])
def test_score_of_another_amplitude_is_that_of_the_closed_form(factor):
    task = SineGenerator()
    trials = make_trials(task, 10, 0)
    expected = max(0, 1 - (1 - factor) ** 2)
    np.testing.assert_allclose(score_trials(task, factor * trials["targets"], trials), expected, atol=1e-6)  # float32


@pytest.mark.parametrize("phase", [0.0, 0.1, 0.5, 1.0, 2.0, np.pi])
def test_score_of_another_phase_is_that_of_the_closed_form(phase):
    task = SineGenerator()  # whole numbers of half periods in each trial
    trials = make_trials(task, 10, 0)
    found = task.score(sine(trials, trials["frequency"], late_by=phase), trials)
    np.testing.assert_allclose(found, max(0, 2 * np.cos(phase) - 1), atol=1e-6)


def test_a_slightly_wrong_frequency_loses_by_the_phase_that_it_drifts():
    task = SineGenerator(frequencies=(1.0,), duration=5000, dt=1)
    trials = make_trials(task, 2, 0)
    drift = np.linspace(0, 2 * np.pi * 0.01 * 5, 5001)  # 1 % too fast, over five periods
    expected = 1 - (2 - 2 * np.cos(drift)).mean()
    # What is left out oscillates at twice the frequency: of the order of drift² / (2 pi n), with n periods.
    assert task.score(sine(trials, 1.01), trials).values == pytest.approx(expected, abs=drift[-1] ** 2 / 30)


def test_score_broadcasts_over_networks():
    task = SineGenerator()
    trials = make_trials(task, 10, 0)
    several = xr.concat([trials["targets"], 0 * trials["targets"]], dim="network")
    scores = score_trials(task, several, trials)
    assert scores.dims == ("network", "trial")
    assert mean_score(scores).values.tolist() == [1, 0]


def test_padding_does_not_count():
    task = SineGenerator(duration=2000, longest_duration=3000)
    trials = make_trials(task, 100, 0)
    padding = xr.DataArray(np.arange(trials.sizes["time"]), dims="time") >= trials["n_steps"]
    assert padding.any()
    assert (padding == (trials["period"] == "padding")).all()
    assert ((trials["period"] == "sine") == ~padding).all()
    for name in ("inputs", "targets", "loss_weight"):
        assert (trials[name].where(padding, 0) == 0).all()
    assert (trials["loss_weight"].where(~padding, 1) == 1).all()
    scores = score_trials(task, trials["targets"].where(~padding, 100.0), trials)
    assert (scores == 1).all()
    assert set(trials["n_steps"].values.tolist()) <= set(range(100, 151))


# ---- trials


def test_probe_by_hand():
    probe = make_probe(SineGenerator(frequencies=(1, 2.5), noise=1, duration=1000, dt=100))
    assert probe["frequency"].values.tolist() == [1, 2.5]
    assert probe["static_input"].values.tolist() == [0.25, 0.75]
    np.testing.assert_array_equal(probe["inputs"][..., 0], [[0.25] * 10, [0.75] * 10])
    quarter = 0.9 * np.sin(np.pi / 5 * np.arange(10))
    np.testing.assert_allclose(probe["targets"][0, :, 0], quarter, atol=1e-7)
    np.testing.assert_allclose(probe["targets"][1, :, 0], 0.9 * np.array([0, 1, 0, -1] * 3)[:10], atol=1e-7)
    assert (probe["n_steps"] == 10).all()


def test_each_frequency_has_its_input_and_one_alone_has_none():
    task = SineGenerator()
    probe = make_probe(task)
    np.testing.assert_allclose(probe["static_input"], np.arange(5) / 5 + 0.25)
    alone = SineGenerator(frequencies=(1.25,), noise=0.0).trials(4, 0)
    assert (alone["inputs"] == 0).all()
    assert (alone["static_input"] == 0).all()


@pytest.mark.parametrize("n_trials", [5, 7, 100])
def test_frequencies_are_balanced_exactly(n_trials):
    task = SineGenerator()
    trials = task.trials(n_trials, seed=n_trials)
    counts = Counter(trials["frequency"].values.tolist())
    assert set(counts) == set(task.frequencies)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert set(trial_condition(task, trials)) == {f"frequency={one}" for one in task.frequencies}


@pytest.mark.parametrize("dt", [1, 10, 20])
def test_noise_has_the_same_spread_over_a_time_at_any_dt(dt):
    mean = SineGenerator(dt=dt, noise=0.1).trials(1000, seed=0, frequency=1)["inputs"].astype(float).mean("time")
    # A mean over T = 4,000 ms: variance σ² 2 τ / T. Of 1,000 such, the standard deviation is known to 2.2 %.
    np.testing.assert_allclose(mean.std(), 0.1 * np.sqrt(200 / 4000), rtol=0.09)
    np.testing.assert_allclose(mean.mean(), 0.65, atol=4 * 0.1 * np.sqrt(200 / 4000 / 1000))


# ---- outputs that ignore the input


def test_orthogonal_sines_leave_one_over_n_to_any_one_output():
    task = SineGenerator()
    assert task.chance == pytest.approx(1 / 5, abs=1e-12)
    trials = make_trials(task, 50, 0)
    for weights in (np.eye(5)[3], np.full(5, 0.2), [0.5, 0, 0, 0.5, 0]):
        outputs = sum(weight * sine(trials, one) for weight, one in zip(weights, task.frequencies, strict=True))
        found = mean_score(score_trials(task, outputs, trials)).item()
        assert found == pytest.approx(task.chance, abs=1e-6)  # targets are in single precision
    best = max(task._scores_of_one_output(np.random.default_rng(0).uniform(-1, 1, (500, 5))))
    assert best <= task.chance + 1e-12


def mean_of(trials, frequencies):
    """Outputs that are the mean of several sines in all trials."""
    return sum(sine(trials, one, 0.9 / len(frequencies)) for one in frequencies)


@pytest.mark.parametrize("settings", [{}, {"duration": 2000, "longest_duration": 2600}], ids=str)
def test_shortcuts_and_chance_score_what_is_declared(settings):
    task = SineGenerator(**settings)
    trials = make_trials(task, 1000, 1)
    policies = {"silent": 0 * trials["targets"], "always the middle frequency": sine(trials, 1.0)}
    assert set(task.shortcuts) == set(policies)
    for name, outputs in policies.items():
        scores = score_trials(task, outputs, trials)
        # Four standard errors of the mean over lengths, since frequencies are balanced, and single precision.
        error = 4 * scores.groupby(trials["frequency"]).std().max().item() / np.sqrt(1000) + 1e-6
        assert mean_score(scores).item() == pytest.approx(task.shortcuts[name], abs=error)
    # Of all means, that of every second sine is the best with these lengths; with the others all are equal.
    scores = score_trials(task, mean_of(trials, [0.5, 1.0, 1.5]), trials)
    error = 4 * scores.groupby(trials["frequency"]).std().max().item() / np.sqrt(1000) + 1e-6
    assert mean_score(scores).item() == pytest.approx(task.chance, abs=error)
    assert task.chance >= max(task.shortcuts.values())


@pytest.mark.parametrize(
    "frequencies",
    [(0.8, 1.0, 1.2, 1.4), pytest.param(tuple(np.arange(8, 19) / 10), marks=pytest.mark.nightly)],
    ids=len,
)
def test_chance_is_the_best_of_means_of_overlapping_sines(frequencies):
    task = SineGenerator(frequencies=frequencies, duration=1300, dt=50)
    trials, n = make_probe(task), len(frequencies)
    if n < 10:
        subsets = [chosen for size in range(1, n + 1) for chosen in itertools.combinations(frequencies, size)]
    else:  # of neighbours alone
        subsets = [frequencies[first:end] for first in range(n) for end in range(first + 1, n + 1)]
    found = [mean_score(task.score(mean_of(trials, chosen), trials)).item() for chosen in subsets]
    assert max(found) == pytest.approx(task.chance, abs=1e-6)  # targets are in single precision
    assert task.chance > 1.1 / n


# ---- seeds, speed, settings


@some_settings
def test_one_seed_gives_one_set_and_arrays_are_those_of_the_labelled_trials(settings):
    task = SineGenerator(**settings)
    trials = task.trials(20, seed=3)
    assert trials.identical(task.trials(20, seed=3))
    for name, array in task.arrays(20, np.random.default_rng(3))._asdict().items():
        np.testing.assert_array_equal(array, trials[name])
        assert array.dtype == np.float32


@pytest.mark.parametrize("fixed", [{"frequency": 1}, {"static_input": 0.25}, {"frequency": 0.5, "static_input": 0.25}])
def test_a_coordinate_can_be_fixed(fixed):
    trials = SineGenerator().trials(30, seed=0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"colour": 1}, TypeError, "colour: expected a coordinate of trials to fix, such as frequency, static_input"),
        ({"frequency": 3}, ValueError, "frequency: expected one of 0.5, 0.75, 1.0, 1.25, 1.5, got 3"),
        ({"frequency": 1, "static_input": 0.25}, ValueError, "static_input: expected one of 0.65, got 0.25"),
    ],
)
def test_what_cannot_be_fixed_is_named_in_one_line(fixed, error, message):
    with pytest.raises(error, match=f"^{message}"):
        SineGenerator().trials(5, seed=0, **fixed)


@pytest.mark.parametrize("settings", [{}, {"duration": 3000, "longest_duration": 4000}], ids=str)
def test_trials_are_made_fast_enough_to_stream(settings):
    # 20,000 trials a second. The fastest of five, on a machine that may be five times as busy.
    task, rng, elapsed = SineGenerator(**settings), np.random.default_rng(0), []
    for _ in range(5):
        started = time.perf_counter()
        task.arrays(640, rng)
        elapsed.append(time.perf_counter() - started)
    assert min(elapsed) < 5 * 640 / 20_000


BAD = [
    *(({key: 0}, f"{key}: expected a positive time in ms, got 0") for key in ("dt", "duration", "noise_tau")),
    ({"amplitude": 0}, "amplitude: expected a number above 0, got 0"),
    ({"noise": -1}, "noise: expected a number of at least 0, got -1"),
    *(({"frequencies": value}, "frequencies: expected ") for value in ((), 4, (-1,), ("a",), (float("nan"),), (20,))),
    ({"frequencies": (0, 1)}, r"frequencies: expected different numbers above 0 Hz, got \(0.0, 1.0\)"),
    ({"frequencies": (1, 1)}, r"frequencies: expected different numbers above 0 Hz, got \(1.0, 1.0\)"),
    ({"duration": 1900}, "duration: expected at least 2000 ms, a period of the lowest of the frequencies, got 1900"),
    ({"longest_duration": 3000}, "longest_duration: expected at least duration=4000 ms, got 3000"),
    ({"dt": 1e-3}, "duration: expected trials of at most 2,000,000 steps of dt=0.001 ms, got 4000 ms"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}") as raised:
        SineGenerator(**settings)
    assert "\n" not in str(raised.value)
