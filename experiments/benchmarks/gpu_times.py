"""Time one training step on a GPU, with Keras on JAX and on PyTorch: python experiments/benchmarks/gpu_times.py.

All networks of a size take turns. JAX and PyTorch must both see the GPU.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from machine import child_environment, describe
from step_times import KINDS
from tables import head, ratios, row, show
from turns import SHORTEST_TURN, Worker
from updates import N_STEPS

SIZES = ((100, 64), (400, 64), (1000, 64), (4000, 64))
#: Kinds of networks that a backend of Keras makes. The steps of all are made in the framework's loop.
OF_KERAS = "SimpleRNN", "unconstrained", "constrained", "masked in every step"
FLOAT32, TF32 = "products", "products in TF32"


class Surroundings(NamedTuple):
    """Backend of Keras, variables of its process, kinds of networks, and the floor that these have."""

    backend: str
    variables: dict[str, str]
    kinds: tuple[str, ...]
    floor: str


SURROUNDINGS = {
    "JAX": Surroundings("jax", {}, OF_KERAS, FLOAT32),
    "JAX in TF32": Surroundings("jax", {"JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32"}, ("constrained",), TF32),
    "PyTorch": Surroundings("torch", {}, OF_KERAS, FLOAT32),
}
OTHERS = {
    "torch": "`torch.nn.RNN` of cuDNN, unconstrained",
    FLOAT32: "products alone, in float32",
    TF32: "products alone, in TF32",
}
_ASK_FOR_GPU = """
import jax, torch
print(torch.cuda.get_device_name() if jax.default_backend() == "gpu" and torch.cuda.is_available() else "")
"""


class Times(NamedTuple):
    """Times of the networks of one size: (surroundings or "", kind) -> seconds of an update, one per round."""

    n_units: int
    n_trials: int
    seconds: dict[tuple[str, str], list[float]]


def gpu() -> str:
    """Return the name of the GPU; nothing where JAX or PyTorch sees none."""
    command = [sys.executable, "-c", _ASK_FOR_GPU]
    done = subprocess.run(command, env=child_environment(None), check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def measure(n_units: int, n_trials: int, n_rounds: int, n_updates: int) -> Times:
    """Time a training step of every kind of network.

    Parameters
    ----------
    n_units, n_trials
        Size of the network and of the batch.
    n_rounds
        Rounds in which all networks take turns.
    n_updates
        Updates in a turn, at least; its time is their median.
    """
    found = Times(n_units, n_trials, {})
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker("keras", n_units, n_trials, None, one.backend, one.variables))
            for name, one in SURROUNDINGS.items()
        }
        other = stack.enter_context(Worker("torch on a GPU", n_units, n_trials, None))
        for _ in range(n_rounds):
            for name, worker in workers.items():
                for kind in SURROUNDINGS[name].kinds:
                    found.seconds.setdefault((name, kind), []).append(worker.time(kind, n_updates))
            for kind in OTHERS:
                found.seconds.setdefault(("", kind), []).append(other.time(kind, n_updates))
    return found


def table(found: Sequence[Times]) -> str:
    """Lay out the times: kinds of networks are rows, sizes are columns."""
    lines = head(["", *[f"{one.n_units} units, {one.n_trials} trials" for one in found]])
    for name, one in SURROUNDINGS.items():
        for kind in one.kinds:
            lines.append(row([f"{name}: {KINDS[kind]}", *_milliseconds(found, (name, kind))]))
    for kind, title in OTHERS.items():
        lines.append(row([title, *_milliseconds(found, ("", kind))]))
    for name, one in SURROUNDINGS.items():
        others = [(name, kind) for kind in ("unconstrained", "masked in every step") if kind in one.kinds]
        for key in (*others, ("", one.floor)):
            title = (KINDS | OTHERS)[key[1]].removeprefix("biornn, ")
            over = [ratios(times.seconds[name, "constrained"], times.seconds[key]) for times in found]
            lines.append(row([f"*{name}: {KINDS['constrained']}, over {title}*", *over]))
    return "\n".join([*lines, ""])


def _milliseconds(found: Sequence[Times], key: tuple[str, str]) -> list[str]:
    times = [[1e3 * second for second in one.seconds[key]] for one in found]
    return [f"{median(one):.1f} [{min(one):.1f}, {max(one):.1f}] ms" for one in times]


def told(name: str, n_rounds: int, n_updates: int) -> str:
    """Say what was timed, and on which machine."""
    return (
        f"One update on {N_STEPS} steps with Adam on one {name}; median [lowest, highest] of {n_rounds} rounds, each "
        f"the median of {n_updates} updates, or of as many as take {SHORTEST_TURN} s; in italics: as a multiple of "
        "another row in the same round. Constrained: Dale's law (80/20), half of the synapses, no self-connections. "
        f"{describe('biornn', 'keras', 'jax', 'torch')}.\n"
    )


def main() -> None:
    """Measure all sizes, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=3, help="updates of each network in a round, at least")
    parser.add_argument("--sizes", nargs="+", default=[f"{n},{b}" for n, b in SIZES], metavar="UNITS,BATCH")
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    options = parser.parse_args()
    name = gpu()
    if not name:
        parser.error("expected a GPU that JAX and PyTorch see, got none; install both for its CUDA")
    sizes = [(int(n_units), int(n_trials)) for n_units, _, n_trials in (size.partition(",") for size in options.sizes)]
    found = [measure(*size, options.rounds, options.updates) for size in sizes]
    show("\n".join([table(found), told(name, options.rounds, options.updates)]), options.out)


if __name__ == "__main__":
    main()
