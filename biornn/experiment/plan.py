"""The plan of an experiment before anything is trained: networks, parameters, time, disk."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from dask.system import CPU_COUNT
from rich.table import Table
from rich.text import Text

from biornn.experiment.backend import chosen_backend
from biornn.experiment.cluster import connect
from biornn.experiment.design import NetworkSpec, expand
from biornn.experiment.experiment import Experiment
from biornn.experiment.limits import task_lengths
from biornn.experiment.matching import unmatched
from biornn.experiment.parameters import number_range, parameter_counts
from biornn.experiment.progress import duration
from biornn.experiment.timing import Timing
from biornn.experiment.worker import measure

#: Sizes of the figures and the report of small and large designs, in MB.
_REPORT = 3, 15
#: Time of figures and report, in s, for twelve networks of 100 units on two cores.
REPORT_SECONDS = 15.0
_FLOAT = 4  # bytes; activity and weights are stored in single precision


@dataclass(frozen=True)
class Plan:
    """The size of an experiment.

    `free_parameters` are condition -> kind -> number, one for each seed; `unmatched` is condition -> in what it cannot
    be matched with the reference; `n_workers` are networks at a time. `seconds` is what the whole takes at most: start
    of the workers, training, recording and report. `bytes_on_disk` is the size of the arrays of the store,
    uncompressed, without names, metadata, figures and report.
    """

    specs: list[NetworkSpec]
    free_parameters: Mapping[str, dict[str, list[int]]]
    unmatched: Mapping[str, list[str]]
    n_workers: int
    seconds: float
    bytes_on_disk: int


def plan_experiment(experiment: Experiment, *, n_workers: int | None = None, scheduler: str | None = None) -> Plan:
    """Work out the size of an experiment; a few updates of each kind of network serve to estimate the time.

    Parameters
    ----------
    experiment
        What `load_experiment` gives.
    n_workers, scheduler
        As for `run_experiment`.

    Raises
    ------
    OSError, ValueError, RuntimeError
        As for `run_experiment`, if a scheduler or a backend is chosen and cannot be used.
    """
    specs = expand(experiment)
    backend, _ = chosen_backend()
    begin = time.perf_counter()
    with connect(scheduler, 1) as client:
        starting = time.perf_counter() - begin
        if scheduler is not None:
            n_workers = len(client.scheduler_info(n_workers=-1)["workers"])
        kinds = {_speed(spec): spec for spec in reversed(specs)}
        # One after the other: side by side they would slow each other down.
        timings = {kind: client.submit(measure, spec, backend, pure=False).result() for kind, spec in kinds.items()}
    n_workers = min(n_workers or CPU_COUNT, len(specs))
    return Plan(
        specs,
        {condition: _free_parameters(experiment, condition) for condition in experiment.conditions},
        unmatched(experiment),
        n_workers,
        _seconds(specs, timings, n_workers, starting),
        _bytes_on_disk(specs),
    )


def _speed(spec: NetworkSpec) -> tuple[object, ...]:
    """Return what the time of a network depends on; masks and signs cost next to nothing."""
    network, training = spec.network, spec.training
    penalised = bool(training.l1_weights or training.l2_weights or training.l2_rates)
    noisy = bool(network.recurrent_noise)
    shape = (network.architecture, network.enforcement, network.activation, noisy, penalised)
    return (*shape, training.batch_size, training.n_validation_trials, repr(spec.training_tasks))


def _seconds(
    specs: list[NetworkSpec], timings: Mapping[tuple[object, ...], Timing], n_workers: int, starting: float
) -> float:
    """Time until the last worker is done and the report is made: each network goes to the worker that is free first."""
    busy = [starting + max(timing.loading for timing in timings.values())] * n_workers
    for spec in specs:
        busy[busy.index(min(busy))] += timings[_speed(spec)].network(spec.training)
    return max(busy) + REPORT_SECONDS


def _free_parameters(experiment: Experiment, condition: str) -> dict[str, list[int]]:
    network, _ = experiment.settings(condition)
    counts = [parameter_counts(network, experiment.task, seed) for seed in experiment.seeds]
    return {kind: [count[kind] for count in counts] for kind in counts[0]}


def _bytes_on_disk(specs: list[NetworkSpec]) -> int:
    """Sum the sizes that grow with units, trials and snapshots: activity, weights at every snapshot, masks."""
    task, network, training = specs[0].task, specs[0].network, specs[0].training
    n_steps, n_probe_steps = task_lengths(task)
    n_samples = specs[0].n_recorded_trials * n_steps + n_probe_steps
    n_units, n_channels = network.n_units, task.n_inputs + task.n_outputs
    per_network = _FLOAT * (
        n_samples * (n_units + task.n_outputs)
        + training.n_snapshots * (n_units * (n_units + n_channels + 2) + task.n_outputs)
    )
    per_network += n_units * (n_units + n_channels) * np.dtype(bool).itemsize
    return len(specs) * per_network + n_samples * n_channels * _FLOAT


def plan_table(plan: Plan) -> Table:
    """Lay out a plan: a row per condition, and below it time and disk."""
    table = Table(title=Text(f"{len(plan.specs)} networks, {plan.n_workers} at a time"), title_justify="left")
    table.add_column("condition", no_wrap=True)
    table.add_column("networks", justify="right")
    table.add_column("free parameters", overflow="fold")
    table.add_column("not matched with the reference", overflow="fold")
    for condition, counts in plan.free_parameters.items():
        total = number_range([sum(column) for column in zip(*counts.values(), strict=True)])
        parts = ", ".join(f"{kind} {number_range(values)}" for kind, values in counts.items())
        n_networks = sum(spec.condition == condition for spec in plan.specs)
        differences = "\n".join(plan.unmatched[condition]) or "–"
        table.add_row(Text(condition), str(n_networks), f"{total} ({parts})", Text(differences))
    table.caption = (
        f"time: about {duration(plan.seconds)} at most with the report, estimated from a few updates of each kind of "
        f"network on one worker; a criterion ends training earlier, other work on the machine makes it longer\n"
        f"disk: about {max(plan.bytes_on_disk / 1e6, 1):,.0f} MB for the arrays, before compression; figures and "
        f"report take {_REPORT[0]} to {_REPORT[1]} MB more"
    )
    table.caption_justify = "left"
    return table
