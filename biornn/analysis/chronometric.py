"""Chronometric curves: how long choices take, by how strong the evidence is."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, describe
from biornn.analysis.same_labels import same_labels


def chronometric(reaction_time: xr.DataArray, strength: xr.DataArray) -> xr.Dataset:
    """Average reaction times at each strength of the evidence.

    Parameters
    ----------
    reaction_time
        Time of the answer, dim `trial`, in ms; others, such as `network`, broadcast. NaN in trials without an answer,
        or that are not to count: ``reaction_time.where(score == 1)`` are those with the right one.
    strength
        How strong the evidence is, dim `trial`, such as an unsigned coherence. NaN leaves a trial out.

    Returns
    -------
    xr.Dataset
        By strength, (..., level): `mean`, `sd` (n - 1 degrees of freedom) and `n_answered`, the trials with a time, and
        `n_missing`, those without. `slope` (...): change of the mean per doubling of the strength, by least squares
        over the levels above 0 that have a mean, each with the weight of its trials: below 0 where stronger evidence is
        answered sooner, NaN with fewer than two such levels. Times in ms.

    Raises
    ------
    TypeError, ValueError
        If a dim is missing, or trials differ.

    Notes
    -----
    An accumulation of evidence to a bound becomes faster and more accurate with the strength of the evidence: Roitman &
    Shadlen (2002), J. Neurosci. 22, 9475; of trained networks, Song, Yang & Wang (2016), PLoS Comput. Biol. 12,
    e1004792, who average the trials with the right choice.

    Examples
    --------
    >>> import xarray as xr
    >>> strength = xr.DataArray([1.0, 2.0, 4.0, 4.0], dims="trial")
    >>> times = xr.DataArray([900.0, 800.0, 690.0, 710.0], dims="trial")
    >>> found = chronometric(times, strength)
    >>> found["mean"].values.tolist(), found["slope"].round(6).item()
    ([900.0, 800.0, 700.0], -100.0)
    """
    require_dims(reaction_time, "reaction_time", ["trial"])
    require_dims(strength, "strength", ["trial"])
    times, strength = same_labels("strength", "the trials of reaction_time", reaction_time, strength, source="trials")
    values = strength.values.astype(float)
    levels = np.unique(values[np.isfinite(values)])
    at_level = xr.DataArray((values[:, np.newaxis] == levels).astype(float), dims=("trial", "level"))
    times = times.astype(float).drop_vars([name for name, one in times.coords.items() if "trial" in one.dims])
    n = xr.dot(times.notnull(), at_level, dim="trial")
    mean = xr.dot(times.fillna(0.0), at_level, dim="trial") / n.where(n > 0)
    own = xr.dot(mean.fillna(0.0), at_level, dim="level")  # each trial's
    squares = xr.dot(((times - own) ** 2).fillna(0.0), at_level, dim="trial")
    found = xr.Dataset(
        {
            "mean": mean,
            "sd": np.sqrt(squares / (n - 1).where(n > 1)),
            "n_answered": n.astype(np.int64),
            "n_missing": (at_level.sum("trial") - n).astype(np.int64),
            "slope": _slope(mean, n, levels),
        }
    ).transpose(..., "level")
    meaning = {
        "mean": Output("mean reaction time", units="ms"),
        "sd": Output("standard deviation of reaction times", units="ms"),
        "n_answered": Output("trials with a reaction time"),
        "n_missing": Output("trials without one"),
        "slope": Output("change of the mean reaction time per doubling of the strength", units="ms"),
    }
    says = {
        "long_name": str(strength.attrs.get("long_name", "strength")),
        "units": str(strength.attrs.get("units", "1")),
    }
    return describe(found.assign_coords(level=("level", levels, says)), meaning)


def _slope(mean: xr.DataArray, n: xr.DataArray, levels: np.ndarray) -> xr.DataArray:
    """Weighted least squares of means (..., level) over the logarithm of the levels."""
    log = xr.DataArray(np.log2(np.where(levels > 0, levels, 1.0)), dims="level")
    weight = n.where(xr.DataArray(levels > 0, dims="level"), 0.0)
    total = weight.sum("level")
    x, y = log - (weight * log).sum("level") / total, mean.fillna(0.0)
    square = (weight * x**2).sum("level")
    return (weight * x * y).sum("level") / square.where((weight > 0).sum("level") > 1)
