"""How many fixed points networks have, of which kinds: the numbers by which conditions are compared."""

from __future__ import annotations

import numpy as np
import xarray as xr
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from biornn.errors import printable
from biornn.report.summary import median_and_range
from biornn.schema import FIXED_POINTS, is_trained, text


def fixed_point_counts(run: xr.DataTree) -> xr.Dataset:
    """Count the fixed points that `biornn fixed-points` added to a run.

    Returns
    -------
    xarray.Dataset
        Over `network`: ``n_fixed_points``, ``n_stable``, ``n_saddles`` (unstable points count, too), ``n_slow_points``,
        ``is_complete`` (1 or 0), and ``slowest`` (the longest time constant at a stable point, in ms); where the probe
        holds memory states also ``share_attractors`` (of the states that end in an attractor that holds them),
        ``share_moving`` (of the states in which the network never stands still, as in an oscillation),
        ``n_unset`` (attractors with a bit that is not set) and ``n_spurious`` (other attractors);
        ``n_without`` (states without an attractor), and ``n_by_steps`` (those of them that go on moving, and have one
        in continuous time).
        NaN for a network that was not trained, or cannot be run.
    """
    points = run[FIXED_POINTS[0]].to_dataset().load()
    kind = text(points["kind"])
    stable = kind == "stable"
    found = xr.Dataset(
        {
            "n_fixed_points": points["n_fixed_points"].astype(float),
            "n_stable": stable.sum("fixed_point").astype(float),
            "n_saddles": kind.isin(["saddle", "unstable"]).sum("fixed_point").astype(float),
            "n_slow_points": points["n_slow_points"].astype(float),
            "is_complete": points["complete"].astype(float),
            "slowest": points["time_constant"].where(stable).pad(fixed_point=(0, 1)).max(["fixed_point", "mode"]),
        }
    )
    known = is_trained(run["history"].to_dataset()["status"]) & points["n_unseen"].notnull()
    if FIXED_POINTS[1] in run.children:
        matched = run[FIXED_POINTS[1]].to_dataset().load()
        found["share_attractors"] = matched["has_attractor"].mean("memory_state")
        found["share_moving"] = 1 - matched["stands_still"].mean("memory_state")
        found = found.assign({name: matched[name] for name in ("n_unset", "n_spurious")})
        if "n_unstable_continuous" not in points:  # found by an earlier version
            return found.where(known)
        by_steps = (points["n_unstable"] > 0) & (points["n_unstable_continuous"] == 0) & (kind != "manifold")
        is_there = text(points["memory_state"]) == text(matched["memory_state"])
        moves = ~matched["has_attractor"] & ~matched["stands_still"]
        found["n_without"] = (~matched["has_attractor"]).sum("memory_state").astype(float)
        found["n_by_steps"] = (moves & (is_there & by_steps).any("fixed_point")).sum("memory_state").astype(float)
    return found.where(known)


def by_steps_alone(counts: xr.Dataset) -> str:
    """Say in how many states without an attractor only the steps are why; nothing where in none."""
    if "n_without" not in counts or not (n_by_steps := int(counts["n_by_steps"].sum())):
        return ""
    n_without = int(counts["n_without"].sum())
    return (
        f"States without an attractor: {n_without}, of which {n_by_steps} would have one in continuous time;\n"
        "there the motion comes from the length of the steps."
    )


def fixed_point_table(run: xr.DataTree) -> Table:
    """Lay out the fixed points of a run, one row per condition: median [lowest, highest] over its trained networks."""
    counts = fixed_point_counts(run)
    condition = text(run["history"].to_dataset()["condition"])
    columns = {"n_stable": "stable", "n_saddles": "saddles", "n_slow_points": "slow points"}
    if "n_spurious" in counts:
        columns |= {
            "share_attractors": "states with an attractor",
            "share_moving": "states that go on moving",
            "n_unset": "attractors, a bit unset",
            "n_spurious": "spurious",
        }
    columns["slowest"] = "slowest mode (ms)"
    table = Table(title=Text("Fixed points without input: median [min, max] over seeds"), title_justify="left")
    table.add_column("condition", no_wrap=True)
    for heading in (*columns.values(), "complete"):
        table.add_column(heading, justify="right")
    for name in dict.fromkeys(condition.values.tolist()):
        rows = counts.isel(network=np.flatnonzero(condition == name))
        rows = rows.isel(network=np.flatnonzero(rows["n_fixed_points"].notnull()))
        cells = [median_and_range(rows[column], ".0%" if column.startswith("share") else ".0f") for column in columns]
        complete = f"{int(rows['is_complete'].sum())}/{rows.sizes['network']}"
        table.add_row(Text(printable(name)), *map(escape, cells), complete)
    table.caption = (
        "slowest mode: longest time constant at a stable point, of the networks that have one. complete: networks in\n"
        "which no sign is left that a fixed point was missed. a bit unset: stable points that hold a state with a bit\n"
        "that is not set yet. spurious: stable points that hold no state. A state that goes on moving may be held by\n"
        f"an oscillation. {by_steps_alone(counts)}"
    )
    table.caption_justify = "left"
    return table
