"""Whether memory states survive well beyond the delays that a network was trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_variables
from biornn.analysis.held_states import are_bits, held_states
from biornn.analysis.kernels import Output, describe
from biornn.analysis.runnable import runnable
from biornn.analysis.state_scores import samples_that_are_right
from biornn.blas import one_blas_thread
from biornn.schema import text
from biornn.stored_networks import AnyNetworks, stored_networks
from biornn.tasks import Task, task_of
from biornn.tasks.scores import score_trials, trial_condition

#: How long a state must survive without input to count as held, in ms.
HELD_FOR = 5000.0

_MEASURED = {
    "held": Output("share of states that are never lost"),
    "score": Output("share of states and outputs that are right"),
    "retention_time": Output("time until the state is lost", units="ms"),
    "survived": Output("the state is never lost"),
    "is_held": Output("the state is held"),
}
_Array = NDArray[np.floating]
_STEPS_AT_ONCE = 500  # asking a task costs as much as a hundred steps of a network
_WRONG_BY = 1e-6  # a score in single precision that is 1

#: Says of outputs (network, row, delay, output_channel) which are right.
_Right = Callable[[NDArray[np.floating]], NDArray[np.bool_]]


class Held(NamedTuple):
    """Where the probe holds each memory state for the last time: positions of the trials and times."""

    labels: list[str]
    trial: NDArray[np.intp]
    time: NDArray[np.intp]


def retention(
    weights: xr.Dataset, probe_trials: xr.Dataset, duration: float = HELD_FOR, task: Task | None = None
) -> xr.Dataset:
    """Leave networks alone in each memory state, and see how long they hold it.

    Each network runs through the probe up to the last sample at which a state is held and no output is on its way, and
    then without input and without noise.

    Parameters
    ----------
    weights
        The group `weights` of a run, of one network or of several; the last snapshot is taken.
    probe_trials
        The group `probe_trials` of a run: `inputs`, `targets`, and what is to be held: see Notes. A state that is held
        in several trials is taken from the first.
    duration
        How long there is no input, in ms.
    task
        What says which outputs are right; None: the task that the attributes of `probe_trials` name.

    Returns
    -------
    xr.Dataset
        `held` (network): share of the states that are never lost;
        `score` (network, delay): share of states and outputs that are right; `delay` in ms, from 0, the last sample of
        the probe;
        `retention_time` (network, memory_state): delay in ms at which the state is first lost (0 where it was not
        reached at all), the last delay where it never is;
        `survived` (network, memory_state): 1 where the state is never lost, so that `retention_time` is censored;
        `is_held` (network, memory_state, delay): 1 where all outputs are right, otherwise 0.
        NaN for a network that cannot be run: diverged or failed. No `network` where `weights` has none.

    Raises
    ------
    ValueError
        If a variable is missing, nothing is to be held or not every state, times are not evenly spaced, or `duration`
        is less than a step.

    Notes
    -----
    A task says what its probe holds by `memory_state` (trial, time), the name of a state, without text where there is
    none; samples in a `response_window` do not count. Names such as ``+-+`` are those of n bits, of which all 2**n
    must be there, and a ``0`` is a bit that is not set. Without `memory_state`, a state is held in the `period` called
    ``hold``, and is named after the condition of its trial.

    Whether an output is right says the task's `is_right`, or else its `score`: that of the sample, as a trial of its
    own with the coordinates of its trial in the probe, must be 1.

    States that are held by fixed points survive for ever; a slow drift, a "ghost" of a fixed point, shows only after a
    long time: Sussillo & Barak (2013), Neural Comput. 25, 626. Once a network repeats its own states exactly, the rest
    is known and is not computed.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> found = bn.analysis.retention(
    ...     run["weights"].to_dataset(), run["probe_trials"].to_dataset()
    ... )  # doctest: +SKIP
    """
    task = task_of(probe_trials) if task is None else task
    right = _right_alone(weights, probe_trials, duration, task, until_lost=False)
    found = describe(_measured(right), _MEASURED)
    found["score"].attrs["score_name"] = task.score_name
    return found


def share_held(weights: xr.Dataset, probe_trials: xr.Dataset, task: Task) -> xr.DataArray:
    """Return `held` of `retention` alone, for 5,000 ms: no network is run on once it has lost all of its states."""
    right = _right_alone(weights, probe_trials, HELD_FOR, task, until_lost=True)
    return right.all(["output_channel", "delay"]).mean("memory_state").where(right["can_run"]).drop_vars("can_run")


def n_held_states(probe_trials: xr.Dataset, task: Task) -> int:
    """Count the states that a probe holds, as `retention` needs it; 0 if it holds none, or not every one of bits."""
    try:
        return len(last_held(probe_trials, task).labels)
    except ValueError:
        return 0


def _right_alone(
    weights: xr.Dataset, probe_trials: xr.Dataset, duration: float, task: Task, until_lost: bool
) -> xr.DataArray:
    """Say which outputs (network, memory_state, delay, output_channel) are right, and which networks `can_run`."""
    require_variables(probe_trials, "probe_trials", ["inputs", "targets"])
    delay = _delays(probe_trials["inputs"], duration)
    at = last_held(probe_trials, task)
    safe, can_run = runnable(weights)
    networks = safe if "network" in safe.dims else safe.expand_dims("network")
    right = _right_of(probe_trials, at, task)
    inputs = probe_trials["inputs"].transpose("trial", "time", "input_channel").values[at.trial].astype(float)
    found: NDArray[np.bool_] | None = None
    with one_blas_thread():
        for members, several in stored_networks(networks):
            part = _left_alone(several, inputs, at.time, len(delay), right, until_lost)
            if found is None:
                found = np.zeros((networks.sizes["network"], *part.shape[1:]), bool)
            found[members] = part
    assert found is not None  # every network that cannot be run was replaced
    coords: dict[Any, Any] = {"memory_state": np.array(at.labels, object), "delay": delay}
    coords |= {name: coord for name, coord in networks.coords.items() if coord.dims == ("network",)}
    labelled = xr.DataArray(found, coords, ("network", "memory_state", "delay", "output_channel"))
    if "network" not in safe.dims:
        labelled = labelled.isel(network=0, drop=True)
    return labelled.assign_coords(can_run=can_run)


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


def last_held(probe: xr.Dataset, task: Task) -> Held:
    """Find the first trial that holds each state, and the last sample in it that does."""
    if "memory_state" in probe:
        index, labels = held_states(probe["inputs"], probe["memory_state"], probe.get("response_window"))
    elif "period" in probe and (text(probe["period"]) == "hold").any():
        names = trial_condition(task, probe)
        names = names if names.any() else probe["trial"].values.astype(str)
        hold = text(probe["period"]).transpose("trial", "time").values == "hold"
        found, index = np.unique(names, return_inverse=True)
        index, labels = np.where(hold, index[:, np.newaxis], -1), found.tolist()
    else:
        raise ValueError("probe_trials: expected what is to be held, memory_state or a period called hold, found none")
    trial = np.array([(index == state).any(axis=1).argmax() for state in range(len(labels))])
    last = np.array([np.flatnonzero(index[trial[state]] == state)[-1] for state in range(len(labels))])
    return Held(labels, trial, last)


def _right_of(probe: xr.Dataset, at: Held, task: Task) -> _Right:
    """Make the function that asks the task which outputs in the states are right."""
    samples = probe.isel(trial=xr.DataArray(at.trial, dims="trial"), time=xr.DataArray(at.time, dims="trial"))
    samples = samples.drop_vars(["trial", "time"], errors="ignore")
    names = probe["output_channel"].values if "output_channel" in probe.coords else None

    targets = samples["targets"].drop_vars(list(samples["targets"].coords))  # labels take longer than the comparison

    def by_sample(outputs: NDArray[np.floating]) -> NDArray[np.bool_]:
        return samples_that_are_right(task, _labelled(outputs, None), targets).values.astype(bool)

    def by_score(outputs: NDArray[np.floating]) -> NDArray[np.bool_]:
        n_networks, n_states, n_delays, _ = outputs.shape
        alone = outputs.reshape(n_networks, n_states * n_delays, 1, -1)
        trials = samples.isel(trial=np.repeat(np.arange(n_states), n_delays)).expand_dims(time=[0.0])
        trials = trials.assign_coords(
            trial=np.arange(trials.sizes["trial"]), n_steps=("trial", np.ones(trials.sizes["trial"], int))
        )
        scores = score_trials(task, _labelled(alone, names), trials, infinite_is_wrong=True)
        right = scores.transpose("network", "trial").values >= 1 - _WRONG_BY
        return right.reshape(n_networks, n_states, n_delays, 1)

    return by_sample if hasattr(task, "is_right") else by_score


def state_names(outputs: NDArray[np.floating], probe_trials: xr.Dataset, task: Task) -> NDArray[np.str_]:
    """Name the memory state for which outputs (..., output_channel) are right; no text where they are for none.

    Where states are named by bits, a ``0`` is one that holds the target of bits that are not set.
    """
    held = last_held(probe_trials, task)
    rows = np.nan_to_num(outputs, nan=np.inf).reshape(-1, outputs.shape[-1])
    if are_bits(held.labels) and hasattr(task, "is_right"):
        names = _names_of_bits(rows, probe_trials["targets"], task)
    else:
        right = _right_of(probe_trials, held, task)(np.broadcast_to(rows, (1, len(held.labels), *rows.shape)))
        is_right = right[0].all(axis=-1)
        names = np.where(is_right.any(axis=0), np.array(held.labels, object)[is_right.argmax(axis=0)], "")
    return names.astype(str).reshape(outputs.shape[:-1])


def _names_of_bits(rows: NDArray[np.floating], targets: xr.DataArray, task: Task) -> NDArray[np.object_]:
    """Name outputs (row, output_channel) by the sign of the target for which each of them is right."""
    values = np.unique(targets)
    wanted = np.broadcast_to(values[:, np.newaxis, np.newaxis], (len(values), *rows.shape))
    one = xr.DataArray(wanted, dims=("value", "trial", "output_channel")).expand_dims("time", axis=2)
    given = xr.DataArray(rows, dims=("trial", "output_channel")).expand_dims("time", axis=1)
    right = (
        samples_that_are_right(task, given, one).transpose("value", "trial", "time", "output_channel").values[:, :, 0]
    )
    signs = np.array(["-", "0", "+"], object)[np.sign(values).astype(int) + 1]
    names = np.array(["".join(row) for row in signs[right.argmax(axis=0)]], object)
    return np.where(right.any(axis=0).all(axis=-1), names, "")


def _labelled(outputs: NDArray[np.floating], names: Any) -> xr.DataArray:
    coords = {} if names is None else {"output_channel": names}
    return xr.DataArray(outputs, coords, ("network", "trial", "time", "output_channel"))


def _left_alone(
    networks: AnyNetworks,
    inputs: NDArray[np.floating],
    last: NDArray[np.intp],
    n_delays: int,
    right: _Right,
    until_lost: bool,
) -> NDArray[np.bool_]:
    """Run networks on inputs (row, time, channel) to the last sample of each row, and then without any.

    Returns which outputs (network, row, delay, output_channel or 1) are right.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # activity without bounds
        state, rates = states_at(networks, inputs, last)
        first = right(networks.outputs(rates)[:, :, np.newaxis])
        found = np.zeros((*first.shape[:2], n_delays, first.shape[-1]), bool)
        found[:, :, :1] = first
        running = np.arange(len(found))
        for start in range(1, n_delays, _STEPS_AT_ONCE):
            chunk = slice(start, min(start + _STEPS_AT_ONCE, n_delays))
            before = np.concatenate([state, rates], axis=2)
            state, rates, outputs = _alone(networks.of(running), state, rates, chunk.stop - chunk.start)
            found[running, :, chunk] = right(outputs)
            is_same = (np.concatenate([state, rates], axis=2) == before).all(axis=(1, 2))
            repeats = is_same & (chunk.stop - start == _STEPS_AT_ONCE)
            for network in running[repeats]:  # what comes is this chunk, again and again
                n_left = n_delays - chunk.stop
                period = np.arange(n_left) % _STEPS_AT_ONCE
                found[network, :, chunk.stop :] = found[network, :, chunk][:, period]
            still_held = np.all(found[running, :, : chunk.stop], axis=(2, 3))
            goes_on = ~repeats & (np.any(still_held, axis=1) | (not until_lost))
            running, state, rates = running[goes_on], state[goes_on], rates[goes_on]
            if not running.size:
                break
    return found


def states_at(networks: AnyNetworks, inputs: NDArray[np.floating], last: NDArray[np.intp]) -> tuple[_Array, _Array]:
    """Run through the inputs, and return state and rates (network, row, unit) after the last sample of each row."""
    drive = networks.drive(np.moveaxis(inputs[:, : last.max() + 1], 0, 1)[np.newaxis])  # (network, time, row, ...)
    state, rates = networks.start(len(inputs))
    kept = np.empty(state.shape), np.empty(state.shape)
    for time in range(drive.shape[1]):
        state, rates = networks.step(state, rates, drive[:, time])
        for of_all, now in zip(kept, (state, rates), strict=True):
            of_all[:, last == time] = now[:, last == time]
    return kept


def _alone(networks: AnyNetworks, state: _Array, rates: _Array, n_steps: int) -> tuple[_Array, _Array, _Array]:
    """Run on without input: the last state and rates, and the outputs (network, row, time, output_channel)."""
    silence = networks.drive(np.zeros((1, 1, networks.input_weights.shape[1])))
    all_rates = np.empty((n_steps, *state.shape))
    for time in range(n_steps):
        state, rates = networks.step(state, rates, silence)
        all_rates[time] = rates
    return state, rates, networks.outputs(np.moveaxis(all_rates, 0, 2))


def _measured(right: xr.DataArray) -> xr.Dataset:
    """Sum up which outputs (..., memory_state, delay, output_channel) are right."""
    held = right.all("output_channel")
    survived = held.all("delay")
    first_lost = held["delay"].isel(delay=(~held).argmax("delay")).drop_vars("delay")
    measured = xr.Dataset(
        {
            "held": survived.mean("memory_state"),
            "score": right.mean(["memory_state", "output_channel"]),
            "retention_time": first_lost.where(~survived, held["delay"].values[-1]),
            "survived": survived.astype(float),
            "is_held": held.astype(float),
        }
    )
    measured = measured.where(right["can_run"]).drop_vars("can_run")
    return measured.transpose(..., "memory_state", "delay")
