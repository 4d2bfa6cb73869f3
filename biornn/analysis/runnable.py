"""The networks of a run that can be simulated."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_same_units, require_variables
from biornn.schema import text

#: What a simulation multiplies and adds.
NUMBERS = (
    "input_weights",
    "recurrent_weights",
    "output_weights",
    "recurrent_bias",
    "output_bias",
    "initial_state",
    "alpha",
)


def runnable(weights: xr.Dataset) -> tuple[xr.Dataset, xr.DataArray]:
    """Replace each network that cannot be simulated (diverged, failed or gated) by a silent one, and return which can.

    Discard the results of the others with ``result.where(can_run)``. Where the weights have a `snapshot`, the last is
    taken.
    """
    require_variables(weights, "weights", [*NUMBERS, "activation", "formulation"])
    require_same_units(weights, "weights")
    if "snapshot" in weights.dims:
        weights = weights.isel(snapshot=-1, drop=True)
    texts = [name for name in ("cell_type", "activation", "formulation") if name in weights]
    weights = weights[[*NUMBERS, *texts]].load()
    can_run = text(weights["formulation"]).isin(["rate", "current"])
    for name in NUMBERS:
        finite = abs(weights[name]) < np.inf
        can_run = can_run & finite.all([dim for dim in finite.dims if dim != "network"])
    safe = {name: weights[name].where(can_run, 1.0 if name == "alpha" else 0.0) for name in NUMBERS}
    safe["activation"] = text(weights["activation"]).where(can_run, "linear")
    safe["formulation"] = text(weights["formulation"]).where(can_run, "rate")
    return weights.assign(safe), can_run.reset_coords(drop=True)
