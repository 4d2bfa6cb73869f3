"""The networks of an experiment: every condition with every seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.experiment.config import NetworkConfig, TrainingConfig
from biornn.experiment.experiment import Experiment
from biornn.experiment.start import Source
from biornn.tasks import Task
from biornn.tasks.trials import recorded_trials


@dataclass(frozen=True)
class NetworkSpec:
    """All settings of one network.

    Networks of one seed share the training trials, unless conditions train on other ones, and those random draws of
    their wiring that their settings have in common; all networks share the validation and held-out trials.
    `training_tasks` are those of `Experiment.training_tasks`; `source` is the network that this one goes on from.
    """

    name: str
    condition: str
    seed: int
    task: Task
    network: NetworkConfig
    training: TrainingConfig
    n_recorded_trials: int
    training_tasks: Sequence[tuple[Task, int | None, float | None]]
    source: Source | None = None

    def trials(self) -> dict[str, xr.Dataset]:
        """Make the trials on which activity is recorded, the same for all networks, as groups of a run."""
        return recorded_trials(self.task, self.n_recorded_trials)


def expand(experiment: Experiment) -> list[NetworkSpec]:
    """List the networks of an experiment, seed by seed, so that matched networks are trained together."""
    return [
        NetworkSpec(
            f"{condition}-s{seed:02d}",
            condition,
            seed,
            experiment.task,
            *experiment.settings(condition),
            experiment.recording.n_trials,
            experiment.training_tasks(condition),
            None if experiment.start is None else experiment.start.source(condition, seed),
        )
        for seed in experiment.seeds
        for condition in experiment.conditions
    ]


def network_index(experiment: Experiment) -> xr.Dataset:
    """Return the coordinates of the networks in the order of the store: condition by condition, as in the file.

    These are ``network``, ``condition`` and ``seed``; for crossed factors also ``factor_…``, the level of each as text.
    """
    order = list(experiment.conditions)
    specs = sorted(expand(experiment), key=lambda spec: order.index(spec.condition))
    return xr.Dataset(
        coords={
            "network": np.array([spec.name for spec in specs], dtype=object),
            "condition": ("network", np.array([spec.condition for spec in specs], dtype=object)),
            "seed": ("network", [spec.seed for spec in specs]),
            **_levels(experiment, [spec.condition for spec in specs]),
        }
    )


def _levels(experiment: Experiment, conditions: list[str]) -> dict[str, tuple[str, NDArray[np.object_]]]:
    combinations = experiment.combinations()
    names = [name.removeprefix("training.").removeprefix("task.") for name in experiment.factors or ()]
    levels = [list(combinations[condition].levels.values()) if combinations else [] for condition in conditions]
    columns = zip(*levels, strict=True)
    return {
        f"factor_{name}": ("network", np.array(column, object)) for name, column in zip(names, columns, strict=True)
    }
