"""What the networks withstand: noise and lesions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

import biornn as bn
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Table, condition_table
from biornn.schema import LESION_OF_ANY, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LESION = 0.1  # share of the units, of the lesions that the table gives


def robustness(reading: Reading) -> Section | None:
    """Score under noise and after lesions."""
    if not reading.run_again:
        return None
    blocks: list[Block] = [
        "Networks were run again from their stored weights, without further training: with noise on their inputs and "
        "in their units; with units silenced. The same noise and the same lesions in all networks."
        + " Noise in the units of a gated layer is not defined."
        * bool(reading.gated.any()),
        perturbations(reading),
        lesion_sizes(reading),
        _table(reading),
    ]
    return Section("robustness", "What the networks withstand", tuple(blocks))


def perturbations(reading: Reading) -> Picture:
    """Score over noise on the inputs and in the units, a line per condition."""
    curves = {
        "s.d. of input noise": reading.input_noise["score"],
        "s.d. of recurrent noise": reading.recurrent_noise["score"],
    }
    # A network whose loss exploded at its last snapshot has finite weights, and could be run.
    curves = {name: score.where(reading.trained) for name, score in curves.items()}
    curves = {name: score for name, score in curves.items() if score.notnull().any()}  # a gated one has no such noise

    def draw() -> Figure:
        from biornn.plots.panels import share_legend
        from biornn.plots.style import PAGE_WIDTH, open_panels, set_text_sizes

        figure, axes = open_panels(len(curves), len(curves), PAGE_WIDTH / len(curves), 2.6)
        for ax, (name, score) in zip(axes, curves.items(), strict=True):
            bn.plots.dose_response(score, "noise", ax=ax)
            ax.set_xlabel(name)
            set_text_sizes(ax)
        share_legend(figure)
        return figure

    ends = {name: score.isel(noise=-1) for name, score in curves.items()}
    told = [f"{condition}: {_at_the_ends(reading, condition, ends)}" for condition in reading.run_again]
    return Picture(
        "robustness",
        draw,
        f"{reading.score_name.capitalize()} over the noise on the inputs and over the noise in the units, a line per "
        f"condition. Medians at the right end of each: {'; '.join(told)}.",
        f"{reading.score_name.capitalize()} over the standard deviation of added input noise, and of noise in every "
        f"unit ({reading.few_trials.sizes['trial']} held-out trials). Line: median of a condition's networks, band: "
        "lowest to highest.",
    )


def lesion_sizes(reading: Reading) -> Picture:
    """Score over the share of silenced units, by their type, a line per condition."""
    shown = reading.lesions[["score", "control_score"]].where(reading.trained)
    last = shown["score"].sel(lesion="any").isel(share=-1)
    told = [f"{name}: {float(reading.members(last, name).median()):.2f}" for name in reading.run_again]
    return Picture(
        "lesions",
        lambda: bn.plots.lesions(shown),
        f"{reading.score_name.capitalize()} over the share of silenced units. Medians with "
        f"{float(last['share']):.0%} of any units silenced: {'; '.join(told)}.",
        f"{reading.score_name.capitalize()} over the share of silenced units, of all and of each type. Dotted: as many "
        "units, of any type, which tells the type of the units from their number.",
    )


def _at_the_ends(reading: Reading, condition: str, ends: dict[str, xr.DataArray]) -> str:
    medians = {name: float(reading.members(values, condition).median()) for name, values in ends.items()}
    return ", ".join(f"{name} {median:.2f}" for name, median in medians.items() if np.isfinite(median))


def _table(reading: Reading) -> Table:
    lesions = reading.lesions.sel(share=_LESION)
    found = {
        reading.labels["input_noise_robustness"]: reading.input_noise["robustness"],
        reading.labels["recurrent_noise_robustness"]: reading.recurrent_noise["robustness"],
        reading.labels["lesion_robustness"]: lesions["score"].sel(lesion=LESION_OF_ANY),
    }
    of_types = [name for name in text(lesions["lesion"]).values.tolist() if name != LESION_OF_ANY]
    found |= {f"{name} units less as many of any": lesions["difference"].sel(lesion=name) for name in of_types}
    return condition_table(
        reading,
        "Median [min, max] over the trained networks of a condition. Over noise: mean of the curve. Lesions: "
        f"{_LESION:.0%} of the units, or of those of a type; a difference below 0 says that this type matters more "
        "than its number.",
        [(heading, values, ".2f") for heading, values in found.items()],
    )
