"""One training step, taken apart.

The parts of an update of a fully constrained network in ms, with one thread, and its steps in TensorFlow's loop
(before) or in numpy (after). What is timed: the whole update; before, the recurrent layer alone, forward and back;
after, the calls of `FusedSteps.run` and `FusedSteps.gradients` within the update, which read the outputs out too; and,
each on its own, the products and the activations that any update makes. The rest are differences.
"""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np
from side_by_side import alone, describe, in_turns, seconds, table, timed
from updates import N_STEPS, Update, arrays, keras_layer, keras_update, products

DEFAULTS = {"rounds": 3, "updates": 5, "sizes": [(64, 32), (100, 64), (400, 128), (1000, 64)]}
BEFORE, AFTER = "scan", "fused"
_N_WARM = 2


def measure(n_units: int, n_trials: int, n_rounds: int, n_updates: int) -> dict[str, list[float]]:
    """Time the parts of a step in turns, in this process: part -> s, one value a round.

    ``"scan"`` and ``"fused"``, the whole updates; ``"layer"``, before; ``"core"``, the time in numpy within the update
    after; ``"products"``, ``"activation"``.
    """
    from biornn.layers.fused import FusedSteps

    counted: list[float] = []
    parts = {"products": products(n_units, n_trials), "activation": activation(n_units, n_trials)}
    with ExitStack() as stack:
        for name in ("run", "gradients"):  # before the graphs are made, which hold the functions
            stack.enter_context(patch.object(FusedSteps, name, timed(getattr(FusedSteps, name), counted)))
        for implementation in (BEFORE, AFTER):
            layer = keras_layer("constrained", n_units, implementation=implementation)
            parts[implementation] = keras_update(layer, *arrays(n_trials))
            if implementation == BEFORE:
                parts["layer"] = layer_alone(layer, n_trials)
        for part in parts.values():
            for _ in range(_N_WARM):
                part()
        found = in_turns({name: partial(turn, part, n_updates, counted) for name, part in parts.items()}, n_rounds)
    times = {name: [whole for whole, _ in turns] for name, turns in found.items()}
    return times | {"core": [core for _, core in found[AFTER]]}


def turn(part: Update, n_updates: int, counted: list[float]) -> tuple[float, float]:
    """Return the median time of a part, and of what is counted in it, in s."""
    found = []
    for _ in range(n_updates):
        counted.clear()
        found.append((seconds(part), sum(counted)))
    whole, core = zip(*found, strict=True)
    return median(whole), median(core)


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
    """Return the parts of a step, before and after, in ms: medians of differences, and the update over its products."""
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


def parts(options: Namespace) -> list[str]:
    """Measure every size in a process of its own."""
    columns = [take_apart(alone(measure, *size, options.rounds, options.updates)) for size in options.sizes]
    rows = []
    for name in columns[0]:
        form = ".2f" if name.startswith("*") else ".1f"
        rows.append([name, *(" → ".join(format(time, form) for time in column[name]) for column in columns)])
    return [
        table(["one step (ms)", *(f"{n_units} units, {n_trials} trials" for n_units, n_trials in options.sizes)], rows),
        f"One update of a fully constrained network on {N_STEPS} steps with one thread, its steps in TensorFlow's loop "
        f"→ in numpy; medians of {options.rounds} rounds, each the median of {options.updates} updates. Products and "
        f"activation are those of numpy, timed alone, on both sides of an arrow. "
        f"{describe('biornn', 'keras', 'tensorflow')}",
    ]
