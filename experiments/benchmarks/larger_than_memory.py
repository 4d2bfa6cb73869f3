"""Time and peak memory of analyses of a run larger than the memory that is allowed.

Every analysis and every way to open the run has a process of its own. The run has planted activity, and is written
network by network into a temporary folder.
"""

from __future__ import annotations

import resource
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path

import dask
import numpy as np
import xarray as xr
from side_by_side import alone, describe, seconds, table

import biornn as bn
from biornn.store import NETWORK_GROUPS, RunWriter

DEFAULTS = {"networks": 80, "trials": 250, "units": 100, "share": 0.5, "folder": Path(tempfile.gettempdir())}
_MEGABYTE = 2**20


def _lazily(folder: str) -> xr.DataTree:
    return bn.open_run(folder, chunks={})


#: Way of opening -> run, and how many chunks are worked on at a time.
WAYS: dict[str, tuple[Callable[[str], xr.DataTree], int]] = {
    "`bn.open_run(run, chunks={})`": (_lazily, 2),
    "the same, a network at a time": (_lazily, 1),
    "`xarray.open_datatree(…, chunks={})`": (
        lambda folder: xr.open_datatree(Path(folder, "run.zarr"), engine="zarr", chunks={}),
        2,
    ),
    "`bn.open_run(run)`": (bn.open_run, 1),
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


def write(folder: str, n_networks: int, n_trials: int, n_units: int) -> None:
    """Write a run whose rates are the signs of the targets, turned into the space of the units, and noise."""
    trials = bn.tasks.FlipFlop().trials(n_trials, seed=0)
    names = np.array([f"planted-s{seed:02d}" for seed in range(n_networks)], object)
    coords = {
        "network": names,
        "condition": ("network", np.full(n_networks, "planted", object)),
        "seed": ("network", np.arange(n_networks)),
    }
    groups = {"trials": trials, "probe_trials": trials[[]]}
    writer = RunWriter(Path(folder), xr.Dataset(coords=coords), {"title": "Larger than memory"}, groups)
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
        xr.Dataset({"recurrent_weights": (("snapshot", "unit_pre", "unit_post"), weights)}),
    )


def ask(folder: str, way: str, analysis: str, limit: float) -> tuple[float, float, float]:
    """Ask one thing of a run in this process, which should be a fresh one, and may have some MB for its data (0: any).

    Returns the time to the answer in s, MB of the whole process at its peak, and the mean of the answer.
    """
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (int(limit * _MEGABYTE), resource.RLIM_INFINITY))
    opened, n_workers = WAYS[way]
    start = time.perf_counter()
    with dask.config.set(scheduler="threads", num_workers=n_workers):
        answer = ANALYSES[analysis](opened(folder)).compute()
    found = time.perf_counter() - start
    return found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGABYTE, float(answer.mean())


def cell(*arguments: object) -> str:
    """Ask in a fresh process: s, and peak MB, or that the memory was not enough."""
    try:
        found, megabytes, _ = alone(ask, *arguments, threads=2)
    except RuntimeError as error:
        if any(words in str(error) for words in ("MemoryError", "can't start new thread")):
            return "memory is not enough"
        raise
    return f"{found:.1f}, {megabytes:.0f}"


def parts(options: Namespace) -> list[str]:
    """Write the run, and ask everything."""
    sizes = options.networks, options.trials, options.units
    activity = 4 * sizes[0] * sizes[1] * round(bn.tasks.FlipFlop().duration) * sizes[2] / _MEGABYTE
    limit = options.share * activity
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = str(Path(temporary) / "run")
        written = seconds(partial(alone, write, folder, *sizes, threads=2))
        stored = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / _MEGABYTE
        rows = [[asked, *(cell(folder, way, asked, limit) for way in WAYS)] for asked in ANALYSES]
    allowed = f"{limit:,.0f} MB for its data, {options.share:.0%} of that" if limit else "any memory"
    return [
        table(["what is asked", *(f"{way}: s, peak MB" for way in WAYS)], rows),
        f"{sizes[0]} networks of {sizes[2]} units on {sizes[1]:,} trials: {activity:,.0f} MB of activity, written in "
        f"{written:.0f} s ({stored:,.0f} MB on disk). A process may have {allowed}; its peak is that of all that it "
        f"holds, libraries included. Dask works on two networks at a time, where nothing else is said; "
        f"{describe('biornn', 'xarray', 'zarr', 'dask')}",
    ]
