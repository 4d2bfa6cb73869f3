"""Messages for an experiment file that cannot be used, one line each."""

from __future__ import annotations

import difflib
import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from biornn.errors import OneLineError, listed


class ExperimentError(OneLineError):
    """An experiment file or a setting on the command line cannot be used."""


def one_line(error: ValidationError, model: type[BaseModel], prefix: str = "") -> str:
    """List the problems that pydantic found in a section, each with its key, what was expected and what came."""
    return listed([_message(problem, model, prefix) for problem in error.errors()])


def _message(problem: ErrorDetails, model: type[BaseModel], prefix: str) -> str:
    location = [shortened(str(part)) for part in problem["loc"] if str(part).strip()]  # blank: a tag
    if problem["type"] == "extra_forbidden":
        return unknown_key(prefix + ".".join(location), location[-1], _known_keys(model, location[:-1]))
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error" and re.match(r"[^\s:]+: ", message):  # it names its own key
        key = ".".join(location)
        dot = "." if key and not message.startswith(("conditions.", "factors")) else ""  # from the top
        return f"{prefix}{key}{dot}{message}"
    is_list = problem["type"] in ("list_type", "tuple_type")
    expected = "expected a list" if is_list else message[:1].lower() + message[1:]
    key = (prefix + ".".join(location)).rstrip(".")
    return f"{key}: {expected}, got {shortened(repr(problem['input']))}"


def shortened(text: str) -> str:
    """Cut a text that is too long for a message."""
    return text if len(text) < 80 else f"{text[:77]}..."


def _known_keys(model: type[BaseModel], location: list[str]) -> list[str]:
    for part in location:
        if part in model.model_fields:  # otherwise a tag of a union
            sections = _sections_in(model.model_fields[part].annotation)
            if not sections:
                return []
            model = sections[0]
    return list(model.model_fields)


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    """List the sections in the type of a setting."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections_in(part)]


def unknown_key(where: str, key: str, known: list[str]) -> str:
    """Write the message for an unknown key, whose last part is `key`, with the known key that is most like it."""
    close = difflib.get_close_matches(key, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{where}: expected one of {', '.join(known)}, got the unknown key {key!r}{meant}"
