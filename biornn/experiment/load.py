"""Reading and checking an experiment file, with changes from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from biornn.experiment.experiment import Experiment
from biornn.experiment.messages import ExperimentError, one_line
from biornn.experiment.plain_yaml import MAX_LENGTH, PlainYAMLError, parse


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
        In one line, with each key, what was expected and what came.
    """
    content = _read(Path(path))
    for setting in settings:
        _set(content, setting)
    try:
        return Experiment.model_validate(content, context={"folder": Path(path).parent})
    except ValidationError as error:
        raise ExperimentError(f"{path}: {one_line(error, Experiment)}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = parse(file.read(4 * MAX_LENGTH + 1).decode("utf-8"))  # at most 4 bytes a character
    except OSError as error:
        raise ExperimentError(f"{path}: expected a readable file, got {error.strerror}") from None
    except (PlainYAMLError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: expected YAML, got {error}") from None
    if content in (None, {}):
        keys = ", ".join(Experiment.model_fields)
        raise ExperimentError(f"{path}: expected an experiment, got an empty file; set at least one of {keys}")
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ExperimentError(f"{path}: expected keys and values, got {type(content).__name__}")
    return content


def key_and_value(setting: str) -> tuple[str, Any]:
    """Read a change from the command line, ``key=value`` with a YAML value, or raise an ExperimentError."""
    key, equals, text = setting.partition("=")
    if not key or not equals:
        raise ExperimentError(f"--set: expected key=value, got {setting!r}")
    try:
        return key, parse(text)
    except PlainYAMLError as error:
        raise ExperimentError(f"--set {key}: expected a YAML value, got {error}") from None


def _set(content: dict[str, Any], setting: str) -> None:
    key, value = key_and_value(setting)
    *parents, last = key.split(".")
    # conditions.NAME.training.KEY and factors.training.task.KEY, where all from training on is one key
    if parents[:1] in (["conditions"], ["factors"]) and "training" in parents:
        first = parents.index("training")
        parents, last = parents[:first], ".".join([*parents[first:], last])
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise ExperimentError(f"--set {key}: expected {parent} to hold keys, got {content!r}")
    content[last] = value
