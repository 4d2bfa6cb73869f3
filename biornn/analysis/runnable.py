"""The networks of a run that can be simulated."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_same_units, require_variables
from biornn.schema import GATE_WEIGHTS, GATED, has_gate, text

#: What a simulation multiplies and adds; of a gated network, `GATE_WEIGHTS` and `_READOUT`.
NUMBERS = (
    "input_weights",
    "recurrent_weights",
    "output_weights",
    "recurrent_bias",
    "output_bias",
    "initial_state",
    "alpha",
)
_READOUT = ("output_weights", "output_bias", "initial_state")


def runnable(weights: xr.Dataset, *, gated: bool = True) -> tuple[xr.Dataset, xr.DataArray]:
    """Replace each network that cannot be simulated (diverged or failed) by a silent one, and return which can.

    Discard the results of the others with ``result.where(can_run)``. Where the weights have a `snapshot`, the last is
    taken. Gated networks cannot if `gated` is False, or in a run that did not record their weights.
    """
    require_variables(weights, "weights", [*NUMBERS, "activation", "formulation"])
    require_same_units(weights, "weights")
    if "snapshot" in weights.dims:
        weights = weights.isel(snapshot=-1, drop=True)
    texts = [name for name in ("cell_type", "activation", "formulation") if name in weights]
    of_gates = [name for name in GATE_WEIGHTS if name in weights]
    weights = weights[[*NUMBERS, *of_gates, *texts]].load()
    formulation = text(weights["formulation"])
    is_gated = formulation.isin(GATED)
    has_weights = xr.full_like(is_gated, gated and len(of_gates) == len(GATE_WEIGHTS))
    can_run = formulation.isin(["rate", "current"]) | (is_gated & has_weights)
    for name in (*NUMBERS, *of_gates):
        finite = abs(weights[name].reset_coords(drop=True)) < np.inf
        if name in of_gates:
            finite = finite | ~has_gate(formulation, weights["gate"])
        elif name not in _READOUT:
            finite = finite | is_gated
        can_run = can_run & finite.all([dim for dim in finite.dims if dim != "network"])
    replaced = () if can_run.all() else NUMBERS
    safe = {name: weights[name].where(can_run, 1.0 if name == "alpha" else 0.0) for name in replaced}
    safe["activation"] = text(weights["activation"]).where(can_run, "linear")
    safe["formulation"] = text(weights["formulation"]).where(can_run, "rate")
    return weights.assign(safe), can_run.reset_coords(drop=True)
