"""Whether each declared constraint held, counted from the weights."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Cell, Row, count, table
from biornn.report.words import plural

_COUNTS = ("sign_violations", "mask_violations", "autapses", "fixed_changes")


def constraints(reading: Reading) -> Section:
    """Violations per condition, over all networks and snapshots."""
    rows: list[Row] = []
    for condition in reading.conditions:
        members = np.flatnonzero(reading.condition == condition)
        found, checked = reading.violations.isel(network=members), reading.checked.isel(network=members)
        declared = reading.described[condition].get("constraints", "not known: no network has weights")
        rows.append(
            [
                condition,
                declared,
                Cell(f"{int(checked.any('snapshot').sum())} of {len(members)}"),
                _snapshots(checked),
                *(count(found[name].sum().item(), alarm=True) for name in _COUNTS),
                _signs_of_rates(reading, condition),
            ]
        )
    blocks: list[Block] = [_verdict(reading)]
    is_checked = reading.checked.any("snapshot").values.tolist()
    if unchecked := [name for name, known in zip(reading.networks, is_checked, strict=True) if not known]:
        blocks.append(f"Failed, diverged, or of a gated layer, and so not checked: {', '.join(unchecked)}.")
    blocks.append(
        table(
            "Violated constraints, counted in the effective weights. Signs are those of recurrent, input and readout "
            "weights; masks say where a weight may exist; self-connections count where they are not allowed; fixed "
            "weights are those that training may not change. Where rates take both signs, Dale's law holds for weights "
            "and not for all that they transmit.",
            [
                "condition",
                "declared",
                "networks checked",
                "snapshots of each",
                "wrong signs",
                "weights outside of masks",
                "self-connections",
                "changes of fixed weights",
                "rates",
            ],
            rows,
        )
    )
    return Section("constraints", "Did the constraints hold?", tuple(blocks))


def _verdict(reading: Reading) -> str:
    checked = reading.checked.values
    n_networks, n_snapshots = int(checked.any(axis=1).sum()), int(checked.sum(axis=1).max(initial=0))
    if not n_networks:
        return "There are no recurrent weights to check."
    how = "checked at" if checked[checked.any(axis=1)].all() else "checked at up to"
    where = f"{plural(n_networks, 'network')}, {how} {plural(n_snapshots, 'snapshot')}"
    where += "" if n_networks == 1 else " each"
    if reading.n_violations:
        return f"{plural(reading.n_violations, 'violation')} of declared constraints in {where}."
    is_checked = reading.constrained.values()
    if not is_checked:
        return f"No constraint was declared, so none is violated: {where}."
    if not any(is_checked):
        return f"No network with a constraint has weights to check; the others: no violation in {where}."
    what = "Every declared constraint" if all(is_checked) else "Every declared constraint that could be checked"
    return f"{what} held: no violation in {where}."


def _snapshots(checked: xr.DataArray) -> Cell:
    """Say at how many snapshots each network of a condition was checked."""
    counts = checked.sum("snapshot").values[checked.any("snapshot").values]
    if not counts.size:
        return count(0)
    low, high = int(counts.min()), int(counts.max())
    return count(high) if low == high else Cell(f"{low} to {high}", float(high))


def _signs_of_rates(reading: Reading, condition: str) -> Cell:
    non_negative = reading.members(reading.violations["non_negative_rates"], condition)
    if not non_negative.size:
        return Cell("none")
    return Cell("non-negative" if non_negative.all() else "of both signs" if not non_negative.any() else "differ")
