"""Scores in detail: what they are to be compared with, and the error of each output."""

from __future__ import annotations

from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Row, condition_table, number, table
from biornn.schema import text


def scores(reading: Reading) -> Section:
    """Tabulate scores by condition, and the scores that can be had without doing the task."""
    columns = [(reading.labels["score"], reading.summary["score"], ".3f")]
    if "worst_score" in reading.labels:
        columns.append((reading.labels["worst_score"], reading.summary["worst_score"], ".3f"))
    columns.append((reading.labels["mse"], reading.summary["mse"], ".4f"))
    errors = reading.scores["mse_per_channel"]
    if errors.sizes["output_channel"] > 1:
        names = text(errors["output_channel"]).values.tolist()
        columns += [
            (f"mean squared error of {name.replace('_', ' ')}", errors.isel(output_channel=at), ".4f")
            for at, name in enumerate(names)
        ]
    blocks: list[Block] = [
        condition_table(
            reading,
            "Held-out trials: median [min, max] over the trained networks of a condition. Networks that failed or "
            "diverged have no score.",
            columns,
        )
    ]
    known = {"chance": reading.task.chance, **reading.task.shortcuts}
    rows: list[Row] = [[name, number(score, ".3f")] for name, score in known.items() if score == score]
    if rows:
        blocks.append(
            table(
                f"What the {reading.score_name} is to be compared with: that of outputs that do not depend on the "
                "inputs (chance), and of policies that do not do the task.",
                ["policy", reading.score_name],
                rows,
            )
        )
    return Section("scores", "Scores in detail", tuple(blocks))
