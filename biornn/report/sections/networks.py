"""Every network, one by one."""

from __future__ import annotations

from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import Cell, Column, Row, count, number, table

_COLUMNS = {
    "accuracy": (Column("accuracy"), ".3f"),
    "mse": (Column("mean squared error"), ".4f"),
    "steps_trained": (Column("trained for", "updates"), ",.0f"),
    "steps_to_criterion": (Column("time to criterion", "updates"), ",.0f"),
    "spectral_radius_before": (Column("spectral radius before training"), ".2f"),
    "spectral_radius_after": (Column("spectral radius after training"), ".2f"),
}


def networks(reading: Reading) -> Section:
    """How each network ended, and its scores.

    Parameters
    ----------
    reading
        The run.
    """
    rows: list[Row] = []
    for index, name in enumerate(reading.networks):
        one = reading.summary.isel(network=index)
        seed = int(reading.history["seed"].values[index])
        rows.append(
            [
                name,
                Cell(reading.condition.values[index].item()),
                count(seed) if seed >= 0 else Cell("not known"),
                Cell(reading.status.values[index].item().replace("_", " "), alarm=not reading.trained.values[index]),
                *(number(one[variable].item(), form) for variable, (_, form) in _COLUMNS.items()),
                count(one["violations"].item(), alarm=True),
                number(reading.history["wall_time"].values[index], ",.0f"),
            ]
        )
    return Section(
        "networks",
        "Every network",
        (
            table(
                "All networks of the run. Scores are those on held-out trials; a dash says that there is none.",
                [
                    "network",
                    "condition",
                    "seed",
                    "how training ended",
                    *(column for column, _ in _COLUMNS.values()),
                    "violations",
                    Column("training took", "s"),
                ],
                rows,
            ),
        ),
    )
