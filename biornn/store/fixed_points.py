"""The fixed points of a run, searched network by network and added to its store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from biornn import analysis
from biornn.analysis.fixed_points import PADDING
from biornn.analysis.retention import n_held_states
from biornn.analysis.runnable import NUMBERS, runnable
from biornn.blas import one_blas_thread
from biornn.processes import worker_pool
from biornn.scalars import integer
from biornn.schema import FIXED_POINTS, GATE_WEIGHTS, PROBE, text
from biornn.store.added import add_group
from biornn.store.folder import FOUND, STORE, run_folder
from biornn.store.lock import RunLock
from biornn.store.run import open_run
from biornn.tasks import task_of

_Show = Callable[[int, int], None]


def add_fixed_points(
    path: str | PathLike[str],
    *,
    n_workers: int = 1,
    show: _Show = lambda done, of: None,
    anew: bool = False,
    **settings: Any,
) -> xr.DataTree:
    """Find the fixed points of the trained networks of a run, without input, and add them to it.

    Parameters
    ----------
    path
        Run folder, or the ``run.zarr`` in it.
    n_workers
        Processes that search, each a network at a time. With more than one, a script must keep its own work under
        ``if __name__ == "__main__":``, as for all of `multiprocessing`.
    show
        Called with the number of networks that are done, and of all.
    anew
        Whether to search again in a run that has its fixed points from the same settings.
    **settings
        ``n_starts``, ``max_batches``, ``slow`` and ``seed`` of `biornn.analysis.fixed_points`.

    Returns
    -------
    xarray.DataTree
        The run, with the group ``fixed_points``, what `biornn.analysis.fixed_points` finds for the last snapshot, from
        starts in the recorded probe (in a run without one, in the held-out trials); and where the probe holds memory
        states the group ``memory_attractors``, what `biornn.analysis.memory_attractors` makes of it.

    Raises
    ------
    FileNotFoundError, SchemaError
        As `biornn.open_run`.
    FileExistsError
        If another process writes the run.
    ValueError
        If none of the networks can be run.

    Notes
    -----
    What was found is kept network by network, so that a search that was broken off goes on where it was.
    """
    n_workers = integer("n_workers", n_workers, minimum=1)
    folder = run_folder(path)
    lock = RunLock(folder)
    try:
        run = open_run(folder)
        settings["dt"] = _dt(run["trials"].to_dataset())
        if not anew and FIXED_POINTS[0] in run.children and run[FIXED_POINTS[0]].attrs["settings"] == _said(settings):
            return run
        _search(folder, run, n_workers, show, settings)
        return open_run(folder)
    finally:
        lock.release()


def _search(folder: Path, run: xr.DataTree, n_workers: int, show: _Show, settings: dict[str, Any]) -> None:
    weights = run["weights"].to_dataset().isel(snapshot=-1, drop=True).load()
    names, can_run = weights["network"].values, runnable(weights)[1].values
    labels = {name: one for name, one in weights.coords.items() if one.dims == ("network",) and name != "network"}
    todo = np.flatnonzero(can_run).tolist()
    if not todo:
        raise ValueError(f"{folder}: expected a network with finite weights, got none")
    n_workers = min(n_workers, len(todo))
    if n_workers == 1:
        for n_done, network in enumerate(todo, start=1):
            _keep(folder, run, network, settings)
            show(n_done, len(todo))
    else:
        _keep_all(folder, todo, n_workers, show, settings)
    each = [_read(_kept(folder, run, one, settings)) for one in todo]
    for group in FIXED_POINTS:
        if group in each[0]:
            parts = [found[group] for found in each]
            together = xr.concat(parts, "network", join="outer", fill_value=PADDING)
            together = together.drop_vars(labels).reindex(network=names, fill_value=PADDING)
            add_group(folder / STORE, group, together.assign_coords(labels).assign_attrs(settings=_said(settings)))
    shutil.rmtree(folder / FOUND)


def _keep_all(folder: Path, todo: list[int], n_workers: int, show: _Show, settings: dict[str, Any]) -> None:
    """Search some networks at a time: in processes, for in threads Python would do one after the other."""
    try:
        with worker_pool(n_workers, __name__) as pool:
            searches = [pool.submit(_keep_in_worker, folder, network, settings) for network in todo]
            for n_done, search in enumerate(as_completed(searches), start=1):
                search.result()
                show(n_done, len(todo))
    except BrokenProcessPool:
        raise RuntimeError(
            f"{folder}: expected the worker processes to go on, but one ended (out of memory, or a script that does "
            'not keep its own work under `if __name__ == "__main__":`); what was found is kept'
        ) from None


@cache
def _opened(folder: Path) -> xr.DataTree:
    """Open a run once in each worker process."""
    return open_run(folder)


def _kept(folder: Path, run: xr.DataTree, network: int, settings: dict[str, Any]) -> Path:
    """Name the place of what is found in a network, before all are done."""
    return folder / FOUND / f"{_digest(_last(run, network), settings)}.npz"


def _last(run: xr.DataTree, network: int) -> xr.Dataset:
    weights = run["weights"].to_dataset().isel(network=[network], snapshot=-1)
    return weights.drop_vars(["snapshot", "cell_sign"], errors="ignore").load()


def _keep_in_worker(folder: Path, network: int, settings: dict[str, Any]) -> None:
    _keep(folder, _opened(folder), network, settings)


def _keep(folder: Path, run: xr.DataTree, network: int, settings: dict[str, Any]) -> None:
    """Find the fixed points of one network and keep them, unless they are kept already."""
    kept = _kept(folder, run, network, settings)
    if kept.exists():
        return
    watched = PROBE if PROBE[0] in run.children else ("trials", "activity")
    trials, rates = run[watched[0]].to_dataset().load(), run[watched[1]].to_dataset()["rates"]
    probe = trials if watched is PROBE and n_held_states(trials, task_of(trials)) else None
    own = _last(run, network)
    with one_blas_thread():
        points = analysis.fixed_points(own, rates.isel(network=[network]).load(), probe_trials=probe, **settings)
        parts = {FIXED_POINTS[0]: points}
        if probe is not None:
            parts[FIXED_POINTS[1]] = analysis.memory_attractors(points, own, probe, dt=settings["dt"])
    _write_whole(parts, kept)


def _dt(trials: xr.Dataset) -> float:
    """Return the time step in ms."""
    return float(trials["time"][1] - trials["time"][0]) if trials.sizes["time"] > 1 else 1.0


def _said(settings: dict[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True)


def _digest(weights: xr.Dataset, settings: dict[str, Any]) -> str:
    """Name what was found after what it was found in and how."""
    arrays = [weights[name].values for name in (*NUMBERS, *GATE_WEIGHTS) if name in weights]
    words = [
        *weights["network"].values,
        *(text(weights[name]).values.tolist() for name in ("activation", "formulation")),
    ]
    numbers = b"".join(np.ascontiguousarray(one).tobytes() for one in arrays)
    return sha256(numbers + repr(words).encode() + _said(settings).encode()).hexdigest()


def _write_whole(found: dict[str, xr.Dataset], path: Path) -> None:
    """Write what was found in a network; as a Zarr store these small arrays would take most of a second."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".partial")
    arrays: dict[str, Any] = {
        f"{group}/{name}": one.values.astype(object).astype(str) if one.dtype.kind in "OT" else one.values
        for group, dataset in found.items()
        for name, one in dataset.variables.items()
    }
    with beside.open("wb") as file:
        described = json.dumps({group: dataset.to_dict(data=False) for group, dataset in found.items()})
        np.savez(file, described=np.array(described), **arrays)
    beside.rename(path)


def _read(path: Path) -> dict[str, xr.Dataset]:
    """Read what `_write_whole` wrote."""
    with np.load(path) as arrays:
        described = json.loads(arrays["described"].item())
        for group, dataset in described.items():
            for name, variable in (dataset["coords"] | dataset["data_vars"]).items():
                variable["data"] = arrays[f"{group}/{name}"]
    return {group: xr.Dataset.from_dict(dataset) for group, dataset in described.items()}
