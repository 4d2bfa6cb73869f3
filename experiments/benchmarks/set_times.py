"""Time a set of networks on one worker process and on two, in turns: python experiments/benchmarks/set_times.py.

The time of a whole run counts: start of the processes, trials, snapshots, validation, recording, store. What two
processes can reach on a machine at best is timed beside it: the products of such networks alone, in numpy.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from machine import child_environment, describe
from rich.console import Console
from tables import head, ratios, row, show
from updates import numpy_updates

from biornn.experiment import Experiment, run_experiment

WORKERS = (1, 2)


def experiment(n_units: int, n_networks: int, n_updates: int) -> Experiment:
    """Make a set of fully constrained networks on the three-bit flip-flop, which all train equally long."""
    return Experiment(
        title="A set of networks, timed",
        network={"n_units": n_units, "tau": 7.0, "excitatory_fraction": 0.8, "density": 0.5, "autapses": False},
        conditions={"constrained": {}},
        seeds=n_networks,
        training={"max_updates": n_updates, "batch_size": 64, "validate_every": 50},
        recording={"n_trials": 64},
    )


def described(planned: Experiment) -> str:
    """Say in words what such a set is."""
    training = planned.training
    return (
        f"{len(planned.seeds)} constrained networks of {planned.network.n_units} units, {training.max_updates} updates "
        f"of {training.batch_size} trials each"
    )


def time_run(planned: Experiment, n_workers: int) -> float:
    """Time a whole run in this process and its workers, in s."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run_experiment(planned, Path(folder) / "run", n_workers=n_workers, console=Console(file=io.StringIO())).close()
        return time.perf_counter() - start


def time_products(n_units: int, n_updates: int) -> float:
    """Time the products of so many updates in this process, in s."""
    products = numpy_updates(n_units, 64)["products"]
    products()
    start = time.perf_counter()
    for _ in range(n_updates):
        products()
    return time.perf_counter() - start


def measure_products(n_units: int, n_updates: int, n_rounds: int) -> dict[int, list[float]]:
    """Time the products of a set in one process, and those of half of it in each of two at once, in turns.

    Parameters
    ----------
    n_units
        Of the networks.
    n_updates
        Of the whole set.
    n_rounds
        Rounds.

    Returns
    -------
    dict
        Number of processes -> seconds, one per round, of the slowest.
    """
    found: dict[int, list[float]] = {n_workers: [] for n_workers in WORKERS}
    for _ in range(n_rounds):
        for n_workers in WORKERS:
            words = ["--units", str(n_units), "--products", str(n_updates // n_workers)]
            processes = [
                subprocess.Popen(
                    [sys.executable, __file__, *words], env=child_environment(1), stdout=subprocess.PIPE, text=True
                )
                for _ in range(n_workers)
            ]
            found[n_workers].append(max(json.loads(process.communicate()[0]) for process in processes))
    return found


def measure(words: Sequence[str], n_rounds: int) -> dict[int, list[float]]:
    """Time whole runs, each in a process of its own, in turns.

    Parameters
    ----------
    words
        What this command is to be told about the set.
    n_rounds
        Rounds.

    Returns
    -------
    dict
        Number of workers -> seconds, one per round.
    """
    found: dict[int, list[float]] = {n_workers: [] for n_workers in WORKERS}
    for _ in range(n_rounds):
        for n_workers in WORKERS:
            done = subprocess.run(
                [sys.executable, __file__, *words, "--here", str(n_workers)], env=child_environment(1), check=True,
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            found[n_workers].append(json.loads(done.stdout.splitlines()[-1]))
    return found


def table(planned: Experiment, found: Mapping[int, Sequence[float]], products: Mapping[int, Sequence[float]]) -> str:
    """Lay out the times of whole runs, and of their products alone, as a table in Markdown."""
    lines = head(["a set of networks", f"{WORKERS[0]} worker", f"{WORKERS[1]} workers", "speed-up"])
    for words, times in ((described(planned), found), ("*the products of its updates alone (numpy)*", products)):
        one, two = (times[n_workers] for n_workers in WORKERS)
        lines.append(row([words, f"{median(one):.0f} s", f"{median(two):.0f} s", ratios(one, two)]))
    told = f"Whole runs; median [lowest, highest] of {len(one)} rounds. {describe('biornn', 'keras', 'tensorflow')}."
    return "\n".join([*lines, "", told, ""])


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--networks", type=int, default=8)
    parser.add_argument("--updates", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    parser.add_argument("--here", type=int, metavar="WORKERS", help="time one run in this process, and print seconds")
    parser.add_argument("--products", type=int, metavar="UPDATES", help="time products in this process, and print it")
    options = parser.parse_args()
    if options.products:
        print(json.dumps(time_products(options.units, options.products)))
        return
    planned = experiment(options.units, options.networks, options.updates)
    if options.here:
        print(json.dumps(time_run(planned, options.here)))
        return
    numbers = {"units": options.units, "networks": options.networks, "updates": options.updates}
    words = [word for name, number in numbers.items() for word in (f"--{name}", str(number))]
    products = measure_products(options.units, options.networks * options.updates, options.rounds)
    show(table(planned, measure(words, options.rounds), products), options.out)


if __name__ == "__main__":
    main()
