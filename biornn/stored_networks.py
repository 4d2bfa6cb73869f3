"""The networks of the group `weights` of a run, as arrays with which they make steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.activations import activation
from biornn.dynamics import Networks
from biornn.gated import GRUNetworks, LSTMNetworks
from biornn.schema import GATES, text

AnyNetworks = Networks | GRUNetworks | LSTMNetworks
_GATED: Mapping[str, type[GRUNetworks | LSTMNetworks]] = {"gru": GRUNetworks, "lstm": LSTMNetworks}


def stored_networks(weights: xr.Dataset, dtype: str = "float64") -> Iterator[tuple[NDArray[np.intp], AnyNetworks]]:
    """Group the networks of weights (network, ...) by activation and formulation: positions, and their arrays.

    Those that failed, without a formulation, are left out; a gate without its label is a ValueError.
    """
    names = (text(weights[name]).values.tolist() for name in ("activation", "formulation"))
    kinds = list(zip(*names, strict=True))
    for kind in dict.fromkeys(kinds):
        if kind[1]:
            index = np.array([position for position, one in enumerate(kinds) if one == kind])
            with np.errstate(over="ignore"):  # weights beyond the largest float32 are infinite
                found = _networks(weights.isel(network=index), kind[0], kind[1], dtype)
            yield index, found


def _networks(weights: xr.Dataset, activation_name: str, formulation: str, dtype: str) -> AnyNetworks:
    def values(name: str, *dims: str) -> NDArray[np.floating]:
        return weights[name].transpose("network", *dims).values.astype(dtype)

    ends = (
        values("output_weights", "unit", "output_channel"),
        values("output_bias", "output_channel"),
        values("initial_state", "unit"),
    )
    if formulation not in GATES:
        return Networks(
            values("input_weights", "input_channel", "unit"),
            values("recurrent_weights", "unit_pre", "unit_post"),
            values("recurrent_bias", "unit"),
            *ends,
            values("alpha", "unit"),
            activation(activation_name),
            formulation,
        )

    gates = list(GATES[formulation][0])
    found = weights["gate"].values.tolist() if "gate" in weights.coords else []
    if any(found.count(gate) != 1 for gate in gates):
        raise ValueError(
            f"weights: expected the labels {gates} along gate, of a network of the form {formulation}, got {found}"
        )

    def of_gates(name: str, *dims: str) -> NDArray[np.floating]:
        own = weights[name].sel(gate=gates).transpose("network", *dims[:-1], "gate", dims[-1]).values.astype(dtype)
        return own.reshape(*own.shape[:-2], -1)

    return _GATED[formulation](
        of_gates("gate_input_weights", "input_channel", "unit"),
        of_gates("gate_recurrent_weights", "unit_pre", "unit_post"),
        of_gates("gate_bias", "unit"),
        of_gates("gate_recurrent_bias", "unit"),
        *ends,
    )
