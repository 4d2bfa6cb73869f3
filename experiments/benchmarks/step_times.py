"""Time one training step, side by side: python experiments/benchmarks/step_times.py.

All networks of a size take turns, those of other frameworks and with another number of threads too, so that whatever
else the machine does slows them all; a ratio is of neighbours in time.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from machine import describe, version_of
from tables import head, ratios, row, show
from turns import SHORTEST_TURN, Worker
from updates import FRAMEWORKS, N_STEPS

SIZES = ((64, 32), (100, 64), (400, 128), (1000, 64))
_ON_A_PROCESSOR = "keras", "torch", "numpy"
#: Kinds of networks and what they are called; all are compared with the first one.
REFERENCE = "SimpleRNN"
KINDS = {
    "SimpleRNN": "`keras.layers.SimpleRNN`",
    "unconstrained": "biornn, unconstrained",
    "constrained": "biornn, constrained",
    "leaky": "biornn, constrained, with a leak",
    "scan": "biornn, constrained, in the framework's loop",
    "masked in every step": "Keras cell that masks in every step",
    "torch": "`torch.nn.RNN`, unconstrained",
    "nn4n": "nn4n, constrained",
    "products": "products alone (numpy)",
}
#: Quotients beside those over the reference.
QUOTIENTS = (("constrained", "unconstrained"), ("constrained", "products"))


class Times(NamedTuple):
    """Times of the networks of one size with one number of threads: kind -> seconds of an update, one per round."""

    threads: int
    n_units: int
    n_trials: int
    seconds: dict[str, list[float]]


def measure(
    size: tuple[int, int], threads: Sequence[int], n_rounds: int, n_updates: int, backend: str = "tensorflow"
) -> list[Times]:
    """Time a training step of every kind of network that is installed.

    Parameters
    ----------
    size
        Units, and trials of a batch.
    threads
        Numbers of threads.
    n_rounds
        Rounds in which all networks take turns.
    n_updates
        Updates in a turn, at least; its time is their median.
    backend
        Of Keras.

    Returns
    -------
    list of Times
        One for each number of threads.
    """
    found = [Times(count, *size, {}) for count in threads]
    installed = [framework for framework in _ON_A_PROCESSOR if version_of(FRAMEWORKS[framework][0])]
    with ExitStack() as stack:
        workers = {
            (one.threads, framework): stack.enter_context(Worker(framework, *size, one.threads, backend))
            for one in found
            for framework in installed
        }
        for _ in range(n_rounds):
            for one in found:
                for framework in installed:
                    worker = workers[one.threads, framework]
                    for kind in worker.kinds:
                        one.seconds.setdefault(kind, []).append(worker.time(kind, n_updates))
    return found


def table(found: Sequence[Times]) -> str:
    """Lay out the times of one number of threads: kinds of networks are rows, sizes are columns.

    Parameters
    ----------
    found
        Times with as many threads.
    """
    count = found[0].threads
    named = "1 thread" if count == 1 else f"{count} threads"
    lines = head([named, *[f"{one.n_units} units, {one.n_trials} trials" for one in found]])
    milliseconds = [f"{1e3 * median(one.seconds[REFERENCE]):.1f} ms" for one in found]
    lines.append(row([KINDS[REFERENCE], *milliseconds]))
    for kind in list(KINDS)[1:]:
        lines.append(row([KINDS[kind], *[_quotient(one, kind, REFERENCE) for one in found]]))
    for kind, other in QUOTIENTS:
        name = f"*{KINDS[kind]}, over {KINDS[other].removeprefix('biornn, ')}*"
        lines.append(row([name, *[_quotient(one, kind, other) for one in found]]))
    return "\n".join([*lines, ""])


def _quotient(one: Times, kind: str, other: str) -> str:
    return ratios(one.seconds[kind], one.seconds[other]) if kind in one.seconds else "not installed"


def told(n_rounds: int, n_updates: int, backend: str) -> str:
    """Say what was timed, and on which machine."""
    packages = dict.fromkeys(("biornn", "keras", backend, "torch", "nn4n"))
    return (
        f"One update on {N_STEPS} steps with Adam, as a multiple of the first row (in italics: of another row) in the "
        f"same round; median [lowest, highest] of {n_rounds} rounds, each the median of {n_updates} updates, or of as "
        f"many as take {SHORTEST_TURN} s. "
        "Constrained: Dale's law (80/20), half of the synapses, no self-connections. "
        f"Keras on {backend}; {describe(*packages)}.\n"
    )


def main() -> None:
    """Measure all sizes with every number of threads, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=3, help="updates of each network in a round, at least")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--sizes", nargs="+", default=[f"{n},{b}" for n, b in SIZES], metavar="UNITS,BATCH")
    parser.add_argument("--backend", default="tensorflow", help="of Keras")
    parser.add_argument("--out", type=Path, help="where the tables go; they are printed in any case")
    options = parser.parse_args()
    sizes = [(int(n_units), int(n_trials)) for n_units, _, n_trials in (size.partition(",") for size in options.sizes)]
    found = [measure(size, options.threads, options.rounds, options.updates, options.backend) for size in sizes]
    tables = map(table, zip(*found, strict=True))
    show("\n".join([*tables, told(options.rounds, options.updates, options.backend)]), options.out)


if __name__ == "__main__":
    main()
