"""Limits on the size of an experiment, which are checked before memory is allocated."""

from __future__ import annotations

from collections.abc import Iterator

from biornn.experiment.config import NetworkConfig, RecordingConfig, TrainingConfig
from biornn.tasks import Task
from biornn.tasks.seeds import generator
from biornn.tasks.trials import make_arrays, make_probe

MAX_CONDITIONS = 1_000
MAX_NAME = 200  # characters of a condition; Dask names files after a task, and few systems take more than 255
MAX_SEEDS = 10_000
MAX_NETWORKS = 20_000

_MAX_BYTES = 10**11
_FLOAT = 4  # bytes; trials, activity and weights are in single precision


def task_lengths(task: Task) -> tuple[int, int]:
    """Return the steps of a random trial and of all trials of the probe; a ValueError if they cannot be made."""
    try:
        probe = make_probe(task)
        n_steps = make_arrays(task, 1, generator("lengths", 0)).inputs.shape[1]
    except ValueError as error:
        raise ValueError(f"task.{error}") from None
    return n_steps, 0 if probe is None else probe.sizes["trial"] * probe.sizes["time"]


def check_arrays(
    task: Task,
    lengths: tuple[int, int, int],
    network: NetworkConfig,
    training: TrainingConfig,
    recording: RecordingConfig,
) -> None:
    """Raise a ValueError with the key that is too large if training or recording one network needs too much memory.

    `lengths` are those of `task_lengths`, and the steps of the longest training trial.
    """
    for key, size in _sizes(task, lengths, network, training, recording):
        if size > _MAX_BYTES:
            raise ValueError(
                f"{key}: expected arrays of at most {_MAX_BYTES / 1e9:g} GB for a network, got about {_giga(size)} GB; "
                "lower it, or the number of units or of time steps"
            )


def _sizes(
    task: Task,
    lengths: tuple[int, int, int],
    network: NetworkConfig,
    training: TrainingConfig,
    recording: RecordingConfig,
) -> Iterator[tuple[str, int]]:
    """Yield the bytes of the large arrays: activity over trials and times, weights over snapshots."""
    n_channels = task.n_inputs + task.n_outputs
    n_steps, n_probe_steps, n_training_steps = lengths
    per_step = _FLOAT * (network.n_units + n_channels)
    yield "task", n_probe_steps * per_step
    yield "recording.n_trials", recording.n_trials * n_steps * per_step
    yield "training.batch_size", training.batch_size * n_training_steps * per_step
    yield "training.n_validation_trials", training.n_validation_trials * n_steps * per_step
    yield "training.n_training_trials", (training.n_training_trials or 0) * n_training_steps * n_channels * _FLOAT
    per_snapshot = _FLOAT * network.n_units * (network.n_units + n_channels + 2)
    key = "training.max_updates" if training.snapshots is None else "training.snapshots"
    yield key, training.n_snapshots * per_snapshot


def _giga(size: int) -> str:
    return f"{size // 10**9:,}" if size < 10**18 else "more than a thousand million"
