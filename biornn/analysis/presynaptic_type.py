"""The cell type of each row of the recurrent weights, as a number for array kernels."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_dims, require_square
from biornn.analysis.same_labels import same_labels
from biornn.schema import CELL_TYPES, text, type_signs


def presynaptic_type(recurrent_weights: xr.DataArray, cell_type: xr.DataArray | None) -> xr.DataArray:
    """Return the cell types of presynaptic units, (..., `unit_pre`), as positions in `biornn.schema.type_signs`.

    Dale's law holds for rows, the weights that a unit sends out. None stands for unconstrained units; the empty text of
    a network that failed becomes -1.
    """
    n_units = require_square(recurrent_weights)
    if cell_type is None:
        return xr.DataArray(np.full(n_units, list(CELL_TYPES).index("unconstrained")), dims="unit_pre")
    require_dims(cell_type, "cell_type", ["unit"])
    number = {name: index for index, name in enumerate(type_signs(cell_type))} | {"": -1}
    names = text(cell_type).drop_vars("cell_sign", errors="ignore").rename(unit="unit_pre")
    same_labels("cell_type", f"the networks and the {n_units} units of recurrent_weights", recurrent_weights, names)
    return names.copy(data=np.vectorize(number.__getitem__, otypes=[int])(names.values))
