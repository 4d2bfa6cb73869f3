"""What networks do in the trials: where they are right, what they choose, what they produce."""

from __future__ import annotations

import numpy as np

import biornn as bn
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Block, Section, requires
from biornn.report.sections.chronometric import chronometric
from biornn.report.sections.confusion import choices, directions
from biornn.report.sections.production import production
from biornn.report.sections.psychometric import psychometric


def behaviour(reading: Reading) -> Section | None:
    """Put together what there is to say of a task's behaviour."""
    parts = [
        part(reading) for part in (by_trial_condition, psychometric, chronometric, choices, directions, production)
    ]
    blocks = tuple(block for part in parts if part is not None for block in part)
    return Section("behaviour", "Behaviour", blocks) if blocks else None


@requires("trial_conditions")
def by_trial_condition(reading: Reading) -> tuple[Block, ...] | None:
    """Scores by trial condition, beside those of chance and of the shortcuts of the task."""
    if not reading.trained.any():
        return None
    kept = np.flatnonzero(reading.trained)
    found = reading.scores[["score", "score_per_condition", "worst_condition"]].isel(network=kept)
    known = {"chance": reading.task.chance, **reading.task.shortcuts}
    known = {name: float(value) for name, value in known.items() if value == value}
    told = [f"{condition}: {_worst(reading, condition)}" for condition in reading.shown]
    lines = ", ".join(f"{name} {value:.3f}" for name, value in known.items())
    score = found["score"].assign_attrs(score_name=reading.score_name)
    return (
        f"The trial condition with the lowest {reading.score_name}. {'; '.join(told)}.",
        Picture(
            "trial_conditions",
            one_panel(
                lambda ax: bn.plots.trial_conditions(score, found["score_per_condition"], known, ax=ax),
                1.2 + 0.17 * min(found.sizes["trial_condition"], 24) + 0.13 * (len(known) + len(reading.conditions)),
            ),
            f"{reading.score_name.capitalize()} in all trials and by trial condition. Lowest, {'; '.join(told)}."
            + f" Policies that do not do the task: {lines}." * bool(known),
            f"{reading.score_name.capitalize()} in the held-out trials: median over the trained networks of a "
            "condition, lowest to highest; best trial conditions on top."
            + " Lines: what policies that do not do the task score over all trials."
            * bool(known),
        ),
    )


def _worst(reading: Reading, condition: str) -> str:
    """Name the trial condition that is the worst in most networks of a condition, and its median score."""
    name, n = most_often_worst(reading, condition)
    if not name:
        return "none is lower than the others"
    scores = reading.members(reading.scores["score_per_condition"].sel(trial_condition=name), condition)
    return f"{name} ({float(scores.median()):.3f}; the lowest in {n} of {scores.size} networks)"


def most_often_worst(reading: Reading, condition: str) -> tuple[str, int]:
    """Name the trial condition that is the worst in most networks of a condition, and say in how many.

    Networks that are as good in all trial conditions have no worst one; no text and 0 where that holds for all.
    """
    is_uneven = reading.members(reading.summary["worst_score"] < reading.summary["score"], condition)
    worst = reading.members(reading.scores["worst_condition"], condition)[is_uneven.values]
    names, counts = np.unique(worst, return_counts=True)
    return (str(names[counts.argmax()]), int(counts.max())) if names.size else ("", 0)
