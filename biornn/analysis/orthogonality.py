"""How far training took the recurrent weights: from where they began, and from orthogonal."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims

_MATRIX = ["unit_pre", "unit_post"]


def distance_from_initial(recurrent_weights: xr.DataArray) -> xr.DataArray:
    """Distance of the recurrent weights from those of the first snapshot.

    Parameters
    ----------
    recurrent_weights
        Dims `epoch`, `unit_pre`, `unit_post` and any others; the first epoch is the initial one.

    Returns
    -------
    xr.DataArray
        `distance_from_initial` (..., epoch): Frobenius norm of the difference over that of the initial weights; 0 at
        the first epoch, NaN where weights are not finite or all initial ones are zero.

    Raises
    ------
    ValueError
        If a dim is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.DataArray([[[3.0, 0.0], [0.0, 4.0]], [[3.0, 0.0], [1.0, 4.0]]], dims=("epoch", *_MATRIX))
    >>> distance_from_initial(weights).values.tolist()
    [0.0, 0.2]
    """
    require_dims(recurrent_weights, "recurrent_weights", ["epoch", *_MATRIX])
    weights = recurrent_weights.astype(np.float64)
    initial = weights.isel(epoch=0, drop=True)
    size = (initial**2).sum(_MATRIX, skipna=False)
    square_change = ((weights - initial) ** 2).sum(_MATRIX, skipna=False)
    distance = (square_change / size.where(size > 0)) ** 0.5
    distance.attrs = {"units": "1", "long_name": "distance from the initial recurrent weights"}
    return distance.rename("distance_from_initial")


def distance_from_orthogonal(recurrent_weights: xr.DataArray) -> xr.DataArray:
    """Distance of the recurrent weights from the nearest orthogonal matrix.

    Parameters
    ----------
    recurrent_weights
        Square, dims `unit_pre`, `unit_post` and any others.

    Returns
    -------
    xr.DataArray
        `distance_from_orthogonal`, dimensionless: ``sqrt(Σ (σ − 1)² / n)`` over the n singular values σ, the Frobenius
        norm of the difference over that of an orthogonal matrix; 0 for an orthogonal, 1 for the zero matrix. NaN where
        weights are not finite.

    Raises
    ------
    ValueError
        If a dim is missing.

    Notes
    -----
    The nearest orthogonal matrix is the one of the polar decomposition: Fan & Hoffman (1955), Proc. AMS 6, 111.

    Examples
    --------
    >>> import xarray as xr
    >>> float(distance_from_orthogonal(xr.DataArray([[0.0, 1.0], [-1.0, 0.0]], dims=_MATRIX)))
    0.0
    """
    require_dims(recurrent_weights, "recurrent_weights", _MATRIX)
    distance: xr.DataArray = xr.apply_ufunc(
        _from_orthogonal,
        recurrent_weights,
        input_core_dims=[_MATRIX],
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    distance.attrs = {"units": "1", "long_name": "distance from the nearest orthogonal matrix"}
    return distance.rename("distance_from_orthogonal")


def _from_orthogonal(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """Over the last two axes; NaN where a matrix is not finite."""
    finite = np.isfinite(weights).all(axis=(-2, -1))
    singular = np.linalg.svd(np.where(finite[..., None, None], weights, 0.0).astype(np.float64), compute_uv=False)
    return np.where(finite, np.sqrt(((singular - 1) ** 2).mean(axis=-1)), np.nan)
