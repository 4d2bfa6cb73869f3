"""How evenly the recurrent weights act in all directions: the entropy of their singular values."""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.convergence import values_of
from biornn.analysis.dims import require_square
from biornn.analysis.kernels import Output, apply_kernel

_MATRIX = ["unit_pre", "unit_post"]


def singular_value_entropy(recurrent_weights: xr.DataArray) -> xr.DataArray:
    """Shannon entropy of the singular values, each taken as a share of their sum.

    ``-Σ p log(p) / log(n)`` with ``p = σ / Σ σ`` over the n singular values σ: 1 where all of them are equal, as of an
    orthogonal matrix, 0 for a matrix of rank one.

    Parameters
    ----------
    recurrent_weights
        As for `eigenspectrum`.

    Returns
    -------
    xr.DataArray
        `singular_value_entropy`, dimensionless, without the dims `unit_pre` and `unit_post`. It does not depend on the
        scale of the weights. NaN for a matrix with NaN or infinity, for one whose singular values LAPACK does not find,
        for the zero matrix, and for a single unit, as ``log(1)`` is 0.

    References
    ----------
    Li, Cornford, Ghosh & Richards (2023), Learning better with Dale's law: a spectral perspective (NeurIPS): normalised
    SVD entropy, low where excitation and inhibition are merely partitioned. Roy & Vetterli (2007), The effective rank
    (EUSIPCO). Alter, Brown & Botstein (2000), PNAS 97, 10101, weigh by the squares of the singular values instead,
    which gives lower values.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.DataArray([[0.0, 2.0], [-2.0, 0.0]], dims=("unit_pre", "unit_post"))
    >>> float(singular_value_entropy(weights)), float(singular_value_entropy(weights + 2).round(3))
    (1.0, 0.601)
    """
    require_square(recurrent_weights)
    output = {"singular_value_entropy": Output("entropy of the singular values")}
    entropy = apply_kernel(_entropy, recurrent_weights, core_dims=[_MATRIX], outputs=output, vectorize=False)
    return entropy["singular_value_entropy"]


def _entropy(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """Over the last two axes; NaN where a matrix is zero, has no singular values or only one."""
    singular = values_of(np.linalg.svdvals, weights, np.float64)
    largest = singular.max(axis=-1, keepdims=True)
    singular = singular / np.where(largest > 0, largest, 1.0)
    total = singular.sum(axis=-1, keepdims=True)
    nats = scipy.special.entr(singular / np.where(total > 0, total, 1.0)).sum(axis=-1)
    n_units = weights.shape[-1]
    return np.where((total[..., 0] > 0) & (n_units > 1), nats / np.log(max(n_units, 2)), np.nan)
