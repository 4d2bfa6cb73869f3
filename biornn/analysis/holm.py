"""Holm's correction for testing more than once."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray


def holm(p_values: xr.DataArray) -> xr.DataArray:
    """Correct p-values for how many there are, so that even one false positive among them is rare.

    All values of the array are one family, whatever its dims. With m of them in ascending order, the k-th (from 0) is
    multiplied by ``m - k``, raised to the one before it where that is larger, and cut at 1. No assumption on how
    the tests depend on each other is needed, and it never has less power than Bonferroni's correction.

    Parameters
    ----------
    p_values
        Any dims. NaN, a test that could not be made, stays NaN and does not count.

    Returns
    -------
    xr.DataArray
        The corrected p-values, with the dims of `p_values`.

    References
    ----------
    Holm (1979), Scand. J. Statist. 6, 65. scipy has only the corrections for the false discovery rate.

    Examples
    --------
    >>> import xarray as xr
    >>> holm(xr.DataArray([0.01, 0.04, 0.03], dims="condition")).values.tolist()
    [0.03, 0.06, 0.06]
    """
    corrected = p_values.copy(data=_holm(p_values.values)).rename("p_holm")
    corrected.attrs = {"units": "1", "long_name": "p-value, Holm's correction over all tests of the result"}
    return corrected


def _holm(p_values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Correct all values of an array of any shape."""
    corrected = np.full(p_values.size, np.nan)
    flat = p_values.ravel()
    order = np.argsort(flat)[: np.count_nonzero(~np.isnan(flat))]  # NaN comes last
    stepped = flat[order] * np.arange(order.size, 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return corrected.reshape(p_values.shape)
