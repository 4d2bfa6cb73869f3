"""The one line that an experiment file gets when it says something that cannot be."""

from __future__ import annotations

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from biornn.errors import in_one_line, printable


class ExperimentError(ValueError):
    """An experiment file, or a setting of the command line, that cannot be; the message is one printable line."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(in_one_line(message)))


def one_line(error: ValidationError, model: type[BaseModel], prefix: str = "") -> str:
    """Tell the first problem: the key, what was expected, what came.

    Parameters
    ----------
    error
        From pydantic.
    model
        The section that was to be made.
    prefix
        Where it stands, such as ``"network."``.
    """
    problem, *others = error.errors()
    location = [_shortened(str(part)) for part in problem["loc"]]
    more = f" (and {len(others)} more)" if others else ""
    if problem["type"] == "extra_forbidden":
        return unknown_key(prefix + ".".join(location), location[-1], _known_keys(model, location[:-1])) + more
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error" and (isinstance(problem["input"], dict | BaseModel) or ": expected" in message):
        key = ".".join(location)
        dot = "." if key and not message.startswith(("conditions.", "factors")) else ""  # those name their own key
        return f"{prefix}{key}{dot}{message}{more}"
    expected = message[:1].lower() + message[1:]
    got = _shortened(repr(problem["input"]))
    key = (prefix + ".".join(location)).rstrip(".")
    return f"{key}: {expected}, got {got}{more}"


def _shortened(text: str) -> str:
    return text if len(text) < 80 else f"{text[:77]}..."


def _known_keys(model: type[BaseModel], location: list[str]) -> list[str]:
    for part in location:
        if part in model.model_fields:  # otherwise the kind of a value that may be of several
            sections = _sections_in(model.model_fields[part].annotation)
            if not sections:
                return []
            model = sections[0]
    return list(model.model_fields)


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    """List the sections that a setting may hold, however deep in its type they stand."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections_in(part)]


def unknown_key(where: str, key: str, known: list[str]) -> str:
    """Say that a key is not known, and which one may have been meant.

    Parameters
    ----------
    where
        The whole key, as the message begins with it.
    key
        Its last part.
    known
        What it may be.
    """
    close = difflib.get_close_matches(key, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{where}: expected one of {', '.join(known)}, got the unknown key {key!r}{meant}"
