"""What the networks withstand: time, noise, lesions."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from biornn import plots
from biornn.plots.panels import share_legend
from biornn.plots.style import PAGE_WIDTH, open_figure, set_text_sizes
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Table, condition_table

_LESION = 0.1  # share of the units, of the lesions that the table gives


def robustness(reading: Reading) -> Section | None:
    """Retention beyond the trained delays, accuracy under noise and lesions."""
    if not reading.shown_ungated:
        return None
    blocks: list[Block] = [
        "Networks were run again from their stored weights, without further training: left without input in each "
        "memory state; with noise on their inputs and in their units; with units silenced. The same noise and the same "
        "lesions in all networks.",
        perturbations(reading),
        lesion_sizes(reading),
        _table(reading),
    ]
    return Section("robustness", "What the networks withstand", tuple(blocks))


def perturbations(reading: Reading) -> Picture:
    """Accuracy over time without input, and over noise, a line per condition."""
    curves = {
        "s.d. of input noise": reading.input_noise["accuracy"],
        "s.d. of recurrent noise": reading.recurrent_noise["accuracy"],
    }
    if reading.retention is not None:
        curves = {"time without input (ms)": reading.retention["accuracy"], **curves}
    # A network whose loss exploded at its last snapshot has finite weights, and could be run.
    curves = {name: accuracy.where(reading.trained) for name, accuracy in curves.items()}

    def draw() -> Figure:
        figure = open_figure(PAGE_WIDTH, 2.6)
        axes = figure.subplots(1, len(curves), squeeze=False).ravel()
        for ax, (name, accuracy) in zip(axes, curves.items(), strict=True):
            plots.dose_response(accuracy, str(accuracy.dims[-1]), ax=ax)
            ax.set_xlabel(name)
            set_text_sizes(ax)
        share_legend(figure)
        return figure

    ends = {name: accuracy.isel({accuracy.dims[-1]: -1}) for name, accuracy in curves.items()}
    told = [f"{condition}: {_at_the_ends(reading, condition, ends)}" for condition in _run_again(reading)]
    return Picture(
        "robustness",
        draw,
        "Accuracy over the time without input, over the noise on the inputs and over the noise in the units, a line "
        f"per condition. Medians at the right end of each: {'; '.join(told)}.",
        "Accuracy over the time without input (share of states and bits still right), over the standard deviation of "
        f"added input noise, and of noise in every unit ({reading.few_trials.sizes['trial']} held-out trials). Line: "
        "median of a condition's networks, band: lowest to highest.",
    )


def lesion_sizes(reading: Reading) -> Picture:
    """Accuracy over the share of silenced units, by their type, a line per condition."""
    shown = reading.lesions[["accuracy", "control_accuracy"]].where(reading.trained)
    accuracy = shown["accuracy"].sel(lesion="any").isel(share=-1)
    largest = float(accuracy["share"])
    told = [
        f"{condition}: {float(reading.members(accuracy, condition).median()):.2f}" for condition in _run_again(reading)
    ]
    return Picture(
        "lesions",
        lambda: plots.lesions(shown),
        f"Accuracy over the share of silenced units. Medians with {largest:.0%} of any units silenced: "
        f"{'; '.join(told)}.",
        "Accuracy over the share of silenced units, of all and of each type. Dotted: as many units, of any type, which "
        "tells the type of the units from their number.",
    )


def _run_again(reading: Reading) -> list[str]:
    """Name the conditions of which a network could be run again."""
    return [condition for condition, name in reading.shown.items() if name in reading.shown_ungated]


def _at_the_ends(reading: Reading, condition: str, ends: dict[str, xr.DataArray]) -> str:
    medians = {name: float(reading.members(values, condition).median()) for name, values in ends.items()}
    return ", ".join(f"{name} {median:.2f}" for name, median in medians.items())


def _table(reading: Reading) -> Table:
    lesions = reading.lesions.sel(share=_LESION)
    found: dict[str, xr.DataArray] = {}
    if reading.retention is not None:
        duration = float(reading.retention["delay"][-1])
        found[f"states that survive {duration:,.0f} ms"] = reading.retention["share_retained"]
    found |= {
        "accuracy over input noise": reading.input_noise["robustness"],
        "accuracy over recurrent noise": reading.recurrent_noise["robustness"],
        "accuracy after lesions of any units": lesions["accuracy"].sel(lesion="any"),
        "excitatory units less as many of any": lesions["difference"].sel(lesion="excitatory"),
        "inhibitory units less as many of any": lesions["difference"].sel(lesion="inhibitory"),
    }
    return condition_table(
        reading,
        "Median [min, max] over the trained networks of a condition. Over noise: mean of the curve. Lesions: "
        f"{_LESION:.0%} of the units, or of those of a type; a difference below 0 says that this type matters more "
        "than its number.",
        [(heading, values, ".2f") for heading, values in found.items()],
    )
