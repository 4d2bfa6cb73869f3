"""The tasks of Yang et al. against the source's numbers, answers by hand, and policies that do not do them."""

from collections import Counter

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import YangTasks
from biornn.tasks.rings import bump
from biornn.tasks.scores import mean_score, score_trials
from biornn.tasks.trials import make_trials
from biornn.tasks.yang_rules import PERIODS, RULES

OFTEN, LATER = {200, 400, 600}, {200, 400, 800, 1600}
#: Rules -> the lengths of their periods in ms: all that there are, or from the shortest to the longest.
TIMES = {
    ("fdgo", "fdanti"): {"fixation": (300, 700), "stimulus_1": (500, 1500)},
    ("reactgo", "reactanti"): {"fixation": (500, 2500)},
    ("delaygo", "delayanti"): {"fixation": {300, 500, 700}, "stimulus_1": OFTEN, "delay_1": LATER},
    ("dm1", "dm2", "contextdm1", "contextdm2", "multidm"): {"fixation": (100, 400), "stimulus_1": {400, 800, 1600}},
    ("delaydm1", "delaydm2", "contextdelaydm1", "contextdelaydm2", "multidelaydm"): {
        "fixation": OFTEN,
        "stimulus_1": OFTEN,
        "delay_1": LATER,
        "stimulus_2": OFTEN,
        "delay_2": (100, 300),
    },
    ("dmsgo", "dmsnogo"): {"fixation": OFTEN, "stimulus_1": OFTEN, "delay_1": LATER},
    ("dmcgo", "dmcnogo"): {"fixation": OFTEN, "stimulus_1": OFTEN, "delay_1": LATER, "go": OFTEN},
}


@pytest.fixture(scope="module")
def trials() -> xr.Dataset:
    return make_trials(YangTasks(noise=0), 2000, 0)


def of(trials: xr.Dataset, *rules: str) -> xr.Dataset:
    return trials.isel(trial=np.isin(trials["rule"], rules))


def strength(trials: xr.Dataset, stimulus: int, ring: int) -> np.ndarray:
    return trials[f"strength_{stimulus}_in_ring_{ring}"].values


def period(trials: xr.Dataset, number: int, name: str) -> xr.Dataset:
    """What a trial has in the last step of one of its periods."""
    return trials.isel(trial=number, time=np.flatnonzero(trials["period"][number] == name)[-1])


@pytest.mark.parametrize(
    "settings", [{}, {"dt": 10.0, "easy": True}, {"rules": ["dm1", "dmsgo"], "n_tuned": 8}], ids=str
)
def test_keeps_to_the_contract_and_the_targets_score_one(settings):
    task = YangTasks(**settings)
    bn.tasks.check(task)
    made = make_trials(task, 160, 0)
    assert (score_trials(task, made["targets"], made) == 1).all()


def test_the_source_has_twenty_rules_and_85_inputs():
    task = YangTasks()
    assert (len(task.rules), task.n_inputs, task.n_outputs) == (20, 1 + 2 * 32 + 20, 1 + 32)
    assert (task.dt, task.noise, task.noise_tau, task.tolerance) == (
        20,
        0.01,
        100,
        pytest.approx(np.rad2deg(0.2 * np.pi)),
    )


@pytest.mark.parametrize(("rules", "times"), TIMES.items(), ids=lambda one: one[0] if isinstance(one, tuple) else "")
def test_periods_are_as_long_as_in_the_source(trials, rules, times):
    of_rules = of(trials, *rules)
    assert len(np.unique(of_rules["rule"])) == len(rules)
    for name in PERIODS:
        found, some = of_rules[name].values, times.get(name, {500} if name == "go" else {0})
        if isinstance(some, set):
            assert set(found.tolist()) == some
        else:
            assert some[0] <= found.min() < some[0] + 60  # of 200 draws and more, in steps of 20 ms
            assert some[1] - 60 < found.max() <= some[1]
            assert found.mean() == pytest.approx(np.mean(some), abs=5 * np.ptp(some) / np.sqrt(12 * len(found)))
    np.testing.assert_array_equal(sum(of_rules[name] for name in PERIODS) / 20, of_rules["n_steps"])


def test_rules_and_versions_are_as_frequent_to_one_trial(trials):
    counts = Counter(zip(trials["rule"].values.tolist(), trials["version"].values.tolist(), strict=True))
    assert len(counts) == 80
    assert set(counts.values()) == {25}
    twice = Counter(YangTasks(["dm1", "dm1", "fdgo"]).trials(120, 0)["rule"].values.tolist())
    assert twice == {"dm1": 80, "fdgo": 40}


def test_go_is_to_the_stimulus_and_anti_to_the_opposite(trials):
    for names, turn, answer in (
        (("fdgo", "reactgo", "delaygo"), 0, "stimulus_1"),
        (("fdanti", "reactanti", "delayanti"), np.pi, "opposite"),
    ):
        some = of(trials, *names)
        assert set(some["correct_choice"].values.tolist()) == {answer}
        np.testing.assert_allclose(
            np.exp(1j * some["response_angle"]), np.exp(1j * (some["angle_1"] + turn)), atol=1e-12
        )
        assert np.isnan(some["angle_2"]).all()
        assert Counter((strength(some, 1, 1) - strength(some, 1, 2)).tolist()) == {
            1.0: some.sizes["trial"] // 2,
            -1.0: some.sizes["trial"] // 2,
        }


@pytest.mark.parametrize("delay", ["", "delay"])
def test_decisions_are_for_the_stronger_stimulus_where_it_counts(trials, delay):
    levels = [0.08, 0.16, 0.32] if delay else [0.01, 0.02, 0.04, 0.08]
    for rule, rings, counts in (
        ("dm1", [1], [1]),
        ("dm2", [2], [2]),
        ("contextdm1", [1, 2], [1]),
        ("contextdm2", [1, 2], [2]),
    ):
        some = of(trials, rule.replace("dm", f"{delay}dm"))
        for ring in (1, 2):
            half = (strength(some, 1, ring) - strength(some, 2, ring)) / 2
            mean = (strength(some, 1, ring) + strength(some, 2, ring)) / 2
            if ring in rings:
                np.testing.assert_allclose(np.unique(abs(half).round(6)), levels)
                assert mean.min() >= 0.8
                assert mean.max() <= 1.2
            else:
                assert not half.any()
                assert not mean.any()
            if ring in counts:
                np.testing.assert_array_equal(some["correct_choice"] == "stimulus_1", half > 0)
            elif ring in rings:  # tells nothing: half of the trials of each side
                right = (half > 0) == (some["correct_choice"] == "stimulus_1")
                assert right.mean() == 0.5
        apart = abs((some["angle_2"] - some["angle_1"] + np.pi) % (2 * np.pi) - np.pi)
        assert apart.min() >= np.pi / 2


@pytest.mark.parametrize("rule", ["multidm", "multidelaydm"])
def test_with_two_senses_the_sum_counts(trials, rule):
    some = of(trials, rule)
    one, other = (strength(some, stimulus, 1) + strength(some, stimulus, 2) for stimulus in (1, 2))
    np.testing.assert_array_equal(some["correct_choice"] == "stimulus_1", one > other)
    np.testing.assert_allclose(
        np.unique((abs(one - other) / 4).round(6)), [0.08, 0.16, 0.32] if "delay" in rule else [0.01, 0.02, 0.04, 0.08]
    )
    shift = abs(strength(some, 1, 1) - strength(some, 1, 2)) / (one / 2)
    assert 0.2 <= shift.min() < 0.25
    assert 0.75 < shift.max() <= 0.8


@pytest.mark.parametrize("rule", ["dmsgo", "dmsnogo", "dmcgo", "dmcnogo"])
def test_matches_are_of_angles_or_of_halves_of_the_ring(trials, rule):
    some = of(trials, rule)
    one, other = some["angle_1"], some["angle_2"]
    match = (one < np.pi) == (other < np.pi) if "dmc" in rule else one == other
    assert match.mean() == 0.5
    np.testing.assert_array_equal(
        some["correct_choice"], np.where(match == ("nogo" not in rule), "stimulus_2", "fixation")
    )
    np.testing.assert_array_equal(np.isnan(some["response_angle"]), some["correct_choice"] == "fixation")
    if "dms" in rule:
        apart = abs((other - one + np.pi) % (2 * np.pi) - np.pi)[~match]
        assert apart.min() >= np.pi / 9 - 1e-9
    else:
        np.testing.assert_allclose(np.unique((one / np.pi).round(6)), np.arange(0.1, 2, 0.2))


#: Rule -> periods in which the first and the second stimulus are shown, and the input for fixation.
SHOWN = {
    "fdgo": (["stimulus_1", "go"], [], ["fixation", "stimulus_1"]),
    "reactgo": (["go"], [], ["fixation", "go"]),
    "delayanti": (["stimulus_1"], [], ["fixation", "stimulus_1", "delay_1"]),
    "contextdm2": (["stimulus_1"], ["stimulus_1"], ["fixation", "stimulus_1"]),
    "multidelaydm": (["stimulus_1"], ["stimulus_2"], [name for name in PERIODS if name != "go"]),
    "dmcnogo": (["stimulus_1"], ["go"], ["fixation", "stimulus_1", "delay_1", "go"]),
}


@pytest.mark.parametrize("rule", SHOWN)
def test_rings_show_bumps_when_the_rule_says(trials, rule):
    some, (first, second, fixates) = of(trials, rule), SHOWN[rule]
    preferred = np.arange(0, 2 * np.pi, 2 * np.pi / 32)
    for number in range(8):
        trial = some.isel(trial=number)
        for name in np.unique(some["period"][number]):
            if name == "padding":
                continue
            now = period(some, number, name)
            expected = np.zeros((2, 32))
            for stimulus, periods in ((1, first), (2, second)):
                if name in periods:
                    distance = abs(float(trial[f"angle_{stimulus}"]) - preferred)
                    distance = np.minimum(distance, 2 * np.pi - distance) / (np.pi / 8)
                    for ring in (1, 2):
                        expected[ring - 1] += 0.8 * np.exp(-(distance**2) / 2) * strength(some, stimulus, ring)[number]
            np.testing.assert_allclose(now["inputs"][1:65], expected.ravel(), atol=1e-6)
            assert float(now["inputs"][0]) == (name in fixates)
            assert now["inputs"][65:].values.tolist() == [float(one == rule) for one in RULES]
            points = name == "go" and np.isfinite(float(trial["response_angle"]))
            assert float(now["targets"][0]) == pytest.approx(0.05 if points else 0.8)
            places = bump(float(trial["response_angle"]), 32, 0.8, np.pi / 8) if points else 0
            np.testing.assert_allclose(now["targets"][1:], 0.05 + places, atol=1e-6)
            assert now["loss_weight"].values.tolist() == [
                2.0 * (5 if name == "go" else 1),
                *[5.0 if name == "go" else 1.0] * 32,
            ]


def test_the_first_100_ms_and_those_of_the_response_do_not_count(trials):
    weight, n_steps = trials["loss_weight"].max("output_channel").values, trials["n_steps"].values
    response = n_steps - (trials["go"].values / 20).astype(int)
    steps = np.arange(trials.sizes["time"])
    free = (steps < 5) | ((steps >= response[:, np.newaxis]) & (steps < response[:, np.newaxis] + 5))
    np.testing.assert_array_equal(weight == 0, free | (steps >= n_steps[:, np.newaxis]))


def test_policies_that_do_not_do_the_task_score_what_is_declared(trials):
    task = YangTasks(noise=0)
    silent = xr.zeros_like(trials["targets"])
    keeps, last, one_place = silent.copy(), silent.copy(), silent.copy()
    keeps[..., 0] = 0.8
    second = np.where(np.isnan(trials["angle_2"]), trials["angle_1"], trials["angle_2"])
    last[..., 1:] = bump(second, 32, 0.8, 0.4)[:, np.newaxis]
    one_place[..., 1:] = bump(0.0, 32, 0.8, 0.4)
    found = [float(mean_score(score_trials(task, outputs, trials))) for outputs in (keeps, last, one_place)]
    assert found[0] == task.shortcuts["keeps fixation"] == 0.1
    # Opposed to a second stimulus that is near to the place of the answer by chance: never in decisions, 90° apart.
    assert found[1] == task.shortcuts["points to the last stimulus"] == 0.5
    assert found[2] == pytest.approx(task.chance, abs=4 * np.sqrt(0.18 * 0.82 / 2000))  # four standard errors
    assert YangTasks(["dmsgo"]).chance == 0.5
    broken = silent.copy()
    broken[0] = np.nan
    assert task.choice(broken, trials)[0] == ""


def test_the_easy_form_has_the_factors_of_the_source():
    easy = YangTasks(["dm1", "delaydm1"], easy=True).trials(400, 0)
    for rule, levels in (("dm1", [0.1, 0.2, 0.4, 0.8]), ("delaydm1", [0.16, 0.32, 0.64])):
        some = of(easy, rule)
        half = abs(strength(some, 1, 1) - strength(some, 2, 1)) / 2
        np.testing.assert_allclose(np.unique(half.round(6)), levels)


def test_what_is_fixed_and_the_probe():
    fixed = YangTasks().trials(6, 0, rule="dmsgo", version=1)
    assert set(fixed["correct_choice"].values.tolist()) == {"fixation"}
    probe = YangTasks(["fdgo", "dm2"]).probe()
    assert probe["rule"].values.tolist() == ["fdgo"] * 4 + ["dm2"] * 4
    assert probe["version"].values.tolist() == [0, 1, 2, 3] * 2
    xr.testing.assert_identical(probe, YangTasks(["fdgo", "dm2"]).probe())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rules": []}, r"rules: expected a list of fdgo, .*, got \[\]"),
        ({"rules": "fdgo"}, r"rules: expected a list of fdgo, .*, got 'fdgo'"),
        ({"rules": ["fdgo", "fgo"]}, r"rules: expected a list of fdgo, .*, got 'fgo'"),
        ({"n_tuned": 3}, "n_tuned: expected .*4.*, got 3"),
        ({"dt": 200}, "dt: expected at most 100 ms, half of the shortest response, got 200.0"),
        ({"grace": 120}, "grace: expected at most 100 ms, .*, got 120.0"),
        ({"tolerance": 60}, "tolerance: expected degrees above 0 and up to 45, got 60.0"),
    ],
)
def test_impossible_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        YangTasks(**settings)
