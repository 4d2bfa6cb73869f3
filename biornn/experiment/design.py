"""The networks of an experiment: every condition with every seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from biornn.experiment.config import Experiment, NetworkConfig, TrainingConfig
from biornn.tasks import FlipFlop


@dataclass(frozen=True)
class NetworkSpec:
    """All that it takes to train and record one network.

    Networks of one seed share the stream of training trials, and every random draw of their wiring that their settings
    leave in common; all networks share validation and held-out trials.
    """

    name: str
    condition: str
    seed: int
    task: FlipFlop
    network: NetworkConfig
    training: TrainingConfig


def expand(experiment: Experiment) -> list[NetworkSpec]:
    """List the networks of an experiment, seed by seed, so that matched networks are done together.

    Parameters
    ----------
    experiment
        The experiment.
    """
    return [
        NetworkSpec(f"{condition}-s{seed:02d}", condition, seed, experiment.task, *experiment.settings(condition))
        for seed in experiment.seeds
        for condition in experiment.conditions
    ]


def network_index(experiment: Experiment) -> xr.Dataset:
    """Label the networks in the order of the store: condition by condition, in the order of the file.

    Parameters
    ----------
    experiment
        The experiment.

    Returns
    -------
    xarray.Dataset
        Coordinates ``network``, ``condition`` and ``seed``.
    """
    order = list(experiment.conditions)
    specs = sorted(expand(experiment), key=lambda spec: order.index(spec.condition))
    return xr.Dataset(
        coords={
            "network": np.array([spec.name for spec in specs], dtype=object),
            "condition": ("network", np.array([spec.condition for spec in specs], dtype=object)),
            "seed": ("network", [spec.seed for spec in specs]),
        }
    )
