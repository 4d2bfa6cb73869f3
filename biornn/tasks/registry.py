"""Tasks by name: those of biornn, those that packages announce, and any class by its module."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from operator import attrgetter
from types import ModuleType

import xarray as xr

from biornn.errors import named
from biornn.tasks.task import Task

#: Entry points under which packages announce tasks: name = "package.module:Class".
GROUP = "biornn.tasks"

#: Tasks of biornn: each in the module of its name, as the class of its name in CamelCase.
NAMES = (
    "flip_flop",
    "boolean_gate",
    "perceptual_decision",
    "context_decision",
    "multisensory_integration",
    "parametric_memory",
    "click_accumulation",
    "memory_pro_anti",
    "go_no_go",
    "ring_integration",
    "delayed_match",
    "ready_set_go",
    "sine_generator",
    "yang_tasks",
    "mixture",
)
#: The task of an experiment, or of imported files, that names none.
DEFAULT = NAMES[0]
TASKS: Mapping[str, str] = {name: f"biornn.tasks.{name}:{name.title().replace('_', '')}" for name in NAMES}


def find_task(name: str) -> type[Task]:
    """Find the class of a task by its name, or as ``package.module:Class``.

    A module is looked for as Python does, and then in the current folder. A ValueError says what is not there, or is no
    task.
    """
    place = TASKS.get(name) or (name if ":" in name else _announced().get(name, ""))
    module_name, colon, class_name = place.partition(":")
    if not colon:
        known = ", ".join([*TASKS, *sorted(set(_announced()) - set(TASKS))])
        raise ValueError(f"name: expected one of {known}, or package.module:Class, got {name!r}")
    try:
        found = attrgetter(class_name)(_module(module_name))
    except Exception as error:  # of whatever a module does when it is loaded
        raise ValueError(f"name: expected a task that can be loaded, got {name!r}: {named(error)}") from None
    if not isinstance(found, type) or not issubclass(found, Task):
        raise ValueError(f"name: expected a subclass of biornn.tasks.Task, got {name!r}, which is {found!r}")
    return found


def _announced() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=GROUP)}


def _module(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        if os.getcwd() in sys.path:
            raise
        sys.path.append(os.getcwd())  # and not only for now: worker processes get the path of this one
        return import_module(name)


def task_of(trials: xr.Dataset) -> Task:
    """Make the task of stored trials again, from their attributes; a ValueError says why it cannot be made."""
    if "task" not in trials.attrs:
        raise ValueError("trials: expected the attribute 'task' of labelled trials, found none; give the task itself")
    settings = trials.attrs.get("task_settings", "{}")
    try:
        task = find_task(trials.attrs["task"]).of_trials(trials, **json.loads(settings))
    except (TypeError, ValueError) as error:
        raise ValueError(f"trials: expected a task that can be made, got {trials.attrs['task']!r}: {error}") from None
    if task is None:
        raise ValueError(
            f"trials: expected a task that its settings make again, got {trials.attrs['task']!r} of {settings}, which "
            "was made from an object; give the task itself, or its class the method of_trials"
        )
    return task
