"""Effective weights of a built layer, labelled."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.layers.cell import ConstrainedRNNCell
from biornn.layers.pathway_weights import as_numpy
from biornn.layers.recurrent import ConstrainedRNN


def effective_weights(layer: ConstrainedRNN | ConstrainedRNNCell) -> xr.Dataset:
    """Return the weights of a recurrent layer as the network uses them, after every constraint.

    Parameters
    ----------
    layer
        A recurrent layer or cell that has been built.

    Returns
    -------
    xarray.Dataset
        ``input_weights`` (input_channel, unit), ``recurrent_weights`` (unit_pre, unit_post) and ``recurrent_bias``
        (unit) (zero where the layer has none), with ``cell_type`` and its ``cell_sign`` as coordinates of unit. Units
        are labelled by the connectivity's `unit_names`.

    Raises
    ------
    TypeError, ValueError
        If it is no constrained layer, or has not been built.
    """
    cell = layer.cell if isinstance(layer, ConstrainedRNN) else layer
    if not isinstance(cell, ConstrainedRNNCell):
        raise TypeError(f"layer: expected a ConstrainedRNN or ConstrainedRNNCell, got {type(layer).__name__}")
    if not cell.built:
        raise ValueError(
            f"layer: expected a built layer, got {layer.name!r} unbuilt; call it on data or build it first"
        )
    bias = np.zeros(cell.units, "float32") if cell.bias is None else as_numpy(cell.bias)
    wiring = cell.connectivity
    units, of_units = wiring.unit_names, {"cell_type": ("unit", wiring.cell_type), "cell_sign": ("unit", wiring.sign)}
    return xr.Dataset(
        {
            "input_weights": (("input_channel", "unit"), cell.input_pathway.numpy()),
            "recurrent_weights": (("unit_pre", "unit_post"), cell.recurrent_pathway.numpy()),
            "recurrent_bias": (("unit",), bias),
        },
        {"unit": units, "unit_pre": units, "unit_post": units, **of_units},
    )
