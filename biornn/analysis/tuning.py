"""What each unit is tuned to in each period of a trial: regression on the trials' own coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, describe
from biornn.analysis.same_labels import same_labels
from biornn.scalars import integer
from biornn.schema import text

_Array = NDArray[np.float64]
_OF_REGRESSOR, _OF_UNIT = ("period", "unit", "regressor"), ("period", "unit")
_MEASURED = {
    "beta": Output("standardised coefficient of the regression"),
    "unique": Output("share of the variance over trials that only this regressor explains"),
    "null": Output("mean of that share where the regressor is shuffled"),
    "p_value": Output("share of shuffles that explain as much, the one observed included"),
    "explained": Output("share of the variance over trials that all regressors explain"),
}
_ROUNDING = 1e-10  # of the sum of squares of a unit: less is rounding of single precision


def tuning(
    rates: xr.DataArray,
    period: xr.DataArray,
    regressors: Mapping[str, xr.DataArray],
    *,
    n_shuffles: int = 199,
    seed: int = 0,
) -> xr.Dataset:
    """Regress the mean rate of every unit in every period on coordinates of the trials.

    Parameters
    ----------
    rates
        Rates, dims `trial`, `time`, `unit`; others, such as `network`, broadcast.
    period
        Name of the period at each (trial, time), such as ``trials["period"]``; ``padding`` and empty text are none.
    regressors
        Name -> a value for each trial: dim `trial`, as coordinates of the trials have it, and any other of the rates,
        as the choices of several networks have it. Numbers, truth values, or text: two names are one regressor, more
        are one with a column each but the first. Trials with NaN or empty text in any regressor are left out, as are
        those without the period.
    n_shuffles
        Shuffles of the null.
    seed
        Of the shuffles.

    Returns
    -------
    xr.Dataset
        `explained` (..., period, unit): share of the variance over trials that all regressors explain. `unique` (...,
        period, unit, regressor): share that only this one explains, beyond all others. `beta`: its coefficient, of
        rates and regressors in their standard deviations (text: of its second name, in sorted order); NaN where it has
        several columns. `null`: mean of `unique` over the shuffles; `p_value`: share of the shuffles, with the one
        observed, whose statistic is as large. `n_trials` (..., period): those that entered. NaN for a unit that does
        not vary, a regressor that the others determine or that does not vary, and where there are too few trials.

    Raises
    ------
    TypeError, ValueError
        If a dim is missing, labels differ, there is no regressor, or the number of shuffles is impossible.

    See Also
    --------
    selectivity : The bits of a memory, which are held for parts of a trial.
    decode : What a whole population tells, and whether in the same way over time.

    Notes
    -----
    A regressor that is correlated with another, as a choice is with the stimulus, shares its variance with it: `unique`
    gives it to neither. The null permutes what is left of the rates when all other regressors are taken out (Freedman &
    Lane 1983, J. Bus. Econ. Stat. 1, 292), and compares the F statistic: without any effect, `unique` is still about
    ``columns / (n - 1)``. Of many units, 5 % are below a p-value of 0.05 by chance: correct, by `holm`, or count.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> coherence = xr.DataArray(np.linspace(-8, 8, 40), dims="trial")
    >>> context = xr.DataArray(["colour", "motion"] * 20, dims="trial")
    >>> rates = xr.concat([coherence, 1.0 * (context == "motion")], "unit").expand_dims(time=3).transpose(..., "unit")
    >>> period = xr.DataArray(np.full((40, 3), "stimulus"), dims=("trial", "time"))
    >>> found = tuning(rates, period, {"coherence": coherence, "context": context})
    >>> abs(found["beta"].sel(period="stimulus").round(3)).values.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    require_dims(rates, "rates", ["trial", "time", "unit"])
    require_dims(period, "period", ["trial", "time"])
    n_shuffles, seed = integer("n_shuffles", n_shuffles, minimum=1), integer("seed", seed, minimum=0)
    if not regressors:
        raise ValueError("regressors: expected at least one, got none; take coordinates of the trials")
    rates, period = same_labels("period", "the trials and times of rates", rates, period, source="trials")
    columns = {}
    for name, values in regressors.items():
        require_dims(values, f"regressors[{name!r}]", ["trial"])
        _, columns[name] = same_labels(f"regressors[{name!r}]", "the trials of rates", rates, values, source="trials")
    names = [one for one in dict.fromkeys(text(period).values.ravel().tolist()) if one not in ("", "padding")]
    is_in = (text(period) == xr.DataArray(np.array(names, str), dims="period")).astype(float)
    n_times = is_in.sum("time")
    means = xr.dot(rates.astype(float), is_in.drop_vars(list(is_in.coords)), dim="time")
    means = means / n_times.where(n_times > 0).drop_vars(list(n_times.coords))
    others = [dim for dim in means.dims if dim not in ("trial", "unit", "period")]
    stacked = means.stack(each=others) if others else means.expand_dims("each")
    designs = {name: _stacked(values, means, others) for name, values in columns.items()}
    found = [
        _of_network(stacked.isel(each=index), {name: one[index] for name, one in designs.items()}, n_shuffles, seed)
        for index in range(stacked.sizes["each"])
    ]
    dims = {name: ("each", *(_OF_UNIT if name == "explained" else _OF_REGRESSOR)) for name in _MEASURED}
    dims["n_trials"] = ("each", "period")
    result = xr.Dataset({name: (dims[name], np.stack([one[name] for one in found])) for name in dims})
    if others:
        result = result.assign_coords(xr.Coordinates.from_pandas_multiindex(stacked.indexes["each"], "each")).unstack(
            "each"
        )
        result = result.transpose(*others, ...)
    else:
        result = result.isel(each=0)
    labels = {"period": names, "regressor": list(regressors)}
    kept = {name: one for name, one in rates.coords.items() if set(one.dims) <= {*others, "unit"}}
    return describe(result.assign_coords({**labels, **kept}), {**_MEASURED, "n_trials": Output("trials that entered")})


def _stacked(values: xr.DataArray, means: xr.DataArray, others: list[object]) -> list[_Array]:
    """Give the columns (trial, column) of a regressor in each network."""
    if values.dtype.kind in "biuf":
        coded = values.astype(float).expand_dims("column", axis=-1)
    else:
        labels = text(values)
        distinct = sorted(set(np.unique(labels.values).tolist()) - {""})
        each = xr.DataArray(np.array(distinct[1:], str), dims="column")
        coded = (labels == each).astype(float).where(labels != "")
    coded = coded.drop_vars([name for name, one in coded.coords.items() if "trial" in one.dims])
    template = means.isel(unit=0, period=0, drop=True)
    template = template.drop_vars([name for name, one in template.coords.items() if "trial" in one.dims])
    wide = coded.broadcast_like(template, exclude=["column"]) if others else coded
    together = wide.stack(each=others).transpose("each", "trial", "column") if others else wide.expand_dims("each")
    return list(together.transpose("each", "trial", "column").values)


def _of_network(
    means: xr.DataArray, design: Mapping[str, _Array], n_shuffles: int, seed: int
) -> dict[str, NDArray[np.floating]]:
    """Give all that `tuning` returns of one network; means of any order of (trial, period, unit)."""
    values = means.transpose("period", "trial", "unit").values
    n_periods, _, n_units = values.shape
    found: dict[str, NDArray[Any]] = {
        name: np.full((n_periods, n_units) if name == "explained" else (n_periods, n_units, len(design)), np.nan)
        for name in _MEASURED
    }
    found["n_trials"] = np.zeros(n_periods, int)
    for number, rates in enumerate(values):
        known = np.isfinite(rates).all(axis=1) & np.all(
            [np.isfinite(one).all(axis=1) for one in design.values()], axis=0
        )
        found["n_trials"][number] = known.sum()
        parts = [one[known] for one in design.values()]
        if known.sum() > sum(part.shape[1] for part in parts) + 1:
            for name, one in _regressed(rates[known], parts, n_shuffles, seed).items():
                found[name][number] = one
    return found


def _regressed(rates: _Array, parts: list[_Array], n_shuffles: int, seed: int) -> dict[str, _Array]:
    """Regress rates (trial, unit) on regressors (trial, column); the intercept is taken out of all."""
    y = rates - rates.mean(axis=0)
    total = (y**2).sum(axis=0)
    varies = total > _ROUNDING * (rates**2).sum(axis=0)
    y, total = np.where(varies, y, np.nan), np.where(varies, total, np.nan)
    centred = [part - part.mean(axis=0) for part in parts]
    every = _basis(np.concatenate(centred, axis=1))
    error = total - ((every.T @ y) ** 2).sum(axis=0)
    shape = rates.shape[1], len(parts)
    found = {name: np.full(shape, np.nan) for name in ("beta", "unique", "null", "p_value")}
    found["explained"] = 1 - error / total
    for index, own in enumerate(centred):
        others = _basis(np.concatenate([np.zeros((len(y), 0)), *(centred[:index] + centred[index + 1 :])], axis=1))
        new = _basis(own - others @ (others.T @ own), of=own)
        if new.shape[1] < max(own.shape[1], 1):
            continue
        gain = ((new.T @ y) ** 2).sum(axis=0)
        found["unique"][:, index] = gain / total
        if own.shape[1] == 1:
            column = own - others @ (others.T @ own)
            found["beta"][:, index] = (column.T @ y)[0] / (column**2).sum() * own.std() / np.sqrt(total / len(y))
        left = y - others @ (others.T @ y)
        null, p_value = _shuffled(left, others, new, n_shuffles, seed)
        found["null"][:, index] = null / total
        found["p_value"][:, index] = np.where(gain > _ROUNDING * total, p_value, 1.0) * np.where(varies, 1, np.nan)
    return found


def _shuffled(left: _Array, others: _Array, new: _Array, n_shuffles: int, seed: int) -> tuple[_Array, _Array]:
    """Shuffle what the other regressors leave (trial, unit): the mean gain, and the p-value of the share gained."""
    rng = np.random.default_rng(seed)

    def gained(rows: _Array) -> tuple[_Array, _Array]:
        gain = ((new.T @ rows) ** 2).sum(axis=0)
        of = (rows**2).sum(axis=0) - ((others.T @ rows) ** 2).sum(axis=0)
        return gain, gain / np.maximum(of, 1e-300)

    observed = gained(left)[1]
    gains, n_extreme = np.zeros(left.shape[1]), np.ones(left.shape[1])
    for _ in range(n_shuffles):
        gain, share = gained(left[rng.permutation(len(left))])
        gains += gain
        n_extreme += share >= observed
    return gains / n_shuffles, n_extreme / (n_shuffles + 1)


def _basis(columns: _Array, of: _Array | None = None) -> _Array:
    """Give an orthonormal basis of columns, without directions that are rounding of those they are made of."""
    if not columns.shape[1]:
        return columns
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    largest = np.linalg.norm(columns if of is None else of, ord=2)
    return left[:, sizes > max(largest * 1e-9, 1e-300)]
