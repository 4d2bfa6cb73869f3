"""How well a network does its task: its score, as the task counts it, and its error."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_dims, require_some, require_variables
from biornn.analysis.same_labels import same_labels
from biornn.schema import text
from biornn.tasks import Task, task_of
from biornn.tasks.scores import mean_score, score_trials, trial_condition, worst_score

SAMPLE = ["trial", "time", "output_channel"]
#: An error that is still a number when it is squared and summed over as many samples as fit into memory.
_LARGEST_ERROR = 1e147


def performance(outputs: xr.DataArray, trials: xr.Dataset, task: Task | None = None) -> xr.Dataset:
    """Score and mean squared error of the outputs of networks.

    Parameters
    ----------
    outputs
        Outputs of the networks, dims `trial`, `time`, `output_channel`; others, such as `network`, broadcast.
    trials
        The trials that they belong to, such as the group `trials` of a run, with the same labels.
    task
        What scores the outputs; None: the task that the attributes of `trials` name.

    Returns
    -------
    xr.Dataset
        `score`, the mean over the trials that are scored, from 0 to 1; `worst_score`, the mean over those of the trial
        condition in which it is lowest; where there are conditions, `score_per_condition` (..., trial_condition), and
        `worst_condition`, the name of that condition (the first of several; empty where there is no score);
        `mse`, weighted as in the loss, in squared units of the outputs, and `mse_per_channel` (..., output_channel).
        All of a network are NaN if one of its outputs, or of their squared errors, is NaN or infinite.

    Raises
    ------
    ValueError
        If a dim or variable is missing, there is no sample, labels or sizes differ between the arguments, or the task
        cannot be made.

    Notes
    -----
    A score is compared with the task's level of chance, and with the scores of its shortcuts.

    Examples
    --------
    >>> import biornn as bn
    >>> task = bn.tasks.BooleanGate()
    >>> trials = task.trials(20, seed=0)
    >>> scores = performance(trials["targets"], trials)
    >>> float(scores["score"]), float(scores["mse"])
    (1.0, 0.0)
    """
    require_variables(trials, "trials", ["targets"])
    task = task_of(trials) if task is None else task
    outputs, targets = same_samples(outputs, trials["targets"], "targets", SAMPLE)
    require_some(outputs, "outputs", SAMPLE)
    weight = trials["loss_weight"] if "loss_weight" in trials else xr.ones_like(targets)
    # False where an error is NaN. A mean of squares below this does not overflow.
    finite = (abs(outputs.astype(np.float64) - targets) < _LARGEST_ERROR).all(SAMPLE)
    # What a diverged network would score is thrown away below.
    outputs = outputs.transpose(..., *SAMPLE).where(finite, 0.0)
    square_error = (outputs.astype(np.float64) - targets) ** 2
    scored = score_trials(task, outputs, trials)
    per_channel = xr.dot(square_error, weight.astype(np.float64), dim=["trial", "time"])
    scores = {
        "score": mean_score(scored),
        "worst_score": worst_score(task, scored, trials),
        "mse": per_channel.sum("output_channel") / weight.sum(SAMPLE),
        "mse_per_channel": per_channel / weight.sum(["trial", "time"]),
    }
    condition = xr.DataArray(trial_condition(task, trials).astype(object), dims="trial", name="trial_condition")
    if (condition != "").any():
        by_condition = scored.drop_vars("trial", errors="ignore").groupby(condition)
        scores["score_per_condition"] = by_condition.mean("trial", skipna=True)
    result = xr.Dataset({name: score.where(finite) for name, score in scores.items()})
    for name, score in result.data_vars.items():
        of_what = task.score_name if "score" in str(name) else "mean squared error"
        score.attrs = {"units": "1", "long_name": str(name).replace("score", of_what).replace("mse", of_what)}
        score.attrs["long_name"] = score.attrs["long_name"].replace("_", " ")
    if "score_per_condition" in result:
        result["worst_condition"] = worst_condition(result["score_per_condition"])
    return result


def worst_condition(score_per_condition: xr.DataArray) -> xr.DataArray:
    """Name the trial condition in which each network's score is lowest; no text for one without a score."""
    known = score_per_condition.fillna(np.inf)
    name = text(known["trial_condition"][known.argmin("trial_condition")].drop_vars("trial_condition"))
    name = name.where((known < np.inf).any("trial_condition"), "")
    return name.assign_attrs(units="", long_name="trial condition with the lowest score")


def same_samples(
    outputs: xr.DataArray, other: xr.DataArray, name: str, dims: list[str]
) -> tuple[xr.DataArray, xr.DataArray]:
    """Align outputs with another array of the same trials, or raise a ValueError of one line."""
    require_dims(outputs, "outputs", SAMPLE)
    require_dims(other, name, dims)
    first, second = same_labels(name, f"the labels of outputs along {dims}", outputs, other, source="trials")
    return first, second
