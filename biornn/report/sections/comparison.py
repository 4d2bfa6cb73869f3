"""The conditions compared in numbers."""

from __future__ import annotations

from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import Cell, Column, Row, spread, table

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
    return Section(
        "comparison",
        "The conditions compared",
        (
            "Scores are those on held-out trials. A response window is the time that a network is given to follow a "
            "change of the target; outside of it, an output that is off is an error of memory. Networks that "
            "failed or diverged are counted, and have no score.",
            table(
                "Median [min, max] over the trained networks of a condition.",
                ["condition", "trained", *(column for column, _ in _COLUMNS.values())],
                rows,
            ),
        ),
    )
