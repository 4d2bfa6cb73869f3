"""Checks of the settings of a task."""

from __future__ import annotations

from collections.abc import Sequence

from biornn.scalars import check_number
from biornn.tasks.task import Task

_MAX_STEPS = 2_000_000  # of a trial, which must fit into memory


def check_settings(
    task: Task, times: Sequence[str] = (), numbers: Sequence[str] = (), flags: Sequence[str] = ()
) -> None:
    """Check settings of a frozen task, and make numbers Python's own, which JSON can write.

    `times` are in ms and positive, `numbers` at least 0, `flags` true or false. A ValueError or TypeError names the
    first that is not.
    """
    for name in (*times, *numbers):
        value = getattr(task, name)
        if name in times:
            check_number(name, value, "a positive time in ms", above=0)
        check_number(name, value)
        object.__setattr__(task, name, float(value))
    for name in flags:
        if not isinstance(getattr(task, name), bool):
            raise TypeError(f"{name}: expected true or false, got {getattr(task, name)!r}")


def check_steps(task: Task, *names: str) -> None:
    """Check settings that are times in ms of a time step or more, and make them Python's own."""
    check_settings(task, names)
    for name in names:
        check_number(name, getattr(task, name), f"at least dt={task.dt:g} ms", minimum=task.dt)


def check_levels(task: Task, name: str, maximum: float) -> None:
    """Check a setting that holds one or more numbers from 0 to a maximum, and make it a tuple of Python's own."""
    levels = getattr(task, name)
    if not isinstance(levels, list | tuple) or not levels:
        raise ValueError(f"{name}: expected one or more numbers from 0 to {maximum:g}, got {levels!r}")
    for level in levels:
        check_number(name, level, f"numbers from 0 to {maximum:g}", maximum=maximum)
    object.__setattr__(task, name, tuple(float(level) for level in levels))


def check_ranges(task: Task, *names: str) -> None:
    """Check settings that hold the shortest and the longest of some times in ms, and make them tuples of Python's own.

    The shortest is a step at least.
    """
    for name in names:
        times = getattr(task, name)
        if not isinstance(times, list | tuple) or len(times) != 2:
            raise ValueError(f"{name}: expected the shortest and the longest time in ms, got {times!r}")
        shortest, longest = times
        check_number(name, shortest, f"times of at least dt={task.dt:g} ms", minimum=task.dt)
        check_number(name, longest, f"a longest time of at least the shortest, {shortest:g} ms", minimum=shortest)
        object.__setattr__(task, name, (float(shortest), float(longest)))


def check_longest(task: Task, name: str) -> None:
    """Check a setting `longest_` `name`: None, or a time in ms that is not shorter than the setting `name`."""
    shortest, time = getattr(task, name), getattr(task, f"longest_{name}")
    if time is not None:
        check_number(f"longest_{name}", time, f"at least {name}={shortest:g} ms", minimum=shortest)
        object.__setattr__(task, f"longest_{name}", float(time))


def longest(task: Task, name: str) -> float:
    """Give the setting `longest_` `name`, or, if it is None, the setting `name`."""
    time = getattr(task, f"longest_{name}")
    return float(getattr(task, name) if time is None else time)


def check_length(task: Task, name: str, duration: float) -> None:
    """Refuse, with a ValueError, trials that are too long; the setting `name` is the one to change."""
    if duration / task.dt > _MAX_STEPS:
        raise ValueError(
            f"{name}: expected trials of at most {_MAX_STEPS:,} steps of dt={task.dt:g} ms, got {duration:g} ms"
        )
