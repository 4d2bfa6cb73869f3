"""Means over the units of each cell type."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_dims
from biornn.analysis.same_labels import same_labels
from biornn.schema import text, type_signs


def by_cell_type(values: xr.DataArray, cell_type: xr.DataArray, dim: str = "unit") -> xr.DataArray:
    """Mean of a quantity of units, over the units of each cell type.

    Parameters
    ----------
    values
        A quantity of each unit, dims `dim` and any others, such as `network`, `bit`, `time`.
    cell_type
        Type of each unit, dims `unit` and, where it differs by network, `network`. Types of one's own have their signs
        in the coordinate `cell_sign`, as in a run.
    dim
        The dim of `values` that counts the units: ``"unit"``, ``"unit_pre"`` or ``"unit_post"``.

    Returns
    -------
    xr.DataArray
        Dims (..., `cell_type`), with `cell_type` in place of `dim`: types of one's own, in the order of
        `biornn.schema.type_signs`, or always excitatory, inhibitory, unconstrained. NaN for a type that a network does
        not have. Units without a value (NaN) do not count: a network that diverged,
        whose units are all NaN, is NaN. One infinite value, as `d_prime` may have, makes the mean infinite, two of
        different sign make it NaN. Name and attributes are those of `values`.

    Raises
    ------
    ValueError
        If a dim is missing, units or networks differ, or a type has no sign.

    Examples
    --------
    >>> import xarray as xr
    >>> types = xr.DataArray(["excitatory", "excitatory", "inhibitory"], dims="unit")
    >>> by_cell_type(xr.DataArray([1.0, 2.0, 5.0], dims="unit"), types).values.tolist()
    [1.5, 5.0, nan]
    """
    require_dims(values, "values", [dim])
    require_dims(cell_type, "cell_type", ["unit"])
    labels = np.array(list(type_signs(cell_type)), object)
    types = text(cell_type).drop_vars("cell_sign", errors="ignore").rename({} if dim == "unit" else {"unit": dim})
    values, types = same_labels("cell_type", "the units and networks of values", values, types)
    names = xr.DataArray(labels, dims="cell_type", coords={"cell_type": labels})
    with np.errstate(invalid="ignore"):  # infinities of both signs
        mean: xr.DataArray = values.where(types == names).mean(dim, skipna=True, keep_attrs=True)
    return mean.transpose(..., "cell_type")
