"""Violations of the declared constraint after training, counted for every package.

Each declares Dale's law (80/20), half of the synapses and no self-connections, starts with the same weights and trains
on the same trials of the 3-bit flip-flop. What counts are the weights as they are saved right after the last update,
and the network that is evaluated is the saved one.
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from side_by_side import Process, describe, table, version_of
from updates import N_CHANNELS, keras_layer, keras_model, nn4n_network, tensors, torch_update, wiring

import biornn as bn

DEFAULTS = {"units": 100, "updates": 100}
LEARNING_RATE, N_TRIALS = 1e-3, 64
#: Name of a Keras network -> what `keras_layer` makes it of.
LAYERS: dict[str, tuple[str, dict[str, str]]] = {
    "biornn, by construction": ("constrained", {}),
    "biornn, by projection": ("constrained", {"enforcement": "projection"}),
    "Keras cell that masks in every step": ("masked", {}),
}
NN4N = "nn4n, as saved after the last update", "nn4n, one more forward pass in training mode later"

_Trials = tuple[NDArray[np.float32], NDArray[np.float32]]  # inputs and targets, (trial, time, channel)


class Violations(NamedTuple):
    """Numbers of weights that break a constraint, and of units with outgoing weights of a sign that is not theirs.

    No weight counts twice: a forbidden one is not counted among the signs, nor a self-connection among the masked.
    """

    signs: int
    units: int
    masked: int
    autapses: int
    largest: float  # magnitude of these weights


def count(weights: NDArray[np.floating[Any]], sign: NDArray[Any], mask: NDArray[np.bool_]) -> Violations:
    """Count violations in recurrent weights, (unit_pre, unit_post), of the signs of units and of the mask."""
    wrong = (weights * sign[:, np.newaxis] < 0) & mask
    forbidden = (weights != 0) & ~mask
    autapses = int(forbidden.diagonal().sum())
    largest = float(np.abs(weights[wrong | forbidden]).max(initial=0.0))
    return Violations(
        int(wrong.sum()), int(wrong.any(axis=1).sum()), int(forbidden.sum()) - autapses, autapses, largest
    )


def train_keras(name: str, n_units: int, n_updates: int) -> tuple[Violations, float]:
    """Train a Keras network, save and load it, and count in what was loaded; also its error on other trials."""
    import keras

    kind, more = LAYERS[name]
    model = keras_model(keras_layer(kind, n_units, **more), LEARNING_RATE)
    model.layers[-1].trainable_variables[0].assign(_readout_weights(n_units))
    for inputs, targets in _batches(n_updates):
        model.train_on_batch(inputs, targets)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        saved = keras.models.load_model(Path(folder) / "model.keras")
    weights = bn.layers.effective_weights(saved.layers[0].cell).recurrent_weights.values
    return _count(weights, wiring(n_units)), float(saved.evaluate(*_sample(0), verbose=0))


def train_nn4n(n_units: int, n_updates: int) -> list[tuple[Violations, float]]:
    """Train nn4n's network, and count in the weights of its ``state_dict``, as `NN4N` names them.

    After the last update it is evaluated after ``eval()``, in which mode it corrects nothing. One more forward pass in
    training mode writes signs and mask into the weights.
    """
    import torch

    def trained() -> tuple[Violations, float]:
        network.eval()
        with torch.no_grad():
            error = float(torch.nn.functional.mse_loss(network(inputs)[0], targets))
        network.train()
        weights = network.state_dict()["recurrent_layer.hidden_layer.weight"].numpy().T
        return _count(weights, constraint), error

    constraint = wiring(n_units)
    network = nn4n_network(constraint)
    network.readout_layer.set_weight(torch.from_numpy(_readout_weights(n_units).T.copy()))
    update = torch_update(lambda given: network(given)[0], network.parameters(), LEARNING_RATE)
    for batch in _batches(n_updates):
        update(*tensors(*batch))
    inputs, targets = tensors(*_sample(0))
    saved = trained()
    with torch.no_grad():
        network(inputs)
    return [saved, trained()]


def _count(weights: NDArray[np.floating[Any]], constraint: bn.Connectivity) -> Violations:
    return count(weights, constraint.recurrent.sign, constraint.recurrent.mask.astype(bool))


def _readout_weights(n_units: int) -> NDArray[np.float32]:
    """Draw the initial weights of the readout, as Keras would (Glorot's uniform rule)."""
    limit = np.sqrt(6 / (n_units + N_CHANNELS))
    return np.random.default_rng(0).uniform(-limit, limit, (n_units, N_CHANNELS)).astype("float32")


def _batches(n_updates: int) -> Iterator[_Trials]:
    return map(_sample, range(1, n_updates + 1))


def _sample(seed: int) -> _Trials:
    trials = bn.tasks.FlipFlop(n_bits=3).trials(N_TRIALS, seed=seed)
    return trials.inputs.values.astype("float32"), trials.targets.values.astype("float32")


def row(name: str, violations: Sequence[float], error: float) -> list[object]:
    """Lay out what was counted in a network."""
    *counts, largest = violations
    return [name, *counts, f"{largest:.1g}" if largest else "–", f"{error:.3f}"]


def parts(options: Namespace) -> list[str]:
    """Train, and count."""
    sizes = options.units, options.updates
    with Process(threads=None) as process:
        rows = [row(name, *process.call(train_keras, name, *sizes)) for name in LAYERS]
        if version_of("nn4n"):
            rows += [row(name, *found) for name, found in zip(NN4N, process.call(train_nn4n, *sizes), strict=True)]
        else:
            rows += [[name, "not installed", *[""] * 5] for name in NN4N]
    header = "wrong signs", "in units", "outside the mask", "self-connections", "largest of these", "MSE"
    return [
        table(["after training", *header], rows),
        f"Weights that break the declared constraint: {options.units} units, Dale's law (80/20), "
        f"{int(wiring(options.units).recurrent.mask.sum())} of {options.units**2} synapses allowed, no "
        f"self-connections. {options.updates} updates of {N_TRIALS} trials of the 3-bit flip-flop with Adam, learning "
        f"rate {LEARNING_RATE:g}; mean squared error of the saved network on {N_TRIALS} others, of one run: only the "
        "rows of nn4n, which hold one network, are to be compared in it. Signs are counted where a synapse is allowed. "
        f"{describe('biornn', 'keras', 'tensorflow', 'torch', 'nn4n')}",
    ]
