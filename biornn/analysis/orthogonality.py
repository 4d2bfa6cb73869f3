"""How far training took the recurrent weights: from where they began, and from orthogonal."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.convergence import values_of
from biornn.analysis.dims import require_dims, require_square
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.scale import power_of_two

_MATRIX = ["unit_pre", "unit_post"]


def distance_from_initial(recurrent_weights: xr.DataArray) -> xr.DataArray:
    """Distance of the recurrent weights from those of the first snapshot.

    Parameters
    ----------
    recurrent_weights
        Dims `snapshot`, `unit_pre`, `unit_post` and any others; the first snapshot is the initial one.

    Returns
    -------
    xr.DataArray
        `distance_from_initial` (..., snapshot): Frobenius norm of the difference over that of the initial weights; 0 at
        the first snapshot, NaN where weights are not finite; NaN throughout where those of the first snapshot are not,
        or are all zero.

    Raises
    ------
    ValueError
        If a dim is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.DataArray([[[3.0, 0.0], [0.0, 4.0]], [[3.0, 0.0], [1.0, 4.0]]], dims=("snapshot", *_MATRIX))
    >>> distance_from_initial(weights).values.tolist()
    [0.0, 0.2]
    """
    require_dims(recurrent_weights, "recurrent_weights", ["snapshot", *_MATRIX])
    weights = recurrent_weights.where(abs(recurrent_weights) < np.inf).astype(np.float64)
    initial = weights.isel(snapshot=0, drop=True)
    distance = _norm(weights - initial) / _norm(initial).where(lambda size: size > 0)
    distance.attrs = {"units": "1", "long_name": "distance from the initial recurrent weights"}
    return distance.rename("distance_from_initial")


def distance_from_orthogonal(recurrent_weights: xr.DataArray) -> xr.DataArray:
    """Distance of the recurrent weights from the nearest orthogonal matrix.

    Parameters
    ----------
    recurrent_weights
        As for `eigenspectrum`.

    Returns
    -------
    xr.DataArray
        `distance_from_orthogonal`, dimensionless: ``sqrt(Σ (σ − 1)² / n)`` over the n singular values σ, the Frobenius
        norm of the difference over that of an orthogonal matrix; 0 for an orthogonal, 1 for the zero matrix. NaN where
        weights are not finite, or LAPACK does not find the singular values.

    Notes
    -----
    The nearest orthogonal matrix is the one of the polar decomposition: Fan & Hoffman (1955), Proc. AMS 6, 111.

    Examples
    --------
    >>> import xarray as xr
    >>> float(distance_from_orthogonal(xr.DataArray([[0.0, 1.0], [-1.0, 0.0]], dims=_MATRIX)))
    0.0
    """
    require_square(recurrent_weights)
    output = {"distance_from_orthogonal": Output("distance from the nearest orthogonal matrix")}
    distance = apply_kernel(_from_orthogonal, recurrent_weights, core_dims=[_MATRIX], outputs=output, vectorize=False)
    return distance["distance_from_orthogonal"]


def _norm(matrices: xr.DataArray) -> xr.DataArray:
    """Frobenius norm; NaN where a matrix is not finite."""
    output = {"norm": Output("Frobenius norm")}
    return apply_kernel(_frobenius, matrices, core_dims=[_MATRIX], outputs=output, vectorize=False)["norm"]


def _frobenius(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = power_of_two(matrices, axis=(-2, -1))
    norm: NDArray[np.float64] = np.sqrt(((matrices / scale) ** 2).sum(axis=(-2, -1))) * scale[..., 0, 0]
    return norm


def _from_orthogonal(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """Over the last two axes; NaN where a matrix has no singular values."""
    deviation = values_of(np.linalg.svdvals, weights, np.float64) - 1
    scale = power_of_two(deviation, axis=(-1,))
    distance: NDArray[np.float64] = np.sqrt(((deviation / scale) ** 2).mean(axis=-1)) * scale[..., 0]
    return distance
