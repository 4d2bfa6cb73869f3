"""The conditions compared in numbers."""

from __future__ import annotations

from biornn.analysis import performance
from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Cell, Column, Row, Table, spread, table
from biornn.schema import text

_MOST_STATES = 81  # of four bits with three levels each; more is no table to read

_COLUMNS = {
    "accuracy": (Column("accuracy"), ".3f"),
    "accuracy_settled": (Column("accuracy outside of response windows"), ".3f"),
    "mse": (Column("mean squared error"), ".4f"),
    "probe_accuracy_settled": (Column("accuracy in the probe, outside of response windows"), ".3f"),
    "steps_trained": (Column("trained for", "updates"), ".0f"),
}


def comparison(reading: Reading) -> Section:
    """Median and range of each condition.

    Parameters
    ----------
    reading
        The run.
    """
    rows: list[Row] = []
    for condition in reading.conditions:
        n_trained = reading.members(reading.trained, condition).sizes["network"]
        n_networks = int((reading.condition == condition).sum())
        trained = Cell(f"{n_trained} of {n_networks}", n_trained / n_networks, alarm=n_trained < n_networks)
        rows.append(
            [
                condition,
                trained,
                *(
                    spread(reading.members(reading.summary[name], condition), form)
                    for name, (_, form) in _COLUMNS.items()
                ),
            ]
        )
    blocks: list[Block] = [
        "Scores are those on held-out trials. A response window is the time that a network is given to follow a change "
        "of the target; outside of it, an output that is off is an error of memory. Networks that failed or diverged "
        "are counted, and have no score.",
        table(
            "Median [min, max] over the trained networks of a condition.",
            ["condition", "trained", *(column for column, _ in _COLUMNS.values())],
            rows,
        ),
        _by_bit_and_state(reading),
    ]
    return Section("comparison", "The conditions compared", tuple(blocks))


def _by_bit_and_state(reading: Reading) -> Table:
    """Accuracy of each output, and in each state whose bits are all set."""
    trials = reading.run["trials"].to_dataset()
    outputs = reading.run["activity"].to_dataset()["outputs"]
    scores = performance(outputs, trials["targets"], trials.get("memory_state"))
    parts = [(scores["accuracy_per_bit"], "output_channel")]
    if "accuracy_per_state" in scores and scores.sizes["memory_state"] <= _MOST_STATES:
        parts.append((scores["accuracy_per_state"], "memory_state"))
    rows: list[Row] = []
    for values, dim in parts:
        for index, label in enumerate(text(values[dim]).values.tolist()):
            if dim == "output_channel" or "0" not in label:
                own = values.isel({dim: index})
                cells = [spread(reading.members(own, condition), ".3f") for condition in reading.conditions]
                rows.append([label.replace("_", " "), *cells])
    return table(
        "Accuracy by output, and by the state that is to be held once every bit is set: median [min, max] over the "
        "trained networks of a condition.",
        ["output or state", *reading.conditions],
        rows,
    )
