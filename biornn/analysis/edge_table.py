"""The synapses of networks as a table, a row each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from biornn.analysis.dims import require_same_units, require_square, require_variables
from biornn.schema import GATED, has_gate, text

_MATRIX = ("unit_pre", "unit_post")


def edge_table(weights: xr.Dataset) -> pd.DataFrame:
    """List the recurrent synapses of networks, a row each.

    Parameters
    ----------
    weights
        The group `weights` of a run, or a selection of it, such as ``weights.sel(network="dale-s00", update=200)``:
        `recurrent_weights`, dims `unit_pre`, `unit_post` and, where there are several, `network` and `snapshot`;
        `recurrent_mask`, `cell_type` and, where there is one, `recurrent_trainable`. Of gated networks,
        `gate_recurrent_weights`, and of all `formulation`.

    Returns
    -------
    pandas.DataFrame
        A row for each synapse that may exist, also where its weight is 0, or that has a weight. By network, snapshot,
        presynaptic and postsynaptic unit, the columns `pre` and `post` (labels of the units), `weight` (effective,
        dimensionless; NaN in a network that diverged), `cell_type_pre` and `cell_type_post`, and `trainable` (training
        may change it). Before them, where `weights` has such a dim, its label and the coordinates on it: `network`,
        `condition`, `seed`; `snapshot`, `update`; and with gated networks, which come last, `gate`, empty for others.

    Raises
    ------
    ValueError
        If a variable is missing, or units differ.

    Notes
    -----
    Of one network at one snapshot, ``edge_table(...).to_csv("edges.csv", index=False)`` writes a file that an
    experiment reads as ``mask: {file: edges.csv}`` and ``initial: {file: edges.csv}``. Experiments read a weight of
    exactly 0 as no synapse; the columns `pre` and `post` alone are the mask in every case. A unit without a synapse is
    not in the table: name all of them by `unit_names`.

    Examples
    --------
    >>> import xarray as xr
    >>> matrix = ("unit_pre", "unit_post")
    >>> weights = xr.Dataset(
    ...     {
    ...         "recurrent_weights": (matrix, [[0.0, 0.5], [-0.25, 0.0]]),
    ...         "recurrent_mask": (matrix, [[False, True], [True, False]]),
    ...         "cell_type": ("unit", ["excitatory", "inhibitory"]),
    ...     }
    ... )
    >>> edge_table(weights)[["pre", "post", "weight", "cell_type_pre"]].values.tolist()
    [[0, 1, 0.5, 'excitatory'], [1, 0, -0.25, 'inhibitory']]
    """
    require_variables(weights, "weights", ["recurrent_weights", "recurrent_mask", "cell_type"])
    require_square(weights["recurrent_weights"])
    require_same_units(weights, "weights")
    names = ["recurrent_weights", "recurrent_mask", "cell_type"]
    optional = ["recurrent_trainable", "gate_recurrent_weights", "formulation"]
    weights = weights[names + [name for name in optional if name in weights]].compute()
    if "formulation" not in weights:
        return _rows(weights, weights["recurrent_weights"], xr.DataArray(True))
    gated = text(weights["formulation"]).isin(GATED)
    rows = _rows(weights, weights["recurrent_weights"], ~gated)
    if not gated.any():
        return rows
    require_variables(weights, "weights", ["gate_recurrent_weights"])
    by_gate = weights["gate_recurrent_weights"]
    of_gates = _rows(weights, by_gate, has_gate(weights["formulation"], by_gate["gate"]))
    rows.insert(list(rows.columns).index("pre"), "gate", "")
    return pd.concat([rows, of_gates], ignore_index=True) if len(rows) else of_gates


def _rows(weights: xr.Dataset, values: xr.DataArray, of_these: xr.DataArray) -> pd.DataFrame:
    exists = (weights["recurrent_mask"] | (abs(values) > 0)) & of_these  # NaN is no weight
    outer = [dim for dim in values.dims if dim not in _MATRIX]
    exists = exists.broadcast_like(values).transpose(*outer, *_MATRIX)
    at = dict(zip(exists.dims, np.nonzero(exists.values), strict=True))

    def column(array: xr.DataArray) -> Any:
        dims = [dim for dim in array.dims if dim in at]
        plain = text(array) if array.dtype.kind in "OUT" else array
        return plain.transpose(*dims).values[tuple(at[dim] for dim in dims)] if dims else plain.values

    found: dict[str, Any] = {}
    for dim in outer:
        found[str(dim)] = column(values[dim])
        beside = {name: coord for name, coord in weights.coords.items() if coord.dims == (dim,) and name != dim}
        found |= {str(name): column(coord) for name, coord in beside.items()}
    found |= {"pre": column(values["unit_pre"]), "post": column(values["unit_post"]), "weight": column(values)}
    for side in ("pre", "post"):
        found[f"cell_type_{side}"] = column(weights["cell_type"].rename(unit=f"unit_{side}"))
    if "recurrent_trainable" in weights:
        found["trainable"] = column(weights["recurrent_trainable"])
    return pd.DataFrame(found)
