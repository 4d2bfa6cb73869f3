"""Scores of single samples of a memory: by memory state, by channel, and once a response is over."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_variables
from biornn.analysis.performance import SAMPLE, same_samples
from biornn.schema import text
from biornn.tasks import Task, task_of


def state_scores(outputs: xr.DataArray, trials: xr.Dataset, task: Task | None = None) -> xr.Dataset:
    """Score the samples of networks that hold a memory state.

    Parameters
    ----------
    outputs, trials, task
        As for `performance`; the task says by `is_right` which samples are. `trials` has `memory_state` (trial, time),
        the name of the state to be held, and may have `response_window` (trial, time, output_channel): where the
        network is still allowed to be on its way.

    Returns
    -------
    xr.Dataset
        `score_per_state` (..., memory_state), states in sorted order, each over the samples at which it is to be held;
        `score_per_channel` (..., output_channel); with `response_window` also `settled_score`, over the samples outside
        of the windows (NaN if there are none). NaN where an output of a network is not finite.

    Raises
    ------
    ValueError
        As for `performance`.
    """
    require_variables(trials, "trials", ["targets", "memory_state"])
    task = task_of(trials) if task is None else task
    outputs, targets = same_samples(outputs, trials["targets"], "targets", SAMPLE)
    finite = (abs(outputs) < np.inf).all(SAMPLE)
    right = samples_that_are_right(task, outputs, targets)
    _, state = same_samples(outputs, trials["memory_state"], "memory_state", ["trial", "time"])
    scores = {
        "score_per_state": _mean_per_state(right, state),
        "score_per_channel": right.mean(["trial", "time"]),
    }
    if "response_window" in trials:
        _, window = same_samples(outputs, trials["response_window"], "response_window", SAMPLE)
        settled = ~window.astype(bool)
        n_settled = settled.sum(SAMPLE)
        scores["settled_score"] = (right * settled).sum(SAMPLE) / n_settled.where(n_settled > 0)
    result = xr.Dataset({name: score.where(finite) for name, score in scores.items()})
    for name, score in result.data_vars.items():
        score.attrs = {"units": "1", "long_name": str(name).replace("score", task.score_name).replace("_", " ")}
    return result


def samples_that_are_right(task: Task, outputs: xr.DataArray, targets: xr.DataArray) -> xr.DataArray:
    """Ask the task which samples (..., trial, time, output_channel) are right; ValueError if it cannot say."""
    if not hasattr(task, "is_right"):
        raise ValueError(f"task: expected one that says which samples are right, by is_right, got {task.name}")
    right: xr.DataArray = task.is_right(outputs, targets)
    return right.transpose(..., *SAMPLE)


def _mean_per_state(right: xr.DataArray, memory_state: xr.DataArray) -> xr.DataArray:
    """Mean over channels and over the samples of each state; a product with the indicator of the states."""
    labels, index = np.unique(text(memory_state.transpose("trial", "time")).values, return_inverse=True)
    indicator = (index.reshape(-1, 1) == np.arange(len(labels))).astype(np.float64)
    share = xr.DataArray(
        (indicator / indicator.sum(axis=0)).reshape(*index.shape, -1),
        dims=("trial", "time", "memory_state"),
        coords={"memory_state": labels.astype(object)},
    )
    return xr.dot(right.mean("output_channel"), share, dim=["trial", "time"])
