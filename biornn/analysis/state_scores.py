"""Scores of single samples of a memory: by memory state, by channel, and once a response is over."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_variables
from biornn.analysis.performance import SAMPLE, same_samples
from biornn.schema import text
from biornn.tasks import Task, task_of
from biornn.tasks.labelled import score_trials


def state_scores(outputs: xr.DataArray, trials: xr.Dataset, task: Task | None = None) -> xr.Dataset:
    """Score the samples of networks that hold a memory state.

    Each sample is scored as if it were a trial of one step.

    Parameters
    ----------
    outputs, trials, task
        As for `performance`; `trials` has `memory_state` (trial, time), the name of the state to be held, and may have
        `response_window` (trial, time, output_channel): where the network is still allowed to be on its way.

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
    channels = range(outputs.sizes["output_channel"])
    parts = [momentary_scores(task, *(one.isel(output_channel=[k]) for one in (outputs, targets))) for k in channels]
    right = xr.concat(parts, "output_channel").assign_coords(
        {"output_channel": targets["output_channel"]} if "output_channel" in targets.coords else {}
    )
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


def momentary_scores(task: Task, outputs: xr.DataArray, targets: xr.DataArray) -> xr.DataArray:
    """Score each sample (..., trial, time) as a trial of one step; one that is not finite is wrong.

    Labels along `trial` and `time` are dropped.
    """
    outputs = outputs.transpose(..., *SAMPLE)
    others, (n_trials, n_times, n_channels) = outputs.dims[:-3], outputs.shape[-3:]
    each = xr.DataArray(
        outputs.values.reshape(*outputs.shape[:-3], n_trials * n_times, 1, n_channels),
        {dim: outputs[dim] for dim in others if dim in outputs.coords},
        outputs.dims,
    )
    wanted = np.broadcast_to(targets.transpose(*SAMPLE).values, (n_trials, n_times, n_channels))
    trials = xr.Dataset({"targets": (SAMPLE, wanted.reshape(-1, 1, n_channels))})
    scores = score_trials(task, each, trials, infinite_is_wrong=True)
    values = scores.transpose(*others, "trial").values.reshape(*outputs.shape[:-1])
    coords = {name: coord for name, coord in outputs.coords.items() if set(coord.dims) <= set(others)}
    return xr.DataArray(values, coords, outputs.dims[:-1])


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
