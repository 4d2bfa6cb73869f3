"""The figures of a run, drawn from its store alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from biornn import plots
from biornn.analysis import eigenspectrum, principal_components
from biornn.plots.style import MEDIUM, set_text_sizes
from biornn.schema import GATED, is_trained, text

_PANEL = (3.35, 3.1)  # inches; 85 mm, a journal's column
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
        figures["trial"] = _trial(run, next(iter(shown.values())))
        weights, probe = run["weights"].to_dataset(), run["probe_activity"].to_dataset()
        probe_trials = run["probe_trials"].to_dataset()

        def connectivity(network: str, ax: Axes) -> None:
            one = weights.sel(network=network)
            plots.connectivity(one["recurrent_weights"].isel(epoch=-1), one["cell_type"], ax=ax)

        def spectrum(network: str, ax: Axes) -> None:
            plots.eigenspectrum(
                eigenspectrum(weights["recurrent_weights"].sel(network=network).isel(epoch=[0, -1])), ax=ax
            )

        def activity(network: str, ax: Axes) -> None:
            plots.activity(
                probe["rates"].sel(network=network), cell_type=weights["cell_type"].sel(network=network), ax=ax
            )

        def states(network: str, ax: Axes) -> None:
            scores = principal_components(probe["rates"].sel(network=network))["scores"]
            plots.memory_states(scores, probe_trials["memory_state"], ax=ax)

        formulation = text(weights["formulation"])
        ungated = {key: one for key, one in shown.items() if str(formulation.sel(network=one).values) not in GATED}
        if ungated:
            figures["connectivity"] = _panels(ungated, connectivity)
            figures["eigenspectrum"] = _panels(ungated, spectrum)
            reach = max(ax.get_xlim()[1] for ax in figures["eigenspectrum"].axes)
            for ax in figures["eigenspectrum"].axes:  # unit circles of one size
                ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
        figures["activity"] = _panels(shown, activity)
        if "memory_state" in probe_trials and probe.sizes["unit"] >= 3:
            figures["memory_states"] = _panels(shown, states, projection="3d")
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
    figure = Figure(figsize=(2 * _PANEL[0], _PANEL[1]), layout="constrained")
    left, right = figure.subplots(1, 2)
    history = run["history"].to_dataset()
    plots.learning_curves(history, metric="accuracy", ax=left)
    plots.learning_curves(history, metric="val_loss", ax=right)
    right.set_yscale("log")
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_locator(NullLocator())
    for ax in (left, right):
        set_text_sizes(ax)
    figure.suptitle(left.get_legend().get_title().get_text(), fontsize=MEDIUM)
    _share_legend(figure)
    return figure


def _trial(run: xr.DataTree, network: str) -> Figure:
    trials = run["trials"].to_dataset()
    n_rows = len({*trials["input_channel"].values.tolist(), *trials["output_channel"].values.tolist()})
    figure = Figure(figsize=(2 * _PANEL[0], 0.8 + 0.9 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, sharex=True, sharey=True, squeeze=False).ravel()
    for ax in axes:
        set_text_sizes(ax)
    plots.trial(trials, run["activity"].to_dataset()["outputs"].sel(network=network), axes=axes)
    figure.suptitle(f"A held-out trial of {network}", fontsize=9)
    return figure


def _panels(shown: dict[str, str], draw: Callable[[str, Axes], None], projection: str | None = None) -> Figure:
    """Draw one panel per condition, two in a row."""
    n_columns = min(len(shown), 2)
    n_rows = -(-len(shown) // n_columns)
    figure = Figure(figsize=(n_columns * _PANEL[0], n_rows * _PANEL[1]), layout="constrained")
    for index, network in enumerate(shown.values()):
        ax: Any = figure.add_subplot(n_rows, n_columns, index + 1, projection=projection)
        draw(network, ax)
        set_text_sizes(ax)
        if projection == "3d":
            ax.zaxis.label.set_fontsize(MEDIUM)
        ax.set_title(network, fontsize=9)
    _share_legend(figure)
    return figure


def _share_legend(figure: Figure) -> None:
    """Put one legend below all panels in place of the same one above each."""
    legends = [legend for ax in figure.axes if (legend := ax.get_legend()) is not None]
    if not legends:
        return
    handles = [handle for handle in legends[0].legend_handles if handle is not None]
    names = [entry.get_text() for entry in legends[0].get_texts()]
    for legend in legends:
        legend.remove()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=MEDIUM, frameon=False)
