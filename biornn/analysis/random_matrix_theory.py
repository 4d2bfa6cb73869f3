"""What random-matrix theory says of the spectrum, from the mean and the variance of the weights alone."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, apply_kernel, describe
from biornn.analysis.presynaptic_type import presynaptic_type
from biornn.analysis.scale import power_of_two
from biornn.analysis.spectrum import eigenspectrum

_Array = NDArray[np.float64]
#: Share of the largest weight, per unit, up to which an eigenvalue is zero; and, squared, a variance.
_ROUNDING = 1e-13
#: Probability that any eigenvalue of random weights lies beyond the edge.
_FALSE_ALARM = 0.01
_PREDICTED = {
    "bulk_radius": Output("radius of the bulk of the eigenvalues, predicted"),
    "median_modulus": Output("modulus within which half of the eigenvalues lie, predicted"),
    "edge": Output("modulus that random weights of this size rarely exceed"),
    "outlier": Output("eigenvalue that the mean weights add, predicted"),
}
_MEASURED = {
    "measured_bulk_radius": Output("radius of the bulk, from the median modulus of the eigenvalues"),
    "n_outliers": Output("eigenvalues beyond the edge of the bulk"),
    "largest_outlier": Output("eigenvalue of largest modulus beyond the edge of the bulk"),
}


def predicted_spectrum(recurrent_weights: xr.DataArray, cell_type: xr.DataArray | None = None) -> xr.Dataset:
    """Predict where the eigenvalues of weights lie that are random but for their mean and variance per cell type.

    Parameters
    ----------
    recurrent_weights
        As for `eigenspectrum`.
    cell_type
        Type of each unit, dims `unit` and any others, such as `network`. Mean and variance are those of the rows (all
        outgoing weights) of the units of a type, over all pairs of units: absent synapses count as zeros. None: units
        of one type, the circular law.

    Returns
    -------
    xr.Dataset
        All dimensionless, without the dims `unit_pre` and `unit_post`:
        `bulk_radius`: ``sqrt(N (f σ_E² + (1 − f) σ_I²))``, of the disk that the eigenvalues of many units fill;
        `median_modulus`: half of them are predicted to lie within it;
        `edge`: somewhat beyond the bulk radius, since units are not infinitely many; an eigenvalue of random weights
        exceeds it in one matrix of a hundred, to a factor of a few (see the notes);
        `outlier`: ``N (f μ_E + (1 − f) μ_I)``, real, what the means add; nothing shows where it lies inside the bulk.
        NaN for a network that diverged or failed, and for a single unit, whose one weight has no variance.

    Raises
    ------
    ValueError
        If a dim is missing, the matrix is not square, or `cell_type` does not fit.

    See Also
    --------
    bulk_and_outliers : What the eigenvalues are.
    compare_with_null : The answer to a prediction that Dale's law makes uncertain (see the notes).

    Notes
    -----
    The disk is filled uniformly, a share of (r / R)² within r, where the variances are equal. Otherwise the share F
    within r solves ``Σ_i v_i / (r² + N v_i (1 − F)) = 1`` over the units' variances v_i: the mean eigenvalue density of
    Rajan & Abbott for two variances, here by the S-transform of free probability (Haagerup & Larsen 2000, J. Funct.
    Anal. 176, 331).

    The edge is that of complex Gaussian weights, where the squared moduli are distributed as independent gamma
    variables (Kostlan 1992, Linear Algebra Appl. 162, 385): exact for any number of units. That of real weights has the
    same scale (Rider & Sinclair 2014, Ann. Appl. Probab. 24, 1621); of real random matrices of 64 units, 2 to 4 % had
    an eigenvalue beyond the edge of 1 %. With unequal variances the eigenvalues are thinner at the edge; the number of
    units is then replaced by ``(Σ v)² / Σ v²``.

    A type has one mean and variance, whoever its targets are. Where densities or weights also differ by the type of the
    target, the radius is the root of the largest eigenvalue of the variances between types, each times the units of its
    presynaptic type (Aljadeff, Stern & Sharpee 2015, Phys. Rev. Lett. 114, 088101), which these formulas do not take
    into account, and the means between types may add outliers beside the predicted one.

    Only where the weights that a unit receives sum to zero is all of the spectrum of a Dale network inside the disk.
    Balance on average (an `outlier` of zero) lets a few eigenvalues stray beyond it, since the mean weights are then
    large and not normal: the constraint alone has outliers.

    References
    ----------
    Rajan & Abbott (2006), Phys. Rev. Lett. 97, 188104 (their columns are our rows). Circular law: Girko (1985), Theory
    Probab. Appl. 29, 694; Tao & Vu (2010), Ann. Probab. 38, 2023.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.DataArray([[0.0, 2.0], [-2.0, -4.0]], dims=("unit_pre", "unit_post"))
    >>> cell_type = xr.DataArray(["excitatory", "inhibitory"], dims="unit")
    >>> prediction = predicted_spectrum(weights, cell_type)
    >>> float(prediction["bulk_radius"].round(3)), float(prediction["outlier"])
    (1.414, -2.0)
    """
    types = presynaptic_type(recurrent_weights, cell_type)
    core_dims = [["unit_pre", "unit_post"], ["unit_pre"]]
    return apply_kernel(_predict, recurrent_weights, types, core_dims=core_dims, outputs=_PREDICTED)


def bulk_and_outliers(
    recurrent_weights: xr.DataArray,
    cell_type: xr.DataArray | None = None,
    eigenvalues: xr.DataArray | None = None,
) -> xr.Dataset:
    """Tell the bulk of the eigenvalues from the outliers, those that random weights would not have.

    Parameters
    ----------
    recurrent_weights, cell_type
        As for `predicted_spectrum`.
    eigenvalues
        Those of the same weights, where `eigenspectrum` has already given them; None: they are computed.

    Returns
    -------
    xr.Dataset
        `bulk_radius`, `edge` and `outlier` as predicted; and of the eigenvalues: `n_outliers`, how many have a modulus
        beyond the edge (the two of a conjugate pair are two); `largest_outlier`, complex, the one of the largest
        modulus, NaN where there is none; `measured_bulk_radius`, the bulk radius at which the predicted median modulus
        would be that of the eigenvalues, NaN where the predicted one is 0. All dimensionless, without the dims
        `unit_pre` and `unit_post`; NaN for a network that diverged or failed, for a single unit, and, for what is of
        the eigenvalues, where LAPACK does not find them. Where all weights of a type are equal, the bulk is the point
        0, and eigenvalues that are 0 up to rounding belong to it.

    Notes
    -----
    The predicted radius comes from the variance of the weights, so that structure which training adds counts as if it
    were random: the outliers are those that stand out in spite of it. Compare `measured_bulk_radius`, which a few large
    eigenvalues do not move. A perturbation of low rank with an eigenvalue λ beyond the bulk has an outlier close to λ:
    Tao (2013), Probab. Theory Relat. Fields 155, 231.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> random = np.random.default_rng(0).normal(0, 0.1, (100, 100))
    >>> weights = xr.DataArray(random, dims=("unit_pre", "unit_post"))
    >>> direction = xr.DataArray(np.random.default_rng(1).normal(0, 0.1, 100), dims="unit_pre")
    >>> planted = weights + 3 * direction * direction.rename(unit_pre="unit_post")
    >>> [int(bulk_and_outliers(one)["n_outliers"]) for one in (weights, planted)]
    [0, 1]
    """
    predicted = predicted_spectrum(recurrent_weights, cell_type)
    if eigenvalues is None:
        eigenvalues = eigenspectrum(recurrent_weights)
    require_dims(eigenvalues, "eigenvalues", ["mode"])
    known = predicted["edge"].notnull() & eigenvalues.notnull().all("mode")
    # An eigenvalue of zero comes out as rounding, which is far beyond a bulk without a radius.
    largest_weight = abs(recurrent_weights).max(["unit_pre", "unit_post"], skipna=False)
    edge = np.maximum(predicted["edge"], _ROUNDING * eigenvalues.sizes["mode"] * largest_weight)
    outside = abs(eigenvalues) > edge
    half = predicted["median_modulus"]
    median = abs(eigenvalues).median("mode", skipna=False)
    largest = eigenvalues.isel(mode=0, drop=True)
    measured = predicted[["bulk_radius", "edge", "outlier"]].assign(
        measured_bulk_radius=predicted["bulk_radius"] / half.where(half > 0) * median,
        n_outliers=outside.sum("mode").where(known),
        largest_outlier=largest.where(abs(largest) > edge),
    )
    return describe(measured, _MEASURED)


def _predict(weights: NDArray[np.floating], types: NDArray[np.intp]) -> tuple[float, ...]:
    """Bulk radius, median modulus, edge and outlier of one matrix."""
    if not np.isfinite(weights).all() or (types < 0).any() or len(types) < 2:
        return (np.nan,) * 4
    scale = power_of_two(weights)
    mean, variance = _moments_of_rows(weights.astype(np.float64) / scale, types)
    total = variance.sum()
    radius = np.sqrt(total)
    margin = _edge_of_gaussian(max(1, round(total**2 / (variance**2).sum()))) if total > 0 else 1.0
    return tuple(scale * one for one in (radius, _modulus_of_share(variance, 0.5), margin * radius, mean.sum()))


def _moments_of_rows(weights: _Array, types: NDArray[np.intp]) -> tuple[_Array, _Array]:
    """Mean and variance of a weight of each presynaptic unit, which are those of all units of its type."""
    mean, variance = np.empty(len(types)), np.empty(len(types))
    for number in np.unique(types):
        rows = types == number
        mean[rows], variance[rows] = weights[rows].mean(), weights[rows].var()
    return mean, np.where(variance > _ROUNDING**2 * (weights**2).max(), variance, 0.0)


def _modulus_of_share(variance: _Array, share: float) -> float:
    """Modulus within which a share of the eigenvalues is predicted to lie."""
    spread = len(variance) * variance * (1 - share)
    positive = variance > 0
    if positive.mean() <= 1 - share:  # so many units send nothing out that these eigenvalues are zero
        return 0.0
    variance, spread = variance[positive], spread[positive]
    square = scipy.optimize.brentq(lambda square: (variance / (square + spread)).sum() - 1, 0.0, variance.sum())
    return float(np.sqrt(square))


@cache
def _edge_of_gaussian(n_units: int) -> float:
    """Modulus, in units of the bulk radius, that no eigenvalue exceeds but with the probability of a false alarm."""
    shapes = np.arange(1, n_units + 1)

    def alarm(modulus: float) -> float:
        below = scipy.special.gammainc(shapes, n_units * modulus**2)
        return float(-np.expm1(np.log(np.maximum(below, np.finfo(float).tiny)).sum()))

    upper = 2.0
    while alarm(upper) > _FALSE_ALARM:
        upper *= 2
    return float(scipy.optimize.brentq(lambda modulus: alarm(modulus) - _FALSE_ALARM, 0.0, upper))
