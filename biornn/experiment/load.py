"""From an experiment file, and changes on the command line, to a checked experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from biornn.experiment.config import NetworkConfig
from biornn.experiment.experiment import TASKS, Experiment
from biornn.experiment.messages import ExperimentError, one_line, unknown_key
from biornn.experiment.plain_yaml import MAX_LENGTH, PlainYAMLError, parse
from biornn.tasks import FlipFlop


def load_experiment(path: str | PathLike[str], settings: Sequence[str] = ()) -> Experiment:
    """Read and check an experiment file.

    Parameters
    ----------
    path
        A YAML file.
    settings
        Changes to it, each ``key=value`` with a dotted key and a YAML value, such as ``"network.n_units=64"``.

    Raises
    ------
    ExperimentError
        With one line that names the key, what was expected and what came.
    """
    content = _read(Path(path))
    for setting in settings:
        _set(content, setting)
    try:
        network = NetworkConfig.model_validate(content.get("network", {}))
    except ValidationError as error:
        raise ExperimentError(f"{path}: {one_line(error, NetworkConfig, prefix='network.')}") from None
    try:
        return Experiment.model_validate({**content, "task": _task(content.get("task", {}), network.dt)})
    except ValidationError as error:
        raise ExperimentError(f"{path}: {one_line(error, Experiment)}") from None
    except ExperimentError as error:
        raise ExperimentError(f"{path}: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(4 * MAX_LENGTH + 1).decode(
                "utf-8"
            )  # up to 4 bytes a character; not all of an endless file
        content = parse(text)
    except OSError as error:
        raise ExperimentError(f"{path}: expected a readable file, got {error.strerror}") from None
    except (PlainYAMLError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: expected YAML, got {error}") from None
    if content is None:
        content = {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ExperimentError(f"{path}: expected keys and values, got {type(content).__name__}")
    return content


def _set(content: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not key or not equals:
        raise ExperimentError(f"--set: expected key=value, got {setting!r}")
    try:
        value = parse(text)
    except PlainYAMLError as error:
        raise ExperimentError(f"--set {key}: expected a YAML value, got {error}") from None
    *parents, last = key.split(".")
    # conditions.NAME.training.KEY and factors.training.KEY, where training.KEY is one key
    if parents[:1] in (["conditions"], ["factors"]) and parents[-1] == "training":
        last = f"{parents.pop()}.{last}"
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise ExperimentError(f"--set {key}: expected {parent} to hold keys, got {content!r}")
    content[last] = value


def _task(content: Any, dt: Any) -> FlipFlop:
    """Build the task, on the network's time step."""
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ExperimentError(f"task: expected keys and values, got {content!r}")
    settings = dict(content)
    name = settings.pop("name", "flip_flop")
    if not isinstance(name, str) or name not in TASKS:
        raise ExperimentError(f"task.name: expected one of {', '.join(TASKS)}, got {name!r}")
    settings.setdefault("dt", dt)
    known = [field.name for field in fields(TASKS[name])]
    for key in settings:
        if key not in known:
            raise ExperimentError(unknown_key(f"task.{key}", key, ["name", *known]))
    try:
        return TypeAdapter(TASKS[name]).validate_python(settings)
    except ValidationError as error:
        raise ExperimentError(one_line(error, Experiment, prefix="task.")) from None
    except OverflowError:
        raise ExperimentError("task: expected times of a number of steps that can be counted, got more") from None
