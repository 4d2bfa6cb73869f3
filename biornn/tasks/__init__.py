"""Tasks: labelled trials from a seeded generator, and what of the outputs is right. No Keras here.

A task is a subclass of `Task` in one short file. Nothing outside of this package asks which one it is.
"""

from typing import Any

from biornn.tasks.check import check
from biornn.tasks.neurogym import from_neurogym
from biornn.tasks.registry import TASKS, find_task, task_of
from biornn.tasks.task import Task, Trials, task_generator
from biornn.tasks.trials import TaskError

_CLASSES = {place.partition(":")[2]: name for name, place in TASKS.items()}

__all__ = ["Task", "TaskError", "Trials", "check", "find_task", "from_neurogym", "task_generator", "task_of", *_CLASSES]


def __getattr__(name: str) -> Any:
    """Load the class of a task, such as ``FlipFlop``, when it is first asked for."""
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return find_task(_CLASSES[name])
