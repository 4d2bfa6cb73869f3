"""What the networks do: outputs in held-out trials, and the rates of their units."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biornn import plots
from biornn.plots.panels import panels
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Section


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
    trials = reading.run["trials"].to_dataset().load()
    outputs = reading.run["activity"].to_dataset()["outputs"].sel(network=name).load()
    n_trials = min(3, trials.sizes["trial"])

    def draw() -> Figure:
        figure = plots.training_samples(trials, outputs, n_trials)
        figure.suptitle(f"Held-out trials, and the outputs of {name}", fontsize=9)
        return figure

    score = float(reading.summary["accuracy"].sel(network=name))
    duration = float(trials["time"][-1] - trials["time"][0])
    return Picture(
        "trial",
        draw,
        f"Inputs, targets and outputs of the network {name} over {duration:g} ms of {n_trials} held-out trials, a row "
        f"per channel. Over all held-out trials {score:.1%} of its output samples say what the target says.",
        f"Trials that no network was trained on, and the outputs of {name}, the first trained network of the "
        f"condition {condition}.",
    )


def unit_rates(reading: Reading) -> Picture | None:
    """Rates of all units in the probe, a network per condition."""
    names = list(reading.shown.values())
    if not names:
        return None
    rates = reading.run["probe_activity"].to_dataset()["rates"].isel(trial=[0]).sel(network=names).load()
    cell_type = reading.weights["cell_type"]

    def one(network: str, ax: Axes) -> None:
        plots.activity(rates.sel(network=network), cell_type=cell_type.sel(network=network), ax=ax)

    reach = [
        f"{name}: from {float(rates.sel(network=name).min()):.2g} to {float(rates.sel(network=name).max()):.2g}"
        for name in names
    ]
    return Picture(
        "activity",
        lambda: panels(names, one),
        f"Rates of {rates.sizes['unit']} units over the {rates.sizes['time']} samples of the task's probe, as a map "
        f"per network. Rates reach, {'; '.join(reach)}.",
        "Rates of all units during the probe, the task's noise-free trials that visit every condition once. A row is a "
        "unit; where Dale's law holds, excitatory units stand above inhibitory ones.",
    )
