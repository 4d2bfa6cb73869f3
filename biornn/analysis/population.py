"""Activity of a population in few dimensions: principal components, singular components, dimensionality."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims, require_some
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.scale import centred, power_of_two

_Array = NDArray[np.float64]


def principal_components(rates: xr.DataArray, n_components: int = 3) -> xr.Dataset:
    """Principal components of the activity: directions of largest variance about the mean.

    Parameters
    ----------
    rates
        Activity, dims `time`, `unit` and, where there are trials, `trial`; every trial and time is one sample. Other
        dims, such as `network` and `snapshot`, broadcast: each network has its own components.
    n_components
        How many, at most the number of samples or of units, whichever is smaller.

    Returns
    -------
    xr.Dataset
        `scores` (..., trial, time, component), in the units of the rates; `loadings` (..., unit, component), of length
        1, the largest of each positive; `explained_variance_ratio` (..., component); `mean` (..., unit). Components are
        counted from 1. All NaN for a network whose activity is not finite; all but the mean for activity that never
        changes, such as that of silent units or a single sample.

    Raises
    ------
    ValueError
        If a dim is missing or empty, or `n_components` is out of range.

    See Also
    --------
    singular_components : The same without taking the mean away.

    Notes
    -----
    By eigenvectors of the covariance: exact, and it needs no more memory than the samples. Jolliffe (2002), Principal
    Component Analysis, chapter 1.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> phase = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    >>> ring = xr.DataArray(np.stack([3 * np.cos(phase), np.sin(phase)], axis=-1), dims=("time", "unit"))
    >>> principal_components(ring, n_components=2)["explained_variance_ratio"].round(6).values.tolist()
    [0.9, 0.1]
    """
    return _decompose(rates, n_components, True, "share of the variance")


def singular_components(rates: xr.DataArray, n_components: int = 3) -> xr.Dataset:
    """Singular components of the activity: directions of largest sum of squares about zero.

    Parameters
    ----------
    rates, n_components
        As for `principal_components`.

    Returns
    -------
    xr.Dataset
        As `principal_components` gives it, but nothing is centred: zero activity has scores of zero, and
        `explained_variance_ratio` is the share of the SUM OF SQUARES about zero. `mean` is for information. All but
        the mean are NaN where all units are silent.

    See Also
    --------
    principal_components : The same about the mean.

    Notes
    -----
    Right singular vectors, as eigenvectors of the matrix of second moments. The ratio of scikit-learn's `TruncatedSVD`
    is that of the variance about the mean, by which these components are not ordered.

    Examples
    --------
    >>> import xarray as xr
    >>> constant = xr.DataArray([[3.0, 4.0], [3.0, 4.0]], dims=("time", "unit"))
    >>> singular_components(constant, n_components=1)["loadings"].round(6).values.ravel().tolist()
    [0.6, 0.8]
    """
    return _decompose(rates, n_components, False, "share of the sum of squares about zero")


def participation_ratio(rates: xr.DataArray) -> xr.DataArray:
    """Participation ratio: how many dimensions the activity fills.

    ``(Σλ)² / Σλ²`` over the eigenvalues λ of the covariance of units over samples: 1 where all activity lies on a
    line, the number of units where it is alike in all directions.

    Parameters
    ----------
    rates
        As for `principal_components`.

    Returns
    -------
    xr.DataArray
        `participation_ratio`, dimensionless, without the dims `trial`, `time` and `unit`. NaN where activity is not
        finite or never changes, such as that of silent units or a single sample. A constant unit adds nothing.

    Raises
    ------
    ValueError
        If a dim is missing, or there is no sample or no unit.

    References
    ----------
    Gao et al. (2017), A theory of multineuronal dimensionality, dynamics and measurement, bioRxiv 214262.

    Examples
    --------
    >>> import xarray as xr
    >>> line = xr.DataArray([[0.0, 0.0], [1.0, 2.0]], dims=("time", "unit"))
    >>> round(float(participation_ratio(line)), 6)
    1.0
    """
    output = {"participation_ratio": Output("participation ratio of the activity")}
    core_dims = [[*_sample_dims(rates), "unit"]]
    return apply_kernel(_participation_ratio, rates, core_dims=core_dims, outputs=output)["participation_ratio"]


def _sample_dims(rates: xr.DataArray) -> list[str]:
    require_dims(rates, "rates", ["time", "unit"])
    dims: list[str] = [dim for dim in ("trial", "time") if dim in rates.dims]
    require_some(rates, "rates", [*dims, "unit"])
    return dims


def _decompose(rates: xr.DataArray, n_components: int, about_mean: bool, share_of: str) -> xr.Dataset:
    sample_dims = _sample_dims(rates)
    require_some(rates, "rates")
    n_samples = int(np.prod([rates.sizes[dim] for dim in sample_dims]))
    most = min(n_samples, rates.sizes["unit"])
    if not 1 <= n_components <= most:
        raise ValueError(
            f"n_components: expected 1 to {most} for {n_samples} samples of {rates.sizes['unit']} units, "
            f"got {n_components}"
        )

    def kernel(activity: NDArray[np.floating]) -> tuple[_Array, ...]:
        scores, *others = _components(activity.reshape(n_samples, -1), n_components, about_mean)
        return scores.reshape(*activity.shape[:-1], n_components), *others

    units = rates.attrs.get("units", "1")
    result = apply_kernel(
        kernel,
        rates,
        core_dims=[[*sample_dims, "unit"]],
        outputs={
            "scores": Output("activity along a component", (*sample_dims, "component"), units),
            "loadings": Output("direction of a component", ("unit", "component")),
            "explained_variance_ratio": Output(share_of, ("component",)),
            "mean": Output("mean activity", ("unit",), units),
        },
        sizes={"component": n_components},
    )
    return result.assign_coords(component=np.arange(1, n_components + 1))


def _components(
    samples: NDArray[np.floating], n_components: int, about_mean: bool
) -> tuple[_Array, _Array, _Array, _Array]:
    """Scores, loadings (unit, component), share and mean of samples (sample, unit)."""
    varies = (samples != samples[0]).any() if about_mean else samples.any()
    if not np.isfinite(samples).all() or not varies:
        return _undefined(samples, n_components)
    if about_mean:
        samples, mean, scale = centred(samples)
    else:
        scale = power_of_two(samples)
        samples = np.divide(samples, scale, dtype=np.float64)
        mean = samples.mean(axis=0)
    squares, vectors = np.linalg.eigh(samples.T @ samples)
    largest = slice(None, -n_components - 1, -1)
    loadings = vectors[:, largest]
    loadings *= np.sign(loadings[np.abs(loadings).argmax(axis=0), np.arange(n_components)])
    share = np.maximum(squares[largest], 0.0) / squares.sum()
    return samples @ loadings * scale, loadings, share, mean * scale


def _undefined(samples: NDArray[np.floating], n_components: int) -> tuple[_Array, _Array, _Array, _Array]:
    """No components, as NaN; the mean is that of the one sample that all others equal, or NaN."""
    n_samples, n_units = samples.shape
    nan = np.full((n_samples + n_units + 1, n_components), np.nan)
    mean = samples[0] if np.isfinite(samples).all() else np.full(n_units, np.nan)
    return nan[:n_samples], nan[n_samples:-1], nan[-1], mean


def _participation_ratio(activity: NDArray[np.floating]) -> float:
    samples = activity.reshape(-1, activity.shape[-1])
    if not np.isfinite(samples).all() or (samples == samples[0]).all():
        return float("nan")
    about_mean = centred(samples)[0]
    covariance = about_mean.T @ about_mean / len(samples)
    # The sum of squared eigenvalues of a symmetric matrix is the sum of its squared entries.
    return float(np.trace(covariance) ** 2 / (covariance**2).sum())
