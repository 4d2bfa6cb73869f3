"""Importing networks of older Keras versions as a run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from biornn.analysis import audit, performance, simulate
from biornn.scalars import integer
from biornn.schema import variable_attrs
from biornn.store.keras_hdf5 import KerasFile, KerasFileError, read_keras_hdf5
from biornn.store.run import open_run
from biornn.store.writer import RunWriter, run_attrs
from biornn.tasks import Task, find_task
from biornn.tasks.registry import DEFAULT
from biornn.tasks.seeds import generator
from biornn.tasks.task import describe_task, task_settings
from biornn.tasks.trials import make_probe, make_trials, recorded_trials

_TRIALS_AT_ONCE = 16


def import_keras_hdf5(
    files: str | PathLike[str] | Sequence[str | PathLike[str]],
    out: str | PathLike[str],
    *,
    name: str = "imported",
    task: Task | str | None = None,
    n_trials: int = 64,
    overwrite: bool = False,
) -> xr.DataTree:
    """Make a run from the HDF5 files of a network that Keras 1 or 2 trained.

    The files are read with h5py; nothing in them is executed. The network is then simulated with numpy on held-out
    trials and on the task's probe, if it has one.

    Parameters
    ----------
    files
        The snapshots of one training, in any order: ``SimpleRNN`` with or without a bias, then ``Dense``. A file with
        ``initial`` in its name comes first, the others in natural order (2 before 10).
    out
        Run folder to make.
    name
        Name of the network, and of its condition.
    task
        Task of the trials; or its name, as in an experiment file: with its other settings as they are, it has as many
        channels as the network. None: the default task of experiment files.
    n_trials
        Number of held-out trials, and of the validation trials that give the scores at each snapshot.
    overwrite
        Whether a run that is already there is replaced, once the new one is complete.

    Returns
    -------
    xarray.DataTree
        The run, opened from `out`. ``snapshot`` is the number at the end of a file's name where these tell several
        files apart, otherwise it counts the files from 1; the initial one is 0. ``update`` is the optimizer's own
        count; where a file does not hold it, 0 for the initial one and -1 for others. ``loss`` and ``wall_time``, which
        no file holds, are NaN.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    FileExistsError
        If `out` exists and is not to be overwritten, or is no run.
    KerasFileError
        If a file cannot be read, holds another architecture, does not fit the others or the task, or its network does
        not stay finite on the task's trials.

    Examples
    --------
    >>> import biornn as bn
    >>> files = ["_N_00_initial.hdf5", "ff_3b_weights-20.hdf5"]
    >>> run = bn.store.import_keras_hdf5(files, "runs/published")  # doctest: +SKIP
    """
    paths = _natural_order([files] if isinstance(files, str | PathLike) else files)
    if not re.fullmatch(r"[A-Za-z0-9_.+-]+", name):
        raise ValueError(f"name: expected letters, digits, or one of _.+-, got {name!r}")
    n_trials = integer("n_trials", n_trials, minimum=1)
    snapshots = [read_keras_hdf5(path) for path in paths]
    _check_alike(paths, snapshots)
    task = _task(paths[0], snapshots[0], task)
    trials = recorded_trials(task, n_trials)
    weights = _weights(paths, snapshots, trials["trials"], task.dt)
    groups = {
        **{group.replace("trials", "activity"): _activity(weights, data) for group, data in trials.items()},
        "weights": weights,
        "history": _history(weights, make_trials(task, n_trials, generator("validation", 0)), task),
        "audit": audit(weights),
    }
    index = xr.Dataset(coords={"network": [name], "condition": ("network", [name]), "seed": ("network", [-1])})
    attrs = run_attrs(f"{name}: imported from Keras files", _experiment(paths, snapshots, task, n_trials))
    writer = RunWriter(Path(out), index, attrs, trials, overwrite=overwrite)
    try:
        writer.write_network(name, groups)
    except Exception:
        writer.discard()
        raise
    writer.finish()
    return open_run(out)


def _natural_order(files: Sequence[str | PathLike[str]]) -> list[Path]:
    paths = [Path(file) for file in files]
    if not paths:
        raise ValueError("files: expected at least one HDF5 file, got none")
    initial = [path for path in paths if _is_initial(path)]
    if len(initial) > 1:
        raise KerasFileError(f"files: expected one initial snapshot, got {initial[0].name} and {initial[1].name}")

    def key(path: Path) -> tuple[bool, list[tuple[bool, int, str]]]:
        words = re.findall(r"\d+|\D+", path.stem)
        return not _is_initial(path), [(w.isdecimal(), int(w) if w.isdecimal() else 0, w) for w in words]

    return sorted(paths, key=key)


def _is_initial(path: Path) -> bool:
    return "initial" in path.stem.lower()


def _snapshots(paths: Sequence[Path]) -> list[int]:
    """Take the number of passes from the end of the file names; count the files if that gives no ascending numbers."""
    # A number of at most nine digits that ends the name, and is not the fraction of another, such as a loss.
    found = [re.search(r"(?<![\d.])\d{1,9}$", path.stem) for path in paths]
    snapshots = [
        0 if _is_initial(path) else int(match[0]) if match else -1 for path, match in zip(paths, found, strict=True)
    ]
    first = 0 if _is_initial(paths[0]) else 1
    if len(paths) > 1 and snapshots[0] >= 0 and all(one < other for one, other in pairwise(snapshots)):
        return snapshots
    return list(range(first, first + len(paths)))


def _check_alike(paths: Sequence[Path], snapshots: Sequence[KerasFile]) -> None:
    """Refuse files that cannot come from one training."""
    first = _sizes_and_settings(snapshots[0])
    for path, snapshot in zip(paths[1:], snapshots[1:], strict=True):
        one = _sizes_and_settings(snapshot)
        for key, expected in first.items():
            if one[key] != expected:
                raise KerasFileError(
                    f"{path}: expected {key} {expected!r} as in {paths[0].name}, got {one[key]!r}; "
                    "import each training alone"
                )


def _sizes_and_settings(snapshot: KerasFile) -> Mapping[str, Any]:
    return {**{str(dim): size for dim, size in snapshot.weights.sizes.items()}, **snapshot.network}


def _task(path: Path, snapshot: KerasFile, task: Task | str | None) -> Task:
    n_inputs, n_outputs = (snapshot.weights.sizes[dim] for dim in ("input_channel", "output_channel"))
    try:
        if not isinstance(task, Task):
            task = find_task(task or DEFAULT).for_channels(n_inputs, n_outputs)
        make_probe(task)
    except ValueError as error:
        raise KerasFileError(f"{path}: {error}") from None
    if (n_inputs, n_outputs) != (task.n_inputs, task.n_outputs):
        raise KerasFileError(
            f"{path}: expected {task.n_inputs} inputs and {task.n_outputs} outputs, as the task {task.name} has, "
            f"got {n_inputs} and {n_outputs}"
        )
    return task


def _weights(paths: Sequence[Path], snapshots: Sequence[KerasFile], trials: xr.Dataset, dt: float) -> xr.Dataset:
    stacked = xr.concat([snapshot.weights for snapshot in snapshots], dim="snapshot")
    sizes = stacked.sizes
    n_units = sizes["unit"]
    state = np.zeros((sizes["snapshot"], n_units), np.float32)
    weights = stacked.assign(
        recurrent_mask=(("unit_pre", "unit_post"), np.ones((n_units, n_units), bool)),
        input_mask=(("input_channel", "unit"), np.ones((sizes["input_channel"], n_units), bool)),
        output_mask=(("unit", "output_channel"), np.ones((n_units, sizes["output_channel"]), bool)),
        input_sign=("input_channel", np.zeros(sizes["input_channel"], np.int64)),
        output_sign=("unit", np.zeros(n_units, np.int64)),
        cell_type=("unit", np.full(n_units, "unconstrained", object)),
        alpha=("unit", np.ones(n_units)),
        initial_rates=("unit", state[0]),
        initial_state=(("snapshot", "unit"), state),
        activation=((), snapshots[0].network["activation"]),
        formulation=((), "rate"),
    )
    return variable_attrs(
        "weights",
        weights.assign_coords(
            snapshot=_snapshots(paths),
            update=("snapshot", [_updates(path, snapshot) for path, snapshot in zip(paths, snapshots, strict=True)]),
            unit=np.arange(n_units),
            input_channel=trials["input_channel"],
            output_channel=trials["output_channel"],
        ),
    )


def _updates(path: Path, snapshot: KerasFile) -> int:
    return 0 if snapshot.update < 0 and _is_initial(path) else snapshot.update


def _activity(weights: xr.Dataset, trials: xr.Dataset) -> xr.Dataset:
    """Simulate the last snapshot, some trials at a time: the simulation needs double precision."""
    blocks = [slice(start, start + _TRIALS_AT_ONCE) for start in range(0, trials.sizes["trial"], _TRIALS_AT_ONCE)]
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [simulate(weights, trials["inputs"].isel(trial=block)).astype(np.float32) for block in blocks]
    activity = xr.concat(parts, dim="trial", data_vars="all", coords="minimal", compat="override")
    if not np.isfinite(activity["outputs"].values).all():
        snapshot = weights["snapshot"].values[-1]
        raise KerasFileError(
            "files: expected a network that stays finite on the task's trials, got infinite activity at snapshot "
            f"{snapshot}"
        )
    return activity


def _history(weights: xr.Dataset, validation: xr.Dataset, task: Task) -> xr.Dataset:
    n_snapshots = weights.sizes["snapshot"]
    each = [_activity(weights.isel(snapshot=[index]), validation)["outputs"] for index in range(n_snapshots)]
    outputs = xr.concat(each, dim=weights["snapshot"], coords="minimal", compat="override")
    scores = performance(outputs, validation, task)
    named = {name: scores[name].assign_attrs(score_name=task.score_name) for name in ("score", "worst_score")}
    history = xr.Dataset(named).assign(
        loss=("snapshot", np.full(n_snapshots, np.nan)),
        val_loss=scores["mse"],
        status=((), "completed"),
        updates_trained=weights["update"].isel(snapshot=-1, drop=True),
        updates_to_criterion=np.nan,
        wall_time=np.nan,
    )
    return variable_attrs(
        "history", history.drop_vars("update", errors="ignore").assign_coords(update=weights["update"])
    )


def _experiment(paths: Sequence[Path], snapshots: Sequence[KerasFile], task: Task, n_trials: int) -> str:
    """Write what the files say about the network as JSON text, under the names that an experiment uses."""
    last = snapshots[-1]
    network = {**last.network, "tau": task.dt, "dt": task.dt, "formulation": "rate"}
    return json.dumps(
        {
            "imported": {"files": [path.name for path in paths], "keras_version": last.keras_version},
            "task": {"name": describe_task(task)["task"], **task_settings(task)},
            "network": network,
            "training": dict(last.training),
            "recording": {"n_trials": n_trials},
        }
    )
