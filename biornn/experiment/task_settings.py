"""The task of an experiment, from its name and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from biornn.errors import listed, named
from biornn.experiment.config import Section
from biornn.experiment.messages import one_line, unknown_key
from biornn.tasks import Task, TaskError, check, find_task
from biornn.tasks.registry import TASKS
from biornn.tasks.task import describe_task, preset_settings, setting_names, task_settings


def make_task(name: Any, settings: Mapping[str, Any], dt: float | None = None) -> Task:
    """Make a task, or raise a ValueError that names the key that is wrong; `dt` is for one that can be set.

    The key ``preset`` stands for the settings of a source; others override them, and so does `dt`.
    """
    if not isinstance(name, str):
        raise ValueError(f"name: expected the name of a task, got {name!r}")
    kind = find_task(name)
    _check_kind(kind)
    known = setting_names(kind)
    preset, settings = _of_preset(kind, settings)
    of_network = {"dt": dt} if dt is not None and "dt" in known else {}
    settings = {**preset, **of_network, **settings}
    if strange := [key for key in settings if key not in known]:
        usual = ["name", "preset", *known] if kind.presets else ["name", *known]
        raise ValueError(listed([unknown_key(key, key, usual) for key in strange]))
    try:
        task = _validated(kind, settings)
    except ValidationError as error:
        raise ValueError(one_line(error, Section)) from None
    except ValueError:
        raise
    except Exception as error:  # of the author's code
        raise ValueError(f"name: expected settings from which {name} can be made, got {named(error)}") from None
    return checked(task)


def checked(task: Task) -> Task:
    """Return a task that keeps to the contract, or raise a ValueError; those of biornn do."""
    _check_kind(type(task))
    if describe_task(task)["task"] not in TASKS:
        try:
            check(task)
        except TaskError as error:
            raise ValueError(f"name: expected a task that keeps to the contract; {error}") from None
    return task


def _check_kind(kind: type[Task]) -> None:
    if not kind.made_from_settings:
        raise ValueError(
            f"name: expected a task that its settings make again, in processes of their own, got {kind.name}, "
            "which is made from an object; train it by biornn.train"
        )


def _of_preset(kind: type[Task], settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that the key ``preset`` stands for, if it is there, and those beside it."""
    beside = dict(settings)
    return preset_settings(kind, beside.pop("preset")) if "preset" in beside else {}, beside


def _validated(kind: type[Task], settings: Mapping[str, Any]) -> Task:
    try:
        return TypeAdapter(kind).validate_python(dict(settings))
    except PydanticUserError:  # it knows nothing of a class that is no dataclass, or of the type of a field
        return kind(**settings)


def changed_task(task: Task, changes: Mapping[str, Any] | None) -> Task:
    """Make a task with some other settings; a ValueError names the key that is wrong."""
    if not changes:
        return task
    if "name" in changes:
        raise ValueError("name: expected other settings of the same task, got another name")
    preset, beside = _of_preset(type(task), changes)
    settings = {**task_settings(task), **preset, **beside}
    changed = _made(describe_task(task)["task"], json.dumps(settings, default=repr))
    for name in ("n_inputs", "n_outputs", "dt"):
        expected, got = getattr(task, name), getattr(changed, name)
        if got != expected:
            keys = ", ".join(changes)
            raise ValueError(
                f"{keys}: expected {name} {expected} as in task, by which all networks are judged, got {got}"
            )
    return changed


@lru_cache(maxsize=1024)
def _made(name: str, settings: str) -> Task:
    """Make a task, and check it, once: every network of a condition asks for it."""
    return make_task(name, json.loads(settings))


def plain_task(task: Task) -> dict[str, Any]:
    """Write a task as an experiment file does: its name and its settings."""
    return {"name": describe_task(task)["task"], **task_settings(task)}
