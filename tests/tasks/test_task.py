"""The contract of a task: the least that an author must write, and what is told of what does not keep to it."""

import sys
from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import Task, TaskError, Trials, check, find_task, task_of
from biornn.tasks.registry import TASKS
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score
from biornn.tasks.task import task_generator
from biornn.tasks.trials import complete, make_probe, make_trials, recorded_trials


class SignOfSum(Task):
    """As little as a task can be: two inputs, one output, no settings and no labels."""

    n_inputs = 2
    n_outputs = 1

    def arrays(self, n_trials, rng):
        inputs = rng.standard_normal((n_trials, 6, 2)).astype("float32")
        targets = np.sign(inputs.sum(-1, keepdims=True))
        return Trials(inputs, targets, np.ones_like(targets))

    def trials(self, n_trials, seed, **fixed):
        inputs, targets, _ = self.arrays(n_trials, task_generator(seed))
        dims = "trial", "time"
        return xr.Dataset(
            {"inputs": ((*dims, "input_channel"), inputs), "targets": ((*dims, "output_channel"), targets)}
        )

    def score(self, outputs, trials):
        return (np.sign(outputs) == np.sign(trials["targets"])).mean(["time", "output_channel"])


def weighted(trials, weight):
    return trials.assign(loss_weight=xr.full_like(trials["targets"], weight))


@pytest.mark.parametrize("name", TASKS)
def test_every_task_of_biornn_keeps_to_the_contract(name):
    task = find_task(name)()
    check(task)
    assert task.name == name
    assert isinstance(task, Task)
    assert getattr(bn.tasks, type(task).__name__) is type(task)
    for trials in recorded_trials(task, 5).values():
        assert task_of(trials) == task
        assert trials["loss_weight"].dtype == np.float32


@pytest.mark.parametrize("name", TASKS)
def test_a_batch_of_trials_takes_few_calls(name):
    """A batch of 64 has 3 ms if trials are to come at 20,000 a second: about 2,000 calls, and none for each trial."""
    task, n_calls, before = find_task(name)(), 0, sys.getprofile()

    def count(frame, event, argument):
        nonlocal n_calls
        n_calls += event in ("call", "c_call")

    task.arrays(64, np.random.default_rng(0))  # what is made once and kept does not count
    sys.setprofile(count)
    try:
        task.arrays(64, np.random.default_rng(0))
    finally:
        sys.setprofile(before)
    assert n_calls < 2000


def test_the_least_task_is_a_task_and_its_trials_are_completed():
    task = SignOfSum()
    check(task)
    assert (task.name, task.dt, task.score_name) == ("sign_of_sum", 1.0, "score")
    assert np.isnan(task.chance)
    assert make_probe(task) is None
    assert set(recorded_trials(task, 3)) == {"trials"}
    trials = make_trials(task, 3, seed=0)
    assert trials["n_steps"].values.tolist() == [6, 6, 6]
    assert trials["time"].attrs["units"] == "ms"
    assert trials["input_channel"].values.tolist() == ["input_1", "input_2"]
    assert (trials["loss_weight"] == 1).all()
    assert trials.attrs["task"] == f"{__name__}:SignOfSum"
    assert isinstance(task_of(trials), SignOfSum)


@pytest.mark.parametrize("attach", ["assign_coords", "assign"])
def test_padding_is_told_by_n_steps_alone(attach):
    made = getattr(SignOfSum().trials(3, 0), attach)(n_steps=("trial", [6, 2, 4]))
    trials = complete(SignOfSum(), made, "trials")
    assert trials["loss_weight"].sum("time").values.ravel().tolist() == [6, 2, 4]


def test_arrays_are_cast_to_single_precision():
    made = complete(SignOfSum(), SignOfSum().trials(3, 0), "trials")
    others = made.assign(inputs=made["inputs"].astype(float), targets=made["targets"].astype(int))
    found = complete(SignOfSum(), others, "trials")
    assert {found[name].dtype for name in ("inputs", "targets", "loss_weight")} == {np.dtype("float32")}
    xr.testing.assert_identical(found, made)


def test_trials_of_which_nothing_is_computed_yet_are_computed_once():
    made = SignOfSum().trials(3, 0)
    computed = complete(SignOfSum(), made.chunk(trial=1), "trials")
    xr.testing.assert_identical(computed, complete(SignOfSum(), made, "trials"))
    assert not computed.chunks


def test_channels_in_another_order_are_put_in_that_of_the_task_and_other_names_are_kept():
    made = make_trials(SignOfSum(), 3, 0)
    xr.testing.assert_identical(complete(SignOfSum(), made.isel(input_channel=[1, 0]), "trials"), made)
    renamed = made.assign_coords(input_channel=["left", "right"])
    assert complete(SignOfSum(), renamed, "trials")["input_channel"].values.tolist() == ["left", "right"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda trials: trials.drop_vars("inputs"), r"expected inputs with the dims .*, got only \['targets'\]"),
        (lambda trials: trials * np.nan, "expected finite inputs, got NaN or infinity"),
        (lambda trials: trials.isel(output_channel=[0, 0]), "expected 1 along output_channel, got 2"),
        (lambda trials: trials.isel(time=[]), r"expected n_steps from 1 to 0 for each trial, got \[0\]"),
        (lambda trials: trials.assign_coords(n_steps=("trial", [0, 1, 6])), "expected n_steps from 1 to 6"),
        (lambda trials: trials.assign_coords(n_steps=("trial", [7, 1, 6])), "expected n_steps from 1 to 6"),
        (
            lambda trials: trials.assign_coords(input_channel=["a", "a"]),
            r"expected names of input_channel that differ, got \['a', 'a'\]",
        ),
        (
            lambda trials: trials.assign(loss_weight=-(trials["targets"] ** 2)),
            "expected loss_weight of at least 0, got -1",
        ),
        (lambda trials: weighted(trials, 0), "expected some loss_weight above 0"),
        (
            lambda trials: trials.assign(loss_weight=trials["targets"] ** 2).assign_coords(
                n_steps=("trial", [1, 1, 1])
            ),
            "expected loss_weight 0 after the n_steps of each trial, got another",
        ),
        (lambda trials: trials["inputs"], "expected an xarray.Dataset, got DataArray"),
        (lambda trials: trials * 1e300, "expected finite inputs, got NaN or infinity"),
        (lambda trials: trials.assign_coords(seed=("trial", [1, 2, 3])), "expected other names than those of networks"),
    ],
)
def test_trials_that_cannot_be_are_told_in_one_line(change, message):
    with pytest.raises(TaskError, match=f"^task sign_of_sum: trials: {message}"):
        complete(SignOfSum(), change(SignOfSum().trials(3, 0)), "trials")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"n_inputs": None}, "task bad: expected n_inputs, a number of channels of at least 1, found none"),
        ({"dt": 0.0}, "expected dt above 0 ms, got 0.0"),
        ({"chance": 1.5}, "expected the score of 'chance' in [0, 1], got 1.5"),
        ({"shortcuts": {"sleeps": -1.0}}, "expected the score of 'sleeps' in [0, 1], got -1.0"),
        ({"arrays": Task.arrays}, "expected the method 'arrays', found none"),
        ({"trials": Task.trials}, "expected the method 'trials', found none"),
        ({"score": Task.score}, "expected the method 'score', found none"),
        ({"score": lambda self, outputs, trials: 0.9 * np.ones(outputs.shape[:-2])}, "expected 1 where outputs equal"),
        (
            {"score": lambda self, outputs, trials: np.full(outputs.shape[:-2], np.nan)},
            "expected some trials to be scored",
        ),
        ({"score_name": "loss"}, "expected a score_name other than that of the loss, got 'loss'"),
        ({"chance": None}, "expected the score of 'chance' in [0, 1], got None"),
        ({"dt": "a"}, "expected dt above 0 ms, got 'a'"),
        (
            {"trials": lambda self, n_trials, seed: SignOfSum.trials(self, n_trials, int(seed))},
            "task bad: trials: expected no error, got TypeError",
        ),
        ({"__init__": lambda self, margin=1.0: vars(self).update(kept=margin)}, "got {'kept': 3.0}, and then"),
        ({"probe": lambda self: 3}, "task bad: probe: expected an xarray.Dataset, got int"),
        ({"trial_conditions": ("tone",)}, "expected the coordinate 'tone' on trial, got none"),
        (
            {"arrays": lambda self, n_trials, rng: SignOfSum.arrays(self, n_trials, np.random.default_rng(0))},
            "expected other trials from another generator, got the same",
        ),
        (
            {"trials": lambda self, n_trials, seed: SignOfSum.trials(self, n_trials, np.random.default_rng())},
            "expected the same trials from the same seed, got others",
        ),
    ],
)
def test_check_tells_an_author_what_is_missing(parts, message):
    with pytest.raises(TaskError) as caught:
        check(type("Bad", (SignOfSum,), parts)(*[3.0] * ("__init__" in parts)))
    assert message in str(caught.value)


@pytest.mark.parametrize("what", [SignOfSum, None, "flip_flop"])
def test_what_is_no_task_is_told(what):
    with pytest.raises(TaskError, match=r"^task: expected an instance of a subclass of biornn\.tasks\.Task, got "):
        check(what)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("flipflop", "name: expected one of flip_flop, .*or package.module:Class, got 'flipflop'"),
        ("no_such_module:Class", "name: expected a task that can be loaded, got .*: ModuleNotFoundError"),
        ("biornn.tasks:NoSuch", "name: expected a task that can be loaded, got .*: AttributeError"),
        ("json:JSONDecoder", "name: expected a subclass of biornn.tasks.Task, got 'json:JSONDecoder'"),
    ],
)
def test_a_task_that_cannot_be_found_is_told_in_one_line(name, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        find_task(name)


def test_a_task_is_found_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "task_of_a_lab.py").write_text(
        "from tests.tasks.test_task import SignOfSum\n\nclass Reach(SignOfSum):\n    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    found = find_task("task_of_a_lab:Reach")
    assert found.name == "reach"
    assert task_of(make_trials(found(), 2, 0)).name == "reach"


def test_scores_are_one_number_a_trial_and_nan_where_a_network_is_not_finite():
    task = SignOfSum()
    trials = make_trials(task, 4, 0)
    outputs = xr.concat([trials["targets"], trials["targets"], -trials["targets"]], "network")
    outputs[1, 2, 0, 0] = np.inf
    scores = score_trials(task, outputs, trials)
    np.testing.assert_array_equal(scores, [[1] * 4, [np.nan] * 4, [0] * 4])
    np.testing.assert_array_equal(score_trials(task, outputs, trials, infinite_is_wrong=True)[1], [1, 1, 0, 1])
    np.testing.assert_array_equal(mean_score(scores), [1, np.nan, 0])


@dataclass(frozen=True)
class Labelled(SignOfSum):
    """The same with labels on the trials."""

    def trials(self, n_trials, seed, **fixed):
        number = np.arange(n_trials)
        labels = {"tone": ("trial", number % 2), "loudness": ("trial", number / n_trials)}
        return super().trials(n_trials, seed).assign_coords(labels)

    def score(self, outputs, trials):
        return (trials["tone"] == 0).astype(float)


class WithState(SignOfSum):
    """A task that is no dataclass, and has a setting."""

    def __init__(self, margin: float = 1.0):
        self.margin = margin

    class Inner(SignOfSum):
        """A task within another class."""


def test_a_task_is_made_again_with_its_settings_wherever_its_class_stands():
    assert task_of(make_trials(WithState(3.0), 2, 0)).margin == 3.0
    assert type(task_of(make_trials(WithState.Inner(), 2, 0))) is WithState.Inner

    class Local(SignOfSum):
        pass

    check(Local())
    with pytest.raises(ValueError, match=r"^trials: expected a task that can be made, got .*<locals>"):
        task_of(make_trials(Local(), 2, 0))


# ---- presets


OF_PYCOG = {"noise": 0.01, "rectify": True, "baseline": 0.2, "noise_tau": 100.0}
OF_SONG = ("perceptual_decision", "context_decision", "multisensory_integration", "parametric_memory")


@pytest.mark.parametrize(
    ("name", "preset", "expected"),
    [
        *((name, "song2016", OF_PYCOG) for name in OF_SONG),
        ("sine_generator", "song2016", {"frequencies": (1.25,), "noise": 0.0, "duration": 1600.0}),
        ("flip_flop", "jarne2024", {"n_bits": 3, "duration": 340.0, "pulse_width": 20.0, "noise": 0.1}),
    ],
)
def test_a_preset_has_the_settings_of_its_source_and_others_override_them(name, preset, expected):
    kind = find_task(name)
    task = kind.preset(preset)
    check(task)
    assert {setting: getattr(task, setting) for setting in expected} == expected
    assert kind.preset(preset, noise=0.5, dt=10.0) == kind(**{**kind.presets[preset], "noise": 0.5, "dt": 10.0})
    assert task_of(make_trials(task, 2, 0)) == task
    assert "preset" not in make_trials(task, 2, 0).attrs["task_settings"]


def test_an_unknown_preset_is_told_with_those_that_exist():
    with pytest.raises(ValueError, match=r"^preset: expected one of song2016, song2016_reaction_time, got 'song2017'$"):
        bn.tasks.PerceptualDecision.preset("song2017")
    with pytest.raises(ValueError, match=r"^preset: expected none, since boolean_gate has none, got 'jarne2024'$"):
        bn.tasks.BooleanGate.preset("jarne2024")


# ---- tasks of objects


class OfObject(SignOfSum):
    """A task that is made from what no settings hold."""

    made_from_settings = False

    def __init__(self, scale, /):
        self._scale = scale

    def arrays(self, n_trials, rng):
        inputs, targets, weight = super().arrays(n_trials, rng)
        return Trials(inputs * self._scale(), targets, weight)


def test_a_task_of_an_object_keeps_to_the_contract_and_cannot_be_made_from_its_trials():
    task = OfObject(lambda: 2.0)
    check(task)
    trials = make_trials(task, 3, 0)
    np.testing.assert_array_equal(trials["inputs"], 2 * make_trials(SignOfSum(), 3, 0)["inputs"])
    with pytest.raises(
        ValueError,
        match=r"^trials: expected a task that its settings make again, got .*OfObject.*give the task itself, or its cl",
    ):
        task_of(trials)


def test_scores_in_another_order_are_refused():
    class Sorted(SignOfSum):
        def score(self, outputs, trials):
            return super().score(outputs, trials).isel(trial=slice(None, None, -1))

    trials = make_trials(Sorted(), 3, 0)
    with pytest.raises(TaskError, match=r"score: expected the trials in their order, got \[2, 1, 0\] first"):
        score_trials(Sorted(), trials["targets"], trials)


def test_labels_that_repeat_alone_but_not_together_are_no_conditions():
    labels = {"a": ("trial", np.arange(16) // 4), "b": ("trial", np.arange(16) % 4)}
    trials = complete(SignOfSum(), SignOfSum().trials(16, 0).assign_coords(labels), "trials")
    assert set(trial_condition(SignOfSum(), trials)) == {""}


def test_the_worst_condition_is_looked_for_among_labels_that_repeat():
    task = Labelled()
    trials = make_trials(task, 6, 0)
    assert trial_condition(task, trials).tolist() == ["tone=0", "tone=1"] * 3
    scores = score_trials(task, trials["targets"], trials)
    assert (float(mean_score(scores)), float(worst_score(task, scores, trials))) == (0.5, 0.0)
    unlabelled = make_trials(SignOfSum(), 6, 0)
    assert trial_condition(SignOfSum(), unlabelled).tolist() == [""] * 6
    assert float(worst_score(SignOfSum(), scores, unlabelled)) == 0.5
