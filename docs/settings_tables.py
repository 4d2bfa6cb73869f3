"""Tables of every setting of an experiment file, made from the models that check it and from the docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from numpydoc.docscrape import NumpyDocString
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

import biornn as bn
from biornn.experiment import Experiment
from biornn.experiment.config import NetworkConfig, RecordingConfig, StageConfig, TrainingConfig
from biornn.experiment.start import Start
from biornn.tasks import TASKS, find_task
from biornn.tasks.task import setting_names

#: What no docstring of a class or function behind a setting says.
OWN = {
    "title": "Title of the run and its report.",
    "network": "Settings of the networks, below.",
    "task": "`name` of the task, and its settings, below. Its `dt` is the network's.",
    "training": "Settings of the training, below.",
    "recording": "What is recorded, below.",
    "start": "Run whose networks these go on from, below; `--from RUN` sets it.",
    "conditions": "Name of a condition -> what it changes: keys of `network`, or of `training` as `training.KEY` and "
    "`training.task.KEY`.",
    "factors": "In place of conditions: key, or `dale` -> its levels; every combination is a condition.",
    "seeds": "Number of seeds, or a list of them.",
    "n_units": "Number of recurrent units.",
    "architecture": "`rnn`; `gru` and `lstm` have no constraints.",
    "training.task": "Settings of the task that training trials have in place of those of `task`.",
    "stages": "A curriculum: a list of stages, below.",
    "l1_weights": "Factor of the sum of all absolute weights, added to the loss.",
    "l2_weights": "Factor of the sum of all squared weights, added to the loss.",
    "l2_rates": "Factor of the mean squared rate, added to the loss.",
    "n_trials": "Held-out trials on which activity is recorded.",
    "stages.task": "Settings of the task in this stage.",
    "updates": "Updates after which the stage ends.",
    "score": "Score on validation trials at which the stage ends.",
    "run": "Path of the run, from the working folder.",
    "snapshot": "Position of the snapshot; -1 is the last.",
    "created": "Filled in: when that run began.",
    "dt": "Time step, in ms.",
}


def tables() -> str:
    """Return the page's tables as Markdown."""
    described = _described(bn.Connectivity, bn.layers.ConstrainedRNNCell, bn.layers.build_model)
    parts = [
        _markdown("The file", _rows(Experiment, "", {})),
        _markdown("`network`", _rows(NetworkConfig, "", described)),
        _markdown("`training`", _rows(TrainingConfig, "training.", _described(bn.train))),
        _markdown("`training.stages`", _rows(StageConfig, "stages.", {})),
        _markdown("`recording`", _rows(RecordingConfig, "", {})),
        _markdown("`start`", _rows(Start, "", {})),
        *(_markdown(f"`task` with the name `{name}`", _of_task(find_task(name))) for name in TASKS),
    ]
    return "\n\n".join(parts) + "\n"


class _WithTasks(GenerateJsonSchema):
    """A task has keys and values, which no JSON schema describes."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
        return {"type": "object"}


def _described(*things: Any) -> dict[str, str]:
    """Return the first paragraph on each parameter."""
    found: dict[str, str] = {}
    for thing in things:
        for names, _, lines in NumpyDocString(inspect.cleandoc(thing.__doc__))["Parameters"]:
            text = " ".join(line.strip() for line in lines).replace("``", "`")
            text = re.sub(r"\bNone\b", "null", text)  # as a file has it
            for name in names.split(", "):
                found.setdefault(name.strip("*"), text)
    return found


def _rows(model: type[BaseModel], prefix: str, described: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield name, type, default and meaning of each setting of a model."""
    schema = model.model_json_schema(schema_generator=_WithTasks)
    for name, field in model.model_fields.items():
        meaning = OWN.get(prefix + name) or described.get(name) or OWN.get(name)
        if meaning is None:
            raise ValueError(f"{model.__name__}.{name}: expected a meaning, in a docstring or in OWN, got none")
        default = field.get_default(call_default_factory=True)
        is_plain = default is None or isinstance(default, bool | int | float | str | list)
        kind = _kind(schema["properties"][name], schema.get("$defs", {}))
        bounds = {"ge": "≥", "gt": ">", "le": "≤"}
        limits = [
            f"{sign} {getattr(one, key):g}"
            for one in field.metadata
            for key, sign in bounds.items()
            if hasattr(one, key)
        ]
        kind = " ".join([kind, *limits]) if kind == "number" else kind
        yield name, kind, _plain(default) if is_plain else "", meaning


def _of_task(kind: Any) -> Iterator[tuple[str, ...]]:
    described = {"dt": OWN["dt"], **_described(kind)}
    for name in setting_names(kind):
        if name not in described:
            raise ValueError(f"{kind.__name__}: expected {name} among the parameters of its docstring, found none")
        yield name, _plain(getattr(kind(), name)), described[name]


def _kind(shown: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """Write in words what a JSON schema allows."""
    if "$ref" in shown:
        return _kind(known[shown["$ref"].rpartition("/")[2]], known)
    for key in ("anyOf", "oneOf"):
        if key in shown:
            return " or ".join(dict.fromkeys(_kind(one, known) for one in shown[key]))
    if "enum" in shown or "const" in shown:
        return ", ".join(f"`{one}`" for one in shown.get("enum", [shown.get("const")]))
    kind = str(shown.get("type", "keys and values"))
    if kind == "array":
        return f"list of ({_kind(shown.get('items', {}), known)})"
    if kind == "object" and "properties" in shown:
        return "{" + ", ".join(shown["properties"]) + "}"
    words = {"object": "keys and values", "null": "null", "string": "text", "boolean": "true, false"}
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {shown[key]:g}" for key, sign in bounds.items() if key in shown and shown[key] < 10**9]
    return " ".join([words.get(kind, kind), *limits])


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return str(value)


def _markdown(heading: str, rows: Iterable[tuple[str, ...]]) -> str:
    cells = [[f"`{name}`", *(cell.replace("|", "\\|") for cell in rest)] for name, *rest in rows]
    columns = ["setting", "type", "default", "meaning"]
    columns = columns if len(cells[0]) == len(columns) else [one for one in columns if one != "type"]
    lines = [columns, ["---"] * len(columns), *cells]
    return "\n".join([f"## {heading}", "", *("| " + " | ".join(line) + " |" for line in lines)])


if __name__ == "__main__":
    import sys

    sys.stdout.write(tables())
