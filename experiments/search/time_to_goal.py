"""Search for the recipe that reaches its goal first: python experiments/search/time_to_goal.py [--times].

`variants.yaml` lists what is tried, in rounds; `results.csv` keeps a line for every network, and a network with a line
is not trained again. Time to the goal is a number of updates, which does not depend on what else the machine does,
times the time of one update, which `--times` measures for all networks in turns. Prints the table of both.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import yaml
from results import COLUMNS, KEY, SHAPE, read, shape_of, table

from biornn.errors import in_one_line
from biornn.experiment import NetworkSpec, expand, load_experiment
from biornn.tasks.seeds import generator
from biornn.tasks.trials import make_trials

HERE = Path(__file__).parent
PROTOCOL = HERE.parent / "paper" / "flip_flop.yaml"
N_TRIALS = 512  # held-out trials of the final scores
N_ROUNDS, N_UPDATES = 5, 7  # in which updates are timed: their median in a round counts
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
LEFT_TO_BLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # it knows the machine


@dataclass(frozen=True)
class Goal:
    """What a network is to reach on its validation trials and hold without input, at two validations in a row."""

    accuracy: float
    held: float = 0.0
    mse: float = np.inf

    def first_reached(self, history: xr.Dataset) -> float:
        """Return the first of the two updates at which it is reached, NaN if there are none, from all validations."""
        held = history["held"].fillna(0.0)  # where it was not asked for, it was not measured
        good = (history["score"] >= self.accuracy) & (held >= self.held) & (history["val_loss"] <= self.mse)
        pairs = zip(history["update"].values.tolist(), itertools.pairwise(good.values.tolist()), strict=False)
        return float(next((update for update, pair in pairs if all(pair)), np.nan))


@dataclass(frozen=True)
class Job:
    """One network of a variant."""

    round: str
    variant: str
    spec: NetworkSpec
    goal: Goal

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Its `KEY` among the results."""
        return self.round, self.variant, self.spec.condition, self.spec.seed


def jobs(rounds: Mapping[str, Any], folder: Path) -> Iterator[Job]:
    """List the networks of all rounds, in each seed by seed; a folder has their experiment files.

    A round has ``base`` (an experiment file), ``networks`` (condition -> seeds), ``goal``, ``set`` (changes for all)
    and ``variants``: name -> changes, each a dotted key of the experiment with its value.
    """
    for name, one in rounds.items():
        variants = {variant: dict(changes or {}) for variant, changes in one["variants"].items()}
        seeds = sorted({seed for of_condition in one["networks"].values() for seed in of_condition})
        shared = {**one.get("set", {}), "seeds": seeds}
        specs = {variant: _specs(folder / one["base"], shared | changes) for variant, changes in variants.items()}
        for seed, variant in itertools.product(seeds, variants):
            chosen = (spec for spec in specs[variant] if seed == spec.seed in one["networks"].get(spec.condition, ()))
            yield from (Job(name, variant, spec, Goal(**one["goal"])) for spec in chosen)


def _specs(base: Path, changes: Mapping[str, Any]) -> list[NetworkSpec]:
    """Expand an experiment with changes as on the command line; JSON is YAML too."""
    return expand(load_experiment(base, [f"{key}={json.dumps(value)}" for key, value in changes.items()]))


def train_one(job: Job) -> tuple[Any, ...]:
    """Train one network, in this process, and return its line of the results after the key."""
    import keras

    from biornn.analysis import performance
    from biornn.experiment.network import network_model
    from biornn.training import Stage, record_activity, train

    keras.utils.clear_session()
    spec = job.spec
    settings = spec.training.model_dump(exclude={"l1_weights", "l2_weights", "l2_rates", "task", "stages"})
    *stages, (training_task, *_) = spec.training_tasks
    settings |= {"training_task": training_task, "stages": [Stage(*stage) for stage in stages]}
    model, start = network_model(spec.task, spec.network, spec.training, spec.seed), time.process_time()
    history = train(model, spec.task, seed=spec.seed, **settings)["history"].to_dataset()
    seconds = time.process_time() - start
    trials = make_trials(spec.task, N_TRIALS, generator("search", 0))
    final = performance(record_activity(model, trials)["outputs"], trials, spec.task)
    updates = job.goal.first_reached(history)
    status = "diverged" if history["status"] == "diverged" else "not reached" if np.isnan(updates) else "reached"
    scores = float(final["score"]), float(history["held"][-1]), float(final["mse"])
    seconds *= updates / int(history["updates_trained"])
    return round(updates, 1), round(seconds, 2), *(round(score, 4) for score in scores), status


def search(todo: Sequence[Job], out: Path, n_workers: int, seconds: float) -> None:
    """Train the networks that a file has no line of, some at a time, and add a line for each as it is done.

    None is begun after `seconds`.
    """
    known = set(read(out)[KEY].itertuples(index=False, name=None))
    queue, end = iter([job for job in todo if job.key not in known]), time.monotonic() + seconds
    running: dict[Any, Job] = {}
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
        while True:
            while len(running) < n_workers and time.monotonic() < end and (job := next(queue, None)):
                running[pool.submit(train_one, job)] = job
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job, error = running.pop(future), future.exception()
                failure = error and (*[np.nan] * 5, f"failed: {type(error).__name__}: {in_one_line(error)}")
                line = pd.DataFrame([[*job.key, *(failure or future.result())]], columns=COLUMNS)
                line.to_csv(out, mode="a", index=False, header=not out.exists(), na_rep="nan")


def measure(specs: Sequence[NetworkSpec]) -> pd.DataFrame:
    """Time updates of one network of each shape in turns, in this process: a row per shape and round, in ms."""
    updates = {shape_of(spec): _update(spec) for spec in {shape_of(spec): spec for spec in specs}.values()}
    rows = [
        [*shape, number, round(1000 * median(_timed(update) for _ in range(N_UPDATES)), 2)]
        for number in range(N_ROUNDS)
        for shape, update in updates.items()
    ]
    return pd.DataFrame(rows, columns=[*SHAPE, "round", "ms"])


def _update(spec: NetworkSpec) -> Callable[[], object]:
    """Make the function that does one, after the graph is there."""
    from biornn.experiment.network import network_model
    from biornn.training.train import compile_model

    training = spec.training
    model = network_model(spec.task, spec.network, training, spec.seed)
    schedule: Mapping[str, Any] = training.model_dump(include={"schedule", "warmup", "clip_norm", "max_updates"})
    compile_model(model, learning_rate=1e-4, **schedule)
    batch = spec.training_tasks[-1][0].arrays(training.batch_size, generator("timing", spec.seed))
    model.train_on_batch(*batch)
    return lambda: model.train_on_batch(*batch)


def _timed(update: Callable[[], object]) -> float:
    start = time.perf_counter()
    update()
    return time.perf_counter() - start


def main() -> None:
    """Search or measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--variants", type=Path, default=HERE / "variants.yaml")
    parser.add_argument("--results", type=Path, default=HERE / "results.csv")
    parser.add_argument("--update-times", type=Path, default=HERE / "update_times.csv")
    parser.add_argument("--times", action="store_true", help="measure the time of an update, and train nothing")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="networks at a time")
    parser.add_argument("--minutes", type=float, default=np.inf, help="begin no network after this time")
    parser.add_argument("--out", type=Path, help="file of the table, which is printed in any case")
    options = parser.parse_args()
    os.environ.update(ONE_THREAD, TF_CPP_MIN_LOG_LEVEL="3")
    for name in LEFT_TO_BLAS:
        os.environ.pop(name, None)
    todo = list(jobs(yaml.safe_load(options.variants.read_text()), options.variants.parent))
    (protocol,) = expand(load_experiment(PROTOCOL))
    if options.times:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # the environment is read at its start
            found = pool.submit(measure, [*(job.spec for job in todo), protocol]).result()
        found.sort_values([*SHAPE, "round"], kind="stable").to_csv(options.update_times, index=False)
    else:
        search(todo, options.results, options.workers, 60 * options.minutes)
    text = table(todo, read(options.results), options.update_times, protocol)
    print(text)
    if options.out is not None:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
