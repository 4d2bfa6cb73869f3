"""Changes of a task on the command line."""

import pytest

from biornn.experiment import ExperimentError
from biornn.experiment.evaluation import evaluations_of
from biornn.tasks import ContextDecision, PerceptualDecision


def test_each_list_of_changes_is_an_evaluation_that_is_named_after_it():
    found = evaluations_of(
        ContextDecision(n_catch=0).trials(1, seed=0),
        [["task.stimulus=400"], ["task.coherences=[5, 20]", "task.noise=0.2", "network.recurrent_noise=0.1"]],
    )
    assert list(found) == ["stimulus=400", "coherences=[5, 20], noise=0.2, recurrent_noise=0.1"]
    first, second = found.values()
    assert first == (ContextDecision(n_catch=0, stimulus=400), 0.0)
    assert second == (ContextDecision(n_catch=0, coherences=(5, 20), noise=0.2), 0.1)


def test_a_preset_stands_for_its_settings():
    ((task, _),) = evaluations_of(
        PerceptualDecision(stimulus=400).trials(1, seed=0), [["task.preset=song2016", "task.n_catch=0"]]
    ).values()
    assert task == PerceptualDecision.preset("song2016", n_catch=0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("task.stimuls=3", "--set task.stimuls: expected one of task.coherences, .*; did you mean task.stimulus?"),
        ("stimulus=3", "--set stimulus: expected task.stimulus, got 'stimulus'"),
        ("network.n_units=3", "--set network.n_units: expected one of .*network.recurrent_noise, got"),
        ("task.stimulus", "--set: expected key=value, got 'task.stimulus'"),
        ("task.stimulus=x", "--set task.stimulus: input should be a valid number"),
        ("task.stimulus=-1", "--set task.stimulus: expected a positive time in ms, got -1"),
        ("task.dt=10", "--set task.dt: expected dt 20.0 as in task"),
        ("task.name=go_no_go", "--set task.name: expected one of"),
        ("network.recurrent_noise=-1", "--set network.recurrent_noise: expected a number of at least 0, got -1"),
    ],
)
def test_a_change_that_is_none_is_named_in_one_line(setting, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        evaluations_of(ContextDecision().trials(1, seed=0), [[setting]])
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, ExperimentError) or "recurrent_noise" in message
