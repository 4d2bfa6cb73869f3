"""The task of an experiment: found by name, with settings that may differ in training, and in stages."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import biornn as bn
from biornn.experiment import Experiment, ExperimentError, expand, load_experiment, run_experiment
from biornn.experiment.matching import unmatched
from biornn.experiment.network import run_network
from biornn.experiment.task_settings import changed_task

FLIP_FLOP = {"n_bits": 1, "duration": 60, "n_pulses": 1}
OWN_TASK = """
import numpy as np
from biornn.tasks import Task, Trials
from biornn.tasks.task import task_generator
from dataclasses import dataclass


@dataclass(frozen=True)
class Reach(Task):
    n_steps: int = 7
    dt: float = 1.0
    n_inputs = 2
    n_outputs = 1
    score_name = "hits"

    def arrays(self, n_trials, rng):
        inputs = rng.standard_normal((n_trials, self.n_steps, 2)).astype("float32")
        targets = inputs.sum(-1, keepdims=True)
        return Trials(inputs, targets, np.ones_like(targets))

    def trials(self, n_trials, seed, **fixed):
        return self.labelled(self.arrays(n_trials, task_generator(seed)))

    def score(self, outputs, trials):
        return (abs(outputs - trials["targets"]) < 1).mean(["time", "output_channel"])


class Broken(Reach):
    def score(self, outputs, trials):
        return 3.0 * super().score(outputs, trials)
"""


@pytest.fixture
def own_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a lab in the current folder, and an experiment beside it."""
    (tmp_path / "lab_task.py").write_text(OWN_TASK)
    (tmp_path / "reach.yaml").write_text(
        "task: {name: 'lab_task:Reach', n_steps: 5}\nnetwork: {n_units: 4, tau: 2.0}\nseeds: 1\n"
        "conditions: {unconstrained: {}, dale: {excitatory_fraction: 0.75}}\n"
        "training: {max_updates: 2, batch_size: 3, validate_every: 1, n_validation_trials: 4}\n"
        "recording: {n_trials: 3}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])


def test_a_stored_experiment_names_its_task_and_all_its_settings() -> None:
    experiment = Experiment(task=FLIP_FLOP)
    stored = json.loads(experiment.model_dump_json())
    assert stored["task"]["name"] == experiment.task.name
    assert stored["task"]["duration"] == 60
    assert Experiment.model_validate(stored) == experiment


def test_settings_of_the_task_differ_in_training_alone() -> None:
    experiment = Experiment(
        task=FLIP_FLOP,
        conditions={"short": {}, "long": {"training.task": {"duration": 80}}, "noisy": {"training.task.noise": 0.5}},
        training={"task": {"amplitude": 2.0}},
        seeds=1,
    )
    short, long, noisy = expand(experiment)
    assert short.task == long.task == noisy.task == experiment.task
    changed = [spec.training_tasks[0][0] for spec in (short, long, noisy)]
    assert [(task.duration, task.noise, task.amplitude) for task in changed] == [
        (60, 0.1, 2.0),
        (80, 0.1, 1.0),  # a mapping takes the place of the shared one
        (60, 0.5, 2.0),  # a single key is changed in it
    ]
    for spec in (long, noisy):
        xr.testing.assert_identical(short.trials()["trials"], spec.trials()["trials"])


def test_a_preset_stands_for_settings_which_are_stored_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(
        "task: {name: perceptual_decision, preset: song2016, coherences: [4, 8]}\nnetwork: {tau: 100, dt: 10}\n"
    )
    task = load_experiment(tmp_path / "e.yaml").task
    assert task == bn.tasks.PerceptualDecision.preset("song2016", coherences=(4, 8), dt=10)
    assert (task.noise, task.rectify) == (0.01, True)
    stored = json.loads(Experiment(task={"name": "perceptual_decision", "preset": "song2016"}).model_dump_json())
    assert "preset" not in stored["task"]
    assert stored["task"]["noise"] == 0.01
    assert Experiment.model_validate(stored).task.rectify is True
    assert load_experiment(tmp_path / "e.yaml", ["task.noise=0.2"]).task.noise == 0.2


def test_a_preset_changes_settings_of_the_task_in_training_alone() -> None:
    training = {"task": {"preset": "song2016", "noise": 0.03}}
    experiment = Experiment(task={"name": "perceptual_decision", "grace": 20}, training=training, seeds=1)
    (spec,) = expand(experiment)
    assert (spec.task.noise, spec.task.rectify, spec.task.grace) == (0.1, False, 20)
    changed = spec.training_tasks[0][0]
    assert (changed.noise, changed.rectify, changed.grace) == (0.03, True, 20)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            {"name": "perceptual_decision", "preset": "song"},
            r"task\.preset: expected one of song2016, song2016_reaction_time, got 'song'",
        ),
        (
            {"name": "perceptual_decision", "preset": ["a"]},
            r"task\.preset: expected one of song2016, song2016_reaction_time, got \['a'\]",
        ),
        ({"name": "boolean_gate", "preset": "x"}, r"task\.preset: expected none, since boolean_gate has none, got 'x'"),
        (
            {"name": "perceptual_decision", "prest": "song2016"},
            r"task\.prest: expected one of name, preset, .*; did you mean preset\?",
        ),
    ],
)
def test_a_preset_that_is_not_there_is_told_with_those_that_are(
    tmp_path: Path, task: dict[str, object], message: str
) -> None:
    (tmp_path / "e.yaml").write_text(json.dumps({"task": task}))
    with pytest.raises(ExperimentError, match=message):
        load_experiment(tmp_path / "e.yaml")


def test_a_task_made_from_an_object_is_refused_since_workers_cannot_make_it() -> None:
    class OfObject(bn.tasks.BooleanGate):
        made_from_settings = False

    with pytest.raises(ValueError, match=r"task\n.*name: expected a task that its settings make again"):
        Experiment(task=OfObject())
    with pytest.raises(
        ValueError, match=r"task\n.*name: expected a task that its settings .*; train it by biornn.train"
    ):
        Experiment(task={"name": "biornn.tasks.neurogym:NeurogymChoice", "env": "GoNogo"})


def test_a_setting_of_the_task_is_a_factor() -> None:
    experiment = Experiment(
        task=FLIP_FLOP, factors={"dale": ["none", 0.8], "training.task.duration": [60, 90]}, seeds=1
    )
    assert list(experiment.conditions) == ["unconstrained", "duration-90", "dale", "dale+duration-90"]
    assert [spec.training_tasks[0][0].duration for spec in expand(experiment)] == [60, 90, 60, 90]


def test_stages_come_with_their_ends() -> None:
    stages = [{"task": {"duration": 55}, "updates": 100}, {"score": 0.9}]
    (spec,) = expand(Experiment(task=FLIP_FLOP, training={"stages": stages, "task": {"noise": 0.2}}, seeds=1))
    assert [(task.duration, task.noise, *ends) for task, *ends in spec.training_tasks] == [
        (55, 0.2, 100, None),
        (60, 0.2, None, 0.9),
        (60, 0.2, None, None),
    ]


def test_what_is_not_alike_in_training_is_told() -> None:
    changes = {"training.task.noise": 0.5, "training.criterion_on": "worst"}
    told = unmatched(Experiment(task=FLIP_FLOP, conditions={"a": {}, "b": changes}, seeds=1))
    assert told["a"] == []
    assert told["b"][0] == "training trials: settings of the task, or the stages, differ"
    assert told["b"][1] == "duration of the training: criterion_on is worst instead of mean"


def test_settings_of_the_task_in_training_are_set_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text("task: {n_bits: 1, duration: 60, n_pulses: 1}\nconditions: {a: {}, b: {}}\n")
    experiment = load_experiment(tmp_path / "e.yaml", ["conditions.b.training.task.noise=0.5"])
    assert [experiment.training_tasks(name)[0][0].noise for name in "ab"] == [0.1, 0.5]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"task": {"duraton": 80}}}, "training.task.duraton: expected one of .*; did you mean duration?"),
        ({"training": {"task": {"duration": 8}}}, "training.task.duration: expected at least"),
        ({"training": {"task": {"n_bits": 2}}}, "training.task.n_bits: expected n_inputs 1 as in task, by which all"),
        ({"conditions": {"a": {"training.task": {"n_bits": 2}}}}, "conditions.a.training.task.n_bits: expected n_"),
        ({"conditions": {"a": {"training.task.noise": -1}}}, "conditions.a.training.task.noise: expected a number of"),
        ({"training": {"stages": [{"task": {"noise": -1}}]}}, "training.stages.0.task.noise: expected a number of at"),
        (
            {"training": {"stages": [{"updates": 30}]}},
            "stages.0.updates: expected a multiple of validate_every=50, got 30",
        ),
        ({"training": {"task": {"name": "x"}}}, "training.task.name: expected other settings of the same task"),
        (
            {"training": {"stages": [{"updates": 1050}]}},
            "stages: expected updates of max_updates=1000 at most",
        ),
        ({"training": {"stages": [{}, {}]}}, "stages.0: expected updates or score, at which it ends, got neither"),
        ({"training": {"criterion_on": "median"}}, "criterion_on"),
    ],
)
def test_settings_that_cannot_be_are_told(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Experiment(task=FLIP_FLOP, **changes)


def test_a_preset_with_other_channels_is_named() -> None:
    with pytest.raises(ValueError, match=r"^preset: expected n_inputs 2 as in task, .*, got 3$"):
        changed_task(bn.tasks.PerceptualDecision(), {"preset": "song2016_reaction_time"})


@pytest.mark.usefixtures("own_task")
def test_a_task_of_a_lab_is_trained_and_stored_without_a_probe() -> None:
    experiment = load_experiment("reach.yaml")
    assert experiment.task.n_steps == 5
    groups = run_network(expand(experiment)[0], lambda progress: None)
    assert set(groups) == {"activity", "weights", "history", "audit"}
    assert groups["activity"].outputs.shape == (3, 5, 1)
    assert groups["history"].score.attrs["score_name"] == "hits"
    with pytest.raises(ExperimentError, match=r"task.name: expected a task that can be loaded, got 'lab_task:Raech'"):
        load_experiment("reach.yaml", ["task.name=lab_task:Raech"])
    with pytest.raises(
        ExperimentError,
        match=r"task.name: expected a task that keeps .*; task broken: score: expected scores in \[0, 1\], got 3",
    ):
        load_experiment("reach.yaml", ["task.name=lab_task:Broken"])


def test_an_instance_that_is_no_task_is_told() -> None:
    with pytest.raises(ValueError, match="name: expected a task that keeps to the contract; task task: expected n_"):
        Experiment(task=bn.tasks.Task())


@pytest.mark.usefixtures("own_task")
@pytest.mark.nightly
def test_a_run_of_a_task_of_a_lab_is_made_by_processes_of_their_own(tmp_path: Path) -> None:
    run = run_experiment(
        load_experiment("reach.yaml"), tmp_path / "run", n_workers=1, console=Console(quiet=True)
    ).load()
    bn.validate(run)
    assert "probe_trials" not in run
    assert run["trials"].attrs["task"] == "lab_task:Reach"
    assert bn.tasks.task_of(run["trials"].to_dataset()).n_steps == 5
    scores = bn.analysis.performance(run["activity"].outputs, run["trials"].to_dataset())
    assert np.isfinite(scores["score"]).all()


def test_a_task_whose_time_step_is_no_setting_keeps_it() -> None:
    task = {"name": "tests.report.hits:Hits"}
    assert Experiment(task=task).task.dt == 1.0
    with pytest.raises(ValueError, match=r"task\.dt: expected the network's dt=2, got 1"):
        Experiment(task=task, network={"dt": 2.0, "tau": 4.0})
