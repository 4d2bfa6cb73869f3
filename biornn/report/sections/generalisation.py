"""How networks do under other settings of their task, where `biornn evaluate` has added that to the run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import biornn as bn
from biornn.report.evaluation_table import changes_of, worst_of
from biornn.report.measures import Family
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Section, requires
from biornn.report.tables import Cell, Row, interval, spread, table
from biornn.report.words import p_text
from biornn.schema import EVALUATIONS, OWN_SETTINGS, text


@requires(EVALUATIONS)
def generalisation(reading: Reading) -> Section | None:
    """Scores under other settings, their change, and the differences between the conditions."""
    if not reading.run_again:
        return None
    found = reading.evaluations
    labels = text(found["evaluation"]).values.tolist()
    score = found["score"].where(reading.trained).assign_coords(condition=reading.condition.variable)
    compared = _compared(reading)
    shown = {reading.score_name: (found["score"], ".3f"), **worst_of(found, reading.score_name)}
    rows: list[Row] = []
    for label in labels:
        change = changes_of(found).sel(evaluation=label)
        for condition in reading.run_again:
            scores = [
                spread(reading.members(values.sel(evaluation=label), condition), form)
                for values, form in shown.values()
            ]
            changed = "" if label == OWN_SETTINGS else interval(reading.members(change, condition), "+.3f")
            rows.append([label, condition, *scores, changed, *compared(label, condition)])
    drawn = score.isel(network=np.flatnonzero(reading.trained)).assign_attrs(score_name=reading.score_name)
    known = {"chance": reading.task.chance, **reading.task.shortcuts}
    medians = [
        f"{label}, {condition}: {float(reading.members(score.sel(evaluation=label), condition).median()):.2f}"
        for label in labels
        for condition in reading.run_again
    ]
    n_trials = ", ".join(f"{n:,}" for n in dict.fromkeys(found["n_trials"].values.tolist()))
    against = (
        f"; difference from {reading.reference} and, where pairs are enough, Holm's p" if reading.is_paired else ""
    )
    headings = [*shown, "change"]
    return Section(
        "generalisation",
        "Other settings than those of the training",
        (
            f"Networks were run again from their stored weights, without further training, on {n_trials} new trials of "
            f"their task as it is (own settings), and with other settings, without noise in the units unless named.",
            Picture(
                "evaluations",
                one_panel(
                    lambda ax: bn.plots.evaluations(drawn, known, ax=ax),
                    1.2 + 0.2 * len(labels) + 0.13 * (len(known) + len(reading.conditions)),
                ),
                f"{reading.score_name.capitalize()} under other settings of the task. Medians: {'; '.join(medians)}.",
                f"{reading.score_name.capitalize()} under other settings of the task: median over the trained networks "
                "of a condition, lowest to highest. Lines: what policies that do not do the task score with its own "
                "settings.",
            ),
            table(
                "Median [min, max] over the trained networks of a condition. Change of each network from its score "
                f"with its own settings: mean [95 % interval over networks]{against}.",
                ["evaluation", "condition", *headings, *([f"less {reading.reference}"] if reading.is_paired else [])],
                rows,
            ),
        ),
    )


def _compared(reading: Reading) -> Callable[[str, str], list[Cell | str]]:
    """Make the function that gives the cell of the difference from the reference, if conditions can be paired."""
    if not reading.is_paired:
        return lambda label, condition: []
    labelled = {name: reading.history[name] for name in ("condition", "seed")}
    score = reading.evaluations["score"].where(reading.trained).drop_vars(list(labelled), errors="ignore")
    result = bn.analysis.compare(score.assign_coords(labelled), reading.reference)
    family = Family("other settings", result, ())

    def cell(label: str, condition: str) -> list[Cell | str]:
        if condition == reading.reference:
            return [""]
        one = result.sel(evaluation=label, condition=condition)
        difference, low, high = (float(one[name]) for name in ("difference", "ci_low", "ci_high"))
        if not np.isfinite(difference):
            return ["–"]
        told = f"{difference:+.3f}" + f" [{low:+.3f}, {high:+.3f}]" * bool(np.isfinite(low))
        if family.is_testable and np.isfinite(p_value := float(one["p_holm"])):
            told += f"; p {p_text(p_value)}"
        return [Cell(told, difference)]

    return cell
