"""The flip-flop against a slow reference, hand-computed times, and the statistics that it promises."""

import dataclasses
import itertools
import json
import time

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import biornn as bn
from biornn.tasks import FlipFlop

#: One of every kind, each without noise: the reference reads the pulses off the inputs.
QUIET = [
    FlipFlop(noise=0),
    FlipFlop(noise=0, n_bits=1),
    FlipFlop(noise=0, n_bits=5, n_pulses=5, duration=600),
    FlipFlop(noise=0, n_pulses=1, duration=100),
    FlipFlop(noise=0, dt=2.0),
    FlipFlop(noise=0, dt=0.1, duration=200),
    FlipFlop(noise=0, dt=3.0),  # 20 ms are 7 steps then, and 50 ms are 17
    FlipFlop(noise=0, response_delay=0),
    FlipFlop(noise=0, response_delay=90, min_gap=10),  # the next pulse comes before the response to the last
    FlipFlop(noise=0, min_gap=0, first_onset=0, n_pulses=6),
    FlipFlop(noise=0, amplitude=-2.5),
    FlipFlop(noise=0, amplitude=0.5, pulse_width=1),
    FlipFlop(noise=0, pulses="random", duration=1000),
    FlipFlop(noise=0, pulses="random", duration=1000, n_bits=4, dt=2.0, pulse_rate=20),
    FlipFlop(noise=0, pulses="random", duration=500, pulse_rate=50, min_gap=0, response_delay=70),
    FlipFlop(noise=0, pulses="random", duration=500, pulse_rate=0),
    # More than 127 pulses within one response window: counts that do not fit into eight bits.
    FlipFlop(noise=0, pulses="random", duration=600, pulse_rate=1e6, pulse_width=1, min_gap=0, response_delay=150),
    FlipFlop(noise=0, duration=191),  # the shortest that these pulses fit into
]


def name(task):
    changed = {f.name: getattr(task, f.name) for f in dataclasses.fields(task) if getattr(task, f.name) != f.default}
    return "-".join(f"{key}={value}" for key, value in changed.items() if key != "noise") or "default"


quiet = pytest.mark.parametrize("task", QUIET, ids=name)


def steps(task, duration):
    return int(duration / task.dt + 0.5)


def pulses_of(task, channel):
    """Onset and sign of every pulse of one noise-free channel, read off sample by sample."""
    found, now, width = [], 0, steps(task, task.pulse_width)
    while now < len(channel):
        if channel[now] == 0:
            now += 1
            continue
        assert abs(channel[now]) == abs(task.amplitude)
        assert (channel[now : now + width] == channel[now]).all()
        assert now + width <= len(channel)
        found.append((now, int(np.sign(channel[now]))))
        now += width
    return found


def every_channel(trials):
    """Inputs, targets and response window of each channel of each trial, as plain vectors."""
    for trial, channel in itertools.product(range(trials.sizes["trial"]), range(trials.sizes["input_channel"])):
        yield tuple(trials[part].values[trial, :, channel] for part in ("inputs", "targets", "response_window"))


def pulse_table(task, n_trials, seed):
    """Pulses of every channel of every trial."""
    return [pulses_of(task, inputs) for inputs, _, _ in every_channel(task.trials(n_trials, seed))]


# ---- targets


@quiet
def test_target_is_the_sign_of_the_last_pulse_from_the_delay_after_its_falling_edge(task):
    n_steps, n_pulses = steps(task, task.duration), 0
    for inputs, targets, window in every_channel(task.trials(12, seed=1)):
        expected_targets, expected_window = [0] * n_steps, [False] * n_steps
        for onset, sign in pulses_of(task, inputs):
            n_pulses += 1
            response = onset + steps(task, task.pulse_width) + steps(task, task.response_delay)
            for now in range(response, n_steps):
                expected_targets[now] = sign
            for now in range(onset, min(response + steps(task, task.response_delay), n_steps)):
                expected_window[now] = True
        assert targets.tolist() == expected_targets
        assert window.tolist() == expected_window
    assert n_pulses > 0 or task.pulse_rate == 0


def test_times_of_the_shortest_trial_by_hand():
    # Pulses at 10, 80 and 150 ms, 20 ms wide, and answers 20 ms after they end: there is room for no other times.
    trials = FlipFlop(n_bits=2, duration=191, noise=0).trials(20, seed=2)
    for inputs, targets, window in every_channel(trials):
        first, second, third = inputs[10], inputs[80], inputs[150]
        silence = [0] * 50
        assert inputs.tolist() == [0] * 10 + [first] * 20 + silence + [second] * 20 + silence + [third] * 20 + [0] * 21
        assert targets.tolist() == [0] * 50 + [first] * 70 + [second] * 70 + [third]
        open_ = [bool(first)] * 60 + [False] * 10 + [True] * 60 + [False] * 10 + [True] * 41
        assert window.tolist() == [False] * 10 + open_
        assert first in (-1, 0, 1)
        assert {second, third} <= {-1, 1}


@quiet
def test_pulses_their_gaps_and_their_responses_fit_into_the_trial(task):
    width, gap = steps(task, task.pulse_width), steps(task, task.min_gap)
    n_steps = steps(task, task.duration)
    for pulses in pulse_table(task, 50, seed=3):
        onsets = [onset for onset, _ in pulses]
        assert all(onset >= steps(task, task.first_onset) for onset in onsets)
        assert all(later - earlier >= width + gap for earlier, later in itertools.pairwise(onsets))
        assert all(onset + width + steps(task, task.response_delay) < n_steps for onset in onsets)
        if task.pulses == "jittered":
            assert task.n_pulses - len(pulses) in (0, 1)


@quiet
def test_the_last_sample_has_its_target(task):
    for inputs, targets, _ in every_channel(task.trials(20, seed=4)):
        pulses = pulses_of(task, inputs)
        assert targets[-1] == (pulses[-1][1] if pulses else 0)


@quiet
def test_memory_state_spells_the_signs_of_the_targets(task):
    trials = task.trials(5, seed=5)
    character = {-1.0: "-", 0.0: "0", 1.0: "+"}
    for targets, states in zip(trials.targets.values, trials.memory_state.values, strict=True):
        assert states.tolist() == ["".join(character[float(target)] for target in sample) for sample in targets]


@quiet
def test_arrays_are_labelled_and_of_single_precision(task):
    trials = task.trials(2, seed=6)
    sizes = {"trial": 2, "time": steps(task, task.duration)}
    assert dict(trials.sizes) == sizes | {"input_channel": task.n_bits, "output_channel": task.n_bits}
    assert trials.inputs.dims == ("trial", "time", "input_channel")
    assert trials.targets.dims == trials.response_window.dims == ("trial", "time", "output_channel")
    assert trials.memory_state.dims == ("trial", "time")
    assert trials.inputs.dtype == trials.targets.dtype == np.float32
    assert trials.response_window.dtype == bool
    for variable in (trials.inputs, trials.targets):
        assert variable.values.flags.c_contiguous
    np.testing.assert_array_equal(trials.time, np.arange(sizes["time"]) * task.dt)
    assert trials.time.attrs["units"] == "ms"
    assert trials.input_channel.values.tolist() == [f"bit_{bit + 1}" for bit in range(task.n_bits)]
    assert (task.n_inputs, task.n_outputs) == (task.n_bits, task.n_bits)


# ---- statistics of the trials


@pytest.mark.parametrize("pulses", ["jittered", "random"])
def test_the_silence_has_no_pulse_but_its_targets_stay(pulses):
    settings_ = {"pulses": pulses, "noise": 0.0, "pulse_rate": 30}
    task = FlipFlop(duration=500, silence=160, **settings_)
    trials, shorter = task.trials(300, seed=0), FlipFlop(duration=340, **settings_).trials(300, seed=0)
    driven = trials.isel(time=slice(340))
    # As trials without the silence, at the end of which each output keeps its last target.
    for name in ("inputs", "targets", "memory_state", "response_window"):
        np.testing.assert_array_equal(driven[name], shorter[name])
    silent = trials.isel(time=slice(340, None))
    assert (silent["inputs"] == 0).all()
    assert (silent["targets"] == driven["targets"].isel(time=-1)).all()
    assert (silent["loss_weight"] == 1).all()
    assert trials["response_window"].isel(time=slice(360, None)).sum() == 0
    xr.testing.assert_equal(task.probe(), FlipFlop(duration=340, **settings_).probe().assign_attrs(task.probe().attrs))


def test_first_pulse_is_absent_in_a_third_of_the_channels():
    n_trials, task = 2000, FlipFlop(noise=0)
    inputs = task.trials(n_trials, seed=7).inputs.values
    n_channels = n_trials * 3
    # Samples over all channels and time: each pulse lasts 20 of them. Binomial: 4.5 standard deviations.
    n_absent = n_channels * 3 - np.count_nonzero(inputs) / 20
    assert abs(n_absent - n_channels / 3) < 4.5 * np.sqrt(n_channels * 2 / 9)


def test_it_is_the_first_that_is_absent():
    # In the shortest trial the place of a pulse is its time.
    inputs = FlipFlop(noise=0, duration=191).trials(200, seed=8).inputs.values
    absent = [(inputs[:, onset] == 0).any() for onset in (10, 80, 150)]
    assert absent == [True, False, False]


@pytest.mark.parametrize("pulses", ["jittered", "random"])
def test_signs_are_fair_and_independent_over_pulses_and_channels(pulses):
    task = FlipFlop(noise=0, pulses=pulses, n_bits=2, duration=600)
    table = pulse_table(task, 400, seed=9)
    signs = np.concatenate([[sign for _, sign in channel] for channel in table])
    assert abs(signs.sum()) < 4.5 * np.sqrt(signs.size)  # standard deviations of a sum of signs
    successive = [a[1] * b[1] for channel in table for a, b in itertools.pairwise(channel)]
    assert abs(sum(successive)) < 4.5 * np.sqrt(len(successive))
    across = [one[-1][1] * other[-1][1] for one, other in zip(table[::2], table[1::2], strict=True) if one and other]
    assert abs(sum(across)) < 4.5 * np.sqrt(len(across))


def test_jittered_onsets_are_uniform_order_statistics_and_reach_both_ends():
    task = FlipFlop(noise=0, n_bits=1, n_pulses=2, duration=141)  # earliest onsets 10 and 80: 20 ms are left over
    both = np.array([[onset for onset, _ in channel] for channel in pulse_table(task, 3000, 10) if len(channel) == 2])
    shift = both - (10, 80)
    assert shift.min() == 0
    assert shift.max() == 20
    # The larger of two uniform integers in 0..20: P(larger <= k) = ((k + 1) / 21)², and mirrored for the smaller.
    expected = ((np.arange(21) + 1) / 21) ** 2
    for found in (shift[:, 1], 20 - shift[:, 0]):
        cumulative = np.array([(found <= k).mean() for k in range(21)])
        # Kolmogorov-Smirnov: fewer than 1 in 1,000 draws pass 2 / sqrt(n).
        assert np.abs(cumulative - expected).max() < 2 / np.sqrt(len(found))


@pytest.mark.parametrize(
    "task",
    [
        FlipFlop(noise=0, pulses="random", n_bits=1, duration=4000),
        FlipFlop(noise=0, pulses="random", n_bits=1, duration=4000, dt=2.0, pulse_rate=10, min_gap=0),
        FlipFlop(noise=0, pulses="random", n_bits=1, duration=2000, pulse_rate=200, min_gap=5, pulse_width=2),
    ],
    ids=name,
)
def test_random_pulses_come_at_their_rate_once_the_gap_is_over(task):
    width, gap = steps(task, task.pulse_width), steps(task, task.min_gap)
    last = steps(task, task.duration) - width - steps(task, task.response_delay) - 1
    waits, exposure = [], 0  # exposure: steps at which a pulse could have begun
    for channel in pulse_table(task, 60, seed=11):
        ready = steps(task, task.first_onset)
        for onset, _ in channel:
            waits.append(onset - ready)
            exposure += onset - ready + 1
            ready = onset + width + gap
        exposure += max(last + 1 - ready, 0)
    probability = 1 - np.exp(-task.pulse_rate * task.dt / 1000)
    n_expected = probability * exposure
    # A Bernoulli trial at each of these steps: 4.5 standard deviations.
    assert n_expected > 500
    assert abs(len(waits) - n_expected) < 4.5 * np.sqrt(n_expected)
    # Without memory: a pulse begins at the first possible step as often as at any other.
    n_at_once = sum(wait == 0 for wait in waits)
    assert abs(n_at_once - probability * len(waits)) < 4.5 * np.sqrt(max(probability * len(waits), 1)) + 1


@pytest.mark.parametrize(
    ("rate", "duration", "expected"),
    [
        (0, 340, []),
        (1e-300, 340, []),
        (1e300, 331, [10, 80, 150, 220, 290]),
        (1e300, 330, [10, 80, 150, 220]),
    ],
)
def test_random_pulses_at_the_limits_of_the_rate(rate, duration, expected):
    # At once, and again after 20 ms of pulse and 50 ms of gap, as long as the response, 40 ms from the onset, has a
    # sample left: that to the onset at 290 ms begins at 330, the last of 331.
    table = pulse_table(FlipFlop(noise=0, pulses="random", pulse_rate=rate, duration=duration), 5, seed=12)
    assert all([onset for onset, _ in channel] == expected for channel in table)


@pytest.mark.parametrize("sd", [0.1, 1.0])
def test_noise_is_white_gaussian_of_its_standard_deviation_on_every_sample(sd):
    noisy, clean = (FlipFlop(noise=noise).trials(100, seed=13) for noise in (sd, 0))
    noise = (noisy.inputs - clean.inputs).values.astype(float) / sd
    np.testing.assert_array_equal(noisy.targets, clean.targets)
    n = noise.size  # 102,000
    # Four standard errors each: of the mean, the variance, the fourth moment (variance 96 / n), the share that is left
    # at zero (none), and the correlation over time and channels.
    assert abs(noise.mean()) < 4 / np.sqrt(n)
    assert noise.var() == pytest.approx(1, abs=4 * np.sqrt(2 / n))
    assert (noise**4).mean() == pytest.approx(3, abs=4 * np.sqrt(96 / n))
    assert np.count_nonzero(noise) > 0.999 * n
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < 4 / np.sqrt(n)
    assert abs((noise[..., 1] * noise[..., 0]).mean()) < 4 / np.sqrt(n / 3)


def test_noise_is_a_tenth_unless_told_otherwise():
    task = FlipFlop()
    assert (task.n_bits, task.duration, task.dt, task.pulse_width, task.noise) == (3, 340, 1, 20, 0.1)
    before_any_pulse = task.trials(1000, seed=14).inputs.values[:, :10]
    assert before_any_pulse.std() == pytest.approx(0.1, rel=4 / np.sqrt(2 * before_any_pulse.size))  # standard errors


# ---- seeds


def test_integer_seed_sequence_and_generator_of_one_seed_agree():
    task = FlipFlop()
    reference = task.trials(4, 5)
    for seed in (5, np.int64(5), np.random.SeedSequence(5), np.random.default_rng(5)):
        assert task.trials(4, seed).identical(reference)
    for name, array in task.arrays(4, np.random.default_rng(5))._asdict().items():
        np.testing.assert_array_equal(array, reference[name])


def test_seed_sequence_gives_the_same_trials_again_and_a_generator_goes_on():
    task, sequence, rng = FlipFlop(), np.random.SeedSequence(6), np.random.default_rng(6)
    assert task.trials(4, sequence).identical(task.trials(4, sequence))
    assert not task.trials(4, rng).equals(task.trials(4, rng))


@pytest.mark.parametrize("pulses", ["jittered", "random"])
def test_batches_and_trials_are_independent(pulses):
    rng, task = np.random.default_rng(15), FlipFlop(pulses=pulses, noise=1.0, duration=400)
    first, second = (task.arrays(100, rng)[0] for _ in range(2))
    # No pulse can begin before 10 ms: what stands there is noise alone, whose products have mean 0 and variance 1.
    for one, other in ((first, second), (first[1:], first[:-1])):
        products = one[:, :10] * other[:, :10]
        assert abs(products.mean()) < 4.5 / np.sqrt(products.size)
    states = [bytes(trial) for batch in (first, second) for trial in np.sign(batch)]
    assert len(set(states)) == 200


def test_settings_and_seed_fix_the_trials_whatever_the_global_random_state():
    np.random.seed(1)  # noqa: NPY002
    first = FlipFlop().trials(3, 16)
    np.random.seed(2)  # noqa: NPY002
    assert first.identical(FlipFlop().trials(3, 16))
    assert not first.equals(FlipFlop().trials(3, 17))


# ---- the probe


@pytest.mark.parametrize("n_bits", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "settings_",
    [{}, {"dt": 2.0}, {"dt": 0.5, "pulses": "random"}, {"amplitude": -0.5}, {"min_gap": 0, "response_delay": 35}],
    ids=str,
)
def test_probe_visits_every_state_once_for_as_long_without_noise(n_bits, settings_):
    task = FlipFlop(n_bits=n_bits, noise=0.5, duration=400, **settings_)
    probe = task.probe()
    assert probe.sizes["trial"] == 1
    states = probe.memory_state.values[0].tolist()
    runs = [(state, len(list(samples))) for state, samples in itertools.groupby(states)]
    visited = [state for state, _ in runs]
    assert visited[0] == "0" * n_bits
    assert sorted(visited[1:]) == sorted("".join(signs) for signs in itertools.product("+-", repeat=n_bits))
    assert len({length for _, length in runs[1:]}) == 1
    assert len(states) == probe.sizes["time"]
    # The same rules as in the trials, read off by the same slow reference; noise free, or it would fail.
    width, delay = steps(task, task.pulse_width), steps(task, task.response_delay)
    for channel, (inputs, targets, _) in enumerate(every_channel(probe)):
        pulses = pulses_of(task, inputs)
        assert len(pulses) == 2**n_bits
        # Each state is reached before the next pulse begins, whatever the gap.
        assert all(later - earlier > width + delay for (earlier, _), (later, _) in itertools.pairwise(pulses))
        expected = np.zeros(len(states))
        for onset, sign in pulses:
            expected[onset + width + delay :] = sign
        np.testing.assert_array_equal(targets, expected)  # channel k of the input and channel k of the target
        assert [state[channel] for state in states] == [{-1: "-", 0: "0", 1: "+"}[int(sign)] for sign in targets]


def test_probe_by_hand():
    probe = FlipFlop(n_bits=2).probe().squeeze("trial")
    # Pulses every 20 + 50 ms from 10 ms on, answers 40 ms after each onset, the last held for 70 ms as the others are.
    assert probe.sizes["time"] == 10 + 4 * 70 + 40
    np.testing.assert_array_equal(probe.inputs.sel(time=[10, 80, 150, 220]), [[1, 1], [-1, 1], [1, -1], [-1, -1]])
    assert probe.memory_state.sel(time=[0, 49, 50, 119, 120, 189, 190, 259, 260, 329]).values.tolist() == (
        ["00", "00", "++", "++", "-+", "-+", "+-", "+-", "--", "--"]
    )
    # Open from each onset until 20 ms after the answer: 60 ms.
    openings = probe.response_window.sel(time=[9, 10, 69, 70, 79, 80, 279, 280]).values[:, 0].tolist()
    assert openings == [False, True, True, False, False, True, True, False]


def test_probe_has_the_order_of_the_paper():
    states = FlipFlop().probe().memory_state.values[0]
    order = ["000", "+++", "-++", "+-+", "--+", "++-", "-+-", "+--", "---"]
    assert [state for state, _ in itertools.groupby(states.tolist())] == order


def test_probe_is_labelled_as_the_trials_are():
    probe, trials = FlipFlop().probe(), FlipFlop().trials(2, 0)
    assert list(probe.variables) == list(trials.variables)
    for variable in probe.variables:
        assert probe[variable].dims == trials[variable].dims
        assert probe[variable].dtype == trials[variable].dtype
    assert probe.equals(FlipFlop(noise=3.0).probe())


def test_probe_of_too_many_bits_is_refused():
    assert FlipFlop(n_bits=12).probe().sizes["time"] == 10 + 4096 * 70 + 40
    with pytest.raises(ValueError, match=r"n_bits: expected at most 12 for a probe of all 2\*\*n_bits states, got 13"):
        FlipFlop(n_bits=13).probe()


# ---- settings


NAN, INF = float("nan"), float("inf")
BAD = [
    *(
        ({key: value}, f"{key}: expected an integer of at least 1, got ")
        for key in ("n_bits", "n_pulses")
        for value in (0, -1, 1.5, NAN, "3", None, True, [3])
    ),
    *(
        ({key: value}, f"{key}: expected a positive time in ms, got ")
        for key in ("duration", "dt", "pulse_width")
        for value in (0, -1.0, NAN, INF, "20", None, True, [20], np.array([20, 20]))
    ),
    *(
        ({key: value}, f"{key}: expected a number of at least 0, got ")
        for key in ("response_delay", "min_gap", "first_onset", "pulse_rate", "noise")
        for value in (-0.1, NAN, INF, "20", None, True, [20])
    ),
    *(({"amplitude": value}, "amplitude: expected a finite number, got ") for value in (NAN, INF, "1", None, [1])),
    *(({"pulses": value}, "pulses: expected 'jittered' or 'random', got ") for value in ("poisson", None, 3)),
    ({"pulse_width": 0.4}, "pulse_width: expected at least one step of dt=1.0 ms, got 0.4"),
    ({"duration": 190}, "duration: expected at least 191 ms for these pulses, got 190 ms"),
    ({"duration": 120, "n_pulses": 2}, "duration: expected at least 121 ms for these pulses, got 120 ms"),
    ({"duration": 50, "pulses": "random"}, "duration: expected at least 51 ms for these pulses, got 50 ms"),
]


@pytest.mark.parametrize(("kwargs", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(kwargs, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}") as raised:
        FlipFlop(**kwargs)
    assert "\n" not in str(raised.value)


@given(
    dt=st.sampled_from([0.1, 0.5, 1.0, 2.0, 3.0]),
    n_pulses=st.integers(1, 5),
    pulse_width=st.floats(3, 30),
    response_delay=st.floats(0, 50),
    min_gap=st.floats(0, 60),
    first_onset=st.floats(0, 30),
)
@settings(max_examples=40, deadline=None)
def test_the_duration_an_error_asks_for_is_enough_and_none_to_spare(dt, n_pulses, **times):
    with pytest.raises(ValueError, match=r"^duration: ") as raised:
        FlipFlop(duration=dt, dt=dt, n_pulses=n_pulses, **times)
    needed = float(str(raised.value).split("at least ")[1].split(" ms")[0])
    task = FlipFlop(duration=needed, dt=dt, n_pulses=n_pulses, noise=0, **times)
    targets = task.trials(3, 0).targets.values
    assert np.abs(targets[:, -1]).all() or n_pulses == 1  # the only one may be absent
    with pytest.raises(ValueError, match=r"^duration: "):
        FlipFlop(duration=needed - dt, dt=dt, n_pulses=n_pulses, **times)


def test_settings_in_numbers_of_numpy_are_those_of_python():
    task = FlipFlop(n_bits=np.int64(2), duration=np.int64(340), dt=np.float32(0.5))
    assert json.loads(json.dumps(dataclasses.asdict(task))) == dataclasses.asdict(FlipFlop(n_bits=2, dt=0.5))
    assert task.trials(np.array(3), np.int64(0)).identical(task.trials(3, 0))


@pytest.mark.parametrize("n_trials", [0, -1, 1.5, "3", None, True])
def test_number_of_trials_is_checked(n_trials):
    with pytest.raises((TypeError, ValueError), match=r"^n_trials: expected an integer of at least 1, got "):
        FlipFlop().trials(n_trials, seed=0)


@pytest.mark.parametrize("seed", [None, -1, 1.5, "1", True, [1, 2]])
def test_seed_is_checked_and_must_be_given(seed):
    with pytest.raises((TypeError, ValueError), match=r"^seed: expected an integer of at least 0, got "):
        FlipFlop().trials(1, seed=seed)


@pytest.mark.parametrize(
    "settings_",
    [
        {},
        {"n_pulses": 1, "duration": 100},
        {"n_pulses": 5, "duration": 600, "dt": 2.0},
        pytest.param({"pulses": "random", "duration": 1000}, marks=pytest.mark.nightly),
        {"pulses": "random", "duration": 500, "pulse_rate": 50, "min_gap": 0},
        {"pulses": "random", "pulse_rate": 0},
        {"duration": 500, "silence": 160},
        {"pulses": "random", "duration": 400, "silence": 200, "pulse_rate": 20},
        {"n_pulses": 1, "duration": 200, "silence": 100},
    ],
)
def test_outputs_that_do_not_depend_on_the_inputs_score_what_is_declared(settings_):
    task = FlipFlop(**settings_)
    trials = task.trials(4000, seed=0)
    for name, value in {"silent": 0.0, "always 1": 1.0}.items():
        scores = task.score(value + 0 * trials["targets"], trials)
        error = max(float(scores.std()) / 4000**0.5, 1e-9)
        assert abs(float(scores.mean()) - task.shortcuts[name]) < 4 * error  # by chance once in 16,000 times
    assert task.chance == max(task.shortcuts.values())


def test_an_output_that_is_not_finite_is_never_right():
    outputs = xr.DataArray([np.nan, np.nan, np.inf, -np.inf, 1.0], dims="time")
    targets = xr.DataArray([0.0, 1.0, 1.0, -1.0, 1.0], dims="time")
    assert FlipFlop().is_right(outputs, targets).values.tolist() == [False, False, False, False, True]


def test_is_frozen_compares_by_value_and_is_exported():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FlipFlop().n_bits = 2
    assert FlipFlop(n_bits=2) == FlipFlop(n_bits=2) != FlipFlop()
    assert len({FlipFlop(), FlipFlop()}) == 1
    assert bn.tasks.FlipFlop is FlipFlop


def test_numpy_numbers_are_as_good_as_plain_ones():
    plain = FlipFlop(n_bits=2, duration=300.0, n_pulses=2).trials(np.int32(2), 0)
    assert FlipFlop(np.int64(2), np.float64(300), n_pulses=np.uint8(2)).trials(2, np.uint16(0)).identical(plain)


@pytest.mark.parametrize("pulses", ["jittered", "random"])
def test_trials_are_made_fast_enough_to_stream(pulses):
    # 100,000 trials in 15 s is what training needs. The fastest of three, on a machine that may be five times as busy.
    task, rng, n_trials, elapsed = FlipFlop(pulses=pulses), np.random.default_rng(0), 2000, []
    for _ in range(3):
        started = time.perf_counter()
        task.arrays(n_trials, rng)
        elapsed.append(time.perf_counter() - started)
    assert min(elapsed) < 5 * 15 * n_trials / 100_000
