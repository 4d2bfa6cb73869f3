"""Networks in the HDF5 files of Keras 1 and 2, read with h5py alone: nothing in a file is executed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.errors import OneLineError, in_one_line

#: Activations that mean the same in Keras 1, 2 and 3; `hard_sigmoid` does not.
_ACTIVATIONS = ("linear", "tanh", "relu", "softplus", "sigmoid", "softsign", "elu", "selu", "exponential")
_MAX_UNITS = 50_000  # 10 GB of recurrent weights: a header that claims more is damaged

_MAX_COUNT = 10**12  # of updates; more is damaged
_MAX_TEXT = 10**7  # bytes of an attribute; the settings of two layers have a few thousand

#: Names of the arrays: those of Keras 2 and, after the layer's own name, those of Keras 1.
_RECURRENT_ARRAYS = {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}
_READOUT_ARRAYS = {"kernel": "W", "bias": "b"}

#: Scale and mode of the initialisers that are a kind of variance scaling, and how their names are written.
_VARIANCE_SCALING = {"glorot": (1.0, "fan_avg"), "he": (2.0, "fan_in"), "lecun": (1.0, "fan_in")}
_SPELT = {"glorot": "Glorot", "he": "He", "lecun": "LeCun"}


class KerasFileError(OneLineError):
    """A file that does not hold a Keras model of the supported kind."""


@dataclass(frozen=True)
class KerasFile:
    """One snapshot of one network, and its settings.

    Weights are ``input_weights`` (input_channel, unit), ``recurrent_weights`` (unit_pre, unit_post), ``recurrent_bias``
    (unit), ``output_weights`` (unit, output_channel) and ``output_bias`` (output_channel); a missing bias is 0.
    `network` has the names of an experiment's ``network``; `training`, optimizer and loss, is empty for a model that
    was not compiled; `update` is the number of updates that the optimizer counted, -1 if unknown.
    """

    weights: xr.Dataset
    network: Mapping[str, Any]
    training: Mapping[str, Any]
    update: int
    keras_version: str


def read_keras_hdf5(path: str | PathLike[str]) -> KerasFile:
    """Read a Keras model: one ``SimpleRNN`` with or without a bias, then one ``Dense``.

    A KerasFileError if the file cannot be read, holds another architecture, or its arrays do not fit.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: expected an HDF5 file, found none")
    try:
        with h5py.File(path, "r") as file:
            return _read(file)
    except KerasFileError as error:
        raise KerasFileError(f"{path}: {error}") from None
    except Exception as error:  # of h5py, in a damaged file
        raise KerasFileError(f"{path}: expected a whole HDF5 file, got: {in_one_line(error)}") from None


def _read(file: h5py.File) -> KerasFile:
    if "model_config" not in file.attrs:
        raise KerasFileError(
            "expected a model of Keras 1 or 2 with its 'model_config', found none; save the model, not its weights only"
        )
    layers = _layers(_json(file, "model_config"))
    kinds = [kind for kind, _ in layers]
    if kinds != ["SimpleRNN", "Dense"]:
        raise KerasFileError(f"expected the layers SimpleRNN and Dense, got {' and '.join(kinds) or 'none'}")
    recurrent, readout = (config for _, config in layers)
    network = _network_settings(recurrent, readout)
    n_units = network["n_units"]
    root = _group(file, "model_weights")
    arrays = _arrays(root, recurrent, _RECURRENT_ARRAYS, network["use_bias"])
    out = _arrays(root, readout, _READOUT_ARRAYS, network["readout_bias"])
    for name, array in (("input_weights", arrays["kernel"]), ("output_weights", out["kernel"])):
        if array.ndim != 2:
            raise KerasFileError(f"{name}: expected two dims, got the shape {array.shape}")
    n_inputs, n_outputs = arrays["kernel"].shape[0], out["kernel"].shape[1]
    expected = {
        "input_weights": (arrays.get("kernel"), ("input_channel", "unit"), (n_inputs, n_units)),
        "recurrent_weights": (arrays.get("recurrent_kernel"), ("unit_pre", "unit_post"), (n_units, n_units)),
        "recurrent_bias": (arrays.get("bias"), ("unit",), (n_units,)),
        "output_weights": (out.get("kernel"), ("unit", "output_channel"), (n_units, n_outputs)),
        "output_bias": (out.get("bias"), ("output_channel",), (n_outputs,)),
    }
    weights = xr.Dataset({name: (dims, _values(array, name, shape)) for name, (array, dims, shape) in expected.items()})
    training = _training_settings(file)
    version = _text(file, "keras_version") if "keras_version" in file.attrs else "1"
    return KerasFile(weights, network, training, _n_updates(file), version)


def _layers(config: Any) -> list[tuple[str, dict[str, Any]]]:
    """List class and settings of the layers that compute something; a Dense in a TimeDistributed counts as a Dense."""
    if not isinstance(config, dict) or config.get("class_name") != "Sequential":
        kind = config.get("class_name") if isinstance(config, dict) else type(config).__name__
        raise KerasFileError(f"expected a Sequential model, got {kind!r}")
    found = config.get("config")
    entries = found.get("layers") if isinstance(found, dict) else found  # Keras 1 and early 2 keep the bare list
    layers = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
            raise KerasFileError("expected layers with their settings in 'model_config', got something else")
        kind, settings = str(entry.get("class_name")), entry["config"]
        if kind == "TimeDistributed" and isinstance(settings.get("layer"), dict):
            inner = settings["layer"]
            own = inner.get("config") or {}
            kind = str(inner.get("class_name"))
            settings = {**own, "name": settings.get("name"), "inner_name": own.get("name")}
        elif kind == "TimeDistributedDense":
            kind = "Dense"
        if kind != "InputLayer":
            if not isinstance(settings.get("name"), str):
                raise KerasFileError(f"model_config: expected a name for each layer, got {settings.get('name')!r}")
            layers.append((kind, settings))
    return layers


def _network_settings(recurrent: Mapping[str, Any], readout: Mapping[str, Any]) -> dict[str, Any]:
    activation = recurrent.get("activation")
    if activation not in _ACTIVATIONS:
        raise KerasFileError(f"activation: expected one of {', '.join(_ACTIVATIONS)}, got {activation!r}")
    if readout.get("activation") != "linear":
        raise KerasFileError(f"activation of Dense: expected 'linear', got {readout.get('activation')!r}")
    if not _flag(recurrent, "return_sequences", False):
        raise KerasFileError("return_sequences of SimpleRNN: expected true, got false: its only output is at the end")
    if _flag(recurrent, "go_backwards", False):
        raise KerasFileError("go_backwards of SimpleRNN: expected false, got true")
    n_units = recurrent.get("units", recurrent.get("output_dim"))
    if not isinstance(n_units, int) or isinstance(n_units, bool) or not 1 <= n_units <= _MAX_UNITS:
        raise KerasFileError(f"units of SimpleRNN: expected 1 to {_MAX_UNITS}, got {n_units!r}")
    return {
        "n_units": n_units,
        "activation": activation,
        "use_bias": _flag(recurrent, "use_bias", True),
        "readout_bias": _flag(readout, "use_bias", _flag(readout, "bias", True)),
        "initial": _initializer(recurrent.get("recurrent_initializer", recurrent.get("inner_init"))),
        "input_initial": _initializer(recurrent.get("kernel_initializer", recurrent.get("init"))),
        "output_initial": _initializer(readout.get("kernel_initializer", readout.get("init"))),
        "penalties": _penalties("recurrent", recurrent) | _penalties("readout", readout),
    }


def _flag(settings: Mapping[str, Any], key: str, default: bool) -> bool:
    value = settings.get(key, default)
    if not isinstance(value, bool):
        raise KerasFileError(f"{key}: expected true or false, got {value!r}")
    return value


def _penalties(layer: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """List the regularizers, constraints and dropout of a layer, as text."""
    words = ("regularizer", "constraint", "dropout")
    return {
        f"{layer} {key}": json.dumps(value)
        for key, value in settings.items()
        if value and any(word in key for word in words)
    }


def _initializer(config: Any) -> str | None:
    """Name an initialiser, such as ``Glorot_uniform``, which versions of Keras write in four ways."""
    if isinstance(config, Mapping):
        kind, settings = str(config.get("class_name")), config.get("config")
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("_")
        if kind == "VarianceScaling" and isinstance(settings, Mapping):
            of = (settings.get("scale"), settings.get("mode"))
            shape = "uniform" if settings.get("distribution") == "uniform" else "normal"
            name = next((f"{family}_{shape}" for family, scaling in _VARIANCE_SCALING.items() if of == scaling), name)
    elif isinstance(config, str):
        name = config
    else:
        return None
    family, _, shape = name.partition("_")
    return f"{_SPELT[family]}_{shape}" if family in _SPELT else name


def _training_settings(file: h5py.File) -> dict[str, Any]:
    if "training_config" not in file.attrs:
        return {}
    config = _json(file, "training_config")
    optimizer = config.get("optimizer_config") if isinstance(config, dict) else None
    if not isinstance(optimizer, dict) or not isinstance(optimizer.get("config"), dict):
        return {}
    settings = dict(optimizer["config"])
    if "lr" in settings:  # the name before Keras 2.3
        settings["learning_rate"] = settings.pop("lr")
    return {"optimizer": optimizer.get("class_name"), "loss": config.get("loss"), **settings}


def _n_updates(file: h5py.File) -> int:
    """Return the number of updates that the optimizer counted; -1 if the file does not tell.

    Keras has called it `iterations`, `iter` and `iteration`, with and without a number and ``:0`` behind. Keras 1 gave
    it no name: there it is the only single number of the optimizer.
    """
    if not _is_own_group(file, "optimizer_weights"):
        return -1
    named: list[float] = []
    unnamed: list[float] = []

    def look(name: str, member: Any) -> None:
        if isinstance(member, h5py.Dataset) and member.size == 1 and member.dtype.kind in "iuf":
            is_count = re.fullmatch(r"iter(ations?)?(_\d+)?(:0)?", name.split("/")[-1])
            (named if is_count else unnamed).append(float(_stored(member, name, member.shape).item()))

    file["optimizer_weights"].visititems(look)  # visits hard links only
    counts = named or unnamed
    is_possible = len(counts) == 1 and 0 <= counts[0] <= _MAX_COUNT and counts[0].is_integer()
    return int(counts[0]) if is_possible else -1


def _arrays(
    root: h5py.Group, settings: Mapping[str, Any], names: Mapping[str, str], has_bias: bool
) -> dict[str, h5py.Dataset]:
    """Find the arrays of a layer, by the names of Keras 2 (``kernel:0``, in nested groups) or 1 (``dense_1_W``)."""
    layer = settings["name"]
    group = _group(root, layer)
    olds = (layer, settings.get("inner_name"))  # Keras 1 names the arrays of a wrapped layer after the inner one
    found: dict[str, h5py.Dataset] = {}

    def look(path: str, member: Any) -> None:
        last = path.split("/")[-1].removesuffix(":0")
        for name, old in names.items():
            if isinstance(member, h5py.Dataset) and last in (name, *(f"{one}_{old}" for one in olds)):
                if name in found:
                    raise KerasFileError(f"{layer}: expected one array {name!r}, found several")
                found[name] = member

    group.visititems(look)
    wanted = [name for name in names if name != "bias" or has_bias]
    if missing := [name for name in wanted if name not in found]:
        raise KerasFileError(f"{layer}: expected the array {missing[0]!r}, found {sorted(found) or 'none'}")
    return {name: found[name] for name in wanted}


def _group(parent: h5py.Group, name: str) -> h5py.Group:
    if not _is_own_group(parent, name):
        raise KerasFileError(f"expected the group {name!r} in the file, found {sorted(parent)}")
    return parent[name]


def _is_own_group(parent: h5py.Group, name: str) -> bool:
    """Return whether a group exists and the path to it has no link to another place or file."""
    place = parent
    for part in name.split("/"):
        if part in ("", ".") or not isinstance(place.get(part, getlink=True), h5py.HardLink):
            return False
        place = place[part]
        if not isinstance(place, h5py.Group):
            return False
    return True


def _values(array: h5py.Dataset | None, name: str, shape: tuple[int, ...]) -> NDArray[np.floating]:
    if array is None:
        return np.zeros(shape, np.float32)
    if array.dtype.kind != "f" or array.dtype.itemsize not in (2, 4, 8):
        raise KerasFileError(f"{name}: expected floating point numbers, got dtype {array.dtype}")
    values = _stored(array, name, shape)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if not np.isfinite(values).all():
        raise KerasFileError(f"{name}: expected finite numbers, got NaN or infinity; the network diverged")
    return values


def _stored(array: h5py.Dataset, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Read an array after checking its shape and that this file holds all of it."""
    if array.shape != shape:
        raise KerasFileError(f"{name}: expected the shape {shape}, got {array.shape}")
    if array.external or array.is_virtual or array.id.get_storage_size() != array.nbytes:
        raise KerasFileError(
            f"{name}: expected {array.nbytes} bytes in the file itself, found {array.id.get_storage_size()}"
        )
    if array.nbytes > array.file.id.get_filesize():  # the header may be wrong
        raise KerasFileError(f"{name}: expected an array smaller than its file, got {array.nbytes} bytes")
    return np.asarray(array[()])


def _json(file: h5py.File, name: str) -> Any:
    try:
        return json.loads(_text(file, name))
    except (ValueError, RecursionError):
        raise KerasFileError(f"{name}: expected JSON text, got something else") from None


def _text(file: h5py.File, name: str) -> str:
    """Read an attribute after checking its kind and its size."""
    attribute = file.attrs.get_id(name)
    if attribute.shape != () or attribute.dtype.kind not in "SO" or attribute.get_storage_size() > _MAX_TEXT:
        raise KerasFileError(f"{name}: expected one text, got the shape {attribute.shape}, dtype {attribute.dtype}")
    value = file.attrs[name]
    if not isinstance(value, str | bytes):
        raise KerasFileError(f"{name}: expected one text, got {type(value).__name__}")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
