"""A set of networks, taken apart.

How long each part of one worker's work takes, in one process on one core, as where each core has a worker, with the
steps of the networks in TensorFlow's loop (before) and in numpy (after).
"""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

from side_by_side import alone, describe, in_turns, spread, table, timed

DEFAULTS = {"rounds": 3, "units": 100, "networks": 8, "updates": 600}
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
#: What is to take a tenth of a set's time at most.
BESIDE = ("loading", "trials", "validation", "snapshots", "recording")


def measure(implementation: str, *sizes: int) -> dict[str, float]:
    """Do a worker's work in this process, whose code is changed for that, and time its parts.

    Part -> s of the whole set, without the start of Python; ``"whole"``: their sum; and `WAITING`.
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
    from biornn.training.validation import Validation

    loading = time.perf_counter() - start
    spans: defaultdict[str, list[float]] = defaultdict(list)
    made: dict[int, float] = {}

    class Intervals(keras.callbacks.Callback):
        """Keep the time from one update to the next within a Keras epoch."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.asked: list[float] = []

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.asked.append(time.perf_counter())

        def on_train_end(self, logs: Any = None) -> None:
            spans[WAITING] += waits(self.asked, made)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.last = None

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            now = time.perf_counter()
            if self.last is not None:
                spans["update"].append(now - self.last)
            self.last = now

    def train(*arguments: Any, callbacks: Sequence[Any], **settings: Any) -> Any:
        return real_train(*arguments, callbacks=[*callbacks, Intervals()], **settings)

    def make_and_note(stream: TrialStream, index: int) -> Any:
        batch = make(stream, index)
        made[index] = time.perf_counter()
        return batch

    if implementation == BEFORE:
        ConstrainedRNN._obstacle_to_fusing = lambda *_: "in TensorFlow's loop"
    real_train, network.train = network.train, train
    # Trials are made in a thread of their own, beside the updates: its own time counts.
    make, TrialStream.__getitem__ = timed(TrialStream.__getitem__, spans["trials"], time.thread_time), make_and_note
    for owner, name, part in (
        (Validation, "measure", "validation"), (Snapshots, "_keep", "snapshots"),
        (network, "record_activity", "recording"), (network, "audit", "recording"),
    ):  # fmt: skip
        setattr(owner, name, timed(getattr(owner, name), spans[part]))
    planned = experiment(*sizes)
    for spec in expand(planned):
        network.run_network(spec, lambda progress: None)
    n_updates = len(planned.seeds) * planned.training.max_updates
    return take_apart(spans, loading, time.perf_counter() - start, n_updates)


def waits(asked: Sequence[float], made: Mapping[int, float]) -> list[float]:
    """Return how long each update of a network waited for its trials, in s, from when it began; the first has to."""
    return [max(0.0, made[index] - moment) for index, moment in enumerate(asked) if index]


def take_apart(spans: Mapping[str, Sequence[float]], loading: float, whole: float, n_updates: int) -> dict[str, float]:
    """Return the seconds of each part, which sum to the whole, and of `WAITING`.

    Spans are the durations of every ``"update"`` (with the making of trials) and every other part. The first update and
    the first validation of a network are not as the others: they trace it, which counts as building.
    """
    sums = {name: sum(spans[name]) for name in ("trials", "snapshots", "recording")}
    sums["validation"] = median(spans["validation"]) * len(spans["validation"])
    sums["updates"] = median(spans["update"]) * n_updates - sums["trials"]
    parts = {**sums, "loading": loading}
    parts["building"] = whole - sum(parts.values())
    return {**{name: parts[name] for name in PARTS}, "whole": whole, WAITING: sum(spans[WAITING])}


def laid_out(found: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Lay out the parts: implementation -> what `measure` returned, once a round."""

    def row(title: str, *parts: str) -> list[str]:
        seconds = {name: [sum(one[part] for part in parts) for one in rounds] for name, rounds in found.items()}
        shares = [time / one["whole"] for time, one in zip(seconds[AFTER], found[AFTER], strict=True)]
        return [title, f"{median(seconds[BEFORE]):.1f}", f"{median(seconds[AFTER]):.1f}", spread(shares, ".1%")]

    rows = [row(title, part) for part, title in PARTS.items()]
    rows.append(row("*loading, trials, validation, snapshots and recording together*", *BESIDE))
    rows += [row("the whole", "whole"), row("*of it, waiting for trials*", WAITING)]
    return table(["one set, one worker", "before (s)", "after (s)", "share after"], rows)


def parts(options: Namespace) -> list[str]:
    """Measure before and after in turns."""
    from set_times import described

    sizes = options.units, options.networks, options.updates
    found = in_turns({name: partial(alone, measure, name, *sizes) for name in (BEFORE, AFTER)}, options.rounds)
    return [
        laid_out(found),
        f"{described(*sizes)}, on one core, the steps in TensorFlow's loop (before) and in numpy (after); median "
        f"[lowest, highest] of {options.rounds} rounds. {describe('biornn', 'keras', 'tensorflow')}",
    ]
