"""What the networks of a condition have in common: a mean, and how well so many networks determine it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, describe
from biornn.analysis.paired_statistics import ROUNDING, paired_statistics
from biornn.schema import text


def pooled(
    values: xr.DataArray, *, n_resamples: int = 9999, confidence_level: float = 0.95, seed: int = 0
) -> xr.Dataset:
    """Average over the networks (seeds) of each condition, with intervals that take the network as the unit.

    Parameters
    ----------
    values
        A number, or several, of each network: dim `network` with the coordinate `condition`; others broadcast, such as
        the `proportion` (network, stimulus) of `psychometric`. NaN where a network has none. Without the coordinate,
        all networks are one condition, ``all``.
    n_resamples
        Bootstrap samples.
    confidence_level
        Of the intervals.
    seed
        Of the resampling.

    Returns
    -------
    xr.Dataset
        `mean`, `ci_low`, `ci_high` (condition, ...): mean over the networks that have a value, and its interval, a
        bootstrap of the networks (BCa), in the units of the values; the interval is NaN with fewer than two networks,
        and has no width where all are equal. `n_networks`, that have a value, and `n_missing`, that have none. Every
        mean is resampled with the same random numbers.

    Raises
    ------
    TypeError, ValueError
        If a dim is missing, or the number of samples or the level is impossible.

    Notes
    -----
    Trials of one network are not independent of one another: all have its bias. An interval over trials would shrink as
    they become more, however few the networks. And one curve that is fitted to the trials of all networks is shallower
    than theirs: where biases vary by s, its spread is ``sqrt(σ² + s²)``.

    With few networks intervals are too narrow: see `compare`, which says how much, and which compares conditions.

    Examples
    --------
    >>> import xarray as xr
    >>> bias = xr.DataArray([1.0, 3.0, 5.0], dims="network", coords={"condition": ("network", ["a", "a", "b"])})
    >>> found = pooled(bias)
    >>> found["mean"].values.tolist(), found["n_networks"].values.tolist()
    ([2.0, 5.0], [2, 1])
    """
    require_dims(values, "values", ["network"])
    values = values.astype(float)
    condition = (
        text(values["condition"]).values if "condition" in values.coords else np.full(values.sizes["network"], "all")
    )
    names = list(dict.fromkeys(condition.tolist()))
    bare = values.drop_vars([name for name, one in values.coords.items() if "network" in one.dims])
    each = [
        _mean(bare.isel(network=np.flatnonzero(condition == name)), n_resamples, confidence_level, seed)
        for name in names
    ]
    found = xr.concat(each, "condition").assign_coords(condition=names)
    units = str(values.attrs.get("units", "1"))
    meaning = {
        "mean": Output("mean over networks", units=units),
        "ci_low": Output("lower end of the confidence interval of the mean", units=units),
        "ci_high": Output("upper end of the confidence interval of the mean", units=units),
        "n_networks": Output("networks with a value"),
        "n_missing": Output("networks without one"),
    }
    return describe(found, meaning).assign_attrs(confidence_level=confidence_level)


def _mean(values: xr.DataArray, n_resamples: int, confidence_level: float, seed: int) -> xr.Dataset:
    members = values.rename(network="seed")  # a mean over networks is that of their differences from 0
    rounding = ROUNDING * abs(members).max("seed")
    found = paired_statistics(
        members, rounding.fillna(0.0), n_resamples=n_resamples, confidence_level=confidence_level, seed=seed
    )
    found = found.rename(difference="mean", n_pairs="n_networks")[["mean", "ci_low", "ci_high", "n_networks"]]
    n_networks = found["n_networks"].astype(np.int64)
    return found.assign(n_networks=n_networks, n_missing=members.sizes["seed"] - n_networks)
