"""Scores, and choices, by trial condition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.report.reading import Reading
from biornn.report.section import Block, Section, requires
from biornn.report.tables import Row, Table, count, spread, table
from biornn.schema import text
from biornn.tasks.scores import score_trials, trial_condition

_MOST_ANSWERS = 8  # more are no table to read, such as angles


@requires("trial_conditions")
def trial_conditions(reading: Reading) -> Section:
    """Tabulate the mean score in the trials of each condition, and where there are choices how often each is made."""
    scores = score_trials(reading.task, reading.run["activity"].to_dataset()["outputs"], reading.trials)
    labels = {"trial condition": trial_condition(reading.task, reading.trials)}
    caption = f"Mean {reading.score_name} in the trials of each condition"
    blocks: list[Block] = [_table(reading, caption, labels, {"": scores})]
    if reading.has("choice") and np.unique(reading.choice.values).size <= _MOST_ANSWERS:
        blocks.append(_choices(reading, labels, scores.notnull()))
    return Section("trial_conditions", f"{reading.score_name.capitalize()} by trial condition", tuple(blocks))


def _choices(reading: Reading, labels: Mapping[str, NDArray[np.str_]], scored: xr.DataArray) -> Table:
    """Tabulate in which share of the trials each answer is chosen; not of the last, the rest, where all answer."""
    chosen = reading.choice.where(scored, "")
    answers = sorted(set(np.unique(chosen.values).tolist()) - {""})
    all_answer = bool(((chosen != "") | ~scored | ~reading.trained).all())
    told = (answers[:-1] if all_answer else answers) or answers
    shares = {answer: (chosen == answer).astype(float).where(scored) for answer in told}
    if reading.has("correct_choice"):
        labels = {**labels, "correct choice": text(reading.trials["correct_choice"]).values}
    what = f"choose {answers[0]}" if len(shares) == 1 else "choose an answer"
    return _table(reading, f"Share of the trials of each condition in which networks {what}", labels, shares)


def _table(
    reading: Reading, caption: str, labels: Mapping[str, NDArray[np.str_]], values: Mapping[str, xr.DataArray]
) -> Table:
    """Tabulate means of values (network, trial): a row per combination of labels of trials, columns per condition."""
    rows: list[Row] = []
    each = list(zip(*(labels[name].tolist() for name in labels), strict=True))
    for row in sorted(set(each), key=_by_numbers):
        members = np.flatnonzero([one == row for one in each])
        means = [one.isel(trial=members).mean("trial") for one in values.values()]
        if any(mean.notnull().any() for mean in means):  # else these trials are not scored
            shown = [spread(reading.members(m, name), ".3f") for name in reading.conditions for m in means]
            rows.append([*row, count(len(members)), *shown])
    several = len(values) > 1
    headings = [f"{name}: {value}" if several else name for name in reading.conditions for value in values]
    caption += ": median [min, max] over the trained networks of a condition."
    return table(caption, [*labels, "trials", *headings], rows)


def _by_numbers(row: Sequence[str]) -> list[tuple[bool, float, str]]:
    """Sort 2 before 10."""
    parts = [part for label in row for part in re.split(r"(\d+(?:\.\d+)?)", label)]
    return [(part[:1].isdigit(), float(part) if part[:1].isdigit() else 0.0, part) for part in parts]
