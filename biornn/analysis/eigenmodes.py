"""The modes of the recurrent weights: eigenvectors, what drives them, what they drive, and the dominant one."""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims, require_some
from biornn.analysis.kernels import Output, apply_kernel, describe
from biornn.analysis.spectrum import eigenspectrum

_Complex = NDArray[np.complex128]
_VECTORS = {
    "left_eigenvectors": Output("pattern of activity that keeps its shape", ("mode", "unit"), dtype=np.complex128),
    "right_eigenvectors": Output("how much of a mode a state holds", ("unit", "mode"), dtype=np.complex128),
}

_NUMBERS = {
    "condition_number": Output("how much the eigenvalue moves with the matrix"),
    "input_projection": Output("how much of the mode an input excites"),
    "output_projection": Output("output that the mode gives with an amplitude of 1"),
}


def eigenmodes(
    recurrent_weights: xr.DataArray,
    input_weights: xr.DataArray | None = None,
    output_weights: xr.DataArray | None = None,
) -> xr.Dataset:
    """Left and right eigenvectors of the recurrent weights, and their projections on input and readout weights.

    Rates are rows, ``r[t] = r[t−1] W``: a LEFT eigenvector (``l W = λ l``) is a pattern of activity that keeps its
    shape, and the RIGHT eigenvector of the same mode (``W ρ = λ ρ``) reads how much of this pattern a state holds,
    ``a = r · ρ``, so that ``a[t] = λ a[t−1]``.

    Parameters
    ----------
    recurrent_weights
        Effective weights, dims `unit_pre`, `unit_post`; others, such as `network` and `snapshot`, broadcast.
    input_weights
        Dims `input_channel`, `unit`.
    output_weights
        Dims `unit`, `output_channel`.

    Returns
    -------
    xr.Dataset
        `eigenvalues` (..., mode), in the order of `eigenspectrum`; `left_eigenvectors` (..., mode, unit), of length 1
        and with their largest component real and positive; `right_eigenvectors` (..., unit, mode), scaled to
        ``left · right = 1``; `condition_number` (..., mode): length of the right eigenvector, 1 for a normal matrix,
        the larger the more the eigenvalue moves with the weights; where the weights are given, `input_projection`
        (..., input_channel, mode): how much of the mode an input of size 1 excites, and `output_projection`
        (..., output_channel, mode): the output that the mode gives with an amplitude of 1. NaN for a matrix with NaN
        or infinity, with too few eigenvectors, or whose eigenvectors LAPACK does not find; a projection also where an
        input or readout weight is not finite.

    Raises
    ------
    ValueError
        If a dim is missing or empty, or the matrix is not square.

    Notes
    -----
    ``W = Σ λ ρ lᵀ`` over the modes. Trefethen & Embree (2005), Spectra and Pseudospectra, chapter 52.

    Examples
    --------
    >>> import xarray as xr
    >>> chain = xr.DataArray([[0.5, 1.0], [0.0, 0.25]], dims=("unit_pre", "unit_post"))
    >>> modes = eigenmodes(chain)
    >>> modes["left_eigenvectors"].sel(mode=2).values.real.round(6).tolist()
    [0.0, 1.0]
    """
    values = eigenspectrum(recurrent_weights)
    require_some(recurrent_weights, "recurrent_weights")
    n_units = values.sizes["mode"]
    modes = apply_kernel(
        _eigenvectors,
        recurrent_weights,
        values,
        core_dims=[["unit_pre", "unit_post"], ["mode"]],
        outputs=_VECTORS,
        sizes={"unit": n_units},
    )
    modes = modes.assign(eigenvalues=values).assign_coords(unit=recurrent_weights.coords.get("unit", range(n_units)))
    modes["condition_number"] = np.sqrt((abs(modes["right_eigenvectors"]) ** 2).sum("unit", skipna=False))
    if input_weights is not None:
        require_dims(input_weights, "input_weights", ["input_channel", "unit"])
        modes["input_projection"] = _project(input_weights, modes["right_eigenvectors"])
    if output_weights is not None:
        require_dims(output_weights, "output_weights", ["unit", "output_channel"])
        modes["output_projection"] = _project(output_weights, modes["left_eigenvectors"])
    return describe(modes, {name: output for name, output in _NUMBERS.items() if name in modes})


def dominant_eigenvalue(eigenvalues: xr.DataArray, dt: float = 1.0) -> xr.Dataset:
    """Eigenvalue with the largest real part in size, and how fast activity turns along it.

    Parameters
    ----------
    eigenvalues
        Dims `mode` and any others.
    dt
        Time step, in ms.

    Returns
    -------
    xr.Dataset
        Without `mode`: `eigenvalue`, of a conjugate pair the one with the positive imaginary part; `frequency`, as the
        paper's code has it: ``|Im λ / (π Re λ)|``, dimensionless, 0 for a real eigenvalue; `rotation_frequency`:
        ``|arg λ| / (2π dt)`` in Hz, at which a linear network with alpha = 1 turns from step to step. NaN where an
        eigenvalue is not finite. `frequency` is infinite where all eigenvalues are imaginary; where all are 0, both
        are 0, as nothing turns.

    Raises
    ------
    ValueError
        If `mode` is missing or `dt` is not positive.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", section 5, and its code.

    Examples
    --------
    >>> import xarray as xr
    >>> one = dominant_eigenvalue(xr.DataArray([1j, 0.5 + 0.5j, 0.5 - 0.5j], dims="mode"))
    >>> complex(one["eigenvalue"]), round(float(one["rotation_frequency"]), 6)
    ((0.5+0.5j), 125.0)
    """
    require_dims(eigenvalues, "eigenvalues", ["mode"])
    if not dt > 0:
        raise ValueError(f"dt: expected a positive time in ms, got {dt!r}")
    finite = (abs(eigenvalues) < np.inf).all("mode")  # False for NaN
    # Rounding must not decide between the two of a pair.
    size = abs(eigenvalues.real).round(12).where(finite, 0.0)
    candidates = (size == size.max("mode")) & finite
    chosen = xr.where(candidates, eigenvalues.imag, -np.inf).argmax("mode").compute()
    value = eigenvalues.isel(mode=chosen).drop_vars("mode", errors="ignore").where(finite)
    with np.errstate(invalid="ignore", divide="ignore"):
        paper = abs(value.imag / (np.pi * value.real)).where(value.imag != 0, 0.0)
    turns = abs(np.arctan2(value.imag, value.real)) / (2 * np.pi * dt / 1000)
    result = xr.Dataset(
        {"eigenvalue": value, "frequency": paper.where(finite), "rotation_frequency": turns.where(finite)}
    )
    return describe(
        result,
        {
            "eigenvalue": Output("eigenvalue with the largest real part in size"),
            "frequency": Output("|Im / (pi Re)| of the dominant eigenvalue"),
            "rotation_frequency": Output("turns of the dominant mode per second", units="Hz"),
        },
    )


def _project(weights: xr.DataArray, vectors: xr.DataArray) -> xr.DataArray:
    """Sum over units; matched by position, as the weights of a run all have the same units."""
    bare = weights.drop_vars("unit", errors="ignore")
    bare = bare.where(abs(bare) < np.inf)  # infinity times zero would warn
    return xr.dot(bare, vectors.drop_vars("unit"), dim="unit")


def _eigenvectors(weights: NDArray[np.floating], values: _Complex) -> tuple[_Complex, _Complex]:
    """Left (mode, unit) and right (unit, mode) eigenvectors, in the order of the eigenvalues."""
    n_units = len(values)
    undefined = np.full((n_units, n_units), complex(np.nan, np.nan))
    if not (np.isfinite(weights).all() and np.isfinite(values).all()):
        return undefined, undefined
    try:
        found, vectors = np.linalg.eig(weights.T.astype(np.float64))  # columns: left eigenvectors of the weights
    except np.linalg.LinAlgError:  # it does not converge
        return undefined, undefined
    # The transpose has the same eigenvalues up to rounding, and LAPACK gives them in another order.
    order = scipy.optimize.linear_sum_assignment(np.abs(values[:, np.newaxis] - found))[1]
    left = vectors.T[order].astype(np.complex128)
    largest = left[np.arange(n_units), np.abs(left).argmax(axis=1)]
    left *= (np.abs(largest) / largest)[:, np.newaxis]
    if np.linalg.cond(left) > 1 / np.finfo(np.float64).eps:
        return undefined, undefined
    return left, np.linalg.inv(left)
