"""Eigenvalues and singular values of many matrices, of which one that LAPACK cannot decompose spoils no other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biornn.blas import one_blas_thread


def values_of(
    function: Callable[[NDArray[np.float64]], NDArray[Any]], matrices: NDArray[np.floating], dtype: type[np.inexact]
) -> NDArray[Any]:
    """Apply a decomposition, such as `numpy.linalg.eigvals`, to matrices (..., n, n) in double precision.

    Its values are (..., n): all NaN for a matrix with NaN or infinity, and for one on which it does not converge.
    """
    finite = np.isfinite(matrices).all(axis=(-2, -1))
    safe = np.where(finite[..., None, None], matrices, np.float64(0.0))
    with one_blas_thread():
        try:
            values = function(safe).astype(dtype)
        except np.linalg.LinAlgError:  # numpy does not say which one it was
            values = _one_by_one(function, safe, dtype)
    known = finite & np.isfinite(values).all(axis=-1)
    return np.where(known[..., None], values, _nan(dtype))


def _one_by_one(
    function: Callable[[NDArray[np.float64]], NDArray[Any]], matrices: NDArray[np.float64], dtype: type[np.inexact]
) -> NDArray[Any]:
    values = np.full(matrices.shape[:-1], _nan(dtype), dtype)
    for index in np.ndindex(matrices.shape[:-2]):
        with suppress(np.linalg.LinAlgError):
            values[index] = function(matrices[index])
    return values


def _nan(dtype: type[np.inexact]) -> complex | float:
    return complex(np.nan, np.nan) if issubclass(dtype, np.complexfloating) else np.nan
