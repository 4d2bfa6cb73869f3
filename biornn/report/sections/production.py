"""What networks produce against what was asked for: intervals, frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import biornn as bn
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Block, requires
from biornn.report.tables import Row, interval, spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@requires("produced")
def production(reading: Reading) -> tuple[Block, ...] | None:
    """Lines through what was produced over what was asked for, and their parameters by condition."""
    if not reading.trained.any():
        return None
    outputs = reading.run["activity"].to_dataset()["outputs"].load()
    produced = reading.task.produced(outputs, reading.trials)
    asked = reading.task.produced(reading.trials["targets"].load(), reading.trials)
    asked = {name: one.assign_attrs(long_name=name.replace("_", " ")) for name, one in asked.items()}
    fits = {name: bn.analysis.production(produced[name], asked[name]) for name in produced}
    kept = np.flatnonzero(reading.trained)
    drawn = [name for name, fit in fits.items() if fit["slope"].notnull().any()]
    rows: list[Row] = []
    for name, fit in fits.items():
        missing = fit["n_missing"] / (fit["n_missing"] + fit["n_produced"])
        for condition in reading.shown:
            members = [reading.members(fit[one], condition) for one in ("slope", "bias", "spread")]
            nothing = spread(reading.members(missing, condition), ".0%")
            cells = [*(spread(one, ".3g") for one in members), nothing, interval(members[0], ".3g")]
            units = asked[name].attrs["units"]
            rows.append([f"{name} ({units})" if units != "1" else name, condition, *cells])

    def draw() -> Figure:
        from biornn.plots.panels import share_legend
        from biornn.plots.style import COLUMN_WIDTH, open_panels, set_text_sizes

        figure, axes = open_panels(len(drawn), len(drawn), COLUMN_WIDTH, 2.8)
        for name, ax in zip(drawn, axes, strict=True):
            bn.plots.production(produced[name].isel(network=kept), asked[name], ax=ax)
            set_text_sizes(ax)
        share_legend(figure)
        return figure

    told = "; ".join(
        f"{name}, {condition}: {float(reading.members(fits[name]['slope'], condition).median()):.2f}"
        for name in drawn
        for condition in reading.shown
    )
    pictures = [
        Picture(
            "production",
            draw,
            f"What networks produce over what was asked for, a line per condition. Median slopes: {told}.",
            "What networks produce over what was asked for, in the held-out trials. Line: median of a condition's "
            "networks, band: lowest to highest; dashed: as asked for.",
        )
    ]
    return (
        *(pictures if drawn else []),
        table(
            "Median [min, max] over the trained networks of a condition, and mean with its 95 % interval, whose unit "
            "is the network. Slope of what is produced over what was asked for: 1 where all is right, 0 where nothing "
            "depends on what was asked for. Bias: mean of what is produced less what was asked for; spread: standard "
            "deviation about the line.",
            ["produced", "condition", "slope", "bias", "spread", "trials without", "mean slope"],
            rows,
        ),
    )
