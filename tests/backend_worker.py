"""What `test_backends` does in a process of its own on each backend of Keras: train and save, then open and predict.

Its words are its folder and those of all backends. It says when it has trained, and goes on when its input ends: the
others have trained by then. ``KERAS_BACKEND`` is its backend.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

import biornn as bn
from biornn.training import TrialStream, record_weights

#: A flip-flop of two bits and 60 steps.
TASK = bn.tasks.FlipFlop(
    n_bits=2, duration=60, pulse_width=4, response_delay=4, min_gap=10, first_onset=2, n_pulses=2, noise=0.1
)
DALE = bn.Connectivity(
    16,
    excitatory_fraction=0.75,
    density=0.5,
    autapses=False,
    input_density=0.8,
    input_sign="non_negative",
    readout_sign="dale",
    seed=1,
)
#: Types in mixed order, and fixed synapses, some of them from a weight of zero.
CIRCUIT = bn.Connectivity(
    16,
    cell_type=np.resize([-1, 1, 0, 1], 16),
    initial=np.resize([0.3, 0.0, 0.1], (16, 16)) * np.resize([-1, 1, 1, 1], (16, 1)),
    trainable=np.resize([True, False, False, True, True], (16, 16)),
    seed=1,
)
TAU = np.geomspace(2.0, 20.0, 16)  # ms, a time constant for every unit
CONSTRAINED_NETWORKS: dict[str, dict[str, Any]] = {
    "unconstrained": {"connectivity": bn.Connectivity(16, seed=1), "tau": 5.0},
    "constrained": {"connectivity": DALE, "tau": TAU, "activation": "softplus"},
    "projected": {"connectivity": DALE, "tau": 5.0, "enforcement": "projection", "formulation": "current"},
    "circuit": {"connectivity": CIRCUIT, "tau": 5.0},
}
NETWORKS = (*CONSTRAINED_NETWORKS, "gru")
N_UPDATES = 30


def build(name: str) -> Any:
    """Build one of the networks anew, from its seed."""
    if name == "gru":
        return bn.layers.build_gated_model("gru", 16, TASK.n_inputs, TASK.n_outputs, seed=1)
    return bn.layers.build_model(**CONSTRAINED_NETWORKS[name], n_inputs=TASK.n_inputs, n_outputs=TASK.n_outputs)


def train(folder: Path) -> None:
    """Train every network, and save it with all that the tests compare."""
    stream = TrialStream(TASK, 8, seed=0)
    inputs, targets, _ = zip(*(stream[index] for index in range(3)), strict=True)
    np.savez(folder / "trials.npz", inputs=inputs, targets=targets)
    for name in NETWORKS:
        model = build(name)
        found = _labelled("initial", _weights(model))
        result = bn.train(model, TASK, seed=0, max_updates=N_UPDATES, batch_size=8, validate_every=10)
        found |= _labelled("trained", _weights(model))
        found |= _labelled("audit", _arrays(bn.audit(result)))
        np.savez(folder / f"{name}.npz", predictions=_predictions(model), **found)
        model.save(folder / f"{name}.keras")


def open_models(folder: Path, others: list[Path]) -> None:
    """Open what every backend saved, and save the predictions of this one."""
    import keras

    for other in others:
        for name in NETWORKS:
            # Compiled as on JAX, PyTorch would compile what it predicts with, for many seconds.
            model = keras.models.load_model(other / f"{name}.keras", compile=False)
            np.save(folder / f"{name}-of-{other.name}.npy", _predictions(model))


def _predictions(model: Any) -> np.ndarray:
    """Outputs on a batch that is always the same."""
    return model.predict(TASK.arrays(16, np.random.default_rng(5))[0], verbose=0)


def _weights(model: Any) -> dict[str, np.ndarray]:
    """All variables, masks and signs too, and the effective weights of a network that has them."""
    names = [variable.path.split("/", 1)[1].replace("/", ".") for variable in model.weights]  # without the model's
    weights = dict(zip(names, model.get_weights(), strict=True))
    effective = _arrays(record_weights(model))  # NaN where a gated layer has several of a kind
    return weights | {name: array for name, array in effective.items() if not np.isnan(array).any()}


def _arrays(dataset: Any) -> dict[str, np.ndarray]:
    return {name: variable.values for name, variable in dataset.data_vars.items()}


def _labelled(label: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{label}.{name}": array for name, array in arrays.items()}


if __name__ == "__main__":
    mine, *all_folders = map(Path, sys.argv[1:])
    train(mine)
    sys.stdout.write("trained\n")
    sys.stdout.flush()
    sys.stdin.read()
    open_models(mine, all_folders)
