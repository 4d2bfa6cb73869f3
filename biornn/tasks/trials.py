"""Trials of any task, checked and complete."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.errors import OneLineError
from biornn.schema import text, variable_attrs
from biornn.tasks.seeds import generator
from biornn.tasks.task import Seed, Task, Trials, describe_task

_SAMPLE = ("trial", "time", "output_channel")
_OF_NETWORKS = ("network", "condition", "seed")


class TaskError(OneLineError):
    """A task does not keep to what `Task` says; the message says which task, what was expected and what it gave."""


def make_arrays(task: Task, n_trials: int, rng: np.random.Generator) -> Trials:
    """Make bare trials of a task, checked: a `TaskError` says what is wrong with them."""
    made = task.arrays(n_trials, rng)
    where = f"task {task.name}: arrays"
    if not isinstance(made, tuple) or len(made) != len(Trials._fields):
        raise TaskError(f"{where}: expected Trials(inputs, targets, loss_weight), got {type(made).__name__}")
    arrays = Trials(*(_in_single_precision(np.asarray(array)) for array in made))
    _check_values(where, task, n_trials, *arrays)
    return arrays


def make_trials(task: Task, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
    """Make labelled trials of a task, checked, and complete: see `complete`."""
    return complete(task, task.trials(n_trials, seed, **fixed), "trials", n_trials)


def make_probe(task: Task) -> xr.Dataset | None:
    """Make the probe of a task, checked and complete; None if the task has none."""
    probe = task.probe()
    return None if probe is None else complete(task, probe, "probe")


def recorded_trials(task: Task, n_trials: int) -> dict[str, xr.Dataset]:
    """Make the trials on which networks are judged, as groups of a run: held-out ones, and the probe, if any."""
    groups = {"trials": make_trials(task, n_trials, generator("recording", 0)), "probe_trials": make_probe(task)}
    return {name: dataset for name, dataset in groups.items() if dataset is not None}


def complete(task: Task, trials: xr.Dataset, method: str, n_trials: int | None = None) -> xr.Dataset:
    """Check labelled trials, and fill in what their maker may leave out.

    That is `loss_weight` (1 within a trial, 0 in its padding), the coordinates `n_steps`, `trial`, `time` in ms,
    `input_channel` and `output_channel`, and the attributes that say which task it is. A `TaskError` says what is
    wrong. Channels of the task's names are put in its order.
    """
    where = f"task {task.name}: {method}"
    if not isinstance(trials, xr.Dataset):
        raise TaskError(f"{where}: expected an xarray.Dataset, got {type(trials).__name__}")
    for name, dims in {"inputs": ("trial", "time", "input_channel"), "targets": _SAMPLE}.items():
        if name not in trials or set(trials[name].dims) != set(dims):
            got = f"dims {trials[name].dims}" if name in trials else f"only {sorted(map(str, trials.data_vars))}"
            raise TaskError(f"{where}: expected {name} with the dims {dims}, got {got}")
    if reserved := [name for name in _OF_NETWORKS if name in trials.variables]:
        raise TaskError(f"{where}: expected other names than those of networks, got {reserved[0]!r}")
    n_times = trials.sizes["time"]
    labels: dict[str, Any] = {
        "trial": np.arange(trials.sizes["trial"]),
        "time": ("time", np.arange(n_times) * task.dt, {"units": "ms"}),
        "input_channel": list(task.input_channels),
        "output_channel": list(task.output_channels),
        "n_steps": ("trial", np.full(trials.sizes["trial"], n_times)),
    }
    for dim in ("input_channel", "output_channel"):
        if len(labels[dim]) != trials.sizes[dim]:
            raise TaskError(f"{where}: expected {len(labels[dim])} along {dim}, got {trials.sizes[dim]}")
        names = trials[dim].values.tolist() if dim in trials.coords else labels[dim]
        if len(set(names)) < len(names):
            raise TaskError(f"{where}: expected names of {dim} that differ, got {names}")
        if names != labels[dim] and set(names) == set(labels[dim]):  # bare arrays have the order of the task
            trials = trials.isel({dim: [names.index(name) for name in labels[dim]]})
    trials = trials.set_coords([name for name in labels if name in trials.data_vars])
    missing = {name: label for name, label in labels.items() if name not in trials.coords}
    trials = trials.assign_coords(missing).transpose("trial", "time", "input_channel", "output_channel", ...).compute()
    n_steps = trials["n_steps"].values
    is_count = trials["n_steps"].dims == ("trial",) and n_steps.dtype.kind in "iu"
    if not is_count or not ((n_steps >= 1) & (n_steps <= n_times)).all():
        got = np.unique(n_steps).tolist()[:5]
        raise TaskError(f"{where}: expected n_steps from 1 to {n_times} for each trial, got {got}")
    if "period" in trials and trials["period"].dtype.kind != "U":
        trials["period"] = text(trials["period"])
    if "loss_weight" not in trials:
        within = xr.DataArray(np.arange(n_times), dims="time") < trials["n_steps"]
        trials["loss_weight"] = xr.ones_like(trials["targets"]).where(within, np.float32(0))
    elif set(trials["loss_weight"].dims) != set(_SAMPLE):
        raise TaskError(f"{where}: expected loss_weight with the dims {_SAMPLE}, got {trials['loss_weight'].dims}")
    arrays = {name: _in_single_precision(trials[name].values) for name in Trials._fields}
    _check_values(where, task, n_trials or trials.sizes["trial"], **arrays)
    padding = np.arange(n_times) >= n_steps[:, np.newaxis]
    if (arrays["loss_weight"][padding] != 0).any():
        raise TaskError(f"{where}: expected loss_weight 0 after the n_steps of each trial, got another")
    # To assign an array aligns all coordinates, which takes longer than the rest: only those that were cast.
    if others := {name: array for name, array in arrays.items() if array.dtype != trials[name].dtype}:
        trials = trials.assign({name: trials[name].copy(data=array) for name, array in others.items()})
    return variable_attrs("trials", trials).assign_attrs({**trials.attrs, **describe_task(task)})


def _in_single_precision(array: NDArray[Any]) -> NDArray[Any]:
    """Cast real numbers; one that is too large becomes infinite, and is refused later."""
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False) if array.dtype.kind in "fiub" else array


def _check_values(
    where: str,
    task: Task,
    n_trials: int,
    inputs: NDArray[Any],
    targets: NDArray[Any],
    loss_weight: NDArray[Any],
) -> None:
    n_times = inputs.shape[1] if inputs.ndim == 3 else 0
    expected = {
        "inputs": (inputs, (n_trials, n_times, task.n_inputs)),
        "targets": (targets, (n_trials, n_times, task.n_outputs)),
        "loss_weight": (loss_weight, (n_trials, n_times, task.n_outputs)),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape or n_times < 1:
            wanted = f"({n_trials}, {n_times or 'at least 1'}, {shape[2]})"
            raise TaskError(f"{where}: expected {name} of shape {wanted} for {n_trials} trials, got {array.shape}")
        if array.dtype.kind not in "fiub":
            raise TaskError(f"{where}: expected {name} of real numbers, got dtype {array.dtype}")
        if not np.isfinite(array).all():
            raise TaskError(f"{where}: expected finite {name}, got NaN or infinity")
    if loss_weight.min() < 0:
        raise TaskError(f"{where}: expected loss_weight of at least 0, got {loss_weight.min():g}")
    if not loss_weight.any():
        raise TaskError(f"{where}: expected some loss_weight above 0, got 0 everywhere")
