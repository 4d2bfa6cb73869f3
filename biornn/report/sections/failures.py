"""Networks that were not trained to the end, and why."""

from __future__ import annotations

import numpy as np

from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Cell, Column, Row, count, table
from biornn.schema import text


def failures(reading: Reading) -> Section:
    """Name each network without results to compare, and what is known of the cause.

    Parameters
    ----------
    reading
        The run.
    """
    n_networks = len(reading.networks)
    lost = np.flatnonzero(~reading.trained)
    blocks: list[Block] = []
    if lost.size:
        blocks.append(
            f"{lost.size} of {n_networks} networks failed, diverged or were interrupted. They are left out of every "
            "median and picture, and counted wherever networks are counted."
        )
        reasons = text(reading.history["failure"]).values if "failure" in reading.history else [""] * n_networks
        rows: list[Row] = [
            [
                reading.networks[index],
                Cell(reading.condition.values[index].item()),
                Cell(reading.status.values[index].item().replace("_", " "), alarm=True),
                count(reading.history["steps_trained"].values[index]),
                str(reasons[index]).strip() or "not recorded",
            ]
            for index in lost.tolist()
        ]
        columns: list[Column | str] = [
            "network",
            "condition",
            "how training ended",
            Column("trained for", "updates"),
            "why",
        ]
        blocks.append(table("Networks without results to compare.", columns, rows))
    else:
        blocks.append(f"None: all {n_networks} networks were trained." if n_networks > 1 else "None.")
    short = np.flatnonzero(reading.status == "criterion_not_reached")
    if short.size:
        names = ", ".join(reading.networks[index] for index in short.tolist())
        blocks.append(f"Trained to the last update without reaching the criterion: {names}.")
    return Section("failures", "Failures", tuple(blocks))
