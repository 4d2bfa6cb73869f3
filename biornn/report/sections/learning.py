"""How the networks learned, and when they reached the criterion."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from biornn import plots
from biornn.plots.panels import share_legend
from biornn.plots.style import COLUMN_WIDTH, MEDIUM, PAGE_WIDTH, open_figure, set_text_sizes
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Cell, Column, Row, Table, spread, table


def learning(reading: Reading) -> Section:
    """Learning curves, and updates to the criterion.

    Parameters
    ----------
    reading
        The run.
    """
    blocks: list[Block] = [
        "Accuracy is the share of samples (trial, time, output) whose output says what the target says: above 0.5, "
        "below −0.5, or between. It is measured here on validation trials, which no network was trained on."
    ]
    blocks.append(learning_curves(reading))
    if _criterion(reading) is not None:
        blocks.append(_time_to_criterion(reading))
    return Section("learning", "How the networks learned", tuple(blocks))


def learning_curves(reading: Reading) -> Picture:
    """Accuracy and validation loss over updates, a line per condition.

    Parameters
    ----------
    reading
        The run.
    """
    criterion = _criterion(reading)

    def draw(n_columns: int) -> Figure:
        figure = open_figure(PAGE_WIDTH, 3.1) if n_columns > 1 else open_figure(COLUMN_WIDTH, 5.2)
        first, second = figure.subplots(*((1, 2) if n_columns > 1 else (2, 1)))
        plots.learning_curves(reading.history, metric="accuracy", criterion=criterion, ax=first)
        plots.learning_curves(reading.history, metric="val_loss", ax=second)
        second.set_yscale("log")
        second.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        second.yaxis.set_major_formatter("{x:g}")
        second.yaxis.set_minor_locator(NullLocator())
        for ax in (first, second):
            set_text_sizes(ax)
        figure.suptitle(first.get_legend().get_title().get_text(), fontsize=MEDIUM)
        share_legend(figure)
        return figure

    told = [_tell(reading, condition) for condition in reading.conditions]
    return Picture(
        "learning_curves",
        draw,
        f"Accuracy and validation loss against optimizer updates, a line per condition. {' '.join(told)}",
        "Accuracy and loss on the validation trials during training. A line is the median of a condition's networks, "
        "its band reaches from the lowest to the highest. Networks that were not trained to the end are left out.",
    )


def _criterion(reading: Reading) -> float | None:
    return reading.experiment.get("training", {}).get("criterion")


def _tell(reading: Reading, condition: str) -> str:
    accuracy = reading.members(reading.history["accuracy"], condition)
    known = accuracy.isel(epoch=np.flatnonzero(accuracy.notnull().any("network")))
    if not known.size:
        return f"{condition}: no network with a recorded accuracy."
    medians = known.median("network")
    first, last = float(medians[0]), float(medians[-1])
    if known.sizes["epoch"] == 1:
        return f"{condition}: median accuracy {last:.3f}."
    verb = "rises" if last > first else "goes"
    return f"{condition}: median accuracy {verb} from {first:.3f} to {last:.3f}."


def _time_to_criterion(reading: Reading) -> Table:
    rows: list[Row] = []
    for condition in reading.conditions:
        steps = reading.history["steps_to_criterion"]
        when = reading.members(steps, condition)
        reached: xr.DataArray = when.isel(network=np.flatnonzero(when.notnull()))
        n_networks = int((reading.condition == condition).sum())
        share = Cell(f"{reached.sizes['network']} of {n_networks}", reached.sizes["network"] / n_networks)
        rows.append([condition, share, spread(reached, ".0f")])
    return table(
        f"When networks held an accuracy of {_criterion(reading):g} on the validation trials: median [min, max] of "
        "those that did. Those that never did are counted, and have no number.",
        ["condition", "reached it", Column("time to criterion", "updates")],
        rows,
    )
