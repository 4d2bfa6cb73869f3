"""Take one training step apart: python experiments/benchmarks/profile_step.py.

Prints the parts of an update of a fully constrained network, with its steps in TensorFlow's loop (before) and in numpy
(after), with one thread, in ms. What is timed: the whole update; before, the recurrent layer alone, forward and back;
after, the calls of `FusedSteps.run` and `FusedSteps.gradients` within the update, which read the outputs out too; and,
each on its own, the products and the activations that any update makes. The rest are differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from side_by_side import alone, describe, in_turns, publish, seconds, settings, table
from updates import N_STEPS, Update, arrays, constrained, keras_update, products

SIZES = [(64, 32), (100, 64), (400, 128), (1000, 64)]
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
            self.seconds += seconds(lambda: found.append(method(*arguments)))
            return found[0]

        return counted

    def turn(self, part: Update, n_updates: int) -> tuple[float, float]:
        """Return the median time of a part, and of what is counted in it, in s."""
        whole, counted = [], []
        for _ in range(n_updates):
            self.seconds = 0.0
            whole.append(seconds(part))
            counted.append(self.seconds)
        return median(whole), median(counted)


def measure(n_units: int, n_trials: int, n_rounds: int, n_updates: int) -> dict[str, list[float]]:
    """Time the parts of a step in turns, in this process.

    Returns
    -------
    dict
        Part -> s, one value a round: ``"scan"`` and ``"fused"``, the whole updates; ``"layer"``, before; ``"core"``,
        the time in numpy within the update after; ``"products"``, ``"activation"``.
    """
    from biornn.layers.fused import FusedSteps

    clock = Clock()
    parts = {"products": products(n_units, n_trials), "activation": activation(n_units, n_trials)}
    with clock.on(FusedSteps, "run", "gradients"):  # before the graphs are made, which hold the functions
        for implementation in (BEFORE, AFTER):
            layer = constrained(n_units, implementation=implementation)
            parts[implementation] = keras_update(layer, *arrays(n_trials))
            if implementation == BEFORE:
                parts["layer"] = layer_alone(layer, n_trials)
        for part in parts.values():
            for _ in range(_N_WARM):
                part()
        found = in_turns({name: partial(clock.turn, part, n_updates) for name, part in parts.items()}, n_rounds)
    times = {name: [whole for whole, _ in turns] for name, turns in found.items()}
    return times | {"core": [counted for _, counted in found[AFTER]]}


def layer_alone(layer: Any, n_trials: int) -> Update:
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


def activation(n_units: int, n_trials: int) -> Update:
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


def take_apart(times: dict[str, list[float]]) -> dict[str, list[float]]:
    """Return the parts of a step, before and after, in ms: medians of differences, and the update over its products.

    Parameters
    ----------
    times
        What `measure` returned.
    """
    one = {name: 1e3 * np.array(values) for name, values in times.items()}
    floor, both = one["products"] + one["activation"], ((BEFORE, "layer"), (AFTER, "core"))
    parts = {
        "one update": [one[update] for update, _ in both],
        "products": [one["products"]],
        "activation and its slope": [one["activation"]],
        "rest of the steps, loop included (after: readout too)": [one[steps] - floor for _, steps in both],
        "readout (after: border to numpy and back), loss, Adam, calling": [one[u] - one[steps] for u, steps in both],
        "*one update, over products*": [one[update] / one["products"] for update, _ in both],
    }
    return {name: [float(np.median(values)) for values in found] for name, found in parts.items()}


def main(words: Sequence[str] | None = None) -> None:
    """Measure every size in a process of its own, and publish the table."""
    options = settings(__doc__, words, rounds=3, updates=5, sizes=SIZES)
    columns = [take_apart(alone(measure, *size, options.rounds, options.updates)) for size in options.sizes]
    rows = []
    for name in columns[0]:
        form = ".2f" if name.startswith("*") else ".1f"
        rows.append([name, *(" → ".join(format(time, form) for time in column[name]) for column in columns)])
    publish(
        options.out,
        table(["one step (ms)", *(f"{n_units} units, {n_trials} trials" for n_units, n_trials in options.sizes)], rows),
        f"One update of a fully constrained network on {N_STEPS} steps with one thread, its steps in TensorFlow's loop "
        f"→ in numpy; medians of {options.rounds} rounds, each the median of {options.updates} updates. Products and "
        f"activation are those of numpy, timed alone, on both sides of an arrow. "
        f"{describe('biornn', 'keras', 'tensorflow')}",
    )


if __name__ == "__main__":
    main()
