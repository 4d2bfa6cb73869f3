"""What was compared: conditions, seeds, networks, task."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from biornn.report.reading import Reading
from biornn.report.section import Block, Listing, Section
from biornn.report.tables import Cell, Row, Table, count, number, table
from biornn.report.words import plural
from biornn.schema import text

_FACTOR = "factor_"


def design(reading: Reading) -> Section:
    """Conditions and seeds, what differs between them and what they share, the task.

    Parameters
    ----------
    reading
        The run.
    """
    blocks: list[Block] = [_crossing(reading)]
    differing = _factors(reading) or _changes(reading)
    columns = ["condition", *(name.replace("_", " ") for name in next(iter(differing.values()))), "networks"]
    sizes = {condition: int((reading.condition == condition).sum()) for condition in reading.conditions}
    rows: list[Row] = [
        [condition, *map(_setting, differing[condition].values()), count(sizes[condition])]
        for condition in reading.conditions
    ]
    if len(rows) > 1:
        blocks.append(table("The conditions, and what differs between them.", columns, rows))
    blocks += _unmatched(reading)
    blocks += _properties(reading.described)
    task = reading.experiment.get("task", {})
    if task:
        settings = [[name.replace("_", " "), _setting(value).text] for name, value in task.items()]
        blocks.append(table("The task. Times are in ms.", ["setting", "value"], settings, sortable=False))
    return Section("design", "What was compared", tuple(blocks))


def _crossing(reading: Reading) -> str:
    seeds = {
        condition: tuple(reading.history["seed"].values[reading.condition == condition].tolist())
        for condition in reading.conditions
    }
    n_conditions, n_networks = len(seeds), len(reading.networks)
    if "imported" in reading.experiment:
        return f"The run holds {plural(n_networks, 'network')} that were trained elsewhere and imported."
    if len(set(seeds.values())) == 1:
        same = next(iter(seeds.values()))
        how = f"{plural(n_conditions, 'condition')} × {plural(len(same), 'seed')}"
        names = f" ({', '.join(map(str, same))})" if len(same) <= 20 else ""
        matched = " Conditions are matched by seed." if n_conditions > 1 else ""
        return f"{how}{names}: {plural(n_networks, 'network')}.{matched}"
    return f"{plural(n_networks, 'network')} in {plural(n_conditions, 'condition')}, of differing seeds."


def _factors(reading: Reading) -> dict[str, dict[str, Any]]:
    """Condition -> factor -> level, where the design crosses factors."""
    names = [str(name) for name in reading.history.coords if str(name).startswith(_FACTOR)]
    found: dict[str, dict[str, Any]] = {}
    for condition in reading.conditions if names else ():
        first = int(np.flatnonzero(reading.condition == condition)[0])
        found[condition] = {
            name.removeprefix(_FACTOR): text(reading.history[name]).values[first].item() for name in names
        }
    return found


def _changes(reading: Reading) -> dict[str, dict[str, Any]]:
    """Condition -> setting -> value, for all settings that some condition changes."""
    listed: Mapping[str, Any] = reading.experiment.get("conditions", {})
    conditions = {condition: listed.get(condition) or {} for condition in reading.conditions}
    keys = list(dict.fromkeys(key for changes in conditions.values() for key in changes))
    network, training = reading.experiment.get("network", {}), reading.experiment.get("training", {})
    usual = {**network, **{f"training.{key}": value for key, value in training.items()}}
    return {
        condition: {key: changes.get(key, usual.get(key)) for key in keys} for condition, changes in conditions.items()
    }


def _setting(value: Any) -> Cell:
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int | float):
        return number(value)
    if value is None:
        return Cell("none")
    return Cell(value.replace("_", " ") if isinstance(value, str) else json.dumps(value))


def _unmatched(reading: Reading) -> list[Block]:
    recorded = reading.run.attrs.get("unmatched")
    if recorded is None:
        return []
    sentences = [f"{condition}: {sentence}" for condition, told in json.loads(recorded).items() for sentence in told]
    if not sentences:
        return ["Everything that conditions could share was matched between the networks of a seed."]
    return ["What could not be matched between conditions:", Listing(tuple(sentences))]


def _properties(described: Mapping[str, Mapping[str, str]]) -> list[Block]:
    """Split what networks are into what all conditions share, and what differs."""
    known = {condition: properties for condition, properties in described.items() if properties}
    if not known:
        return ["No network has weights: what the networks were is only in the recorded experiment."]
    rows = dict.fromkeys(key for properties in known.values() for key in properties)
    values = {key: [properties.get(key, "–") for properties in known.values()] for key in rows}
    shared: list[Row] = [[key, told[0]] for key, told in values.items() if len(set(told)) == 1]
    differing: list[Row] = [[key, *told] for key, told in values.items() if len(set(told)) > 1]
    where = " in every condition" if len(known) > 1 else ""
    blocks: list[Block] = []
    if shared:
        blocks.append(_property_table(f"Networks and their training{where}.", ["value"], shared))
    if differing:
        blocks.append(_property_table("Networks and their training, where conditions differ.", list(known), differing))
    missing = [condition for condition in described if condition not in known]
    if missing:
        blocks.append(f"No network of {', '.join(missing)} has weights to describe.")
    return blocks


def _property_table(caption: str, columns: list[str], rows: Sequence[Row]) -> Table:
    return table(caption, ["property", *columns], rows, sortable=False)
