"""Whether memory states survive well beyond the delays that a network was trained on."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_variables
from biornn.analysis.held_states import held_states
from biornn.analysis.kernels import Output, describe
from biornn.analysis.runnable import runnable
from biornn.analysis.simulate import simulate
from biornn.analysis.state_scores import samples_that_are_right
from biornn.tasks import Task, task_of

_MEASURED = {
    "held": Output("the state is held"),
    "score": Output("share of states and outputs that are right"),
    "retention_time": Output("time until the state is lost", units="ms"),
    "survived": Output("the state is never lost"),
    "share_retained": Output("share of states that are never lost"),
}


def retention(
    weights: xr.Dataset, probe_trials: xr.Dataset, duration: float = 2000.0, task: Task | None = None
) -> xr.Dataset:
    """Leave networks alone in each memory state, and see how long they hold it.

    Each network runs through the probe up to the last sample at which a state is held and no bit is on its way, and
    then without input and without noise.

    Parameters
    ----------
    weights
        The group `weights` of a run, of one network or of several; the last snapshot is taken.
    probe_trials
        The group `probe_trials` of a run: `inputs`, `targets`, `memory_state` and `response_window`. A state that is
        held in several trials is taken from the first.
    duration
        How long there is no input, in ms.
    task
        What says, by `is_right`, which samples are; None: the task that the attributes of `probe_trials` name.

    Returns
    -------
    xr.Dataset
        `held` (network, memory_state, delay): 1 where the task says that all outputs are right, otherwise 0; `delay` in
        ms, from 0, the last sample of the probe;
        `score` (network, delay): share of states and outputs that are right;
        `retention_time` (network, memory_state): delay in ms at which the state is first lost (0 where it was not
        reached at all), the last delay where it never is;
        `survived` (network, memory_state): 1 where the state is never lost, so that `retention_time` is censored;
        `share_retained` (network): share of the states that survive.
        NaN for a network that cannot be run: diverged, failed or gated. No `network` where `weights` has none.

    Raises
    ------
    ValueError
        If a variable is missing, the probe does not hold every state, its times are not evenly spaced, or `duration` is
        less than a step.

    Notes
    -----
    States that are held by fixed points survive for ever; a slow drift, a "ghost" of a fixed point, shows only after a
    long time: Sussillo & Barak (2013), Neural Comput. 25, 626.
    """
    require_variables(probe_trials, "probe_trials", ["inputs", "targets", "memory_state", "response_window"])
    delay = _delays(probe_trials["inputs"], duration)
    task = task_of(probe_trials) if task is None else task
    index, labels = held_states(probe_trials["inputs"], probe_trials["memory_state"], probe_trials["response_window"])
    trial, last = _last_held(index, len(labels))
    inputs, targets = (
        probe_trials[name].transpose("trial", "time", ...).drop_vars("trial", errors="ignore").isel(trial=trial)
        for name in ("inputs", "targets")
    )
    safe, can_run = runnable(weights)
    outputs = simulate(safe, _left_alone(inputs, last, len(delay)), rates=False)["outputs"]
    state, silent = (
        xr.DataArray(np.arange(len(labels)), dims="trial"),
        xr.DataArray(np.arange(len(delay)), dims="delay"),
    )
    wanted = targets.isel(trial=state, time=xr.DataArray(last, dims="trial")).drop_vars("time", errors="ignore")
    later = outputs.isel(trial=state, time=xr.DataArray(last, dims="trial") + silent).drop_vars("time")
    right = samples_that_are_right(task, later.rename(delay="time"), wanted)
    right = right.drop_vars("trial", errors="ignore").rename(trial="memory_state", time="delay")
    right = right.assign_coords(memory_state=np.array(labels, object), delay=delay)
    found = describe(_measured(right).where(can_run), _MEASURED)
    found["score"].attrs["score_name"] = task.score_name
    return found


def _delays(inputs: xr.DataArray, duration: float) -> xr.DataArray:
    steps = np.diff(inputs["time"].values) if "time" in inputs.coords else np.empty(0)
    if not len(steps) or not np.allclose(steps, steps[0]) or steps[0] <= 0:
        got = "others" if len(steps) else "fewer than two"
        raise ValueError(
            f"probe_trials: expected evenly spaced, increasing times in ms, got {got}; take the task's probe"
        )
    if not steps[0] <= duration < np.inf:
        raise ValueError(f"duration: expected at least a step of {steps[0]:g} ms, got {duration!r}")
    values = steps[0] * np.arange(int(duration / steps[0] + 1e-9) + 1)
    return xr.DataArray(
        values, dims="delay", attrs={"units": "ms", "long_name": "time beyond the probe, without input"}
    )


def _last_held(index: NDArray[np.intp], n_states: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First trial that holds each state, and the position of the last sample in it that does."""
    trial = np.array([(index == state).any(axis=1).argmax() for state in range(n_states)])
    last = np.array([np.flatnonzero(index[trial[state]] == state)[-1] for state in range(n_states)])
    return trial, last


def _left_alone(inputs: xr.DataArray, last: NDArray[np.intp], n_delays: int) -> xr.DataArray:
    """Cut the inputs of each trial after its last sample; then comes nothing."""
    n_steps = int(last.max()) + n_delays
    kept = np.arange(inputs.sizes["time"]) <= last[:, np.newaxis]
    values = np.zeros((len(last), n_steps, inputs.sizes["input_channel"]))
    n_common = min(n_steps, inputs.sizes["time"])
    values[:, :n_common] = np.where(kept[..., np.newaxis], inputs.values, 0.0)[:, :n_common]
    return xr.DataArray(values, dims=("trial", "time", "input_channel"), coords={"time": np.arange(n_steps)})


def _measured(right: xr.DataArray) -> xr.Dataset:
    """Sum up which outputs (..., memory_state, delay, output_channel) are right."""
    held = right.all("output_channel")
    survived = held.all("delay")
    first_lost = held["delay"].isel(delay=(~held).argmax("delay")).drop_vars("delay")
    measured = xr.Dataset(
        {
            "held": held.astype(float),
            "score": right.mean(["memory_state", "output_channel"]),
            "retention_time": first_lost.where(~survived, held["delay"].values[-1]),
            "survived": survived.astype(float),
            "share_retained": survived.mean("memory_state"),
        }
    )
    return measured.transpose(..., "memory_state", "delay")
