"""Take one training step apart: python experiments/benchmarks/profile_step.py.

The same fully constrained network is updated with its steps in TensorFlow's loop (before) and in numpy (after), with
one thread. What is timed: the whole update; before, the recurrent layer alone, forward and back; after, the calls of
`FusedSteps.run` and `FusedSteps.gradients` within the update, which read the outputs out too; and, each on its own, the
products and the activations that any update makes. The rest are differences.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import child_environment, describe
from tables import head, row, show
from turns import timed
from updates import N_STEPS, Update, arrays, keras_update, numpy_updates, wiring

SIZES = ((64, 32), (100, 64), (400, 128), (1000, 64))
BEFORE, AFTER = "scan", "fused"
_N_WARM = 2


class Clock:
    """Time spent within some functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def on(self, owner: type, *names: str) -> Iterator[None]:
        """Count the time within methods of a class, as long as the context lasts."""
        kept = {name: getattr(owner, name) for name in names}
        for name, method in kept.items():
            setattr(owner, name, self._counted(method))
        try:
            yield
        finally:
            for name, method in kept.items():
                setattr(owner, name, method)

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            found: list[Any] = []
            self.seconds += timed(lambda: found.append(method(*arguments)))
            return found[0]

        return counted


def measure(n_units: int, n_trials: int, n_rounds: int, n_updates: int) -> dict[str, list[float]]:
    """Time the parts of a step, in turns, in this process.

    Parameters
    ----------
    n_units, n_trials
        Size of the network and of the batch.
    n_rounds
        Rounds in which all parts take turns.
    n_updates
        Calls in a turn; its time is their median.

    Returns
    -------
    dict
        Part -> seconds, one per round: ``"scan update"`` and ``"fused update"``; ``"layer"``, before; ``"core"``, the
        time in numpy within the update after; ``"products"``, ``"activation"``.
    """
    import biornn as bn
    from biornn.layers.fused import FusedSteps

    clock, parts = Clock(), {**numpy_updates(n_units, n_trials), "activation": _activation(n_units, n_trials)}
    with clock.on(FusedSteps, "run", "gradients"):  # before the graphs are made, which hold the functions
        for implementation in (BEFORE, AFTER):
            layer = bn.layers.ConstrainedRNN(wiring(n_units), implementation=implementation, return_sequences=True)
            parts[f"{implementation} update"] = keras_update(layer, *arrays(n_trials))
            if implementation == BEFORE:
                parts["layer"] = _layer_alone(layer, n_trials)
        for part in parts.values():
            for _ in range(_N_WARM):
                part()
        seconds: dict[str, list[float]] = {}
        for _ in range(n_rounds):
            for name, part in parts.items():
                whole, core = _turn(part, clock, n_updates)
                seconds.setdefault(name, []).append(whole)
                if name.startswith(AFTER):
                    seconds.setdefault("core", []).append(core)
    return seconds


def _turn(part: Update, clock: Clock, n_updates: int) -> tuple[float, float]:
    """Return the median time of a part, and of what the clock counts in it."""
    whole, counted = [], []
    for _ in range(n_updates):
        clock.seconds = 0.0
        whole.append(timed(part))
        counted.append(clock.seconds)
    return median(whole), median(counted)


def _layer_alone(layer: Any, n_trials: int) -> Update:
    """Return all steps of a recurrent layer, and the gradients of its weights."""
    import tensorflow as tf

    inputs = tf.constant(arrays(n_trials)[0])
    of_rates = tf.random.stateless_normal((n_trials, N_STEPS, layer.cell.units), seed=(0, 0))

    @tf.function
    def gradients() -> Any:
        with tf.GradientTape() as tape:
            rates = layer(inputs, training=True)
        return tape.gradient(rates, [one.value for one in layer.trainable_variables], of_rates)

    return lambda: [one.numpy() for one in gradients()]


def _activation(n_units: int, n_trials: int) -> Update:
    """Return the activations of an update: tanh and its slope, 1 − tanh², at every step."""
    currents = np.random.default_rng(0).standard_normal((N_STEPS, n_trials, n_units), dtype=np.float32)
    values, slope = np.empty_like(currents), np.empty_like(currents[0])

    def activations() -> object:
        for current, value in zip(currents, values, strict=True):
            np.tanh(current, out=value)
        for value in values[::-1]:
            np.multiply(value, value, out=slope)
            np.subtract(1.0, slope, out=slope)
        return slope

    return activations


def take_apart(seconds: dict[str, list[float]]) -> dict[str, tuple[list[float], list[float]]]:
    """Return the parts of a step before and after, in s, one per round; they sum to the update in each round.

    Parameters
    ----------
    seconds
        What `measure` returned.
    """
    rounds = {name: np.array(values) for name, values in seconds.items()}
    products, activation = rounds["products"], rounds["activation"]
    parts = {
        "one update": (rounds["scan update"], rounds["fused update"]),
        "products": (products, products),
        "activation and its slope": (activation, activation),
        "rest of the steps, loop included (after: readout too)": (
            rounds["layer"] - products - activation,
            rounds["core"] - products - activation,
        ),
        "readout (after: border to numpy and back), loss, Adam, calling": (
            rounds["scan update"] - rounds["layer"],
            rounds["fused update"] - rounds["core"],
        ),
    }
    return {name: (before.tolist(), after.tolist()) for name, (before, after) in parts.items()}


def table(found: Sequence[tuple[tuple[int, int], dict[str, list[float]]]]) -> str:
    """Lay out the parts as a table in Markdown: ms before → after.

    Parameters
    ----------
    found
        Units and trials, and what `measure` returned for them.
    """
    lines = head(["one step (ms)", *[f"{n_units} units, {n_trials} trials" for (n_units, n_trials), _ in found]])
    columns = [take_apart(seconds) for _, seconds in found]
    lines += [row([name, *[_change(*column[name]) for column in columns]]) for name in columns[0]]
    over = [
        _change(*[(np.array(one) / seconds["products"]).tolist() for one in column["one update"]], factor=1, form=".2f")
        for column, (_, seconds) in zip(columns, found, strict=True)
    ]
    return "\n".join([*lines, row(["*one update, over products*", *over]), ""])


def _change(before: list[float], after: list[float], factor: float = 1e3, form: str = ".1f") -> str:
    told = [format(factor * median(one), form) for one in (before, after)]
    return told[0] if before == after else " → ".join(told)


def told(n_rounds: int, n_updates: int) -> str:
    """Say what was timed, and on which machine."""
    return (
        f"One update of a fully constrained network on {N_STEPS} steps with one thread, its steps in TensorFlow's loop "
        f"→ in numpy; medians of {n_rounds} rounds, each the median of {n_updates} updates. Products and activation "
        "are those of numpy, timed alone, on both sides of an arrow. "
        f"{describe('biornn', 'keras', 'tensorflow')}.\n"
    )


def main() -> None:
    """Measure every size in a process of its own, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=5, help="updates in a round")
    parser.add_argument("--sizes", nargs="+", default=[f"{n},{b}" for n, b in SIZES], metavar="UNITS,BATCH")
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    parser.add_argument("--here", action="store_true", help="measure one size in this process, and print JSON")
    options = parser.parse_args()
    sizes = [(int(n_units), int(n_trials)) for n_units, _, n_trials in (size.partition(",") for size in options.sizes)]
    if options.here:
        print(json.dumps(measure(*sizes[0], options.rounds, options.updates)))
        return
    found = []
    for size, words in zip(sizes, options.sizes, strict=True):
        command = [sys.executable, __file__, "--here", "--sizes", words, "--rounds", str(options.rounds)]
        done = subprocess.run(
            [*command, "--updates", str(options.updates)], env=child_environment(1), check=True,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        found.append((size, json.loads(done.stdout.splitlines()[-1])))
    show("\n".join([table(found), told(options.rounds, options.updates)]), options.out)


if __name__ == "__main__":
    main()
