"""Cell types: what their units do, and how they are connected."""

from __future__ import annotations

import numpy as np
import xarray as xr

import biornn as bn
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import Cell, Column, Row, Table, count, spread, table

_SIGNS = {1: "+", -1: "−", 0: "either"}


def cell_types(reading: Reading) -> Section | None:
    """Say what the units of each type do, and how types are connected; None where no network has types."""
    signs = bn.schema.type_signs(reading.weights["cell_type"])
    types = [name for name in signs if name != "unconstrained"]
    n_units = bn.schema.text(reading.weights["cell_type"]) == xr.DataArray(types, {"cell_type": types}, ["cell_type"])
    n_units = n_units.sum("unit").where(~reading.gated, 0)
    there = {
        condition: [name for name in types if (reading.members(n_units, condition).sel(cell_type=name) > 0).any()]
        for condition in reading.conditions
    }
    if not any(there.values()):
        return None
    return Section(
        "cell_types",
        "Cell types",
        (_units(reading, there, n_units, signs), _synapses(reading, there)),
    )


def _units(reading: Reading, there: dict[str, list[str]], n_units: xr.DataArray, signs: dict[str, int]) -> Table:
    """Tabulate what the units of each type do and send."""
    cell_type, (_, activity, where) = reading.weights["cell_type"], reading.watched
    rates = activity["rates"].isel(time=slice(int(reading.watched.trials["n_steps"].min())))
    sent = bn.analysis.weight_distribution(reading.last_weights, reading.weights["recurrent_mask"], cell_type)
    found = {
        "mean size of the rate": (bn.analysis.by_cell_type(abs(rates).mean(["trial", "time"]), cell_type), ".2g"),
        "mean size of the current that they send": (reading.type_currents["size"], ".2g"),
        "mean weight": (sent["mean"], ".2g"),
        "synapses that they send": (sent["n_synapses"], ",.0f"),
    }
    if reading.has("memory_state") and reading.selectivity is not None:
        mixed = bn.analysis.by_cell_type(reading.selectivity["mixed_selectivity"], cell_type)
        found["mixed selectivity (bits per unit)"] = (mixed, ".2f")
    rows: list[Row] = [
        [
            condition,
            name,
            Cell(_SIGNS[signs[name]]),
            count(float(reading.members(n_units, condition).sel(cell_type=name).max())),
            *(spread(reading.members(values.sel(cell_type=name), condition), form) for values, form in found.values()),
        ]
        for condition, types in there.items()
        for name in types
    ]
    return table(
        f"What the units of each type do in {where} and send to others, after training: median [min, max] over the "
        "trained networks of a condition. Sizes are absolute values, so that states of opposite sign do not cancel; "
        "the current is what a unit receives from all units of the type.",
        ["condition", "cell type", "sign", "units", *(Column(heading) for heading in found)],
        rows,
    )


def _synapses(reading: Reading, there: dict[str, list[str]]) -> Table:
    """Tabulate how densely types are connected, and how strong their synapses are."""
    types = list(dict.fromkeys(name for names in there.values() for name in names))
    mask, weights = reading.weights["recurrent_mask"], reading.last_weights
    density = _by_pair(mask.astype(float), reading.weights["cell_type"])
    strength = _by_pair(weights.where(mask), reading.weights["cell_type"])

    def cell(condition: str, pre: str, post: str) -> Cell:
        if post not in there[condition]:
            return Cell("–")
        shares, sizes = (
            reading.members(values.sel(cell_type=pre, cell_type_post=post), condition) for values in (density, strength)
        )
        share, size = float(shares.median()), float(sizes.median())
        return Cell(f"{share:.0%} · {size:+.2g}" if np.isfinite(size) else f"{share:.0%}", share)

    rows: list[Row] = [
        [condition, pre, *(cell(condition, pre, post) for post in types)]
        for condition in there
        for pre in there[condition]
    ]
    return table(
        "Synapses from the type of a row to the type of a column: share of the pairs of units that are connected, and "
        "the mean weight after training; medians over the trained networks of a condition.",
        ["condition", "from", *(f"to {name}" for name in types)],
        rows,
    )


def _by_pair(values: xr.DataArray, cell_type: xr.DataArray) -> xr.DataArray:
    """Average over the synapses from each type (`cell_type`) to each (`cell_type_post`)."""
    total, n = (
        bn.analysis.by_cell_type(
            bn.analysis.by_cell_type(one, cell_type, "unit_post").rename(cell_type="cell_type_post"),
            cell_type,
            "unit_pre",
        )
        for one in (values.fillna(0.0), values.notnull().astype(float))
    )
    return total / n.where(n > 0)
