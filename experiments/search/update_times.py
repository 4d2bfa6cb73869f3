"""How long one update takes, for networks of many shapes in turns."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, Self

from biornn.experiment import NetworkSpec
from biornn.tasks.seeds import generator

N_ROUNDS = 5
N_UPDATES = 7  # of each shape in a round; its time is their median


class Shape(NamedTuple):
    """All on which the time of an update depends, on the trials of one task."""

    units: int
    batch: int
    activation: str
    formulation: str
    leaky: str

    @classmethod
    def of(cls, spec: NetworkSpec) -> Self:
        """Return the shape of a network.

        Parameters
        ----------
        spec
            The network.
        """
        network = spec.network
        leaky = "no" if network.tau == network.dt else "yes"
        return cls(network.n_units, spec.training.batch_size, network.activation, network.formulation, leaky)


#: Shape -> the time of an update in ms, in every round.
Times = Mapping[Shape, Sequence[float]]


def measure(specs: Sequence[NetworkSpec]) -> dict[Shape, list[float]]:
    """Time updates, in this process.

    Parameters
    ----------
    specs
        Networks; of each shape one is timed.

    Returns
    -------
    dict
        Shape -> the time of an update in ms, in every round.
    """
    updates = {shape: _update(spec) for shape, spec in {Shape.of(spec): spec for spec in specs}.items()}
    found: dict[Shape, list[float]] = {shape: [] for shape in updates}
    for _ in range(N_ROUNDS):
        for shape, update in updates.items():
            found[shape].append(1000 * median(_timed(update) for _ in range(N_UPDATES)))
    return found


def _update(spec: NetworkSpec) -> Callable[[], object]:
    """Make the function that does one, after the graph is there."""
    from biornn.experiment.network import network_model
    from biornn.training.train import compile_model

    training = spec.training
    model = network_model(spec.task, spec.network, training, spec.seed)
    schedule: Mapping[str, Any] = training.model_dump(include={"schedule", "warmup", "clip_norm", "max_updates"})
    compile_model(model, learning_rate=1e-4, **schedule)
    batch = spec.task.arrays(training.batch_size, generator("timing", spec.seed))
    model.train_on_batch(*batch)
    return lambda: model.train_on_batch(*batch)


def _timed(update: Callable[[], object]) -> float:
    start = time.perf_counter()
    update()
    return time.perf_counter() - start


def write(found: Times, path: Path) -> None:
    """Write times, a line per shape and round.

    Parameters
    ----------
    found
        What `measure` returned.
    path
        The file.
    """
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*Shape._fields, "round", "ms"])
        for shape, times in found.items():
            writer.writerows([*shape, number, f"{one:.2f}"] for number, one in enumerate(times))


def read_times(path: Path) -> dict[Shape, list[float]]:
    """Read times; none where there is no file.

    Parameters
    ----------
    path
        What `write` wrote.
    """
    found: dict[Shape, list[float]] = {}
    if path.exists():
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                shape = Shape(int(row["units"]), int(row["batch"]), *(row[name] for name in Shape._fields[2:]))
                found.setdefault(shape, []).append(float(row["ms"]))
    return found
