"""What differences between matched networks say: mean, interval, p-value, effect size."""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.holm import holm
from biornn.analysis.scale import power_of_two

_Array = NDArray[np.float64]
#: What the kernel gives, with what it means.
_STATISTICS = {
    "difference": "mean of the paired differences",
    "ci_low": "lower end of the confidence interval of the difference",
    "ci_high": "upper end of the confidence interval of the difference",
    "p_value": "p-value, two-sided paired permutation test",
    "effect_size": "mean of the paired differences over their standard deviation (Cohen's d_z)",
    "n_pairs": "pairs of matched networks that entered",
}
_COUNTS = {"n_failed": "networks without a result", "n_unpaired": "seeds that are not in both, or not in every cell"}
#: In the metric's units.
_IN_UNITS = ("difference", "ci_low", "ci_high")
#: Differences that agree to this share of the largest value are equal: float64 holds sixteen digits, and sums lose few.
ROUNDING = 1e-12
#: Up to so many pairs all 2**n sign flips are made: 8,192 take 40 ms.
_EXACT_PAIRS = 13


def paired_statistics(
    differences: xr.DataArray, rounding: xr.DataArray, *, n_resamples: int, confidence_level: float, seed: int
) -> xr.Dataset:
    """Estimate and test the mean of differences between matched networks.

    Parameters
    ----------
    differences
        Dim `seed`, one difference each; others broadcast. NaN where one of the two networks has no result.
    rounding
        Differences up to this size are zero, and differences between them nothing but rounding; the dims of
        `differences` without `seed`.
    n_resamples
        Bootstrap samples, and random sign flips where there are too many to make them all.
    confidence_level
        Of the interval.
    seed
        Of the resampling. Every mean gets the same random numbers: no result depends on what else is asked for.

    Returns
    -------
    xr.Dataset
        `difference`, `ci_low`, `ci_high`, `p_value`, `effect_size`, `n_pairs`, without `seed`.

    Raises
    ------
    ValueError
        If `n_resamples` or `confidence_level` make no sense.

    Examples
    --------
    >>> import xarray as xr
    >>> differences = xr.DataArray([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], dims="seed")
    >>> options = {"n_resamples": 999, "confidence_level": 0.95, "seed": 0}
    >>> found = paired_statistics(differences, xr.DataArray(0.0), **options)
    >>> float(found["difference"]), float(found["p_value"])  # two of the 64 sign flips are as extreme
    (3.5, 0.03125)
    """
    if n_resamples < 99:
        raise ValueError(f"n_resamples: expected at least 99, got {n_resamples}; fewer give no interval")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level: expected a share between 0 and 1, got {confidence_level}")
    found = xr.apply_ufunc(
        _statistics,
        differences,
        rounding,
        input_core_dims=[["seed"], []],
        output_core_dims=[[]] * len(_STATISTICS),
        kwargs={"n_resamples": n_resamples, "confidence_level": confidence_level, "seed": seed},
        vectorize=True,
        output_dtypes=[np.float64] * len(_STATISTICS),
    )
    return xr.Dataset(dict(zip(_STATISTICS, found, strict=True)))


def described(rows: xr.Dataset) -> xr.Dataset:
    """Finish a table of rows: Holm's correction over all of them, whole numbers, units and long names.

    Parameters
    ----------
    rows
        What `paired_statistics` gave, with `n_failed` and `n_unpaired`, and the coordinate `units` of the metric.
    """
    counts = ["n_pairs", *_COUNTS]
    table = rows.assign({name: rows[name].astype(np.int64) for name in counts}).assign(p_holm=holm(rows["p_value"]))
    units = np.unique(table["units"].values.astype(str)).tolist()
    for name, meaning in (_STATISTICS | _COUNTS).items():
        unit = (units[0] if len(units) == 1 else "see the coordinate units") if name in _IN_UNITS else "1"
        table[name].attrs = {"units": unit, "long_name": meaning}
    order = ["difference", "ci_low", "ci_high", "p_value", "p_holm", "effect_size", *counts]
    return table[order]


def _statistics(
    differences: _Array, rounding: float, n_resamples: int, confidence_level: float, seed: int
) -> tuple[float, ...]:
    """Give the values of `_STATISTICS` for one row of differences."""
    known = differences[~np.isnan(differences)]
    known = np.where(np.abs(known) <= rounding, 0.0, known)
    n_pairs = known.size
    mean = float(known.mean()) if n_pairs else np.nan
    if n_pairs < 2:
        return mean, np.nan, np.nan, np.nan, np.nan, n_pairs
    rng = np.random.default_rng(seed)
    if np.ptp(known) <= rounding:  # nothing varies: the interval has no width, and the effect size no yardstick
        return mean, mean, mean, sign_flip_p(known, rounding, n_resamples, rng), np.nan, n_pairs
    scale = float(power_of_two(known))  # the interval takes third powers, which may overflow or vanish
    known, rounding = known / scale, rounding / scale
    interval = scipy.stats.bootstrap(
        (known,), np.mean, n_resamples=n_resamples, confidence_level=confidence_level, method="BCa", rng=rng
    ).confidence_interval
    p_value = sign_flip_p(known, rounding, n_resamples, rng)
    effect_size = float(known.mean()) / float(known.std(ddof=1))
    return mean, interval.low * scale, interval.high * scale, p_value, effect_size, n_pairs


def sign_flip_p(differences: _Array, rounding: float, n_resamples: int, rng: np.random.Generator) -> float:
    """Share of sign flips whose mean is as far from zero as the one observed, which is one of them."""
    n_flips = 2**differences.size
    test = scipy.stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=n_flips if differences.size <= _EXACT_PAIRS else n_resamples,
        rng=rng,
    )
    # scipy's tolerance for ties is relative to the mean, which may be much smaller than what was summed.
    extreme = int(np.count_nonzero(np.abs(test.null_distribution) >= abs(test.statistic) - rounding))
    if test.null_distribution.size == n_flips:
        return extreme / n_flips
    return (extreme + 1) / (n_resamples + 1)
