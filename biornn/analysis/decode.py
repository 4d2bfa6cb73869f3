"""What can be read from a population, when, and whether in the same way at all times."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.same_labels import same_labels
from biornn.scalars import integer
from biornn.schema import text

_NONE = -1  # code of a trial without a label


def decode(
    rates: xr.DataArray, label: xr.DataArray, *, n_bins: int = 20, n_folds: int = 5, seed: int = 0
) -> xr.Dataset:
    """Decode a label of the trials from the rates, held out, at every time from what was learned at every time.

    A linear discriminant with a shrunk covariance is fitted to the mean rates of one time bin in most of the trials,
    and asked in all time bins of the others: the cross-temporal matrix.

    Parameters
    ----------
    rates
        Rates, dims `trial`, `time`, `unit`; others, such as `network`, broadcast. Trials as long as one another: of
        those with padding take the times that all have.
    label
        What is to be decoded: a text, number or truth value for each trial, dim `trial`, such as ``trials["context"]``;
        other dims, as of choices (network, trial), broadcast. Trials with NaN or empty text are left out.
    n_bins
        Number of time bins, at most that of the times, of as many samples each as can be.
    n_folds
        Number of parts into which trials are divided, each label as evenly as can be; each part is held out once.
    seed
        Of the division.

    Returns
    -------
    xr.Dataset
        `score` (..., train_time, test_time): share of the held-out trials whose label is found, the mean over labels,
        so that what knows nothing scores `chance`, 1 / number of labels, however frequent each is. `decoded` (...,
        test_time): its diagonal. A code that stays is decoded by what was learned at any time; one that changes only
        near the diagonal. Times are the middle of the bins. `n_trials` (...): those that entered. NaN where a label has
        fewer trials than folds, there is only one label, or a rate is not finite.

    Raises
    ------
    TypeError, ValueError
        If a dim is missing, trials differ, or a number is impossible.

    Notes
    -----
    For two labels with normal rates of the same covariance, whose means are d' standard deviations apart along the best
    direction, no decoder is right more often than ``Φ(d' / 2)``. Cross-temporal decoding: Meyers et al. (2008), J.
    Neurophysiol. 100, 1407; Stokes et al. (2013), Neuron 78, 364.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> label = xr.DataArray(["left", "right"] * 20, dims="trial")
    >>> noise = xr.DataArray(np.random.default_rng(0).normal(0, 0.1, (40, 4, 2)), dims=("trial", "time", "unit"))
    >>> late = xr.DataArray([0.0, 0.0, 1.0, 1.0], dims="time")
    >>> decode(noise + (label == "right") * late, label, n_bins=2)["decoded"].round(1).values.tolist()[1]
    1.0
    """
    require_dims(rates, "rates", ["trial", "time", "unit"])
    require_dims(label, "label", ["trial"])
    n_folds, seed = integer("n_folds", n_folds, minimum=2), integer("seed", seed, minimum=0)
    n_bins = integer("n_bins", n_bins, minimum=1)
    rates, label = same_labels("label", "the trials of rates", rates, label, source="trials")
    if n_bins > rates.sizes["time"]:
        raise ValueError(f"n_bins: expected at most the {rates.sizes['time']} times of the rates, got {n_bins}")
    codes, n_labels = _coded(label)
    bins = np.array_split(np.arange(rates.sizes["time"]), n_bins)
    outputs = {
        "score": Output("share of held-out trials whose label is found, mean over labels", ("train_time", "test_time")),
        "n_trials": Output("trials that entered", dtype=np.int64),
    }
    found = apply_kernel(
        lambda one, of_trials: _across_time(one, of_trials, bins, n_labels, n_folds, seed),
        rates,
        codes,
        core_dims=[["trial", "time", "unit"], ["trial"]],
        outputs=outputs,
        sizes={"train_time": n_bins, "test_time": n_bins},
    )
    time = rates["time"].values.astype(float) if "time" in rates.coords else np.arange(rates.sizes["time"], dtype=float)
    says = {"units": "ms" if "time" in rates.coords else "1"}
    middles = [float(time[one].mean()) for one in bins]
    found = found.assign_coords({name: (name, middles, says) for name in ("train_time", "test_time")})
    same = xr.DataArray(np.arange(n_bins), dims="test_time")
    found["decoded"] = found["score"].isel(train_time=same).drop_vars("train_time").assign_attrs(found["score"].attrs)
    return found.assign(chance=1 / n_labels if n_labels else np.nan)


def _coded(label: xr.DataArray) -> tuple[xr.DataArray, int]:
    """Give the number of the label of each trial, `_NONE` where there is none, and how many labels there are."""
    if label.dtype.kind in "biuf":
        known = label.notnull()
        distinct = np.unique(label.values[known.values])
        codes = np.searchsorted(distinct, np.nan_to_num(label.values.astype(float), nan=0.0))
    else:
        names = text(label)
        known = names != ""
        distinct = np.unique(names.values[known.values])
        codes = np.searchsorted(distinct, names.values)
    bare = label.copy(data=codes).where(known, _NONE).astype(int)
    return bare.drop_vars([name for name, one in bare.coords.items() if "trial" in one.dims]), distinct.size


def _across_time(
    rates: NDArray[np.floating],
    codes: NDArray[np.int64],
    bins: list[NDArray[np.intp]],
    n_labels: int,
    n_folds: int,
    seed: int,
) -> tuple[NDArray[np.float64], int]:
    """Decode one network: the score (train_time, test_time) and the number of trials; (trial, time, unit) in."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import StratifiedKFold

    kept = codes >= 0
    values = np.stack([rates[kept][:, one].mean(axis=1, dtype=float) for one in bins])  # (time, trial, unit)
    codes = codes[kept]
    right = np.full((len(bins), len(bins)), np.nan)
    counts = np.bincount(codes, minlength=n_labels)
    if n_labels < 2 or counts.min() < n_folds or not np.isfinite(values).all():
        return right, int(kept.sum())
    values = values - values.mean(axis=(0, 1))
    values = values / max(float(np.abs(values).max()), 1e-300)  # a unit that is silent stays so
    hits = np.zeros((len(bins), len(bins), n_labels))
    for train, test in StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(codes, codes):
        for number, one in enumerate(values):
            if np.ptp(one[train], axis=0).max() == 0:  # nothing to learn from: the first label is as good as any
                found = np.zeros((len(bins), len(test)), int)
            else:
                learned = LinearDiscriminantAnalysis(
                    solver="lsqr", shrinkage="auto", priors=np.full(n_labels, 1 / n_labels)
                )
                learned.fit(one[train], codes[train])
                found = learned.predict(values[:, test].reshape(-1, values.shape[-1])).reshape(len(bins), -1)
            for code in range(n_labels):
                hits[number, :, code] += ((found == code) & (codes[test] == code)).sum(axis=1)
    return (hits / counts).mean(axis=-1), int(kept.sum())
