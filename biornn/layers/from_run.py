"""Networks of a run as Keras models again."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.connectivity import Connectivity
from biornn.layers.gated import build_gated_model
from biornn.layers.model import build_model
from biornn.schema import CELL_TYPES, GATED, GATES, cell_signs, text

#: Settings of a network that its weights do not show, but its experiment does.
_SETTINGS = ("use_bias", "readout_bias", "enforcement", "recurrent_noise", "trainable_initial_state")

#: Prefix of the settings of a connectivity -> prefix of the variables of a run, and their dims.
_PATHWAYS = {
    "": ("recurrent", ("unit_pre", "unit_post")),
    "input_": ("input", ("input_channel", "unit")),
    "readout_": ("output", ("unit", "output_channel")),
}


def from_run(run: xr.DataTree, network: str, snapshot: int = -1, **settings: Any) -> keras.Sequential:
    """Build the Keras model of a network of a run: its outputs are the recorded ones.

    It can be trained on, with `biornn.train` or ``fit``, saved as Keras saves models, or built into another.

    Parameters
    ----------
    run
        A run, as `biornn.open_run` gives it.
    network
        Name of the network.
    snapshot
        Position of the snapshot; -1 is the last.
    **settings
        Of `build_model` (of a gated network: `build_gated_model`), in place of those of the run, such as penalties,
        ``recurrent_noise`` or ``enforcement``.

    Returns
    -------
    keras.Sequential
        Inputs (batch, time, input_channel) to outputs (batch, time, output_channel), with the layers ``recurrent`` and
        ``readout``. Masks, signs, cell types, fixed weights and names of units are those of the run (a gated layer has
        none of these); so are biases, enforcement, noise and whether the initial state is learned, as far as its
        experiment says them. The state of the optimizer is not stored: training begins with a new one.

    Raises
    ------
    KeyError
        If there is no network of this name.
    IndexError
        If there is no such snapshot.
    ValueError
        If it is no run, or the network failed or diverged.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> model = bn.layers.from_run(run, "dale-s00")  # doctest: +SKIP
    >>> model.save("dale-s00.keras")  # doctest: +SKIP
    """
    weights, condition = _weights(run, network, snapshot)
    times = run["trials"].to_dataset()["time"].values
    dt = float(times[1] - times[0]) if len(times) > 1 else 1.0
    stored = _stored_settings(run, condition)
    seed = max(int(weights["seed"]), 0)
    sizes = weights.sizes["input_channel"], weights.sizes["output_channel"]
    formulation = str(weights["formulation"].item())
    if formulation in GATED:
        stored = {name: value for name, value in stored.items() if "bias" in name}
        options = {"seed": seed, **stored, **settings}
        model = build_gated_model(formulation, weights.sizes["unit"], *sizes, **options)  # type: ignore[arg-type]
    else:
        options = {"activation": str(weights["activation"].item()), "tau": dt / weights["alpha"].values, "dt": dt}
        options |= {"formulation": formulation, **stored, **settings}
        model = build_model(_wiring(weights, seed), *sizes, **options)
    assign_stored(model, weights)
    return model


def _weights(run: xr.DataTree, network: str, snapshot: int) -> tuple[xr.Dataset, str]:
    """Select the weights of one network at one snapshot."""
    if not isinstance(run, xr.DataTree) or not {"weights", "trials", "history"} <= set(run.children):
        raise ValueError(f"run: expected a run, as biornn.open_run gives it, got {type(run).__name__}")
    weights = run["weights"].to_dataset()
    names = weights["network"].values.tolist()
    if network not in names:
        raise KeyError(f"network: expected one of {', '.join(map(str, names[:20]))}, got {network!r}")
    n_snapshots = weights.sizes["snapshot"]
    if not -n_snapshots <= snapshot < n_snapshots:
        raise IndexError(f"snapshot: expected a position of {n_snapshots}, got {snapshot}")
    one = weights.sel(network=network).isel(snapshot=snapshot).load()
    if not text(one["formulation"]).item():
        raise ValueError(f"network: expected one that was trained, got {network!r}, which failed")
    finite = [one[name].notnull().all() for name in ("output_weights", "output_bias", "initial_state")]
    if not all(finite):
        raise ValueError(f"network: expected finite weights, got NaN in {network!r}, which diverged")
    return one, str(one["condition"].item())


def _stored_settings(run: xr.DataTree, condition: str) -> dict[str, Any]:
    experiment = json.loads(run.attrs["experiment"])
    told = {**experiment.get("network", {}), **experiment.get("conditions", {}).get(condition, {})}
    return {name: told[name] for name in _SETTINGS if told.get(name) is not None}


def _wiring(weights: xr.Dataset, seed: int) -> Connectivity:
    """Make the wiring of a stored network, with its weights as the initial ones."""
    given: dict[str, Any] = {}
    for prefix, (stored, dims) in _PATHWAYS.items():
        mask = _values(weights, f"{stored}_mask", *dims)
        given[f"{prefix}mask"] = mask
        given[f"{prefix}weights" if prefix else "initial"] = _values(weights, f"{stored}_weights", *dims).astype(float)
        trainable = _values(weights, f"{stored}_trainable", *dims) if f"{stored}_trainable" in weights else mask
        if (trainable != mask).any():
            given[f"{prefix}trainable"] = trainable
    cell_type, sign = text(weights["cell_type"]), cell_signs(weights["cell_type"])
    is_dale = sign.any() and weights["output_sign"].any()
    if "position" in weights:
        given["positions"] = weights["position"]
    return Connectivity(
        weights.sizes["unit"],
        seed=seed,
        cell_type=cell_type.drop_vars("cell_sign", errors="ignore"),
        cell_types=_table(cell_type.values.tolist(), sign.values.tolist()),
        unit_names=weights["unit"].values,
        input_sign="non_negative" if weights["input_sign"].any() else "free",
        readout_sign="non_negative" if (weights["output_sign"] > 0).all() else "dale" if is_dale else "free",
        **given,
    )


def _table(types: list[str], signs: list[int]) -> dict[str, dict[str, int]] | None:
    """Make the table of the types of units; None where they are excitatory, inhibitory or unconstrained."""
    table = {name: {"sign": sign} for name, sign in zip(types, signs, strict=True)}
    return None if set(table) <= set(CELL_TYPES) else table


def assign_stored(model: keras.Model, weights: xr.Dataset, *, other_task: bool = False) -> None:
    """Give a model of `build_model` or `build_gated_model` the weights of one stored network at one snapshot.

    Weights that the model keeps fixed are kept at those of the stored network. The model must not have been used yet.

    Parameters
    ----------
    model
        A model with as many units, and of the same kind.
    weights
        One network of the group `weights` of a run, at one snapshot.
    other_task
        Whether the model may have other channels: input or readout weights of another shape keep the values that the
        model has. Recurrent weights that its mask forbids become zero, as after a lesion.

    Raises
    ------
    ValueError
        If sizes, masks or signs differ, or the model has no bias or initial state where the stored network's is not
        zero.
    """
    recurrent, readout = model.get_layer("recurrent"), model.get_layer("readout")
    formulation, cell = str(weights["formulation"].item()), recurrent.cell
    kind = getattr(cell, "formulation", type(recurrent).__name__.lower())
    if (kind, cell.units) != (formulation, weights.sizes["unit"]):
        raise ValueError(
            f"model: expected {weights.sizes['unit']} units in the form {formulation}, as the stored network has, "
            f"got {cell.units} in the form {kind}"
        )
    same_inputs = not other_task or model.input_shape[-1] == weights.sizes["input_channel"]
    if formulation in GATED:
        _assign_gates(cell, weights, formulation, same_inputs)
    else:
        recurrent_weights = _values(weights, "recurrent_weights", "unit_pre", "unit_post")
        if other_task:
            recurrent_weights = np.where(cell.recurrent_pathway.pathway.mask, recurrent_weights, 0)
        cell.recurrent_pathway.begin_with(recurrent_weights)
        if same_inputs:
            cell.input_pathway.begin_with(_values(weights, "input_weights", "input_channel", "unit"))
        _assign_or_zero("recurrent_bias", cell.bias, _values(weights, "recurrent_bias", "unit"))
        _assign_or_zero("initial_state", cell.initial_state, _values(weights, "initial_state", "unit"))
    if not other_task or model.output_shape[-1] == weights.sizes["output_channel"]:
        readout.output_pathway.begin_with(_values(weights, "output_weights", "unit", "output_channel"))
        _assign_or_zero("output_bias", readout.bias, _values(weights, "output_bias", "output_channel"))


def _values(weights: xr.Dataset, name: str, *dims: str) -> NDArray[Any]:
    return weights[name].transpose(*dims).values


def _assign_or_zero(name: str, variable: Any, values: NDArray[Any]) -> None:
    if variable is not None:
        variable.assign(values)
    elif values.any():
        raise ValueError(f"{name}: expected a model that has it, as the stored network, got one without")


def _assign_gates(cell: Any, weights: xr.Dataset, formulation: str, same_inputs: bool) -> None:
    """Put the weights by gate side by side, as Keras has them."""
    gates, n_biases = GATES[formulation]

    def side_by_side(name: str, *dims: str) -> NDArray[Any]:
        own = weights[name].assign_coords(gate=text(weights["gate"])).sel(gate=list(gates))
        values = own.transpose(*dims[:-1], "gate", dims[-1]).values
        return values.reshape(*values.shape[:-2], -1)

    if same_inputs:
        cell.kernel.assign(side_by_side("gate_input_weights", "input_channel", "unit"))
    cell.recurrent_kernel.assign(side_by_side("gate_recurrent_weights", "unit_pre", "unit_post"))
    biases = np.stack([side_by_side("gate_bias", "unit"), side_by_side("gate_recurrent_bias", "unit")])
    _assign_or_zero("gate_bias", cell.bias, biases if n_biases == 2 else biases[0])
