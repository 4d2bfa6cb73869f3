"""Analyse a run larger than the memory that is allowed: python experiments/benchmarks/larger_than_memory.py.

A run with planted activity is written network by network into a temporary folder. Every analysis of it has a process of
its own, whose peak memory is set beside the size of the activity.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dask
import numpy as np
import xarray as xr
from machine import child_environment, describe
from tables import head, row, show

import biornn as bn
from biornn.store import NETWORK_GROUPS, RunWriter

_MEGABYTE = 2**20

#: Way of opening -> run, and how many chunks are worked on at a time.
WAYS: dict[str, tuple[Callable[[Path], xr.DataTree], int]] = {
    "`bn.open_run(run, chunks={})`": (lambda path: bn.open_run(path, chunks={}), 2),
    "the same, a network at a time": (lambda path: bn.open_run(path, chunks={}), 1),
    "`xarray.open_datatree(…, chunks={})`": (
        lambda path: xr.open_datatree(path / "run.zarr", engine="zarr", chunks={}),
        2,
    ),
    "`bn.open_run(run)`": (lambda path: bn.open_run(path), 1),
}
#: What is asked -> its answer, in a few numbers per network.
ANALYSES: dict[str, Callable[[xr.DataTree], xr.DataArray]] = {
    "spectral radius of every snapshot": lambda run: bn.analysis.spectral_radius(run["weights"]["recurrent_weights"]),
    "mean over trials": lambda run: run["activity"]["rates"].mean("trial"),
    "share of the variance in three components": lambda run: bn.analysis.principal_components(run["activity"]["rates"])[
        "explained_variance_ratio"
    ],
    "participation ratio": lambda run: bn.analysis.participation_ratio(run["activity"]["rates"]),
    "memory cube": lambda run: bn.analysis.memory_cube(
        run["activity"]["rates"], run["trials"]["memory_state"].load(), run["trials"]["response_window"].load()
    )["similarity_r2"],
}


def write(folder: Path, n_networks: int, n_trials: int, n_units: int) -> None:
    """Write a run whose rates are the signs of the targets, turned into the space of the units, and noise.

    Parameters
    ----------
    folder
        Run folder.
    n_networks, n_trials, n_units
        Sizes.
    """
    trials = bn.tasks.FlipFlop().sample(n_trials, seed=0)
    names = np.array([f"planted-s{seed:02d}" for seed in range(n_networks)], object)
    index = xr.Dataset(
        coords={
            "network": names,
            "condition": ("network", np.full(n_networks, "planted", object)),
            "seed": ("network", np.arange(n_networks)),
        }
    )
    writer = RunWriter(folder, index, {"title": "Larger than memory"}, {"trials": trials, "probe_trials": trials[[]]})
    for seed, name in enumerate(names):
        groups = {group: xr.Dataset({"planted": ((), 1.0)}) for group in NETWORK_GROUPS}
        groups["history"] = xr.Dataset({"status": ((), np.array("completed", object))})
        groups["activity"], groups["weights"] = _planted(trials, n_units, seed)
        writer.write_network(name, groups)
    writer.finish()


def _planted(trials: xr.Dataset, n_units: int, seed: int) -> tuple[xr.Dataset, xr.Dataset]:
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((n_units, trials.sizes["output_channel"])))[0].astype(np.float32)
    rates = trials["targets"].values @ axes.T
    rates += np.float32(0.05) * rng.standard_normal(rates.shape, np.float32)
    coords = {"trial": trials["trial"], "time": trials["time"], "unit": np.arange(n_units)}
    weights = rng.standard_normal((20, n_units, n_units), np.float32) / np.float32(np.sqrt(n_units))
    return (
        xr.Dataset({"rates": (("trial", "time", "unit"), rates)}, coords),
        xr.Dataset({"recurrent_weights": (("epoch", "unit_pre", "unit_post"), weights)}),
    )


def ask(folder: Path, way: str, analysis: str, limit: float) -> dict[str, float]:
    """Ask one thing of a run in this process, which should be a fresh one.

    Parameters
    ----------
    folder
        Run folder.
    way, analysis
        Keys of `WAYS` and `ANALYSES`.
    limit
        Memory that the process may have for data, in MB; 0: any.

    Returns
    -------
    dict
        ``seconds``, ``megabytes`` of the whole process at its peak, and ``mean`` of the answer, to compare.
    """
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (int(limit * _MEGABYTE), resource.RLIM_INFINITY))
    opened, n_workers = WAYS[way]
    start = time.perf_counter()
    with dask.config.set(scheduler="threads", num_workers=n_workers):
        answer = ANALYSES[analysis](opened(folder)).compute()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGABYTE
    return {"seconds": seconds, "megabytes": peak, "mean": float(answer.mean())}


def main() -> None:
    """Write the run, ask everything, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=80)
    parser.add_argument("--trials", type=int, default=250)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--share", type=float, default=0.5, help="memory that a process may have, over the activity's")
    parser.add_argument(
        "--folder", type=Path, help="where the run is written and removed; default: the system's choice"
    )
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    parser.add_argument("--here", nargs="+", help="what a process of its own does: write, or a way and an analysis")
    options = parser.parse_args()
    sizes = options.networks, options.trials, options.units
    if options.here == ["write"]:
        write(options.folder, *sizes)
        return
    activity = 4 * sizes[0] * sizes[1] * round(bn.tasks.FlipFlop().duration) * sizes[2] / _MEGABYTE
    limit = options.share * activity
    if options.here:
        print(json.dumps(ask(options.folder, *options.here, limit=limit)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary) / "run"
        words = ["--networks", sizes[0], "--trials", sizes[1], "--units", sizes[2], "--share", options.share]
        words += ["--folder", folder, "--here"]
        start = time.perf_counter()
        _child([*words, "write"])
        written = time.perf_counter() - start
        stored = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / _MEGABYTE
        lines = head(["what is asked", *(f"{way}: s, peak MB" for way in WAYS)])
        lines += [row([asked, *(_child([*words, way, asked]) for way in WAYS)]) for asked in ANALYSES]
    allowed = f"{limit:,.0f} MB for its data, {options.share:.0%} of that" if limit else "any memory"
    told = (
        f"{sizes[0]} networks of {sizes[2]} units on {sizes[1]:,} trials: {activity:,.0f} MB of activity, written in "
        f"{written:.0f} s ({stored:,.0f} MB on disk). A process may have {allowed}; its peak is that of all that it "
        f"holds, libraries included. Dask works on two networks at a time, where nothing else is said; "
        f"{describe('biornn', 'xarray', 'zarr', 'dask')}."
    )
    show("\n".join([*lines, "", told, ""]), options.out)


def _child(words: list[object]) -> str:
    """Run this script again; say what it measured, or that memory was not enough."""
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)], env=child_environment(2), capture_output=True, text=True
    )
    if done.returncode:
        if "MemoryError" in done.stderr:
            return "memory is not enough"
        raise RuntimeError(done.stderr)
    if not done.stdout:
        return ""
    found = json.loads(done.stdout.splitlines()[-1])
    return f"{found['seconds']:.1f}, {found['megabytes']:.0f}"


if __name__ == "__main__":
    main()
