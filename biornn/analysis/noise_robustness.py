"""How well networks do their task when noise is added to their inputs or to their units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_variables
from biornn.analysis.kernels import Output, describe
from biornn.analysis.runnable import runnable
from biornn.analysis.simulate import simulate
from biornn.tasks import Task, task_of
from biornn.tasks.scores import mean_score, score_trials

_SAMPLE = ["repeat", "trial", "time", "output_channel"]
_SCORES = {
    "score": Output("score"),
    "mse": Output("mean squared error"),
    "robustness": Output("mean score over the range of noise"),
}


def input_noise_robustness(
    weights: xr.Dataset,
    trials: xr.Dataset,
    noise: Sequence[float] = (0.0, 0.1, 0.2, 0.4, 0.8),
    n_repeats: int = 2,
    seed: int = 0,
    task: Task | None = None,
) -> xr.Dataset:
    """Score networks on trials with more and more noise on the inputs.

    Parameters
    ----------
    weights, trials
        As for `lesion_robustness`.
    noise
        Standard deviations of the Gaussian noise that is added to every sample of the inputs (which have their own
        already), in their units; ascending.
    n_repeats
        Draws of the noise per trial.
    seed
        Of the noise: one draw, scaled, serves all networks and all standard deviations.
    task
        What scores the outputs; None: the task that the attributes of `trials` name.

    Returns
    -------
    xr.Dataset
        `score` and `mse` (network, noise), as `performance` counts them, over all trials and repeats. A trial with an
        output that is not finite is wrong, and makes the error infinite.
        `robustness` (network): the score's mean over the range of noise, that is the area under the curve (trapezoids)
        over its width.
        NaN for a network that cannot be run: diverged or failed. No `network` where `weights` has none.

    Raises
    ------
    ValueError
        If a variable is missing, there are fewer than two standard deviations, they do not ascend, or there is no
        repeat.

    Notes
    -----
    `robustness` is monotone: a network whose score is at least as high at every noise has at least as large a number.
    It needs no level of chance and is never censored, unlike the noise at which half of the score is lost. It depends
    on the range of noise: compare within one.
    """
    inputs = _repeated(trials, n_repeats)
    draw = np.random.default_rng(seed).standard_normal(inputs.shape)

    def run(safe: xr.Dataset, level: float) -> xr.Dataset:
        return simulate(safe, inputs + level * draw, rates=False)

    return _scores(*runnable(weights), trials, noise, run, "added input noise", task)


def recurrent_noise_robustness(
    weights: xr.Dataset,
    trials: xr.Dataset,
    noise: Sequence[float] = (0.0, 0.01, 0.02, 0.05, 0.1),
    n_repeats: int = 2,
    seed: int = 0,
    task: Task | None = None,
) -> xr.Dataset:
    """Score networks on trials with more and more noise in every unit.

    Parameters
    ----------
    weights, trials, n_repeats, seed, task
        As for `input_noise_robustness`.
    noise
        Standard deviations of the stationary fluctuation that the noise causes in a linear unit without input: the
        `recurrent_noise` of `simulate`; ascending.

    Returns
    -------
    xr.Dataset
        As from `input_noise_robustness`; NaN for a gated network too, for which such noise is not defined.
    """
    inputs = _repeated(trials, n_repeats)

    def run(safe: xr.Dataset, level: float) -> xr.Dataset:
        return simulate(safe, inputs, recurrent_noise=level, seed=seed, rates=False)

    return _scores(*runnable(weights, gated=False), trials, noise, run, "recurrent noise", task)


def _repeated(trials: xr.Dataset, n_repeats: int) -> xr.DataArray:
    require_variables(trials, "trials", ["inputs", "targets"])
    if n_repeats < 1:
        raise ValueError(f"n_repeats: expected at least 1, got {n_repeats!r}")
    return trials["inputs"].expand_dims(repeat=n_repeats).transpose("repeat", "trial", "time", "input_channel")


def _scores(
    safe: xr.Dataset,
    can_run: xr.DataArray,
    trials: xr.Dataset,
    noise: Sequence[float],
    run: Callable[[xr.Dataset, float], xr.Dataset],
    what: str,
    task: Task | None,
) -> xr.Dataset:
    levels = [float(level) for level in noise]
    if len(levels) < 2 or levels[0] < 0 or not all(low < high < np.inf for low, high in pairwise(levels)):
        raise ValueError(f"noise: expected two or more ascending standard deviations of at least 0, got {noise!r}")
    task = task_of(trials) if task is None else task
    rows = [_score(task, run(safe, level)["outputs"], trials) for level in levels]
    scores = xr.concat(rows, dim="noise", data_vars="all").assign_coords(noise=levels).where(can_run)
    scores["robustness"] = scores["score"].integrate("noise") / (levels[-1] - levels[0])
    scores = scores.transpose(..., "noise")
    scores = describe(scores, _SCORES | {"noise": Output(f"standard deviation of {what}")})
    scores["score"].attrs["score_name"] = task.score_name
    return scores


def _score(task: Task, outputs: xr.DataArray, trials: xr.Dataset) -> xr.Dataset:
    weight = trials["loss_weight"] if "loss_weight" in trials else xr.ones_like(trials["targets"])
    square_error = ((outputs - trials["targets"]) ** 2).fillna(np.inf).where(weight > 0, 0.0).weighted(weight)
    scores = mean_score(score_trials(task, outputs, trials, infinite_is_wrong=True))
    return xr.Dataset({"score": scores.mean("repeat"), "mse": square_error.mean(_SAMPLE)})
