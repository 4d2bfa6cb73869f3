"""Count violations of the declared constraint after training: python experiments/benchmarks/violations.py.

Each package declares Dale's law (80/20), half of the synapses and no self-connections, starts with the same weights and
trains on the same trials of the 3-bit flip-flop. What counts are the weights as they are saved right after the last
update, and the network that is evaluated is the saved one.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from machine import describe, version_of
from numpy.typing import NDArray
from tables import head, row, show
from updates import N_CHANNELS, keras_model, nn4n_network, torch_update, wiring

if TYPE_CHECKING:
    import biornn as bn

LEARNING_RATE, N_TRIALS = 1e-3, 64

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


class Trained(NamedTuple):
    """A network after training: what it breaks, and its mean squared error on trials that it was not trained on."""

    violations: Violations
    error: float


def count(weights: NDArray[np.floating[Any]], sign: NDArray[Any], mask: NDArray[np.bool_]) -> Violations:
    """Count violations in recurrent weights.

    Parameters
    ----------
    weights
        (unit_pre, unit_post), as the network uses them.
    sign
        Of each unit's outgoing weights, (unit,).
    mask
        (unit_pre, unit_post), where a weight may differ from zero.

    Returns
    -------
    Violations
    """
    wrong = (weights * sign[:, np.newaxis] < 0) & mask
    forbidden = (weights != 0) & ~mask
    autapses = int(forbidden.diagonal().sum())
    largest = float(np.abs(weights[wrong | forbidden]).max(initial=0.0))
    return Violations(
        int(wrong.sum()), int(wrong.any(axis=1).sum()), int(forbidden.sum()) - autapses, autapses, largest
    )


def train_keras(recurrent: Any, constraint: bn.Connectivity, n_updates: int) -> Trained:
    """Train a recurrent Keras layer with a readout, save and load it, and count in what was loaded.

    Parameters
    ----------
    recurrent
        A layer of `ConstrainedRNNCell`, on its own or in ``keras.layers.RNN``.
    constraint
        What it declares.
    n_updates
        Number of updates.
    """
    import keras

    import biornn as bn

    model = keras_model(recurrent, LEARNING_RATE)
    model.layers[-1].trainable_variables[0].assign(_readout_weights(constraint.n_units))
    for inputs, targets in _batches(n_updates):
        model.train_on_batch(inputs, targets)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        saved = keras.models.load_model(Path(folder) / "model.keras")
    weights = bn.layers.effective_weights(saved.layers[0].cell).recurrent_weights.values
    return Trained(_count(weights, constraint), float(saved.evaluate(*_held_out(), verbose=0)))


def train_nn4n(constraint: bn.Connectivity, n_updates: int) -> tuple[Trained, Trained]:
    """Train nn4n's network, and count in the weights of its ``state_dict``.

    Parameters
    ----------
    constraint
        What it declares.
    n_updates
        Number of updates.

    Returns
    -------
    saved
        As it is right after the last update; it is evaluated after ``eval()``, in which mode it corrects nothing.
    corrected
        After one more forward pass in training mode, which writes signs and mask into the weights.
    """
    import torch

    def tensors(trials: _Trials) -> list[Any]:
        return [torch.from_numpy(array.swapaxes(0, 1).copy()) for array in trials]

    def trained() -> Trained:
        network.eval()
        with torch.no_grad():
            error = float(torch.nn.functional.mse_loss(network(inputs)[0], targets))
        network.train()
        weights = network.state_dict()["recurrent_layer.hidden_layer.weight"].numpy().T
        return Trained(_count(weights, constraint), error)

    network = nn4n_network(constraint)
    network.readout_layer.set_weight(torch.from_numpy(_readout_weights(constraint.n_units).T.copy()))
    update = torch_update(lambda given: network(given)[0], network.parameters(), LEARNING_RATE)
    for batch in _batches(n_updates):
        update(*tensors(batch))
    inputs, targets = tensors(_held_out())
    saved = trained()
    with torch.no_grad():
        network(inputs)
    return saved, trained()


def measure(n_units: int, n_updates: int) -> dict[str, Trained | None]:
    """Train with every package.

    Parameters
    ----------
    n_units
        Units of the network.
    n_updates
        Number of updates.

    Returns
    -------
    dict
        Name -> the trained network; None where the package is not installed.
    """
    import keras

    import biornn as bn

    constraint = wiring(n_units)
    layers: dict[str, Callable[[], Any]] = {
        "biornn, by construction": lambda: bn.layers.ConstrainedRNN(constraint, return_sequences=True),
        "biornn, by projection": lambda: bn.layers.ConstrainedRNN(
            constraint, enforcement="projection", return_sequences=True
        ),
        "Keras cell that masks in every step": lambda: keras.layers.RNN(
            bn.layers.ConstrainedRNNCell(constraint), return_sequences=True
        ),
    }
    found: dict[str, Trained | None] = {}
    for name, make in layers.items():
        found[name] = train_keras(make(), constraint, n_updates)
    peer = train_nn4n(constraint, n_updates) if version_of("nn4n") else (None, None)
    found["nn4n, as saved after the last update"], found["nn4n, one more forward pass in training mode later"] = peer
    return found


def table(found: dict[str, Trained | None]) -> str:
    """Lay out the counts as a table in Markdown."""
    headings = "wrong signs", "in units", "outside the mask", "self-connections", "largest of these", "MSE"
    lines = head(["after training", *headings])
    for name, one in found.items():
        cells = ["not installed", *[""] * 5] if one is None else _cells(*one)
        lines.append(row([name, *cells]))
    return "\n".join([*lines, ""])


def _cells(violations: Violations, error: float) -> list[object]:
    largest = f"{violations.largest:.1g}" if violations.largest else "–"
    return [*violations[:-1], largest, f"{error:.3f}"]


def told(n_units: int, n_updates: int) -> str:
    """Say what was counted, and on which machine."""
    constraint = wiring(n_units)
    return (
        f"Weights that break the declared constraint: {n_units} units, Dale's law (80/20), "
        f"{int(constraint.recurrent.mask.sum())} of {n_units**2} synapses allowed, no self-connections. {n_updates} "
        f"updates of {N_TRIALS} trials of the 3-bit flip-flop with Adam, learning rate {LEARNING_RATE:g}; mean squared "
        f"error of the saved network on {N_TRIALS} others, of one run: only the rows of nn4n, which hold one network, "
        "are to be compared in it. Signs are counted where a synapse is allowed. "
        f"{describe('biornn', 'keras', 'tensorflow', 'torch', 'nn4n')}.\n"
    )


def _count(weights: NDArray[np.floating[Any]], constraint: bn.Connectivity) -> Violations:
    return count(weights, constraint.recurrent.sign, constraint.recurrent.mask.astype(bool))


def _readout_weights(n_units: int) -> NDArray[np.float32]:
    """Draw the initial weights of the readout, as Keras would (Glorot's uniform rule)."""
    limit = np.sqrt(6 / (n_units + N_CHANNELS))
    return np.random.default_rng(0).uniform(-limit, limit, (n_units, N_CHANNELS)).astype("float32")


def _batches(n_updates: int) -> Iterator[_Trials]:
    for seed in range(1, n_updates + 1):
        yield _sample(seed)


def _held_out() -> _Trials:
    return _sample(seed=0)


def _sample(seed: int) -> _Trials:
    import biornn as bn

    trials = bn.tasks.FlipFlop(n_bits=3).sample(N_TRIALS, seed=seed)
    return trials.inputs.values.astype("float32"), trials.targets.values.astype("float32")


def main() -> None:
    """Train, count, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    found = measure(options.units, options.updates)
    show("\n".join([table(found), told(options.units, options.updates)]), options.out)


if __name__ == "__main__":
    main()
