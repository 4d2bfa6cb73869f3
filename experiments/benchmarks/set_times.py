"""The time of a set of networks with one worker and with two, in turns.

A row for whole runs (start of the processes, trials, snapshots, validation, recording and store included), and one for
the products of such networks alone, in numpy, which is the best that two processes can reach on the machine.
"""

from __future__ import annotations

import io
import tempfile
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from side_by_side import alone, describe, in_turns, seconds, speed_ups

from biornn.experiment import Experiment, run_experiment

DEFAULTS = {"rounds": 3, "units": 100, "networks": 8, "updates": 600}
BATCH = 64


def experiment(units: int, networks: int, updates: int, batch: int = BATCH) -> Experiment:
    """Make a set of fully constrained networks on the three-bit flip-flop, which all train equally long."""
    return Experiment(
        title="A set of networks, timed",
        network={"n_units": units, "tau": 7.0, "excitatory_fraction": 0.8, "density": 0.5, "autapses": False},
        conditions={"constrained": {}},
        seeds=networks,
        training={"max_updates": updates, "batch_size": batch, "validate_every": 50},
        recording={"n_trials": batch},
    )


def described(units: int, networks: int, updates: int) -> str:
    """Say what such a set is."""
    return f"{networks} constrained networks of {units} units, {updates} updates of {BATCH} trials each"


def run(planned: Experiment, n_workers: int) -> None:
    """Make a whole run, which is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        run_experiment(planned, Path(folder) / "run", n_workers=n_workers, console=Console(file=io.StringIO())).close()


def time_run(n_workers: int, *sizes: int) -> float:
    """Time a whole run of this process and its workers, in s."""
    return seconds(partial(run, experiment(*sizes), n_workers))


def time_products(n_units: int, n_updates: int) -> float:
    """Time the products of so many updates in this process, in s."""
    from updates import products

    multiply = products(n_units, BATCH)
    multiply()
    return seconds(lambda: [multiply() for _ in range(n_updates)])


def time_products_together(n_processes: int, n_units: int, n_updates: int) -> float:
    """Time the products of so many updates, shared by processes that run at the same time: s of the slowest."""
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(alone, time_products, n_units, n_updates // n_processes) for _ in range(n_processes)]
        return max(one.result() for one in waiting)


def parts(options: Namespace) -> list[str]:
    """Measure whole runs, and then their products."""
    sizes = options.units, options.networks, options.updates
    n_updates = options.networks * options.updates
    whole = {n: partial(alone, time_run, n, *sizes) for n in (1, 2)}
    floor = {n: partial(time_products_together, n, options.units, n_updates) for n in (1, 2)}
    rows = {described(*sizes): whole, "*the products of its updates alone (numpy)*": floor}
    return [
        speed_ups("a set of networks", {name: in_turns(cases, options.rounds) for name, cases in rows.items()}),
        f"Whole runs; median [lowest, highest] of {options.rounds} rounds. {describe('biornn', 'keras', 'tensorflow')}",
    ]
