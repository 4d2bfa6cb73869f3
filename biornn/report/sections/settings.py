"""Networks, training and task in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Row, Table, setting, table


def settings(reading: Reading) -> Section:
    """Say what networks are, how they were trained, and on what task."""
    blocks = _properties(reading.described)
    task = reading.experiment.get("task", {})
    if task:
        rows = [[name.replace("_", " "), setting(value).text] for name, value in task.items()]
        blocks.append(table("The task. Times are in ms.", ["setting", "value"], rows, sortable=False))
    return Section("settings", "Networks, training and task", tuple(blocks))


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
