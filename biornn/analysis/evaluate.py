"""Trained networks on other trials than those of their run: longer delays, other stimuli, more noise."""

from __future__ import annotations

import xarray as xr

from biornn.analysis.performance import performance
from biornn.analysis.runnable import runnable
from biornn.analysis.simulate import simulate
from biornn.scalars import integer
from biornn.tasks import Task
from biornn.tasks.seeds import generator
from biornn.tasks.task import describe_task
from biornn.tasks.trials import make_trials

_TRIALS_AT_ONCE = 256  # whose outputs, in double precision, are in memory twice


def evaluate(
    weights: xr.Dataset, task: Task, *, n_trials: int = 512, seed: int = 0, recurrent_noise: float = 0.0
) -> xr.Dataset:
    """Run networks on new trials of a task, such as theirs with other settings, and score them.

    Parameters
    ----------
    weights
        The group `weights` of a run, of one network or of several; the last snapshot is taken.
    task
        The task, with as many channels and the time step of the one that the networks were trained on, such as
        ``dataclasses.replace(bn.tasks.task_of(run["trials"].to_dataset()), delay=3000)``.
    n_trials
        Number of trials, all of which all networks get.
    seed
        Of the trials and of the noise: evaluations with the same seed have, as far as their settings allow, the same
        trials. They are other ones than those of training, validation and recording.
    recurrent_noise
        Noise in the units, as for `simulate`; networks are otherwise run without, also those trained with it.

    Returns
    -------
    xr.Dataset
        As `performance` gives it: `score`, `worst_score`, `mse`, `mse_per_channel` (network, ...), and where there are
        trial conditions `score_per_condition` and `worst_condition`. NaN for networks that cannot be run (diverged or
        failed), or become infinite, and with noise for gated ones, for which it is not defined. The attributes say
        which task, how many trials, which seed and which noise.

    Raises
    ------
    ValueError
        If the channels of the task are others than those of the networks, a variable is missing, or a number is
        impossible. Weights do not tell the time step of their networks, which is not checked.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> task = replace(bn.tasks.task_of(run["trials"].to_dataset()), delay=3000)  # doctest: +SKIP
    >>> bn.analysis.evaluate(run["weights"].to_dataset(), task)["score"]  # doctest: +SKIP
    """
    n_trials, seed = integer("n_trials", n_trials, minimum=1), integer("seed", seed, minimum=0)
    safe, can_run = runnable(weights, gated=not recurrent_noise)
    _check_channels(safe, task)
    trials = make_trials(task, n_trials, generator("evaluation", seed))
    noise = integer("seed", int(generator("evaluation noise", seed).integers(2**31)), minimum=0)
    parts = []
    for first in range(0, n_trials, _TRIALS_AT_ONCE):
        block = trials["inputs"].isel(trial=slice(first, first + _TRIALS_AT_ONCE))
        run = simulate(safe, block, recurrent_noise=recurrent_noise, seed=noise + first, rates=False)
        parts.append(run["outputs"].astype("float32"))
    outputs = xr.concat(parts, "trial", coords="minimal", compat="override", join="override")
    found = performance(outputs.where(can_run), trials, task)
    asked = {"n_trials": n_trials, "trial_seed": seed, "recurrent_noise": float(recurrent_noise)}
    return found.assign_attrs({**describe_task(task), **asked})


def _check_channels(weights: xr.Dataset, task: Task) -> None:
    for dim, own in {"input_channel": task.n_inputs, "output_channel": task.n_outputs}.items():
        if weights.sizes[dim] != own:
            raise ValueError(
                f"task: expected {weights.sizes[dim]} along {dim}, as the networks have, got {own} of {task.name}"
            )
