"""How the networks of a run do under other settings of their task, evaluated and added to its store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from biornn import analysis
from biornn.scalars import integer
from biornn.schema import EVALUATIONS, OWN_SETTINGS, text
from biornn.store.added import add_group
from biornn.store.folder import STORE, run_folder
from biornn.store.lock import RunLock
from biornn.store.run import open_run
from biornn.tasks import Task, task_of
from biornn.tasks.task import describe_task

_Show = Callable[[int, int], None]
#: What an evaluation is made from: coordinates on `evaluation`.
_ASKED = ("task_settings", "recurrent_noise", "n_trials", "trial_seed")


class Evaluation(NamedTuple):
    """Under what networks are evaluated: a task, with noise in the units."""

    task: Task
    recurrent_noise: float = 0.0


def add_evaluations(
    path: str | PathLike[str],
    evaluations: Mapping[str, Evaluation | Task],
    *,
    n_trials: int = 512,
    seed: int = 0,
    show: _Show = lambda done, of: None,
    anew: bool = False,
) -> xr.DataTree:
    """Evaluate all networks of a run under other settings of its task, and add what comes out to the run.

    Parameters
    ----------
    path
        Run folder, or the ``run.zarr`` in it.
    evaluations
        Label, such as ``"delay=3000"`` -> the task with other settings, as for `biornn.analysis.evaluate`; or an
        `Evaluation`, with noise in the units too.
    n_trials, seed
        As for `biornn.analysis.evaluate`.
    show
        Called with the number of evaluations that are done, and of all.
    anew
        Whether to evaluate again what the run has already, from the same settings.

    Returns
    -------
    xarray.DataTree
        The run, with the group ``evaluations``: `score`, `worst_score`, `worst_condition`, `mse` (network, evaluation)
        and `score_per_condition` (network, evaluation, trial_condition), as from `biornn.analysis.evaluate`. The first
        evaluation is ``own settings``: new trials of the task as it is. Evaluations of earlier calls stay; one with the
        same label is replaced.

    Raises
    ------
    FileNotFoundError, SchemaError
        As `biornn.open_run`.
    FileExistsError
        If another process writes the run.
    ValueError
        If a task does not fit the networks, has another time step, or the run's own cannot be made again.

    Notes
    -----
    Each evaluation is added when it is done, so that a call that was broken off goes on where it was.
    """
    n_trials, seed = integer("n_trials", n_trials, minimum=1), integer("seed", seed, minimum=0)
    folder = run_folder(path)
    lock = RunLock(folder)
    try:
        run = open_run(folder)
        own = task_of(run["trials"].to_dataset())
        every = {OWN_SETTINGS: Evaluation(own), **{name: _whole(one) for name, one in evaluations.items()}}
        for label, (task, _) in every.items():
            if task.dt != own.dt:
                raise ValueError(
                    f"evaluations[{label!r}]: expected dt={own.dt:g} ms, the time step of the networks, got {task.dt:g}"
                )
        weights = run["weights"].to_dataset().isel(snapshot=-1, drop=True).load()
        there = run[EVALUATIONS].to_dataset().load() if EVALUATIONS in run.children else None
        for n_done, (label, (task, noise)) in enumerate(every.items(), start=1):
            asked = {"n_trials": n_trials, "trial_seed": seed, "recurrent_noise": float(noise)}
            if anew or there is None or not _has(there, label, task, asked):
                found = analysis.evaluate(weights, task, n_trials=n_trials, seed=seed, recurrent_noise=noise)
                there = _with(there, label, found)
                add_group(folder / STORE, EVALUATIONS, there)
            show(n_done, len(every))
        return open_run(folder)
    finally:
        lock.release()


def _whole(one: Evaluation | Task) -> Evaluation:
    return one if isinstance(one, Evaluation) else Evaluation(one)


def _has(there: xr.Dataset, label: str, task: Task, asked: Mapping[str, Any]) -> bool:
    """Whether a label is there, from the same settings."""
    labels = text(there["evaluation"]).values.tolist()
    if label not in labels:
        return False
    one = there.isel(evaluation=labels.index(label))
    wanted = {"task_settings": describe_task(task)["task_settings"], **asked}
    return all(str(one[name].values.item()) == str(wanted[name]) for name in _ASKED)


def _with(there: xr.Dataset | None, label: str, found: xr.Dataset) -> xr.Dataset:
    """Put an evaluation beside those that are there, in place of one with the same label."""
    kept = [name for name in ("score", "worst_score", "worst_condition", "mse", "score_per_condition") if name in found]
    labels = {name: ("evaluation", np.array([found.attrs[name]])) for name in _ASKED}
    one = found[kept].expand_dims(evaluation=[label], axis=1).assign_coords(labels).drop_attrs(deep=False)
    one = one.assign_attrs(score_name=found.attrs["score_name"])
    if there is None:
        return one
    others = there.isel(evaluation=np.flatnonzero(text(there["evaluation"]) != label))
    options: dict[str, Any] = {"data_vars": "minimal", "coords": "minimal", "compat": "override"}
    every = xr.concat([others, one], "evaluation", join="outer", **options)
    return every.isel(evaluation=np.argsort(text(every["evaluation"]).values != OWN_SETTINGS, kind="stable"))
