"""Small files in the HDF5 format of Keras 2.3, and of Keras 1, written with h5py."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

N_UNITS = 5


def arrays(seed: int, n_inputs: int = 2, n_outputs: int = 2, use_bias: bool = False) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"kernel": (n_inputs, N_UNITS), "recurrent_kernel": (N_UNITS, N_UNITS)}
    shapes |= {"bias": (N_UNITS,)} if use_bias else {}
    shapes |= {"output_kernel": (N_UNITS, n_outputs), "output_bias": (n_outputs,)}
    return {name: (rng.standard_normal(shape) / 2).astype("float32") for name, shape in shapes.items()}


def model_config(use_bias: bool = False, **changes: Any) -> dict[str, Any]:
    recurrent = {
        "name": "simple_rnn_7",
        "units": N_UNITS,
        "activation": "tanh",
        "use_bias": use_bias,
        "return_sequences": True,
        "go_backwards": False,
        "recurrent_initializer": {"class_name": "Orthogonal", "config": {"gain": 1.0}},
        "kernel_initializer": {
            "class_name": "VarianceScaling",
            "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform"},
        },
        **changes,
    }
    readout = {"name": "dense_7", "units": 2, "activation": "linear", "use_bias": True}
    layers = [{"class_name": "SimpleRNN", "config": recurrent}, {"class_name": "Dense", "config": readout}]
    return {"class_name": "Sequential", "config": {"name": "sequential_7", "layers": layers}}


def write(path: Path, seed: int = 0, update: int | None = None, use_bias: bool = False, **changes: Any) -> Path:
    """Write a file; `update` None is a model that was never compiled, as before training."""
    values = arrays(seed, use_bias=use_bias)
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.3.1"
        file.attrs["model_config"] = json.dumps(model_config(use_bias, **changes)).encode()
        recurrent = file.create_group("model_weights/simple_rnn_7/simple_rnn_7")
        readout = file.create_group("model_weights/dense_7/dense_7")
        for name, value in values.items():
            group = readout if name.startswith("output_") else recurrent
            group[f"{name.removeprefix('output_')}:0"] = value
        if update is not None:
            config = {"class_name": "Adam", "config": {"learning_rate": 1e-4, "decay": 1e-4}}
            file.attrs["training_config"] = json.dumps({"optimizer_config": config, "loss": "mse"}).encode()
            file["optimizer_weights/Adam/iterations:0"] = np.int64(update)
    return path


def write_keras_1(path: Path, seed: int = 0) -> Path:
    """Write a file as Keras 1 did: a bare list of layers, other names, always a bias, a wrapped readout."""
    values = arrays(seed, use_bias=True)
    recurrent = {
        "name": "simplernn_1",
        "output_dim": N_UNITS,
        "activation": "tanh",
        "inner_init": "orthogonal",
        "init": "glorot_uniform",
        "return_sequences": True,
        "go_backwards": False,
    }
    readout = {"name": "dense_1", "output_dim": 2, "activation": "linear", "bias": True}
    layers = [
        {"class_name": "SimpleRNN", "config": recurrent},
        {
            "class_name": "TimeDistributed",
            "config": {"name": "timedistributed_1", "layer": {"class_name": "Dense", "config": readout}},
        },
    ]
    names = {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})
        for name, value in values.items():
            layer = "timedistributed_1" if name.startswith("output_") else "simplernn_1"
            own = "dense_1" if name.startswith("output_") else layer
            file[f"model_weights/{layer}/{own}_{names[name.removeprefix('output_')]}"] = value
    return path
