"""Delayed match to sample against inputs by hand, counted conditions and policies that do not compare."""

import time
from collections import Counter

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import DelayedMatch
from biornn.tasks.rings import von_mises
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score
from biornn.tasks.trials import make_probe, make_trials

KINDS = ["one_item", "two_items", "abba"]
SETTINGS = [
    {},
    {"category": True, "dt": 25, "noise": 0},
    {"longest_delay": 1300, "rectify": False, "max_tests": 2, "n_directions": 4},
    {"n_tuned": 7, "max_tests": 1, "grace": 0, "sample": 300, "delay": 20, "test": 20},
]
every_kind = pytest.mark.parametrize("kind", KINDS)
some_settings = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def answering(task, trials, *answers):
    """Outputs that give an answer, text of all trials or (trial), to each test, and else fixate."""
    outputs = xr.zeros_like(trials["targets"])
    outputs[{"output_channel": 0}] = 1.0
    delay = trials["delay"] / task.dt
    for number, answer in enumerate(answers):
        first = (task.fixation + task.sample + number * task.test) / task.dt + (number + 1) * delay
        step = xr.DataArray(np.arange(trials.sizes["time"]), dims="time")
        during = (step >= first) & (step < first + task.test / task.dt)
        given = xr.DataArray(np.broadcast_to(answer, trials.sizes["trial"]), dims="trial")
        outputs = outputs.where(~during, 1.0 * (outputs["output_channel"] == given))
    return outputs.transpose(*trials["targets"].dims)


def match_if(is_match):
    return np.where(is_match, "match", "non-match")


def n_tests(task):
    return {"one_item": 1, "two_items": 2, "abba": task.max_tests}[task.kind]


@every_kind
@some_settings
def test_keeps_to_the_contract_and_the_targets_score_one(kind, settings):
    task = DelayedMatch(kind, **settings)
    bn.tasks.check(task)
    trials = make_trials(task, 64, 0)
    assert (score_trials(task, trials["targets"], trials) == 1).all()
    assert (task.choice(trials["targets"], trials) == trials["correct_choice"]).all()


SOURCE = {
    "one_item": {"sample": 500, "delay": 1000, "test": 500, "n_inputs": 24},
    "two_items": {"sample": 500, "delay": 1000, "test": 500, "n_inputs": 2 * 24 + 6},
    "abba": {"sample": 400, "delay": 400, "test": 400, "n_inputs": 24, "max_tests": 3},
}
OF_ALL = {"fixation": 500, "grace": 50, "n_directions": 8, "n_tuned": 24, "kappa": 2, "height": 4, "dt": 10}
OF_ALL |= {"noise": 0.1, "noise_tau": 100, "rectify": True, "category": False, "longest_delay": None, "n_outputs": 3}


@every_kind
def test_numbers_of_the_source(kind):
    task = DelayedMatch(kind)
    expected = OF_ALL | SOURCE[kind]
    assert {name: getattr(task, name) for name in expected} == expected
    assert DelayedMatch() == DelayedMatch("one_item") == DelayedMatch.for_channels(24, 3)


# ---- inputs, targets, periods


def test_one_item_by_hand():
    task = DelayedMatch(dt=250, grace=250, n_directions=4)
    probe = make_probe(task)
    assert probe["sample_direction"].values.tolist() == [0, 0, 90, 90, 180, 180, 270, 270]
    assert probe["match"].values.tolist() == [True, False] * 4
    periods = ["fixation"] * 2 + ["sample"] * 2 + ["delay"] * 4 + ["test"] * 2
    assert probe["period"].values.tolist() == [periods] * 8
    for trial in range(8):
        one = probe.isel(trial=trial)
        shown = [von_mises(np.deg2rad(one[name]), 24, 2, 4) for name in ("sample_direction", "test_direction")]
        expected = np.zeros((10, 24))
        expected[2:4], expected[8:] = shown
        np.testing.assert_allclose(one["inputs"], expected, rtol=1e-6)
        answer = [0, 1, 0] if one["match"] else [0, 0, 1]
        assert one["targets"].values.tolist() == [[1, 0, 0]] * 8 + [answer] * 2
        assert one["loss_weight"].values.tolist() == [[1] * 3] * 8 + [[0] * 3, [1] * 3]
    assert probe["output_channel"].values.tolist() == ["fixation", "match", "non-match"]


def test_two_items_by_hand():
    task = DelayedMatch("two_items", dt=500, grace=0)
    probe = make_probe(task)
    periods = ["fixation", "sample", "delay_1", "cue_1", "test_1", "delay_2", "cue_2", "test_2"]
    assert probe["period"].values.tolist() == [periods] * 16
    cues = [name for name in probe["input_channel"].values.tolist() if name.startswith("cue")]
    assert len(cues) == 6
    for trial in range(16):
        one = probe.isel(trial=trial)
        tuned = {}
        for name in ("sample_direction", "test_direction", "other_direction"):
            tuned[name] = [von_mises(np.deg2rad(one[f"{name}_{number}"]), 24, 2, 4) for number in (1, 2)]
        samples = [int(one["sample_direction_1"]), int(one["sample_direction_2"])]
        expected = np.zeros((8, 2, 24))
        expected[1] = tuned["sample_direction"]
        for number, time_of_test in ((1, 4), (2, 7)):
            cued = int(one[f"cue_{number}"]) - 1
            expected[time_of_test, cued] = tuned["test_direction"][number - 1]
            expected[time_of_test, 1 - cued] = tuned["other_direction"][number - 1]
            assert (samples[cued] == one[f"test_direction_{number}"]) == one[f"match_{number}"]
            cue = [4, 0, 4, 0, 4, 0] if cued == 0 else [0, 4, 0, 4, 0, 4]
            shown = one["inputs"].sel(input_channel=cues).values[time_of_test - 2 : time_of_test + 1]
            assert shown.tolist() == [[0] * 6, cue, cue]  # from the middle of the delay to the end of the test
        np.testing.assert_allclose(one["inputs"][:, :48], expected.reshape(8, 48), rtol=1e-6)
        for number, time_of_test in ((1, 4), (2, 7)):
            assert one["targets"].values[time_of_test].tolist() == [0, *([1, 0] if one[f"match_{number}"] else [0, 1])]
    assert (probe["targets"].isel(output_channel=0).sum("time") == 6).all()


def test_abba_ends_with_a_match_or_the_last_test():
    task = DelayedMatch("abba", dt=400, grace=0, fixation=400)
    probe = make_probe(task)
    expected = ["AA", "ABA", "ABBA", "ABBB", "ABBC", "ABCA", "ABCC", "ABCD"]
    assert sorted(probe["sequence"].values.tolist()) == expected
    for trial, sequence in enumerate(probe["sequence"].values.tolist()):
        one = probe.isel(trial=trial)
        n = len(sequence) - 1
        assert one["n_tests"] == n
        assert one["n_steps"] == 2 + 2 * n
        shown = ["delay_1", "test_1", "delay_2", "test_2", "delay_3", "test_3"][: 2 * n]
        expected = ["fixation", "sample", *shown, *["padding"] * 2 * (3 - n)]
        assert one["period"].values.tolist() == expected
        seen = {"A": float(one["sample_direction"])}
        for number, letter in enumerate(sequence[1:]):
            direction = float(one[f"test_direction_{number + 1}"])
            assert seen.setdefault(letter, direction) == direction
            at = 3 + 2 * number
            np.testing.assert_allclose(one["inputs"][at], von_mises(np.deg2rad(direction), 24, 2, 4), rtol=1e-6)
            assert one["targets"].values[at].tolist() == ([0, 1, 0] if letter == "A" else [0, 0, 1])
        for name in ("inputs", "targets", "loss_weight"):
            assert (one[name].values[2 + 2 * n :] == 0).all()


@every_kind
def test_delays_vary_up_to_the_longest_and_periods_tile_the_trial(kind):
    task = DelayedMatch(kind, delay=300, longest_delay=340, dt=20)
    trials = make_trials(task, 200, 0)
    assert set(trials["delay"].values.tolist()) == {300, 320, 340}
    n = trials["n_tests"] if kind == "abba" else n_tests(task)
    kinds = trials["period"].str.rstrip("_123")
    between = kinds.isin(["delay", "cue"]).sum("time") * 20
    np.testing.assert_array_equal(between, n * trials["delay"])
    np.testing.assert_array_equal((kinds == "test").sum("time") * 20, n * task.test + 0 * trials["delay"])
    np.testing.assert_array_equal(
        trials["n_steps"] * 20, task.fixation + task.sample + n * (task.test + trials["delay"])
    )
    padding = xr.DataArray(np.arange(trials.sizes["time"]), dims="time") >= trials["n_steps"]
    assert (padding == (trials["period"] == "padding")).all()
    scores = score_trials(task, trials["targets"].where(~padding, 100.0), trials)
    assert (scores == 1).all()


def test_noise_has_the_variance_of_the_source_and_is_rectified():
    plain, rectified = (DelayedMatch(rectify=one).trials(60, seed=0) for one in (False, True))
    before = plain["inputs"].where(plain["period"] == "fixation", drop=True).astype(float)
    assert before.std().item() == pytest.approx(0.1 * np.sqrt(2 * 100 / 10), rel=0.01)  # of 72,000: known to 0.3 %
    xr.testing.assert_equal(rectified["inputs"], plain["inputs"].clip(0))


# ---- scores


@every_kind
@pytest.mark.parametrize("category", [False, True])
def test_constant_answers_score_what_is_declared(kind, category):
    task = DelayedMatch(kind, category)
    trials = make_trials(task, 64, 0)
    found = {}
    for answer in ("match", "non-match", "fixation"):
        scores = score_trials(task, answering(task, trials, *[answer] * n_tests(task)), trials)
        found[answer] = mean_score(scores).item()
        assert worst_score(task, scores, trials).item() == 0
    assert found["match"] == task.chance == task.shortcuts["always match"]
    assert found["match"] >= found["non-match"]
    assert found["fixation"] == 0
    assert mean_score(score_trials(task, xr.zeros_like(trials["targets"]), trials)).item() == 0  # fixation comes first


def policies(task, trials):
    """What answers to each test those give who take a shortcut."""
    value = {name: trials[name].values for name in trials.coords}
    half = 360 / 2
    if task.kind == "one_item":
        yield "compares directions", [match_if(value["sample_direction"] == value["test_direction"])]
    elif task.kind == "two_items":
        seen = []
        for number in (1, 2):
            cue, test, other = (value[f"{name}_{number}"] for name in ("cue", "test_direction", "other_direction"))
            in_field = [np.where(cue == field, test, other) for field in (1, 2)]
            samples = [value["sample_direction_1"], value["sample_direction_2"]]
            same = [
                one // half == two // half if task.category else one == two
                for one, two in zip(in_field, samples, strict=True)
            ]
            cued = np.where(cue == 1, *samples)
            seen.append((match_if(same[0]), match_if(same[0] | same[1]), match_if(cued == test)))
        yield from zip(
            ["sees one field", "match in either field", "compares directions"], zip(*seen, strict=True), strict=True
        )
    else:
        tests = [value[f"test_direction_{number}"] for number in (1, 2, 3)]
        shown = [value["sample_direction"], *tests]
        yield "compares directions", [match_if(one == shown[0]) for one in tests]
        yield (
            "match to any repeat",
            [match_if(np.any([one == two for two in shown[:at]], axis=0)) for at, one in enumerate(tests, 1)],
        )
        yield "compares with the last", [match_if(one == two) for one, two in zip(tests, shown, strict=False)]


@every_kind
@pytest.mark.parametrize("category", [False, True])
def test_shortcuts_score_what_is_declared(kind, category):
    task = DelayedMatch(kind, category, dt=50, n_tuned=3)
    trials = make_trials(task, 4000, 1)
    tested = {"always match"}
    for name, answers in policies(task, trials):
        if name in task.shortcuts:
            found = mean_score(score_trials(task, answering(task, trials, *answers), trials)).item()
            # Four standard errors of a share of 4,000.
            assert found == pytest.approx(task.shortcuts[name], abs=4 * 0.5 / np.sqrt(4000))
            tested.add(name)
    assert tested == set(task.shortcuts)


def test_only_the_largest_mean_after_the_grace_time_counts():
    task = DelayedMatch()
    trials = make_trials(task, 16, 0)
    outputs = answering(task, trials, "match") * 0.5
    outputs[{"time": slice(0, 205), "output_channel": 2}] = 90.0  # until the grace time ends, at 2,050 ms
    assert set(task.choice(outputs, trials).values.tolist()) == {"match"}
    outputs[{"time": [230], "output_channel": 2}] = 23.0  # lifts the mean of 45 samples to 0.51
    assert set(task.choice(outputs, trials).values.tolist()) == {"non-match"}
    assert set(task.choice(outputs * np.nan, trials).values.tolist()) == {""}


@every_kind
def test_choice_and_score_broadcast_over_networks(kind):
    task = DelayedMatch(kind)
    trials = make_trials(task, 32, 0)
    several = xr.concat(
        [trials["targets"], trials["targets"][..., [0, 2, 1]].values + 0 * trials["targets"]], "network"
    )
    choice = task.choice(several, trials)
    assert choice.dims == ("network", "trial")
    swapped = [
        text.replace("non-", "x").replace("match", "non-match").replace("xnon-", "") for text in choice.values[0]
    ]
    assert choice.values[1].tolist() == swapped
    scores = score_trials(task, several, trials)
    assert mean_score(scores).values.tolist() == [1, 0]


def test_one_wrong_answer_makes_a_trial_wrong():
    task = DelayedMatch("two_items")
    trials = make_trials(task, 16, 0, match_1=True, match_2=True)
    for answers, expected in [
        (("match", "match"), 1),
        (("match", "non-match"), 0),
        (("non-match", "match"), 0),
        (("match", "fixation"), 0),
    ]:
        outputs = answering(task, trials, *answers)
        assert set(task.choice(outputs, trials).values.tolist()) == {", ".join(answers)}
        assert (score_trials(task, outputs, trials) == expected).all()


# ---- conditions, seeds, speed, settings


@pytest.mark.parametrize(("kind", "n_conditions"), [("one_item", 16), ("two_items", 16), ("abba", 8)])
def test_conditions_are_balanced_and_the_probe_visits_each_once(kind, n_conditions):
    task = DelayedMatch(kind)
    counts = Counter(trial_condition(task, make_trials(task, 64, 0)).tolist())
    assert len(counts) == n_conditions
    if kind == "abba":
        assert sorted(counts.values()) == [2, 2, 2, 2, 4, 4, 16, 32]
    else:
        assert set(counts.values()) == {4}
    probed = Counter(trial_condition(task, make_probe(task)).tolist())
    assert set(probed) == set(counts)
    assert set(probed.values()) == {1}


@every_kind
@some_settings
def test_one_seed_gives_one_set_and_arrays_are_those_of_the_labelled_trials(kind, settings):
    task = DelayedMatch(kind, **settings)
    trials = task.trials(20, seed=3)
    assert trials.identical(task.trials(20, seed=3))
    for name, array in task.arrays(20, np.random.default_rng(3))._asdict().items():
        np.testing.assert_array_equal(array, trials[name])
        assert array.dtype == np.float32
    assert make_probe(task).identical(make_probe(task))


@pytest.mark.parametrize(
    ("kind", "fixed"),
    [
        ("one_item", {"sample_direction": 45, "match": False}),
        ("one_item", {"correct_choice": "match", "delay": 1200}),
        ("two_items", {"cue_1": 2, "match_2": True}),
        ("abba", {"sequence": "ABBA"}),
        ("abba", {"n_tests": 1}),
    ],
)
def test_a_coordinate_can_be_fixed(kind, fixed):
    task = DelayedMatch(kind, longest_delay=1300)
    trials = make_trials(task, 20, 0, **fixed)
    for name, value in fixed.items():
        assert set(trials[name].values.tolist()) == {value}
    assert (score_trials(task, trials["targets"], trials) == 1).all()


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"sequence": "AA"}, TypeError, "sequence: expected a coordinate of trials to fix, such as sample_direction"),
        ({"sample_direction": 10}, ValueError, "sample_direction: expected one of 0.0, 45.0, "),
        ({"delay": 900}, ValueError, "delay: expected from 1000 to 1000 ms, got 900"),
    ],
)
def test_what_cannot_be_fixed_is_named_in_one_line(fixed, error, message):
    with pytest.raises(error, match=f"^{message}"):
        DelayedMatch().trials(5, seed=0, **fixed)


def test_trials_are_made_fast_enough_to_stream():
    # 64 trials of 24 inputs and 250 steps in 40 ms, most of it for random numbers. The fastest of ten, on a machine
    # that may be busy.
    task, rng, elapsed = DelayedMatch(), np.random.default_rng(0), []
    for _ in range(10):
        started = time.perf_counter()
        task.arrays(64, rng)
        elapsed.append(time.perf_counter() - started)
    assert min(elapsed) < 40e-3


TUNING = ("kappa", "height")
BAD = [
    ({"kind": "dms"}, "kind: expected one of one_item, two_items, abba, got 'dms'"),
    ({"kind": None}, "kind: expected one of one_item, two_items, abba, got None"),
    *(({key: 1}, f"{key}: expected true or false, got 1") for key in ("category", "rectify")),
    *(
        ({key: 0}, f"{key}: expected a positive time in ms, got 0")
        for key in ("dt", "fixation", "sample", "delay", "test", "noise_tau")
    ),
    *(({key: -1}, f"{key}: expected a number of at least 0, got -1") for key in ("grace", "noise")),
    *(({key: 0}, f"{key}: expected a number above 0, by which units tell directions, got 0") for key in TUNING),
    *(({key: 0}, f"{key}: expected an integer of at least 1, got 0") for key in ("max_tests", "n_directions")),
    ({"n_tuned": 2}, "n_tuned: expected an integer of at least 3, got 2"),  # two cannot tell left from right
    *(({key: 4}, f"{key}: expected at least dt=10 ms, got 4") for key in ("fixation", "sample", "delay")),
    ({"grace": 495}, "grace: expected at least a step less than test, got 495"),
    ({"longest_delay": 400}, "longest_delay: expected at least delay=1000 ms, got 400"),
    ({"n_directions": 7}, "n_directions: expected an even number, and 1 directions that do not match a sample, got 7"),
    ({"kind": "abba", "category": True, "n_directions": 4}, "n_directions: expected an even number, and 3 directions"),
    ({"max_tests": 7}, "max_tests: expected at most 6, got 7"),
    ({"delay": 1e9}, "delay: expected trials of at most 2,000,000 steps of dt=10 ms"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_impossible_settings_are_named_in_one_line(settings, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}") as raised:
        DelayedMatch(**settings)
    assert "\n" not in str(raised.value)
