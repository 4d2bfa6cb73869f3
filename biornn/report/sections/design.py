"""What was compared: conditions and seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from biornn.report.reading import Reading
from biornn.report.section import Block, Listing, Section
from biornn.report.tables import Row, count, setting, table
from biornn.report.words import plural
from biornn.schema import FACTOR, text


def design(reading: Reading) -> Section:
    """Conditions and seeds, what differs between them and what could not be matched."""
    blocks: list[Block] = [_crossing(reading)]
    differing = _factors(reading) or _changes(reading)
    columns = ["condition", *(name.replace("_", " ") for name in next(iter(differing.values()))), "networks"]
    sizes = {condition: int((reading.condition == condition).sum()) for condition in reading.conditions}
    rows: list[Row] = [
        [condition, *map(setting, differing[condition].values()), count(sizes[condition])]
        for condition in reading.conditions
    ]
    if len(rows) > 1:
        blocks.append(table("The conditions, and what differs between them.", columns, rows))
    blocks += _unmatched(reading)
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
    found: dict[str, dict[str, Any]] = {}
    for condition in reading.conditions if reading.factors else ():
        first = int(np.flatnonzero(reading.condition == condition)[0])
        found[condition] = {name: text(reading.history[FACTOR + name]).values[first].item() for name in reading.factors}
    return found


def _changes(reading: Reading) -> dict[str, dict[str, Any]]:
    """Condition -> setting -> value, for all settings that some condition changes."""
    listed: Mapping[str, Any] = reading.experiment.get("conditions", {})
    conditions = {condition: listed.get(condition) or {} for condition in reading.conditions}
    keys = list(dict.fromkeys(key for changes in conditions.values() for key in changes))
    network, training = reading.experiment.get("network", {}), reading.experiment.get("training", {})
    usual = {**network, **{f"training.{key}": value for key, value in training.items()}}
    of_task = {**reading.experiment.get("task", {}), **(training.get("task") or {})}
    usual |= {f"training.task.{key}": value for key, value in of_task.items()}
    return {
        condition: {key: changes.get(key, usual.get(key)) for key in keys} for condition, changes in conditions.items()
    }


def _unmatched(reading: Reading) -> list[Block]:
    recorded = reading.run.attrs.get("unmatched")
    if recorded is None:
        return []
    sentences = [f"{condition}: {sentence}" for condition, told in json.loads(recorded).items() for sentence in told]
    if not sentences:
        return ["Everything that conditions could share was matched between the networks of a seed."]
    return ["What could not be matched between conditions:", Listing(tuple(sentences))]
