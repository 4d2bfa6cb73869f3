"""How much of the targets outputs explain."""

from __future__ import annotations

import xarray as xr

_OF_TRIAL = ("time", "output_channel")


def share_explained(outputs: xr.DataArray, targets: xr.DataArray, counts: xr.DataArray) -> xr.DataArray:
    """Share of the targets' power that outputs explain: ``1 − Σ (output − target)² / Σ target²``, at least 0.

    It is 1 less the normalised error of DePasquale et al. (2018). For outputs that are ``a`` times the targets, it is
    ``1 − (1 − a)²``.

    Parameters
    ----------
    outputs
        Dims (..., trial, time, output_channel).
    targets
        Dims (trial, time, output_channel).
    counts
        Which samples count, (trial, time).

    Returns
    -------
    xarray.DataArray
        One number in [0, 1] for each (..., trial); NaN where all targets that count are 0.

    Examples
    --------
    >>> import xarray as xr
    >>> targets = xr.DataArray([[[3.0], [4.0]]], dims=("trial", "time", "output_channel"))
    >>> share_explained(targets / 2, targets, targets[..., 0] > 0).values.tolist()
    [0.75]
    """
    target = targets.astype(float).where(counts, 0)
    power = (target**2).sum(_OF_TRIAL)
    error = ((outputs.astype(float).where(counts, 0) - target) ** 2).sum(_OF_TRIAL)
    return (1 - error / power.where(power > 0)).clip(min=0)
