"""Accuracy in detail: outside of response windows, in the probe, and by bit and state."""

from __future__ import annotations

from biornn.analysis import performance
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import Row, Table, condition_table, spread, table
from biornn.schema import text

_MOST_STATES = 81  # of four bits with three levels each; more is no table to read


def scores(reading: Reading) -> Section:
    """Tabulate scores by condition, and accuracy by bit and state."""
    return Section(
        "scores",
        "Scores in detail",
        (
            "A response window is the time that a network has to follow a change of the target; outside of it, a wrong "
            "output is an error of memory. Networks that failed or diverged have no score.",
            condition_table(
                reading,
                "Held-out trials: median [min, max] over the trained networks of a condition.",
                [
                    ("accuracy outside of response windows", reading.summary["accuracy_settled"], ".3f"),
                    ("the same in the probe", reading.summary["probe_accuracy_settled"], ".3f"),
                    ("mean squared error", reading.summary["mse"], ".4f"),
                ],
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
