"""Which choices networks make where which would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

import biornn as bn
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Block, requires
from biornn.tasks.scores import score_trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_CHOICES = 16  # more are no picture to read, such as sequences of answers


@requires("choice", "correct_choice")
def choices(reading: Reading) -> tuple[Block, ...] | None:
    """Confusion matrices of choices, a panel per condition."""
    outputs = reading.run["activity"].to_dataset()["outputs"].load()
    scored = np.flatnonzero(score_trials(reading.task, outputs, reading.trials).notnull().any("network"))
    choice, correct = reading.choice, reading.trials["correct_choice"]
    return _picture(reading, "confusion", "choice", choice.isel(trial=scored), correct.isel(trial=scored))


@requires("pointed")
def directions(reading: Reading) -> tuple[Block, ...] | None:
    """Confusion matrices of directions on a ring, a panel per condition."""
    outputs = reading.run["activity"].to_dataset()["outputs"].load()
    pointed, asked = (reading.task.pointed(one, reading.trials) for one in (outputs, reading.trials["targets"].load()))
    return _picture(reading, "confusion_of_directions", "direction in degrees", pointed, asked)


def _picture(
    reading: Reading, name: str, what: str, choice: xr.DataArray, correct: xr.DataArray
) -> tuple[Block, ...] | None:
    matrix = bn.analysis.confusion(choice, correct)["share"]
    means = {condition: reading.members(matrix, condition).mean("network") for condition in reading.shown}
    if not means or max(matrix.sizes["choice"], matrix.sizes["correct_choice"]) > _MOST_CHOICES:
        return None

    def draw() -> Figure:
        from biornn.plots.style import COLUMN_WIDTH, MEDIUM, open_panels, set_text_sizes

        n_columns = min(len(means), 2)
        figure, axes = open_panels(len(means), n_columns, COLUMN_WIDTH, 1.4 + 0.22 * matrix.sizes["correct_choice"])
        for (condition, mean), ax in zip(means.items(), axes, strict=True):
            bn.plots.confusion(mean, ax=ax)
            set_text_sizes(ax)
            ax.set(title=condition, xlabel=what, ylabel=f"correct {what}")
            ax.title.set_fontsize(MEDIUM)
        return figure

    return (
        Picture(
            name,
            draw,
            f"Share of the trials with each {what}, by the correct one. "
            + " ".join(f"{condition}: {_tell(mean)}." for condition, mean in means.items()),
            f"Share of the held-out trials with a correct {what} (row) in which each was answered (column): mean over "
            "the trained networks of a condition; what is right is framed.",
        ),
    )


def _tell(mean: xr.DataArray) -> str:
    """Say of each correct choice what is chosen most."""
    most = mean["choice"].values[mean.transpose("correct_choice", "choice").values.argmax(axis=1)]
    shares = mean.max("choice").values
    rows = zip(mean["correct_choice"].values.tolist(), most.tolist(), shares, strict=True)
    return ", ".join(f"{right} → {made} {share:.2f}" for right, made, share in rows)
