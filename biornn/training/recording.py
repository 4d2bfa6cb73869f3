"""Activity, weights and constants of a trained model, with the names of the schema (without `network`)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import xarray as xr
from keras import ops
from numpy.typing import NDArray

from biornn.connectivity import Connectivity
from biornn.layers import ConstrainedRNN, ConstrainedRNNCell, Readout, effective_weights, fused_inference
from biornn.layers.pathway_weights import as_numpy
from biornn.schema import GATE_LABELS, GATES, variable_attrs


class ModelRunner:
    """Runs a model without noise of its own: its rates and outputs on inputs (trial, time, input_channel)."""

    def __init__(self, model: keras.Model) -> None:
        self._recurrent, _ = find_layers(model)
        self._model = keras.Model(model.inputs[0], [*_input_tensors(model.outputs[0]), *model.outputs])

    def __call__(self, inputs: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return ``rates`` (trial, time, unit) and ``outputs`` (trial, time, output_channel)."""
        with fused_inference(self._recurrent) as is_fused:
            self._model.run_eagerly = is_fused  # tracing takes longer than the steps
            rates, outputs = self._model.predict_on_batch(inputs)
        return rates, outputs


def record_activity(model: keras.Model, trials: xr.Dataset, batch_size: int = 64) -> xr.Dataset:
    """Run a model on trials without noise of its own, `batch_size` at a time.

    Returns ``rates`` (trial, time, unit) and ``outputs`` (trial, time, output_channel).
    """
    run = ModelRunner(model)
    inputs = trials["inputs"].transpose("trial", "time", "input_channel").values
    parts = [run(inputs[first : first + batch_size]) for first in range(0, len(inputs), batch_size)]
    rates, outputs = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    units = _wiring(*find_layers(model)).unit_names
    coords = {"trial": trials["trial"], "time": trials["time"], "unit": units}
    activity = xr.Dataset(
        {"rates": (("trial", "time", "unit"), rates), "outputs": (("trial", "time", "output_channel"), outputs)}, coords
    )
    if "output_channel" in trials:
        activity = activity.assign_coords(output_channel=trials["output_channel"])
    return variable_attrs("activity", activity)


def record_weights(model: keras.Model) -> xr.Dataset:
    """Return all effective weights of a model: those of `effective_weights`, and the readout's.

    A gated layer has its weights by gate; those that other layers have are NaN.
    """
    recurrent, readout = find_layers(model)
    kernel = readout.output_pathway.numpy() if isinstance(readout, Readout) else as_numpy(readout.kernel)
    bias = np.zeros(kernel.shape[-1], "float32") if readout.bias is None else as_numpy(readout.bias)
    if isinstance(recurrent, ConstrainedRNN):
        weights = effective_weights(recurrent).drop_vars(["cell_type", "cell_sign"])
    else:
        weights = _gated_weights(recurrent, _wiring(recurrent, readout).unit_names)
    weights["output_weights"] = ("unit", "output_channel"), kernel
    weights["output_bias"] = ("output_channel",), bias
    weights["initial_state"] = ("unit",), _initial_state(recurrent.cell)
    return variable_attrs("weights", weights)


def record_constants(model: keras.Model) -> xr.Dataset:
    """Return the variables of the group `weights` of the schema that training does not change."""
    recurrent, readout = find_layers(model)
    cell, wiring, rates = recurrent.cell, _wiring(recurrent, readout), _initial_state(recurrent.cell)
    formulation, alpha = type(recurrent).__name__.lower(), np.full(wiring.n_units, np.nan)
    if isinstance(cell, ConstrainedRNNCell):
        formulation, alpha = cell.formulation, cell.alpha
    if formulation == "current":
        rates = as_numpy(cell.activation(ops.convert_to_tensor(rates)))
    inputs = wiring.input(model.input_shape[-1])
    # A dense layer is free, whatever the wiring says of a readout.
    read = readout.connectivity if isinstance(readout, Readout) else Connectivity(wiring.n_units)
    outputs = read.readout(model.output_shape[-1])
    constants = xr.Dataset(
        {
            "recurrent_mask": (("unit_pre", "unit_post"), wiring.recurrent.mask),
            "recurrent_trainable": (("unit_pre", "unit_post"), wiring.recurrent.free),
            "input_mask": (("input_channel", "unit"), inputs.mask),
            "output_mask": (("unit", "output_channel"), outputs.mask),
            "input_trainable": (("input_channel", "unit"), inputs.free),
            "output_trainable": (("unit", "output_channel"), outputs.free),
            "input_sign": ("input_channel", inputs.sign),
            "output_sign": ("unit", outputs.sign),
            "cell_type": ("unit", wiring.cell_type),
            "alpha": ("unit", alpha),
            "initial_rates": ("unit", rates),
            "activation": ((), _activation_name(cell.activation)),
            "formulation": ((), formulation),
        },
        {"cell_sign": ("unit", wiring.sign)},
    )
    if wiring.positions is not None:
        constants["position"] = xr.DataArray(wiring.positions, {"axis": wiring.axis_names}, ("unit", "axis"))
    return variable_attrs("weights", constants)


def _wiring(recurrent: Any, readout: Any) -> Connectivity:
    """Return the wiring of a model; a gated layer has none of its own."""
    cell = recurrent.cell
    if isinstance(cell, ConstrainedRNNCell):
        return cell.connectivity
    return readout.connectivity if isinstance(readout, Readout) else Connectivity(cell.units)


def _initial_state(cell: Any) -> NDArray[np.floating]:
    state = getattr(cell, "initial_state", None)  # gated cells have none
    return np.zeros(cell.units, "float32") if state is None else as_numpy(state)


def find_layers(model: keras.Model) -> tuple[Any, Any]:
    """Return the recurrent layer and the readout of a model that consists of these two, one after the other.

    The readout is a `biornn.layers.Readout`, or a dense layer of Keras without an activation.

    Anything else in the model is a ValueError: what is recorded would not be the network that is trained.
    """
    layers = model.layers if isinstance(model, keras.Model) else []
    layers = [layer for layer in layers if not isinstance(layer, keras.layers.InputLayer)]
    if not _are_the_whole_model(layers, model):
        got = ", ".join(type(layer).__name__ for layer in layers)
        raise ValueError(
            "model: expected one input -> ConstrainedRNN (or GRU, LSTM) -> Readout (or Dense) -> one output and "
            f"nothing else, as biornn.layers.build_model makes it, got a {type(model).__name__} with the layers [{got}]"
        )
    recurrent, readout = layers
    for setting, expected in {"return_sequences": True, "go_backwards": False, "stateful": False}.items():
        if getattr(recurrent, setting) != expected:
            raise ValueError(f"model: expected a recurrent layer with {setting}={expected}, got {not expected}")
    dtypes = [layer.dtype_policy.name for layer in layers]
    if not isinstance(recurrent, ConstrainedRNN):
        _check_gates(recurrent)
    if not isinstance(readout, Readout) and readout.activation is not keras.activations.linear:
        raise ValueError(
            f"model: expected a Dense readout without an activation, got {_activation_name(readout.activation)!r}"
        )
    if dtypes not in (["float32"] * 2, ["float64"] * 2):  # rates in 16 bits are not those of the recorded weights
        raise ValueError(
            f"model: expected the dtype float32 or float64 of both layers, got {dtypes[0]} and {dtypes[1]}"
        )
    return recurrent, readout


def _are_the_whole_model(layers: list[Any], model: keras.Model) -> bool:
    """Whether nothing but a recurrent layer and a readout, neither of them subclassed, is between input and output."""
    kinds = [type(layer) for layer in layers]
    is_of_keras = type(model).__module__.startswith("keras.") and model.built
    recurrent, readouts = (ConstrainedRNN, keras.layers.GRU, keras.layers.LSTM), (Readout, keras.layers.Dense)
    if not is_of_keras or len(kinds) != 2 or kinds[0] not in recurrent or kinds[1] not in readouts:
        return False
    tensors = model.outputs
    for layer in reversed(layers):
        if len(tensors) != 1 or tensors[0]._keras_history[::2] != (layer, 0) or _has_more_arguments(tensors[0]):
            return False
        tensors = _input_tensors(tensors[0])
    return len(model.inputs) == len(tensors) == 1 and tensors[0] is model.inputs[0]


def _has_more_arguments(tensor: Any) -> bool:
    """Whether a layer was called with an initial state or a mask beside its input."""
    layer, node, _ = tensor._keras_history
    arguments = layer._inbound_nodes[node].arguments
    given = [*arguments.args[1:], *(arguments.kwargs.get(name) for name in ("initial_state", "mask"))]
    return any(one is not None and not isinstance(one, bool) for one in given)


def _input_tensors(tensor: Any) -> list[Any]:
    """Return the symbolic tensors that a symbolic tensor is computed from, in one model of a layer's several."""
    layer, node, _ = tensor._keras_history
    inputs: list[Any] = layer._inbound_nodes[node].input_tensors
    return inputs


def _check_gates(layer: Any) -> None:
    """Refuse a gated layer that makes other steps than those of `biornn.gated`."""
    expected = {"activation": keras.activations.tanh, "recurrent_activation": keras.activations.sigmoid}
    for setting, function in expected.items():
        if (got := getattr(layer, setting)) is not function:
            raise ValueError(f"model: expected {setting}={function.__name__!r}, got {_activation_name(got)!r}")
    if not getattr(layer, "reset_after", True):  # an LSTM has no such setting
        raise ValueError("model: expected a GRU with reset_after=True, got False")


def _gated_weights(layer: Any, units: NDArray[Any]) -> xr.Dataset:
    """Return the weights by gate, and NaN in place of those that other layers have."""
    gates, n_biases = GATES[type(layer).__name__.lower()]
    cell, n_units = layer.cell, layer.units
    bias = np.zeros((2, len(gates) * n_units), cell.kernel.dtype)
    if cell.bias is not None:
        bias[:n_biases] = as_numpy(cell.bias)
    by_gate = {
        "input_weights": (("input_channel", "unit"), as_numpy(cell.kernel)),
        "recurrent_weights": (("unit_pre", "unit_post"), as_numpy(cell.recurrent_kernel)),
        "bias": (("unit",), bias[0]),
        "recurrent_bias": (("unit",), bias[1]),
    }
    variables = {}
    for name, (dims, values) in by_gate.items():
        each = np.full((len(GATE_LABELS), *values.shape[:-1], n_units), np.nan, values.dtype)
        own = [GATE_LABELS.index(gate) for gate in gates]
        each[own] = np.moveaxis(values.reshape(*values.shape[:-1], len(gates), n_units), -2, 0)
        variables[f"gate_{name}"] = (("gate", *dims), each)
        if name != "bias":
            variables[name] = (dims, np.full_like(each[0], np.nan))
    return xr.Dataset(variables, {"gate": list(GATE_LABELS), "unit": units, "unit_pre": units, "unit_post": units})


def _activation_name(function: Any) -> str:
    """Name of a Keras activation; of another function also the module, so that it is not taken for one of Keras's."""
    name = getattr(function, "__name__", type(function).__name__)
    is_of_keras = getattr(keras.activations, name, None) is function  # keras.ops has another gelu
    return name if is_of_keras else f"{function.__module__}.{name}"
