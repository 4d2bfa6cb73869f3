"""Search for the recipe that reaches its goal first: python experiments/search/time_to_goal.py.

`variants.yaml` says what is tried, in rounds; `results.csv` keeps what came of every network, and what is in it is not
trained again. Time to the goal is a number of updates, which does not depend on what else the machine does, times the
time of one update, which `--times` measures for all networks in turns. The table of both is printed at the end.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import astuple, dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from results import Result, read, table
from update_times import measure, write

from biornn.errors import in_one_line
from biornn.experiment import NetworkSpec, expand, load_experiment
from biornn.tasks.seeds import generator

HERE = Path(__file__).parent
PROTOCOL = HERE.parent / "paper" / "flip_flop.yaml"
N_TRIALS = 512  # held-out trials of the final scores
#: One thread a process.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
LEFT_TO_BLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # it knows the machine


@dataclass(frozen=True)
class Goal:
    """What a network is to reach on its validation trials, at two validations in a row."""

    accuracy: float
    mse: float = np.inf

    def first_reached(self, steps: Sequence[int], accuracy: Sequence[float], mse: Sequence[float]) -> float:
        """Return the first of the two updates at which it is reached; NaN if there are none.

        Parameters
        ----------
        steps, accuracy, mse
            Updates at which there was a validation, and what it gave.
        """
        good = [a >= self.accuracy and m <= self.mse for a, m in zip(accuracy, mse, strict=True)]
        held = (step for step, pair in zip(steps, itertools.pairwise(good), strict=False) if all(pair))
        return float(next(held, np.nan))


@dataclass(frozen=True)
class Job:
    """One network of a variant; `first` are shorter trials to begin with: duration in ms, pulses, updates."""

    round: str
    variant: str
    spec: NetworkSpec
    goal: Goal
    first: tuple[Mapping[str, int], ...] = ()


def jobs(rounds: Mapping[str, Any], folder: Path) -> Iterator[Job]:
    """List the networks of all rounds, in each seed by seed.

    Parameters
    ----------
    rounds
        Name -> ``base`` (an experiment file), ``conditions``, ``seeds``, ``goal``, ``set`` (changes for all) and
        ``variants``: name -> changes, each a dotted key of the experiment with its value, and perhaps ``first``,
        shorter trials to begin with.
    folder
        Where the experiment files are.
    """
    for name, one in rounds.items():
        variants = {variant: dict(changes or {}) for variant, changes in one["variants"].items()}
        first = {variant: tuple(changes.pop("first", ())) for variant, changes in variants.items()}
        shared = {**one.get("set", {}), "seeds": one["seeds"]}
        specs = {variant: _specs(folder / one["base"], shared | changes) for variant, changes in variants.items()}
        for seed, variant in itertools.product(one["seeds"], variants):
            chosen = (spec for spec in specs[variant] if spec.seed == seed and spec.condition in one["conditions"])
            yield from (Job(name, variant, spec, Goal(**one["goal"]), first[variant]) for spec in chosen)


def _specs(base: Path, changes: Mapping[str, Any]) -> list[NetworkSpec]:
    """Expand an experiment with changes as on the command line; JSON is YAML too."""
    return expand(load_experiment(base, [f"{key}={json.dumps(value)}" for key, value in changes.items()]))


def train_one(job: Job) -> Result:
    """Train one network, in this process.

    Parameters
    ----------
    job
        The network.
    """
    import keras

    from biornn.experiment.network import network_model
    from biornn.training import train

    keras.utils.clear_session()
    spec, settings = job.spec, job.spec.training.model_dump(exclude={"l1_weights", "l2_weights", "l2_rates"})
    model, before, start = network_model(spec.task, spec.network, spec.training, spec.seed), 0.0, time.perf_counter()
    for stage in job.first:
        task = replace(spec.task, duration=float(stage["duration"]), n_pulses=stage["n_pulses"])
        own = {"max_updates": stage["updates"], "validate_every": stage["updates"], "schedule": "constant"}
        train(model, task, seed=spec.seed + 1000, **{**settings, **own, "criterion": None})
        before += stage["updates"] * task.duration / spec.task.duration
    history = train(model, spec.task, seed=spec.seed, **settings)["history"].to_dataset()
    seconds = time.perf_counter() - start
    inputs, targets = spec.task.arrays(N_TRIALS, generator("search", 0))
    final = model.evaluate(inputs, targets, batch_size=128, verbose=0, return_dict=True)
    reached = job.goal.first_reached(*(history[name].values.tolist() for name in ("step", "accuracy", "val_loss")))
    updates, trained = reached + before, int(history["steps_trained"]) + before
    status = "diverged" if history["status"] == "diverged" else "not reached" if np.isnan(reached) else "reached"
    numbers = round(updates, 1), round(seconds * updates / trained, 2), round(final["accuracy"], 4)
    return Result(job.round, job.variant, spec.condition, spec.seed, *numbers, round(final["loss"], 4), status)


def search(todo: Sequence[Job], out: Path, n_workers: int, seconds: float) -> None:
    """Train networks in parallel processes, and add a line to a file for each as it is done.

    Parameters
    ----------
    todo
        The networks; those in the file already are left out.
    out
        The file.
    n_workers
        Networks at a time.
    seconds
        Time after which none is begun.
    """
    known = {one.key for one in read(out)}
    left = [job for job in todo if (job.round, job.variant, job.spec.condition, job.spec.seed) not in known]
    queue, end, running = iter(left), time.monotonic() + seconds, dict[Future[Result], Job]()
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool, out.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not out.stat().st_size:
            writer.writerow([field.name for field in fields(Result)])
        while True:
            while len(running) < n_workers and time.monotonic() < end and (job := next(queue, None)):
                running[pool.submit(train_one, job)] = job
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                writer.writerow(astuple(_result(future, running.pop(future))))
                file.flush()


def _result(future: Future[Result], job: Job) -> Result:
    if error := future.exception():
        told = f"failed: {type(error).__name__}: {in_one_line(error)}"
        return Result(job.round, job.variant, job.spec.condition, job.spec.seed, *[np.nan] * 4, told)
    return future.result()


def main() -> None:
    """Search or measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--variants", type=Path, default=HERE / "variants.yaml")
    parser.add_argument("--results", type=Path, default=HERE / "results.csv")
    parser.add_argument("--update-times", type=Path, default=HERE / "update_times.csv")
    parser.add_argument("--times", action="store_true", help="measure the time of an update, and train nothing")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="networks at a time")
    parser.add_argument("--minutes", type=float, default=np.inf, help="begin no network after this time")
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    options = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    for name in LEFT_TO_BLAS:
        os.environ.pop(name, None)
    todo = list(jobs(yaml.safe_load(options.variants.read_text()), options.variants.parent))
    (protocol,) = expand(load_experiment(PROTOCOL))
    if options.times:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # the environment is read at its start
            write(pool.submit(measure, [*(job.spec for job in todo), protocol]).result(), options.update_times)
    else:
        search(todo, options.results, options.workers, 60 * options.minutes)
    text = table(todo, read(options.results), options.update_times, protocol)
    print(text)
    if options.out is not None:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
