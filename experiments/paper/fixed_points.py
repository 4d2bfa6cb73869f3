"""Find the fixed points of the published network at each snapshot: python experiments/paper/fixed_points.py PUBLISHED.

PUBLISHED is the run of `biornn import`. Prints a row per snapshot, and draws the points of the last one among the
outputs, and an output at the points of all. It takes some minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

import biornn as bn
from biornn.plots.style import PAGE_WIDTH, open_figure


def found_in(run: xr.DataTree, n_starts: int, max_batches: int) -> xr.Dataset:
    """Find the points of the network at all snapshots, and match them to the memory states."""
    weights, probe = run["weights"].to_dataset().load(), run["probe_trials"].to_dataset().load()
    rates = run["probe_activity"]["rates"].load()
    points = bn.analysis.fixed_points(weights, rates, probe_trials=probe, n_starts=n_starts, max_batches=max_batches)
    matched = bn.analysis.memory_attractors(points, weights, probe)
    held = [
        bn.analysis.retention(weights.isel(snapshot=[at]), probe).survived for at in range(points.sizes["snapshot"])
    ]
    return (
        points.rename(memory_state="state_there")
        .merge(matched)
        .assign(held=xr.concat(held, "snapshot"))
        .isel(network=0)
    )


def table(points: xr.Dataset) -> str:
    """Lay out what was found as a table in Markdown, a row per snapshot."""
    stable, n_unstable = points["kind"] == "stable", points["n_unstable"]
    columns = {
        "updates": points["update"],
        "stable": stable.sum("fixed_point"),
        "saddles, 1 unstable mode": (n_unstable == 1).sum("fixed_point"),
        "more unstable modes": (n_unstable > 1).sum("fixed_point"),
        "slow points": points["n_slow_points"],
        "index sum": points["index_sum"],
        "unseen, at least": points["n_unseen"].round(),
        "states with an attractor": points["has_attractor"].sum("memory_state"),
        "states held": points["held"].sum("memory_state"),
        "bit not set": points["n_unset"],
        "spurious": points["n_spurious"],
        "slowest mode of a stable point (ms)": points["time_constant"]
        .where(stable)
        .max(["fixed_point", "mode"])
        .round(),
    }
    rows = [list(columns), ["---:"] * len(columns)]
    rows += [[f"{float(values[at]):,.0f}" for values in columns.values()] for at in range(points.sizes["snapshot"])]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def figure(points: xr.Dataset, outputs: xr.DataArray) -> Figure:
    """Draw the points of the last snapshot among the outputs, and an output at those of all snapshots."""
    drawn = open_figure(PAGE_WIDTH, 3.4)
    last = points.isel(snapshot=-1)
    bn.plots.fixed_points(last, outputs, last["leads_to"], ax=drawn.add_subplot(1, 2, 1, projection="3d"))
    ax = drawn.add_subplot(1, 2, 2)
    bn.plots.fixed_points_in_training(points, points["output_channel"].values[0], ax=ax)
    ax.set_xscale("symlog", linthresh=100)
    return drawn


def main() -> None:
    """Search, print, and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("published", metavar="PUBLISHED", type=Path, help="run of `biornn import`")
    parser.add_argument("--starts", type=int, default=256, help="in a batch (default: %(default)s)")
    parser.add_argument("--batches", type=int, default=20, help="at most (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("fixed_points.png"), help="figure (default: %(default)s)")
    options = parser.parse_args()
    run = bn.open_run(options.published)
    points = found_in(run, options.starts, options.batches)
    print(table(points))
    figure(points, run["probe_activity"]["outputs"].isel(network=0).load()).savefig(options.out, dpi=200)
    print(options.out)


if __name__ == "__main__":
    main()
