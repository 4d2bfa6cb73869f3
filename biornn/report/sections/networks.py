"""Every network, one by one."""

from __future__ import annotations

import numpy as np

from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Cell, Column, Row, Table, count, number, table
from biornn.schema import text

_COLUMNS = {
    "updates_trained": (Column("trained for", "updates"), ",.0f"),
    "updates_to_criterion": (Column("to criterion", "updates"), ",.0f"),
    "spectral_radius_after": (Column("spectral radius"), ".2f"),
}


def networks(reading: Reading) -> Section:
    """How each network ended, and its scores."""
    forms = {"score": ".3f", "worst_score": ".3f", "held": ".0%", "mse": ".4f"}
    scores = {one: form for one, form in forms.items() if one in reading.summary}
    labels = {**reading.labels, "held": "held", "mse": "MSE"}  # narrow, or the table is cut
    shown = {one: (Column(labels[one]), form) for one, form in scores.items()} | _COLUMNS
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
                *(number(one[variable].item(), form) for variable, (_, form) in shown.items()),
                count(one["violations"].item(), alarm=True),
                number(reading.history["wall_time"].values[index], ",.0f"),
            ]
        )
    columns: list[Column | str] = ["network", "condition", "seed", "training ended"]
    columns += [*(column for column, _ in shown.values()), "violations", Column("took", "s")]
    blocks: list[Block] = []
    if not reading.trained.all():
        blocks += [
            "Networks that failed, diverged or were interrupted are left out of every median and picture, and counted "
            "wherever networks are counted.",
            _failures(reading),
        ]
    caption = "All networks of the run. Scores are those on held-out trials; a dash says that there is none."
    return Section("networks", "Every network", (*blocks, table(caption, columns, rows)))


def _failures(reading: Reading) -> Table:
    """Name each network without results to compare, and what is known of the cause."""
    n_networks = len(reading.networks)
    reasons = text(reading.history["failure"]).values if "failure" in reading.history else [""] * n_networks
    rows: list[Row] = [
        [
            reading.networks[index],
            Cell(reading.status.values[index].item().replace("_", " "), alarm=True),
            count(reading.history["updates_trained"].values[index]),
            str(reasons[index]).strip() or "not recorded",
        ]
        for index in np.flatnonzero(~reading.trained).tolist()
    ]
    columns: list[Column | str] = ["network", "how training ended", Column("trained for", "updates"), "why"]
    return table("Networks without results to compare.", columns, rows)
