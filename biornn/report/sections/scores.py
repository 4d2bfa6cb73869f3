"""Accuracy in detail: outside of response windows, in the probe, and by bit and state."""

from __future__ import annotations

from biornn.analysis import performance
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import Column, Row, Table, spread, table
from biornn.schema import text

_MOST_STATES = 81  # of four bits with three levels each; more is no table to read

_COLUMNS = {
    "accuracy_settled": (Column("accuracy outside of response windows"), ".3f"),
    "probe_accuracy_settled": (Column("the same in the probe"), ".3f"),
    "mse": (Column("mean squared error"), ".4f"),
}


def scores(reading: Reading) -> Section:
    """Tabulate scores by condition, and accuracy by bit and state."""
    rows: list[Row] = [
        [
            condition,
            *(spread(reading.members(reading.summary[name], condition), form) for name, (_, form) in _COLUMNS.items()),
        ]
        for condition in reading.conditions
    ]
    return Section(
        "scores",
        "Scores in detail",
        (
            "A response window is the time that a network has to follow a change of the target; outside of it, a wrong "
            "output is an error of memory. Networks that failed or diverged have no score.",
            table(
                "Held-out trials: median [min, max] over the trained networks of a condition.",
                ["condition", *(column for column, _ in _COLUMNS.values())],
                rows,
            ),
            _by_bit_and_state(reading),
        ),
    )


def _by_bit_and_state(reading: Reading) -> Table:
    """Tabulate the accuracy of each output, and in each state whose bits are all set."""
    trials = reading.run["trials"].to_dataset()
    outputs = reading.run["activity"].to_dataset()["outputs"]
    found = performance(outputs, trials["targets"], trials.get("memory_state"))
    parts = [(found["accuracy_per_bit"], "output_channel")]
    if "accuracy_per_state" in found and found.sizes["memory_state"] <= _MOST_STATES:
        parts.append((found["accuracy_per_state"], "memory_state"))
    rows: list[Row] = []
    for values, dim in parts:
        for index, label in enumerate(text(values[dim]).values.tolist()):
            if dim == "output_channel" or "0" not in label:
                own = values.isel({dim: index})
                cells = [spread(reading.members(own, condition), ".3f") for condition in reading.conditions]
                rows.append([label.replace("_", " "), *cells])
    return table(
        "Accuracy by output, and by the state to be held once every bit is set.",
        ["output or state", *reading.conditions],
        rows,
    )
