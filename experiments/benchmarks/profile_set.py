"""Take a set of networks apart: python experiments/benchmarks/profile_set.py.

One worker's work, in one process on one core, as where each core has a worker, with the steps of the networks in
TensorFlow's loop (before) and in numpy (after).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from machine import child_environment, describe
from tables import head, row, show

BEFORE, AFTER = "scan", "fused"
#: Parts of a set, as `take_apart` finds them.
PARTS = {
    "updates": "updates",
    "building": "building and tracing networks",
    "loading": "loading biornn and TensorFlow, once",
    "trials": "making training trials",
    "validation": "validation",
    "snapshots": "snapshots of the weights",
    "recording": "recording activity, audit",
}
#: Beside them: how long updates waited for trials that were not made yet.
WAITING = "waiting"
#: What is asked to take a tenth of a set's time at most.
BESIDE = ("loading", "trials", "validation", "snapshots", "recording")


class Spans:
    """Durations in s by name."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    def timed(self, name: str, function: Callable[..., Any], clock: Callable[[], float]) -> Callable[..., Any]:
        """Return a function that does the same and keeps how long it took."""

        def spanned(*arguments: Any, **settings: Any) -> Any:
            start = clock()
            result = function(*arguments, **settings)
            self.seconds[name].append(clock() - start)
            return result

        return spanned


def measure(implementation: str, n_units: int, n_networks: int, n_updates: int) -> dict[str, float]:
    """Do a worker's work in this process, and time its parts.

    Parameters
    ----------
    implementation
        `BEFORE` or `AFTER`.
    n_units, n_networks, n_updates
        Of the set.

    Returns
    -------
    dict
        Part -> seconds of the whole set, without the start of Python; ``"whole"``: their sum; and `WAITING`.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    start = time.perf_counter()
    import keras
    from set_times import experiment

    from biornn.experiment import expand, network
    from biornn.layers import ConstrainedRNN
    from biornn.training import TrialStream
    from biornn.training.callbacks import Snapshots

    loading = time.perf_counter() - start
    spans = Spans()

    class Intervals(keras.callbacks.Callback):
        """Keep the time from one update to the next within a Keras epoch, and that of each validation."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.asked: list[float] = []

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.asked.append(time.perf_counter())

        def on_train_end(self, logs: Any = None) -> None:
            spans.seconds[WAITING] += waits(self.asked, made)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.last = None

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            now = time.perf_counter()
            if self.last is not None:
                spans.seconds["update"].append(now - self.last)
            self.last = now

        def on_test_begin(self, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_test_end(self, logs: Any = None) -> None:
            spans.seconds["validation"].append(time.perf_counter() - self.began)

    def train(*arguments: Any, callbacks: Sequence[Any], **settings: Any) -> Any:
        return real_train(*arguments, callbacks=[*callbacks, Intervals()], **settings)

    if implementation == BEFORE:
        ConstrainedRNN._obstacle_to_fusing = lambda *_: "in TensorFlow's loop"
    real_train, network.train = network.train, train
    wall, own = time.perf_counter, time.thread_time  # trials are made in a thread of their own, beside the updates
    make, made = spans.timed("trials", TrialStream.__getitem__, own), {}

    def make_and_note(stream: TrialStream, index: int) -> Any:
        batch = make(stream, index)
        made[index] = time.perf_counter()
        return batch

    TrialStream.__getitem__ = make_and_note
    Snapshots._keep = spans.timed("snapshots", Snapshots._keep, wall)
    network.record_activity = spans.timed("recording", network.record_activity, wall)
    network.audit = spans.timed("recording", network.audit, wall)
    for spec in expand(experiment(n_units, n_networks, n_updates)):
        network.run_network(spec, lambda progress: None)
    return take_apart(spans.seconds, loading, time.perf_counter() - start, n_networks * n_updates)


def waits(asked: Sequence[float], made: Mapping[int, float]) -> list[float]:
    """Return how long each update of a network waited for its trials, in s; the first has to.

    Parameters
    ----------
    asked
        When each update began, in s.
    made
        Update -> when its trials were there.
    """
    return [max(0.0, made[index] - moment) for index, moment in enumerate(asked) if index]


def take_apart(spans: Mapping[str, Sequence[float]], loading: float, whole: float, n_updates: int) -> dict[str, float]:
    """Return the seconds of each part, which sum to the whole, and of `WAITING`.

    Parameters
    ----------
    spans
        Durations of each ``"update"`` (with the making of trials), each of the ``"trials"``, ``"validation"``,
        ``"snapshots"`` and ``"recording"``, and of `WAITING`. The first update and the first validation of a network
        are not as the others: they trace it, which counts as building.
    loading, whole
        In s.
    n_updates
        Of the set.
    """
    sums = {name: sum(spans[name]) for name in ("trials", "snapshots", "recording")}
    sums["validation"] = median(spans["validation"]) * len(spans["validation"])
    sums["updates"] = median(spans["update"]) * n_updates - sums["trials"]
    parts = {**sums, "loading": loading}
    parts["building"] = whole - sum(parts.values())
    return {**{name: parts[name] for name in PARTS}, "whole": whole, WAITING: sum(spans[WAITING])}


def table(found: Mapping[str, Sequence[Mapping[str, float]]], described: str) -> str:
    """Lay out the parts as a table in Markdown.

    Parameters
    ----------
    found
        Implementation -> what `measure` returned, one per round.
    described
        What the set is.
    """
    lines = head(["one set, one worker", "before (s)", "after (s)", "share after"])

    def cells(seconds: Callable[[Mapping[str, float]], float]) -> list[str]:
        times = [median(map(seconds, found[name])) for name in (BEFORE, AFTER)]
        shares = [seconds(one) / one["whole"] for one in found[AFTER]]
        span = f"{median(shares):.1%} [{min(shares):.1%}, {max(shares):.1%}]"
        return [*[f"{time:.1f}" for time in times], span]

    for part, words in PARTS.items():
        lines.append(row([words, *cells(lambda one, part=part: one[part])]))  # type: ignore[misc]
    beside = "*loading, trials, validation, snapshots and recording together*"
    lines.append(row([beside, *cells(lambda one: sum(one[part] for part in BESIDE))]))
    lines.append(row(["the whole", *cells(lambda one: one["whole"])]))
    lines.append(row(["*of it, waiting for trials*", *cells(lambda one: one[WAITING])]))
    told = (
        f"{described}, on one core, the steps in TensorFlow's loop (before) and in numpy (after); median [lowest, "
        f"highest] of {len(found[AFTER])} rounds. {describe('biornn', 'keras', 'tensorflow')}."
    )
    return "\n".join([*lines, "", told, ""])


def main() -> None:
    """Measure before and after in turns, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--networks", type=int, default=8)
    parser.add_argument("--updates", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    parser.add_argument("--here", choices=[BEFORE, AFTER], help="measure in this process, and print JSON")
    options = parser.parse_args()
    size = options.units, options.networks, options.updates
    if options.here:
        print(json.dumps(measure(options.here, *size)))
        return
    found: dict[str, list[dict[str, float]]] = {BEFORE: [], AFTER: []}
    for _ in range(options.rounds):
        for implementation, measured in found.items():
            words = [f"--{name}={number}" for name, number in zip(("units", "networks", "updates"), size, strict=True)]
            done = subprocess.run(
                [sys.executable, __file__, "--here", implementation, *words], env=child_environment(1), check=True,
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            measured.append(json.loads(done.stdout.splitlines()[-1]))
    from set_times import described, experiment

    show(table(found, described(experiment(*size))), options.out)


if __name__ == "__main__":
    main()
