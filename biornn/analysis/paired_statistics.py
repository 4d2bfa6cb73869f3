"""What differences between matched networks say: mean, interval, p-value, effect size."""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.holm import holm
from biornn.analysis.kernels import Output, apply_kernel, describe
from biornn.analysis.scale import power_of_two
from biornn.schema import text

_Array = NDArray[np.float64]
#: What the kernel gives, with what it means.
_STATISTICS = {
    "difference": Output("mean of the paired differences"),
    "ci_low": Output("lower end of the confidence interval of the difference"),
    "ci_high": Output("upper end of the confidence interval of the difference"),
    "p_value": Output("p-value, two-sided paired permutation test"),
    "effect_size": Output("mean of the paired differences over their standard deviation (Cohen's d_z)"),
    "n_pairs": Output("pairs of matched networks that entered"),
}
_COUNTS = {
    "n_failed": Output("networks without a result"),
    "n_unpaired": Output("seeds that are not in both, or not in every cell"),
}
#: In the metric's units.
_IN_UNITS = ("difference", "ci_low", "ci_high")
#: Differences that agree to this share of the largest value are equal: float64 holds sixteen digits, and sums lose few.
ROUNDING = 1e-12
#: Up to so many pairs all 2**n sign flips are made.
_EXACT_PAIRS = 13
#: Numbers that are resampled at once; bounds the memory.
_BATCH = 2**22


def paired_statistics(
    differences: xr.DataArray, rounding: xr.DataArray, *, n_resamples: int, confidence_level: float, seed: int
) -> xr.Dataset:
    """Estimate and test the mean of differences between matched networks: the variables of `_STATISTICS`.

    `differences` have the dim `seed`, NaN where one of the two networks has no result; others broadcast. Differences up
    to `rounding` are zero, and differences between them nothing but rounding. Every mean gets the same random numbers
    from `seed`: no result depends on what else is asked for.
    """
    if n_resamples < 99:
        raise ValueError(f"n_resamples: expected at least 99, got {n_resamples}; fewer give no interval")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level: expected a share between 0 and 1, got {confidence_level}")
    return apply_kernel(
        lambda rows, near_zero: _statistics(rows, near_zero, n_resamples, confidence_level, seed),
        differences,
        rounding,
        core_dims=[["seed"], []],
        outputs=_STATISTICS,
        vectorize=False,
    )


def described(rows: xr.Dataset) -> xr.Dataset:
    """Finish rows that have `n_failed` and `n_unpaired` too: Holm's correction over all of them, units, long names."""
    counts = ["n_pairs", *_COUNTS]
    table = rows.assign({name: rows[name].astype(np.int64) for name in counts}).assign(p_holm=holm(rows["p_value"]))
    units = np.unique(text(table["units"]).values).tolist()
    of_metric = units[0] if len(units) == 1 else "see the coordinate units"
    in_units = {name: _STATISTICS[name]._replace(units=of_metric) for name in _IN_UNITS}
    order = ["difference", "ci_low", "ci_high", "p_value", "p_holm", "effect_size", *counts]
    return describe(table, _STATISTICS | _COUNTS | in_units)[order]


def _statistics(
    differences: _Array, rounding: _Array, n_resamples: int, confidence_level: float, seed: int
) -> tuple[_Array, ...]:
    """Give the values of `_STATISTICS` for differences (..., seed)."""
    shape = differences.shape[:-1]
    rows, rounding = differences.reshape(-1, differences.shape[-1]), np.broadcast_to(rounding, shape).ravel()
    is_known = ~np.isnan(rows)
    n_pairs = is_known.sum(axis=1)
    found = np.full((len(_STATISTICS), len(rows)), np.nan)
    for n in np.unique(n_pairs):  # rows of as many pairs are resampled together
        members = np.flatnonzero(n_pairs == n)
        at_once = max(1, _BATCH // (n_resamples * max(n, 1)))
        for start in range(0, len(members), at_once):
            batch = members[start : start + at_once]
            known = rows[batch][is_known[batch]].reshape(len(batch), n)
            found[:, batch] = _of_rows(known, rounding[batch], n_resamples, confidence_level, seed)
    return tuple(found.reshape(-1, *shape))


def _of_rows(known: _Array, rounding: _Array, n_resamples: int, confidence_level: float, seed: int) -> _Array:
    """Give the values of `_STATISTICS`, (statistic, row), of rows of pairs (row, pair)."""
    n_pairs = known.shape[1]
    known = np.where(np.abs(known) <= rounding[:, np.newaxis], 0.0, known)
    mean = known.mean(axis=1) if n_pairs else np.full(len(known), np.nan)
    nothing = np.full(len(known), np.nan)
    if n_pairs < 2:
        return np.stack([mean, nothing, nothing, nothing, nothing, np.full(len(known), n_pairs)])
    # Where nothing varies, the interval has no width, and the effect size no yardstick.
    low, high, effect_size, varies = mean.copy(), mean.copy(), nothing, np.ptp(known, axis=1) > rounding
    scale = power_of_two(known, axis=(1,))[:, 0]  # the interval takes third powers, which may overflow or vanish
    known, rounding = known / scale[:, np.newaxis], rounding / scale
    if varies.any():
        resampled = scipy.stats.bootstrap(
            (known[varies],),
            np.mean,
            n_resamples=n_resamples,
            confidence_level=confidence_level,
            method="BCa",
            axis=-1,
            rng=np.random.default_rng(seed),
        )
        low[varies] = resampled.confidence_interval.low * scale[varies]
        high[varies] = resampled.confidence_interval.high * scale[varies]
        effect_size[varies] = known[varies].mean(axis=1) / known[varies].std(axis=1, ddof=1)
    p_value = sign_flip_p(known, rounding, n_resamples, np.random.default_rng([seed, 1]))
    return np.stack([mean, low, high, p_value, effect_size, np.full(len(known), n_pairs)])


def sign_flip_p(known: _Array, rounding: _Array, n_resamples: int, rng: np.random.Generator) -> _Array:
    """Share of sign flips whose mean is as far from zero as the one observed, which is one of them; (row, pair) in."""
    n_pairs = known.shape[1]
    is_exact = n_pairs <= _EXACT_PAIRS or 2**n_pairs <= n_resamples
    if is_exact:
        signs = 1.0 - 2.0 * (np.arange(2**n_pairs)[:, np.newaxis] >> np.arange(n_pairs) & 1)
    else:
        signs = rng.choice((-1.0, 1.0), (n_resamples, n_pairs))
    # Sums of the same numbers differ by rounding.
    least = np.abs(known.sum(axis=1)) - n_pairs * rounding
    extreme = (np.abs(known @ signs.T) >= least[:, np.newaxis]).sum(axis=1)
    share: _Array = extreme / len(signs) if is_exact else (extreme + 1) / (n_resamples + 1)
    return share
