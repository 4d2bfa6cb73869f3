"""Sizes that no machine has are refused at once, with the key that asks for them."""

import pytest

from biornn.experiment import Experiment, ExperimentError, load_experiment
from biornn.experiment.config import MAX_UNITS
from biornn.experiment.limits import MAX_CONDITIONS, MAX_NETWORKS, check_arrays, task_lengths
from biornn.experiment.messages import ExperimentError as Error

HUGE = {
    "network.n_units=1000000000000": "network.n_units: input should be less than or equal to 50000, got 1000000000000",
    "network={n_units: 1000000000000, tau: {shortest: 1, longest: 2}}": "network.n_units: input should be less than",
    "seeds=1000000000": "seeds: expected at most 10000 seeds, got 1000000000",
    "training={max_updates: 1000000000, validate_every: 1}": "training.max_updates: expected arrays of at most 100 GB",
    "training.max_updates=1000000000000": "training.max_updates: input should be less than or equal to 1000000000",
    "training.batch_size=1000000000": "training.batch_size: expected arrays of at most 100 GB for a network, got about",
    "conditions={a: {training.batch_size: 1000000000}}": "training.batch_size: expected arrays of at most 100 GB",
    "training.n_training_trials=1000000000": "training.n_training_trials: expected arrays of at most 100 GB",
    "recording.n_trials=1000000000": "recording.n_trials: expected arrays of at most 100 GB",
    "task.duration=1.0e+15": "task.duration: expected trials of at most 2,000,000 steps of dt=1 ms, got 1e+15 ms",
    "task.duration=1.0e+300": "task.duration: expected trials of at most 2,000,000 steps",
    "network={dt: 1.0e-300}": "task.",
    "network={dt: 1.0e-308}": "task.duration: expected trials of at most 2,000,000 steps",
    "training={task: {duration: 1.0e+6}, batch_size: 100000}": "training.batch_size: expected arrays of at most 100 GB",
    "task.n_pulses=1000000000000": "task.duration: expected at least",
    "factors={density: [1], learning_rate: " + str(list(range(1, 1100))) + "}": "expected at most 1000 combinations",
}


@pytest.mark.parametrize(("change", "message"), HUGE.items())
def test_a_size_that_cannot_be_is_refused(change: str, message: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("huge") / "experiment.yaml"
    path.write_text("title: huge")
    with pytest.raises(ExperimentError) as caught:
        load_experiment(path, [change])
    assert message in str(caught.value)


def test_too_many_networks_are_refused() -> None:
    conditions: dict[str, dict[str, object]] = {f"c{n}": {} for n in range(MAX_CONDITIONS)}
    with pytest.raises(ValueError, match=f"seeds: expected at most {MAX_NETWORKS} networks, got 21 for each of 1000"):
        Experiment.model_validate({"conditions": conditions, "seeds": 21})


def test_the_largest_network_that_is_allowed_passes() -> None:
    experiment = Experiment.model_validate(
        {"network": {"n_units": MAX_UNITS}, "training": {"max_updates": 100, "snapshots": [100]}}
    )
    lengths = task_lengths(experiment.task)
    assert lengths == (340, 610)
    check_arrays(experiment.task, (*lengths, 340), experiment.network, experiment.training, experiment.recording)


def test_a_message_is_one_printable_line_of_bounded_length() -> None:
    assert str(Error("a\x1b[31m \n b")) == r"a\x1b[31m b"
    assert len(str(Error("x" * 10_000))) == 1500
