"""What the networks do: outputs in held-out trials, and the rates of their units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import biornn as bn
from biornn.report.pictures import Picture, network_panels
from biornn.report.reading import Reading
from biornn.report.section import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def activity(reading: Reading) -> Section | None:
    """Trials and rates of the networks that stand for their conditions."""
    pictures = [picture for make in (held_out_trials, unit_rates) if (picture := make(reading)) is not None]
    if not pictures:
        return None
    return Section("activity", "What the networks do", tuple(pictures))


def held_out_trials(reading: Reading) -> Picture | None:
    """Draw inputs, targets and outputs of one network."""
    if not reading.shown:
        return None
    condition, name = next(iter(reading.shown.items()))
    trials = reading.trials.load()
    outputs = reading.run["activity"].to_dataset()["outputs"].sel(network=name).load()
    n_trials = min(3, trials.sizes["trial"])

    def draw() -> Figure:
        from biornn.plots.style import fitted

        figure = bn.plots.training_samples(trials, outputs, n_trials)
        figure.suptitle(fitted(f"Held-out trials, and the outputs of {name}", figure, size=9), fontsize=9)
        return figure

    score = float(reading.summary["score"].sel(network=name))
    duration = float(trials["time"][-1] - trials["time"][0])
    return Picture(
        "trial",
        draw,
        f"Inputs, targets and outputs of the network {name} over {duration:g} ms of {n_trials} held-out trials, a row "
        f"per channel. Over all held-out trials its {reading.score_name} is {score:.3f}.",
        f"Trials that no network was trained on, and the outputs of {name}, the first trained network of the "
        f"condition {condition}.",
    )


def unit_rates(reading: Reading) -> Picture | None:
    """Rates of all units in one trial, a network per condition."""
    names = list(reading.shown.values())
    if not names:
        return None
    trials, recorded, where = reading.watched
    rates = recorded["rates"].isel(trial=[0], time=slice(int(trials["n_steps"][0]))).sel(network=names).load()
    cell_type = reading.weights["cell_type"]
    low, high = (extreme(["trial", "time", "unit"]) for extreme in (rates.min, rates.max))
    return network_panels(
        "activity",
        names,
        lambda name, ax: bn.plots.activity(rates.sel(network=name), cell_type=cell_type.sel(network=name), ax=ax),
        lambda name: f"from {float(low.sel(network=name)):.2g} to {float(high.sel(network=name)):.2g}",
        f"Rates of {rates.sizes['unit']} units over the {rates.sizes['time']} samples of the first trial of {where}, "
        "as a map per network. Rates reach,",
        f"Rates of all units in the first trial of {where}"
        f"{', the noise-free set that visits every trial condition once' * reading.has('probe')}. A row is a unit; "
        "where Dale's law holds, units stand by cell type, excitatory ones first.",
    )
