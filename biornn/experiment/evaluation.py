"""Changes to the task of a finished run, from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from biornn.experiment.load import key_and_value
from biornn.experiment.messages import ExperimentError, unknown_key
from biornn.experiment.task_settings import changed_task
from biornn.scalars import check_number
from biornn.store.evaluations import Evaluation
from biornn.tasks import Task, task_of
from biornn.tasks.task import setting_names

_NOISE = "network.recurrent_noise"


def evaluations_of(trials: xr.Dataset, several: Sequence[Sequence[str]]) -> dict[str, Evaluation]:
    """Make an evaluation of each list of changes ``key=value`` to the task of trials, named after them: ``delay=3000``.

    A key is ``task.`` and a setting of the task, or ``network.recurrent_noise``. An ExperimentError names the first
    that is none, with the nearest that is.
    """
    task, found = task_of(trials), {}
    for settings in several:
        changes = dict(key_and_value(setting) for setting in settings)
        label = ", ".join(setting.removeprefix("task.").removeprefix("network.") for setting in settings)
        found[label] = _evaluation(task, changes)
    return found


def _evaluation(task: Task, changes: dict[str, Any]) -> Evaluation:
    noise = changes.pop(_NOISE, 0.0)
    check_number(f"--set {_NOISE}", noise)
    known = [f"task.{name}" for name in setting_names(type(task))]
    if strange := [key for key in changes if key not in known and key != "task.preset"]:
        key = strange[0]
        if f"task.{key}" in known:
            raise ExperimentError(f"--set {key}: expected task.{key}, got {key!r}")
        raise ExperimentError(f"--set {unknown_key(key, key, [*known, _NOISE])}")
    try:
        changed = changed_task(task, {key.removeprefix("task."): value for key, value in changes.items()})
    except ValueError as error:
        raise ExperimentError(f"--set task.{error}") from None
    return Evaluation(changed, float(noise))
