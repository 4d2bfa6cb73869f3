"""Whether each declared constraint held, counted from the weights."""

from __future__ import annotations

import numpy as np

from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Cell, Column, count, table

_COUNTS = ("sign_violations", "mask_violations", "autapses")


def constraints(reading: Reading) -> Section:
    """Violations per condition, over all networks and snapshots.

    Parameters
    ----------
    reading
        The run.
    """
    checked = _checked(reading)
    rows = []
    for condition in reading.conditions:
        members = np.flatnonzero(reading.condition == condition)
        found = reading.violations.isel(network=members)
        declared = reading.described[condition].get("constraints", "not known: no network has weights")
        rows.append(
            [
                condition,
                declared,
                Cell(f"{int(checked[members].any(axis=1).sum())} of {len(members)}"),
                count(checked[members].sum()),
                *(count(found[name].sum(), alarm=True) for name in _COUNTS),
                _signs_of_rates(reading, condition),
            ]
        )
    blocks: list[Block] = [_verdict(reading, checked)]
    if unchecked := [name for name, known in zip(reading.networks, checked.any(axis=1), strict=True) if not known]:
        blocks.append(f"Without recorded recurrent weights, and so not checked: {', '.join(unchecked)}.")
    blocks.append(
        table(
            "Violated constraints, counted in the effective weights. Signs are those of recurrent, input and readout "
            "weights; masks say where a weight may exist; self-connections count where they are not allowed. Where "
            "rates take both signs, Dale's law holds for weights and not for all that they transmit.",
            [
                "condition",
                "declared",
                "networks checked",
                Column("snapshots checked"),
                "wrong signs",
                "weights outside of masks",
                "self-connections",
                "rates",
            ],
            rows,
        )
    )
    return Section("constraints", "Did the constraints hold?", tuple(blocks))


def _checked(reading: Reading) -> np.ndarray:
    """Tell at which snapshots of which networks there are weights to check, (network, epoch)."""
    weights = reading.weights["recurrent_weights"]
    known: np.ndarray = weights.notnull().all(["unit_pre", "unit_post"]).transpose("network", "epoch").values
    return known


def _verdict(reading: Reading, checked: np.ndarray) -> str:
    n_violations = int(sum(reading.violations[name].sum() for name in _COUNTS))
    n_networks, n_snapshots = int(checked.any(axis=1).sum()), int(checked.sum(axis=1).max(initial=0))
    if not n_networks:
        return "There are no recurrent weights to check."
    networks = "1 network" if n_networks == 1 else f"{n_networks} networks"
    where = f"{networks}, checked at {n_snapshots} snapshots{'' if n_networks == 1 else ' each'}"
    if not checked[checked.any(axis=1)].all():
        where = f"{networks}, checked at up to {n_snapshots} snapshots each"
    if n_violations:
        return f"{n_violations:,} violations of declared constraints in {where}."
    if all(told.get("constraints") == "none" for told in reading.described.values()):
        return f"No constraint was declared, so none is violated: {where}."
    return f"Every declared constraint held: no violation in {where}."


def _signs_of_rates(reading: Reading, condition: str) -> Cell:
    non_negative = reading.members(reading.violations["non_negative_rates"], condition)
    if not non_negative.size:
        return Cell("none")
    return Cell("non-negative" if non_negative.all() else "of both signs" if not non_negative.any() else "differ")
