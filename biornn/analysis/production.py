"""What is produced against what was asked for: slope, bias, and what is left."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.same_labels import same_labels

_ROUNDING = 1e-6  # what is asked for may have been measured in targets, which are in single precision
_FEW = 2  # trials that determine a line, but not how far they are from one


def production(produced: xr.DataArray, asked: xr.DataArray) -> xr.Dataset:
    """Compare what is produced, such as an interval or a frequency, with what was asked for.

    Parameters
    ----------
    produced
        What was produced in each trial, dim `trial`; others, such as `network`, broadcast. NaN where there was nothing.
    asked
        What was asked for, dim `trial`, in the same units. NaN leaves a trial out.

    Returns
    -------
    xr.Dataset
        Of the trials in which something was produced, (...): `bias`, mean of what was produced less what was asked for;
        `slope` and `intercept` of the line through them by least squares: 1 and 0 where all is right, a slope below 1
        where what is produced is drawn to its mean, 0 where nothing depends on what was asked for; NaN where all asked
        for the same; `spread`, standard deviation about the line (n - 2 degrees of freedom), or, where all asked for
        the same, about the mean; `rmse`, root mean square of what was produced less what was asked for; and
        `n_produced` and `n_missing`, trials with and without. In the units of `asked`, but for slope and counts.

    Raises
    ------
    TypeError, ValueError
        If a dim is missing, or trials differ.

    Notes
    -----
    ``rmse² = bias² + variance of the errors``; in the field the first is the bias of time and the second its scatter:
    Jazayeri & Shadlen (2010), Nat. Neurosci. 13, 1020.

    Examples
    --------
    >>> import xarray as xr
    >>> asked = xr.DataArray([800.0, 1000.0, 1200.0], dims="trial")
    >>> found = production(500 + 0.5 * asked, asked)
    >>> found["slope"].item(), found["intercept"].item(), found["bias"].item()
    (0.5, 500.0, 0.0)
    """
    require_dims(produced, "produced", ["trial"])
    require_dims(asked, "asked", ["trial"])
    produced, asked = same_labels("asked", "the trials of produced", produced, asked, source="trials")
    units = str(asked.attrs.get("units", "1"))
    outputs = {
        "bias": Output("mean of what was produced less what was asked for", units=units),
        "slope": Output("slope of what was produced over what was asked for"),
        "intercept": Output("intercept of what was produced over what was asked for", units=units),
        "spread": Output("standard deviation of what was produced about the line", units=units),
        "rmse": Output("root mean square error", units=units),
        "n_produced": Output("trials in which something was produced", dtype=np.int64),
        "n_missing": Output("trials in which nothing was produced", dtype=np.int64),
    }
    return apply_kernel(
        _compared, produced.astype(float), asked.astype(float), core_dims=[["trial"]] * 2, outputs=outputs
    )


def _compared(produced: NDArray[np.float64], asked: NDArray[np.float64]) -> tuple[float, ...]:
    """Give what `production` returns of one network; (trial) in."""
    is_asked = np.isfinite(asked)
    there = np.isfinite(produced) & is_asked
    n = int(there.sum())
    counts = n, int(is_asked.sum()) - n
    if not n:
        return *[np.nan] * 5, *counts
    y, x = produced[there], asked[there]
    error = y - x
    from_mean = x - x.mean()
    varies = np.abs(from_mean).max() > _ROUNDING * np.abs(x).max()
    slope = float(from_mean @ y / (from_mean @ from_mean)) if varies else np.nan
    left = y - y.mean() - (slope * from_mean if varies else 0.0)
    n_free = n - _FEW if varies else n - 1
    spread = float(np.sqrt(left @ left / n_free)) if n_free > 0 else np.nan
    intercept, rmse = float(y.mean() - slope * x.mean()), float(np.sqrt((error**2).mean()))
    return float(error.mean()), slope, intercept, spread, rmse, *counts
