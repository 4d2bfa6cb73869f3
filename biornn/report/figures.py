"""The figures of a run, drawn from its store alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from biornn import plots
from biornn.analysis import eigenspectrum, principal_components
from biornn.plots.panels import panels, share_legend
from biornn.plots.style import MEDIUM, PAGE_WIDTH, open_figure, set_text_sizes
from biornn.schema import GATED, is_trained, text

_DPI = 150


def save_figures(run: xr.DataTree, folder: Path) -> list[Path]:
    """Draw a run: learning curves of all networks, and one network per condition in detail.

    Parameters
    ----------
    run
        A run.
    folder
        Where the PNG files go; it is created.

    Returns
    -------
    list of pathlib.Path
        The files. The network of a condition is the first of its seeds that was trained; a condition without one is
        left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shown = _first_trained(run)
    figures = {"learning_curves": _learning_curves(run)}
    if shown:
        names = list(shown.values())
        trials, outputs = run["trials"].to_dataset(), run["activity"].to_dataset()["outputs"]
        n_trials = min(3, trials.sizes["trial"])
        figures["trial"] = plots.training_samples(trials, outputs.sel(network=names[0]), n_trials)
        figures["trial"].suptitle(f"Held-out trials, and what {names[0]} makes of them", fontsize=9)
        weights, probe = run["weights"].to_dataset(), run["probe_activity"].to_dataset().sel(network=names)

        def connectivity(network: str, ax: Axes) -> None:
            one = weights.sel(network=network)
            plots.connectivity(one["recurrent_weights"].isel(epoch=-1), one["cell_type"], ax=ax)

        def activity(network: str, ax: Axes) -> None:
            plots.activity(
                probe["rates"].sel(network=network), cell_type=weights["cell_type"].sel(network=network), ax=ax
            )

        formulation = text(weights["formulation"].sel(network=names))
        ungated = [name for name, kind in zip(names, formulation.values.tolist(), strict=True) if kind not in GATED]
        if ungated:
            figures["connectivity"] = panels(ungated, connectivity)
            ends = weights["recurrent_weights"].isel(epoch=[0, -1]).sel(network=ungated)
            figures["eigenspectrum"] = plots.spectra(eigenspectrum(ends))
        figures["activity"] = panels(names, activity)
        memory_state = run["probe_trials"].to_dataset().get("memory_state")
        if memory_state is not None and probe.sizes["unit"] >= 3:
            scores = principal_components(probe["rates"])["scores"]
            figures["memory_states"] = plots.cubes(scores, memory_state)
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"{name}.png")
        figure.savefig(paths[-1], dpi=_DPI)
    return paths


def _first_trained(run: xr.DataTree) -> dict[str, str]:
    """Map each condition to the network that stands for it."""
    history = run["history"].to_dataset()
    trained = history.isel(network=np.flatnonzero(is_trained(history["status"])))
    conditions, networks = text(trained["condition"]).values.tolist(), text(trained["network"]).values.tolist()
    first = dict(zip(reversed(conditions), reversed(networks), strict=True))
    return {condition: first[condition] for condition in dict.fromkeys(conditions)}


def _learning_curves(run: xr.DataTree) -> Figure:
    figure = open_figure(PAGE_WIDTH, 3.1)
    left, right = figure.subplots(1, 2)
    history = run["history"].to_dataset()
    criterion = json.loads(run.attrs["experiment"]).get("training", {}).get("criterion")
    plots.learning_curves(history, metric="accuracy", criterion=criterion, ax=left)
    plots.learning_curves(history, metric="val_loss", ax=right)
    right.set_yscale("log")
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_locator(NullLocator())
    for ax in (left, right):
        set_text_sizes(ax)
    figure.suptitle(left.get_legend().get_title().get_text(), fontsize=MEDIUM)
    share_legend(figure)
    return figure
