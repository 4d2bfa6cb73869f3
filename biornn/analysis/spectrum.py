"""Eigenvalues of the recurrent weights, and how far the weights are from normal."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.convergence import values_of
from biornn.analysis.dims import require_dims, require_square
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.scale import power_of_two

_MATRIX = ["unit_pre", "unit_post"]
#: Moduli that agree to this many digits of the spectral radius count as tied: rounding
#: errors of the eigenvalues of a well-conditioned matrix of 1,000 units stay below it.
_TIE_DIGITS = 10


def eigenspectrum(recurrent_weights: xr.DataArray) -> xr.DataArray:
    """Eigenvalues of the recurrent weights, largest modulus first.

    A tie (to ten digits) goes to the larger real part. The two of a conjugate pair stand side by side, the one with the
    positive imaginary part first.

    Parameters
    ----------
    recurrent_weights
        Effective weights; dims `unit_pre` and `unit_post`, of one size; any others, such as `network` and `snapshot`,
        broadcast. Dimensionless.

    Returns
    -------
    xr.DataArray
        `eigenvalues`, complex128, dims (..., `mode`), modes counted from 1. NaN for a matrix with NaN or infinity, and
        for one whose eigenvalues LAPACK does not find.

    Raises
    ------
    ValueError
        If a dim is missing or the matrix is not square.

    Notes
    -----
    Transposing a matrix leaves its eigenvalues alone, so they cannot tell whether Dale's law holds on rows or columns.
    What excitation and inhibition do to the spectrum: Rajan & Abbott (2006), Phys. Rev. Lett. 97, 188104.

    Examples
    --------
    >>> import xarray as xr
    >>> rotation = xr.DataArray([[0.0, 1.0], [-1.0, 0.0]], dims=("unit_pre", "unit_post"))
    >>> eigenspectrum(rotation).values.tolist()
    [1j, -1j]
    """
    n_units = require_square(recurrent_weights)
    values = apply_kernel(
        eigenvalues_in_order,
        recurrent_weights,
        core_dims=[_MATRIX],
        outputs={"eigenvalues": Output("eigenvalue of the recurrent weights", ("mode",), dtype=np.complex128)},
        sizes={"mode": n_units},
        vectorize=False,
    )
    return values["eigenvalues"].assign_coords(mode=np.arange(1, n_units + 1))


def spectral_radius(recurrent_weights: xr.DataArray) -> xr.DataArray:
    """Largest modulus of the eigenvalues of the recurrent weights.

    Parameters
    ----------
    recurrent_weights
        As for `eigenspectrum`.

    Returns
    -------
    xr.DataArray
        `spectral_radius`, dimensionless, without the dims `unit_pre` and `unit_post`. NaN where `eigenspectrum` is.

    Notes
    -----
    Independent weights of standard deviation g / sqrt(n_units) have a radius of g in the limit of many units: Girko's
    circular law; Sompolinsky, Crisanti & Sommers (1988), Phys. Rev. Lett. 61, 259.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.DataArray([[0.5, 1.0], [0.0, -0.9]], dims=("unit_pre", "unit_post"))
    >>> float(spectral_radius(weights))
    0.9
    """
    radius = abs(eigenspectrum(recurrent_weights)).max("mode", skipna=False).rename("spectral_radius")
    radius.attrs = {"units": "1", "long_name": "spectral radius of the recurrent weights"}
    return radius


def nonnormality(recurrent_weights: xr.DataArray, eigenvalues: xr.DataArray | None = None) -> xr.DataArray:
    """Henrici's departure from normality: the part of the weights that the eigenvalues do not show.

    ``sqrt(||W||_F² − Σ|λ|²) / ||W||_F``, the share of the Frobenius norm that is in the strictly triangular part of the
    Schur form: the feedforward structure that is left when the eigenvalues are taken away.

    Parameters
    ----------
    recurrent_weights
        As for `eigenspectrum`.
    eigenvalues
        Those of the same weights, where `eigenspectrum` has already given them; None: they are computed.

    Returns
    -------
    xr.DataArray
        `nonnormality`, dimensionless, without the dims `unit_pre` and `unit_post`: 0 for a normal matrix and for the
        zero matrix, 1 for a purely feedforward (nilpotent) one. NaN where `eigenspectrum` is. Since squares are
        subtracted, values below about 1e-7 are rounding.

    References
    ----------
    Henrici (1962), Numer. Math. 4, 24. Trefethen & Embree (2005), Spectra and Pseudospectra.
    In recurrent networks: Goldman (2009), Neuron 61, 621; Murphy & Miller (2009), Neuron 61, 635.

    Examples
    --------
    >>> import xarray as xr
    >>> chain = xr.DataArray([[0.0, 2.0], [0.0, 0.0]], dims=("unit_pre", "unit_post"))
    >>> float(nonnormality(chain))
    1.0
    """
    require_square(recurrent_weights)
    values = eigenspectrum(recurrent_weights) if eigenvalues is None else eigenvalues
    require_dims(values, "eigenvalues", ["mode"])
    return apply_kernel(
        _departure_from_normality,
        recurrent_weights,
        abs(values),
        core_dims=[_MATRIX, ["mode"]],
        outputs={"nonnormality": Output("departure of the recurrent weights from normality")},
        vectorize=False,
    )["nonnormality"]


def eigenvalues_in_order(weights: NDArray[np.floating]) -> NDArray[np.complex128]:
    """Sorted eigenvalues over the last two axes; NaN where a matrix is not finite, or they are not found."""
    return in_order(values_of(np.linalg.eigvals, weights, np.complex128))


def in_order(values: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Sort eigenvalues over the last axis: largest modulus first, and of as large ones the largest real part."""
    scale = np.maximum(np.abs(values).max(axis=-1, keepdims=True), np.finfo(np.float64).tiny)
    # A stable sort keeps the pairs as LAPACK gives them: side by side, positive imaginary part first.
    keys = (-values.real, -np.round(np.abs(values) / scale, _TIE_DIGITS))
    sorted_values: NDArray[np.complex128] = np.take_along_axis(values, np.lexsort(keys, axis=-1), axis=-1)
    return sorted_values


def _departure_from_normality(weights: NDArray[np.floating], moduli: NDArray[np.float64]) -> NDArray[np.float64]:
    """Departure from normality over the last two axes; NaN where there are no eigenvalues."""
    known = np.asarray(~np.isnan(moduli).any(axis=-1))
    safe = np.where(known[..., None, None], weights, np.float64(0.0))
    scale = power_of_two(safe, axis=(-2, -1))
    safe /= scale
    square_norm = (safe**2).sum(axis=(-2, -1))
    square_moduli = ((np.where(known[..., None], moduli, 0.0) / scale[..., 0]) ** 2).sum(axis=-1)
    departure = np.sqrt(np.maximum(square_norm - square_moduli, 0.0))
    return np.where(known, departure / np.sqrt(np.where(square_norm > 0, square_norm, 1.0)), np.nan)
