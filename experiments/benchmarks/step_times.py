"""The time of one training step, side by side.

For each number of threads a row per kind of network, and a column per size: an update as a multiple of that of
``keras.layers.SimpleRNN``. All networks of a size take turns, those with another number of threads too.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from statistics import median

from side_by_side import describe, ratios, table, version_of
from updates import KINDS, N_STEPS, SHORTEST_TURN, time_updates

DEFAULTS = {
    "rounds": 3,
    "updates": 3,
    "threads": [2, 1],
    "sizes": [(64, 32), (100, 64), (400, 128), (1000, 64)],
    "backend": "tensorflow",
}
REFERENCE = "SimpleRNN"
ROWS = REFERENCE, "unconstrained", "constrained", "leaky", "scan", "masked", "torch", "nn4n", "products"
#: Quotients beside those over the reference.
QUOTIENTS = (("constrained", "unconstrained"), ("constrained", "products"))

Times = dict[tuple[int, str], list[float]]  # number of threads and kind -> s of an update, one value a round


def measure(size: tuple[int, int], threads: Sequence[int], n_rounds: int, n_updates: int, backend: str) -> Times:
    """Time a training step of all kinds of networks that are installed."""
    installed = [kind for kind in ROWS if version_of(KINDS[kind].package)]
    processes = {
        (count, framework): (
            {"threads": count, "backend": backend},
            [kind for kind in installed if KINDS[kind].framework == framework],
        )
        for count in threads
        for framework in dict.fromkeys(KINDS[kind].framework for kind in installed)
    }
    found = time_updates(processes, size, n_rounds, n_updates)
    return {(count, kind): seconds for ((count, _), kind), seconds in found.items()}


def of_threads(count: int, found: dict[tuple[int, int], Times]) -> str:
    """Lay out the times with one number of threads: kinds of networks are rows, sizes are columns."""

    def quotients(kind: str, other: str) -> list[str]:
        return [
            ratios(times[count, kind], times[count, other]) if (count, kind) in times else "not installed"
            for times in found.values()
        ]

    header = ["1 thread" if count == 1 else f"{count} threads", *(f"{n} units, {m} trials" for n, m in found)]
    milliseconds = [f"{1e3 * median(times[count, REFERENCE]):.1f} ms" for times in found.values()]
    rows = [[KINDS[REFERENCE].title, *milliseconds]]
    rows += [[KINDS[kind].title, *quotients(kind, REFERENCE)] for kind in ROWS[1:]]
    for kind, other in QUOTIENTS:
        title = f"*{KINDS[kind].title}, over {KINDS[other].title.removeprefix('biornn, ')}*"
        rows.append([title, *quotients(kind, other)])
    return table(header, rows)


def parts(options: Namespace) -> list[str]:
    """Measure all sizes with every number of threads: a table for each."""
    found = {
        size: measure(size, options.threads, options.rounds, options.updates, options.backend) for size in options.sizes
    }
    return [
        *(of_threads(count, found) for count in options.threads),
        f"One update on {N_STEPS} steps with Adam, as a multiple of the first row (in italics: of another row) in the "
        f"same round; median [lowest, highest] of {options.rounds} rounds, each the median of {options.updates} "
        f"updates, or of as many as take {SHORTEST_TURN} s. Constrained: Dale's law (80/20), half of the synapses, no "
        f"self-connections. Keras on {options.backend}; "
        + describe(*dict.fromkeys(("biornn", "keras", options.backend, "torch", "nn4n"))),
    ]
