"""Scores of outputs, as their task counts them: one score for training, analyses and reports."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.schema import text
from biornn.tasks.task import Task
from biornn.tasks.trials import TaskError

_SAMPLE = ("trial", "time", "output_channel")
_SCORE_ROUNDING = 1e-6  # of means in single precision


def score_trials(
    task: Task, outputs: xr.DataArray, trials: xr.Dataset, *, infinite_is_wrong: bool = False
) -> xr.DataArray:
    """Score outputs by the task, (..., trial), in [0, 1].

    NaN where a trial is not scored. Where an output is not finite, all trials of that network are NaN; or, if it is to
    count as wrong, that trial is 0. A `TaskError` if the task gives anything else.
    """
    outputs = outputs.transpose(..., *_SAMPLE)
    finite = (abs(outputs) < np.inf).all(_SAMPLE[1:] if infinite_is_wrong else _SAMPLE)
    found = task.score(outputs.where(finite, np.float32(0)), trials)
    where = f"task {task.name}: score"
    shape, dims = outputs.shape[:-2], outputs.dims[:-2]
    if not isinstance(found, xr.DataArray):
        found = np.asarray(found, np.float64)
        if found.shape != shape:
            raise TaskError(f"{where}: expected one number for each of {dims}, shape {shape}, got {found.shape}")
        found = xr.DataArray(found, {dim: outputs[dim] for dim in dims if dim in outputs.coords}, dims)
    if set(found.dims) != set(dims) or found.sizes["trial"] != outputs.sizes["trial"]:
        raise TaskError(f"{where}: expected the dims {dims} of the outputs, got {dict(found.sizes)}")
    if found.dtype.kind not in "fiub":
        raise TaskError(f"{where}: expected real numbers, got dtype {found.dtype}")
    order = [one.indexes["trial"] for one in (found, outputs) if "trial" in one.indexes]
    if len(order) == 2 and not order[0].equals(order[1]):
        raise TaskError(f"{where}: expected the trials in their order, got {found['trial'].values.tolist()[:5]} first")
    found = found.transpose(*dims).astype(np.float64).drop_attrs(deep=False)
    low, high = found.min().item(), found.max().item()
    if low < -_SCORE_ROUNDING or high > 1 + _SCORE_ROUNDING:
        raise TaskError(f"{where}: expected scores in [0, 1], got {low if low < 0 else high:g}")
    scores = found.clip(0, 1)
    return scores.where(finite | scores.isnull(), 0.0 if infinite_is_wrong else np.nan).rename("score")


def with_reaction_times(task: Task, activity: xr.Dataset, trials: xr.Dataset) -> xr.Dataset:
    """Add ``reaction_time`` (..., trial) in ms to activity with ``outputs``, where the task has its form with them."""
    if not hasattr(task, "reaction_times") or not getattr(task, "reaction_time", False):
        return activity
    return activity.assign(reaction_time=task.reaction_times(activity["outputs"], trials).astype(np.float32))


def mean_score(scores: xr.DataArray) -> xr.DataArray:
    """Mean over the trials that are scored; NaN if there are none."""
    return scores.mean("trial", skipna=True)


def worst_score(task: Task, scores: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
    """Mean over the trials of the worst trial condition; over all trials where there are no conditions."""
    condition = trial_condition(task, trials)
    means = [mean_score(scores.isel(trial=np.flatnonzero(condition == one))) for one in np.unique(condition)]
    return xr.concat(means, "trial_condition", coords="minimal", compat="override").min("trial_condition")


def trial_condition(task: Task, trials: xr.Dataset) -> NDArray[np.str_]:
    """Name the condition of each trial, such as ``coherence=4, context=motion``; no text if there are none.

    See `Task.trial_conditions`.
    """
    names = task.trial_conditions
    if names is None:
        coords = [(str(name), coord) for name, coord in trials.coords.items() if coord.dims == ("trial",)]
        names = tuple(name for name, one in coords if name not in ("trial", "n_steps") and _repeats(text(one).values))
    elif missing := [name for name in names if name not in trials.coords]:
        raise TaskError(f"task {task.name}: trials: expected the coordinate {missing[0]!r} on trial, got none")
    words = [[f"{name}={value}" for value in trials[name].values.tolist()] for name in names]
    labels = np.array([", ".join(parts) for parts in zip(*words, strict=True)] or [""] * trials.sizes["trial"])
    if task.trial_conditions is None and not _repeats(labels):  # each alone does, but not together
        return np.full(labels.shape, "")
    return labels


def _repeats(words: NDArray[np.str_]) -> bool:
    return bool(2 * len(np.unique(words)) <= words.size)
