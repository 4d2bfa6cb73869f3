"""Time a set of networks on one worker process and on two, in turns: python experiments/benchmarks/set_times.py.

The time of a whole `biornn run` counts: start of the processes, trials, snapshots, validation, recording, store.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from rich.console import Console

from biornn.experiment import Experiment, expand, run_experiment
from biornn.experiment.cluster import connect
from biornn.experiment.worker import measure as time_in_worker

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


def measure(planned: Experiment, n_rounds: int) -> dict[str, list[float]]:
    """Time whole runs and single updates, in turns.

    Parameters
    ----------
    planned
        The experiment.
    n_rounds
        Rounds.

    Returns
    -------
    dict
        ``"1"`` and ``"2"``: seconds of a run with as many workers; ``"updates"``: seconds that its updates alone take.
    """
    found: dict[str, list[float]] = {**{str(n_workers): [] for n_workers in WORKERS}, "updates": []}
    for _ in range(n_rounds):
        for n_workers in WORKERS:
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                run_experiment(
                    planned, Path(folder) / "run", n_workers=n_workers, console=Console(file=io.StringIO())
                ).close()
                found[str(n_workers)].append(time.perf_counter() - start)
        with connect(n_workers=1) as client:
            update = client.submit(time_in_worker, expand(planned)[0], "tensorflow", pure=False).result().update
        found["updates"].append(update * planned.training.max_updates * len(planned.seeds))
    return found


def table(planned: Experiment, found: Mapping[str, Sequence[float]]) -> str:
    """Lay out the ratios as a table in Markdown."""
    one, two, updates = (found[key] for key in ("1", "2", "updates"))
    rows = {
        "one worker over two": [a / b for a, b in zip(one, two, strict=True)],
        "share of one worker's time that is updates": [a / b for a, b in zip(updates, one, strict=True)],
    }
    lines = ["| whole runs | ratio |", "| --- | ---: |"]
    for name, ratios in rows.items():
        lines.append(f"| {name} | {median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}] |")
    training = planned.training
    told = (
        f"{len(planned.seeds)} constrained networks of {planned.network.n_units} units, {training.max_updates} updates "
        f"of {training.batch_size} trials each, {median(one):.0f} s with one worker; median [lowest, highest] of "
        f"{len(one)} rounds."
    )
    return "\n".join([*lines, "", told, ""])


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    options = parser.parse_args()
    planned = experiment(options.units, options.networks, options.updates)
    text = table(planned, measure(planned, options.rounds))
    print(text)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text)


if __name__ == "__main__":
    main()
