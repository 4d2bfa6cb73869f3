"""What an author of a task wants to know before it is used."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from biornn.errors import listed
from biornn.scalars import is_real
from biornn.tasks.scores import score_trials, trial_condition
from biornn.tasks.task import Task, task_settings
from biornn.tasks.trials import TaskError, make_arrays, make_probe, make_trials

_N_TRIALS = 64


def check(task: Task) -> None:
    """Check that a task keeps to what `Task` says.

    Trials have the right shapes, finite values and usable loss weights; one seed gives one set of trials, in all calls,
    and another seed another, unless all trials are one; the probe is like the trials; the score of outputs that equal
    the targets is 1, and that of any others is from 0 to 1.

    Parameters
    ----------
    task
        A task, made with the settings to check.

    Raises
    ------
    TaskError
        In one line: the first few problems, and how many more there are.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.tasks.check(bn.tasks.BooleanGate())
    """
    if isinstance(task, type) or not isinstance(task, Task):
        raise TaskError(f"task: expected an instance of a subclass of biornn.tasks.Task, got {task!r}")
    missing = [name for name in ("n_inputs", "n_outputs") if not _is_count(getattr(task, name, None))]
    if missing:
        raise TaskError(f"task {task.name}: expected {missing[0]}, a number of channels of at least 1, found none")
    problems = [*_settings(task), *_arrays(task), *_labelled(task)]
    if problems:
        raise TaskError(listed(problems))


def _is_count(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)


def _settings(task: Task) -> Iterator[str]:
    where = f"task {task.name}"
    if not is_real(task.dt) or not 0 < task.dt < np.inf:
        yield f"{where}: expected dt above 0 ms, got {task.dt!r}"
    for name, score in {"chance": task.chance, **task.shortcuts}.items():
        if not is_real(score) or not (0 <= score <= 1 or np.isnan(score)):
            yield f"{where}: expected the score of {name!r} in [0, 1], got {score!r}"
    if not isinstance(task.score_name, str) or task.score_name in ("", "loss", "worst_loss"):
        yield f"{where}: expected a score_name other than that of the loss, got {task.score_name!r}"
    if not task.made_from_settings:
        return
    try:
        again = type(task)(**task_settings(task))
    except Exception as error:  # of the author's code
        yield _told(task, "settings", error)
        return
    if repr(vars(again)) != repr(vars(task)):
        yield f"{where}: expected settings from which it can be made again, got {vars(task)}, and then {vars(again)}"


def _arrays(task: Task) -> Iterator[str]:
    try:
        first, again, other = (make_arrays(task, _N_TRIALS, np.random.default_rng(seed)) for seed in (0, 0, 1))
    except Exception as error:  # of the author's code
        yield _told(task, "arrays", error)
        return
    if not all(np.array_equal(one, two) for one, two in zip(first, again, strict=True)):
        yield f"task {task.name}: arrays: expected the same trials from the same generator, got others"
    is_one_trial = all((array == array[:1]).all() for array in first)  # over and over: nothing is drawn
    if not is_one_trial and all(np.array_equal(one, two) for one, two in zip(first, other, strict=True)):
        yield f"task {task.name}: arrays: expected other trials from another generator, got the same"


def _labelled(task: Task) -> Iterator[str]:
    try:
        trials, again = (make_trials(task, _N_TRIALS, np.random.default_rng(0)) for _ in range(2))
        make_trials(task, _N_TRIALS, 0)
        trial_condition(task, trials)
    except Exception as error:
        yield _told(task, "trials", error)
        return
    if not trials.equals(again):
        yield f"task {task.name}: trials: expected the same trials from the same seed, got others"
    yield from _score(task, trials)
    try:
        make_probe(task)
    except Exception as error:
        yield _told(task, "probe", error)


def _score(task: Task, trials: xr.Dataset) -> Iterator[str]:
    noise = np.random.default_rng(0).standard_normal((2, *trials["targets"].shape)).astype(np.float32)
    several = xr.DataArray(noise, dims=("network", *trials["targets"].dims), coords=trials["targets"].coords)
    try:
        oracle = score_trials(task, trials["targets"], trials)
        score_trials(task, several, trials)
    except Exception as error:
        yield _told(task, "score", error)
        return
    if not (oracle > 0).any():
        yield f"task {task.name}: score: expected some trials to be scored, got NaN or 0 in all"
    elif (oracle < 1).any():
        yield (
            f"task {task.name}: score: expected 1 where outputs equal the targets, "
            f"got {oracle.min().item():g} in trial {int(np.nanargmin(oracle.values))}"
        )


def _told(task: Task, method: str, error: Exception) -> str:
    if isinstance(error, TaskError):
        return str(error)
    if isinstance(error, NotImplementedError):
        return f"task {task.name}: expected the method {method!r}, found none"
    return f"task {task.name}: {method}: expected no error, got {type(error).__name__}: {error}"
