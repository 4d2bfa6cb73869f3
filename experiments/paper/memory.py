"""Draw when memories begin, published network and own run: python experiments/paper/memory.py PUBLISHED RUN.

Prints a row per snapshot of the first run: updates, accuracy, share of states held, and how long each is kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import biornn as bn
from biornn.plots.bands import band, look
from biornn.plots.style import PAGE_WIDTH, open_figure
from biornn.schema import text


def retained(run: xr.DataTree) -> xr.Dataset:
    """Measure `held` and `retention_time` at every snapshot, beside the `history` of a run."""
    weights, probe = run["weights"].to_dataset().load(), run["probe_trials"].to_dataset().load()
    found = [bn.analysis.retention(weights.isel(snapshot=[at]), probe) for at in range(weights.sizes["snapshot"])]
    kept = xr.concat([one[["held", "retention_time"]] for one in found], "snapshot")
    return run["history"].to_dataset().load().drop_vars("held", errors="ignore").merge(kept, compat="override")


def figure(published: xr.Dataset, own: xr.Dataset) -> Figure:
    """Draw accuracy and held over updates: the published network, and a line per condition of the own run."""
    drawn = open_figure(PAGE_WIDTH, 2.9)
    own = own.assign_coords(condition=text(own["condition"]))
    conditions = list(dict.fromkeys(own["condition"].values.tolist()))
    for ax, name, words in zip(
        drawn.subplots(1, 2), ("score", "held"), ("accuracy", "states held for 5 s"), strict=True
    ):
        ax.plot(published["update"], published[name].squeeze("network"), "k.-", label="published, 400 units")
        for index, condition in enumerate(conditions):
            members = own[name].isel(network=np.flatnonzero(own["condition"] == condition))
            band(ax, members, "update", condition, look(index))
        ax.set_xscale("symlog", linthresh=100)
        ax.set_xlabel("optimizer updates")
        ax.set_ylabel(words)
        ax.set_ylim(-0.03, 1.03)
    drawn.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=5, fontsize="small")
    return drawn


def main() -> None:
    """Measure both runs, draw, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("published", metavar="PUBLISHED", type=Path, help="run of `biornn import`")
    parser.add_argument("run", metavar="RUN", type=Path, help="run of `biornn run`")
    parser.add_argument(
        "--out", type=Path, default=Path("memory.png"), help="file of the figure (default: %(default)s)"
    )
    options = parser.parse_args()
    published, own = (retained(bn.open_run(path)) for path in (options.published, options.run))
    figure(published, own).savefig(options.out, dpi=200)
    for at, update in enumerate(published["update"].values.tolist()):
        one = published.isel(network=0, snapshot=at)
        times = ", ".join(f"{state} {time:,.0f}" for state, time in one["retention_time"].to_series().items())
        print(f"{update:5d} updates: accuracy {float(one['score']):.3f}, held {float(one['held']):.0%}; ms: {times}")
    print(options.out)


if __name__ == "__main__":
    main()
