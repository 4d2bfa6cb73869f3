"""How the recurrent weights are distributed, by the cell type of the presynaptic unit."""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims, require_some
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.presynaptic_type import presynaptic_type
from biornn.analysis.same_labels import same_labels
from biornn.analysis.scale import power_of_two
from biornn.schema import type_signs

_Array = NDArray[np.float64]
_MATRIX = ["unit_pre", "unit_post"]
#: Synapses are effectively zero below this share of the root mean square over the network: ten thousand of them carry
#: no more variance than one typical synapse.
_ZERO_BELOW = 0.01
#: What the kernel gives for the synapses of one cell type, and its meaning.
_MEASURED = {
    "n_synapses": "synapses that may exist",
    "mean": "mean weight",
    "std": "standard deviation of the weights",
    "skewness": "skewness of the weights",
    "kurtosis": "excess kurtosis of the weights",
    "share_zero": "share of the synapses that are effectively zero",
    "share_positive": "share of the synapses that are positive",
    "log_mean": "mean logarithm of the magnitude",
    "log_std": "standard deviation of the logarithm of the magnitude",
    "log_skewness": "skewness of the logarithm of the magnitude",
}
_STRENGTHS = {
    "out_strength": Output("sum of the weights that a unit sends out", ("unit",)),
    "in_strength": Output("sum of the weights that a unit receives from a cell type", ("unit", "cell_type")),
}


def weight_distribution(
    recurrent_weights: xr.DataArray, recurrent_mask: xr.DataArray, cell_type: xr.DataArray
) -> xr.Dataset:
    """Describe the distribution of the weights that the units of each cell type send out.

    Parameters
    ----------
    recurrent_weights
        Effective weights, dims `unit_pre`, `unit_post`; others, such as `network` and `snapshot`, broadcast.
    recurrent_mask
        True where a synapse may exist, dims `unit_pre`, `unit_post` and, where it differs, `network`. Only these count.
    cell_type
        Type of each unit, dims `unit` and, where it differs, `network`; types of one's own with the coordinate
        `cell_sign`, as in a run.

    Returns
    -------
    xr.Dataset
        Over (..., cell_type), the type of the presynaptic unit, as for `by_cell_type`, and all synapses that may
        exist: `n_synapses`, `mean`, `std`, `skewness`, `kurtosis` (excess: 0 for a normal distribution), `share_zero`
        (effectively zero: smaller than 1 % of the root mean square over the whole network), `share_positive`.
        Over those that are not effectively zero: `log_mean`, `log_std`, `log_skewness` of the natural logarithm of the
        magnitude; a log-normal distribution has a `log_skewness` of 0.
        `out_strength` (..., unit): sum of the weights that a unit sends out; `in_strength` (..., unit, cell_type): sum
        of those that it receives from each type (0 from a type that is not there).
        Dimensionless. NaN for a type that a network does not have, for skewness and kurtosis of weights that do not
        differ (as a single one), for logarithms where all are effectively zero, and for weights that are not finite: of
        a network that diverged, failed, or is gated.

    Raises
    ------
    ValueError
        If a dim is missing or empty, labels differ, or a type is unknown.

    References
    ----------
    Log-normal synapses: Song et al. (2005), PLoS Biol. 3, e68; Buzsáki & Mizuseki (2014), Nat. Rev. Neurosci. 15, 264.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.DataArray([[0.0, 0.5], [-0.25, 0.0]], dims=("unit_pre", "unit_post"))
    >>> types = xr.DataArray(["excitatory", "inhibitory"], dims="unit")
    >>> shape = weight_distribution(weights, weights != 0, types)
    >>> shape["mean"].values.tolist(), shape["out_strength"].values.tolist()
    ([0.5, -0.25, nan], [0.5, -0.25])
    """
    require_dims(recurrent_mask, "recurrent_mask", _MATRIX)
    of_type = presynaptic_type(recurrent_weights, cell_type)
    names = list(type_signs(cell_type))
    require_some(recurrent_weights, "recurrent_weights")
    weights, mask, of_type = same_labels(
        "recurrent_mask", "the networks and units of recurrent_weights", recurrent_weights, recurrent_mask, of_type
    )
    result = apply_kernel(
        lambda weights, mask, of_type: _distribution(weights, mask, of_type, len(names)),
        weights,
        mask.astype(bool),
        of_type,
        core_dims=[_MATRIX, _MATRIX, ["unit_pre"]],
        outputs={name: Output(long_name, ("cell_type",)) for name, long_name in _MEASURED.items()} | _STRENGTHS,
        sizes={"cell_type": len(names), "unit": weights.sizes["unit_pre"]},
    ).assign_coords(cell_type=np.array(names, object))
    return result.assign_coords(unit=cell_type["unit"].values) if "unit" in cell_type.coords else result


def _distribution(
    weights: NDArray[np.floating], mask: NDArray[np.bool_], of_type: NDArray[np.int_], n_types: int
) -> tuple[_Array, ...]:
    """Give the values of `_MEASURED` (cell_type), out-strength (unit) and in-strength (unit, cell_type)."""
    n_units = len(weights)
    if not np.isfinite(weights).all():
        nothing = np.full(n_types, np.nan)
        return *([nothing] * len(_MEASURED)), np.full(n_units, np.nan), np.full((n_units, n_types), np.nan)
    weights = np.where(mask, weights, 0.0).astype(np.float64)
    scale = power_of_two(weights)  # fourth powers may overflow or vanish
    weights /= scale
    power = (weights[mask] ** 2).mean() if mask.any() else 0.0
    rows = [of_type == number for number in range(n_types)]
    measured = np.array([_moments(weights[row][mask[row]], _ZERO_BELOW * np.sqrt(power), scale) for row in rows])
    in_strength = np.stack([weights[row].sum(axis=0) for row in rows], axis=-1)
    return *measured.T, weights.sum(axis=1) * scale, in_strength * scale


def _moments(weights: _Array, threshold: float, scale: float) -> tuple[float, ...]:
    """Give the values of `_MEASURED` for the synapses of one cell type, whose weights are divided by the scale."""
    if not weights.size:
        return 0.0, *([np.nan] * (len(_MEASURED) - 1))
    magnitude = np.abs(weights)
    is_zero = (magnitude < threshold) | (magnitude == 0)
    logarithm = np.log(magnitude[~is_zero])
    return (
        weights.size,
        weights.mean() * scale,
        weights.std() * scale,
        scipy.stats.skew(weights) if _differ(weights) else np.nan,
        scipy.stats.kurtosis(weights) if _differ(weights) else np.nan,
        is_zero.mean(),
        (weights > 0).mean(),
        logarithm.mean() + np.log(scale) if logarithm.size else np.nan,
        logarithm.std() if logarithm.size else np.nan,
        scipy.stats.skew(logarithm) if _differ(logarithm) else np.nan,
    )


def _differ(values: _Array) -> bool:
    """Tell whether values differ by more than rounding, which has no shape."""
    return bool(values.size and np.ptp(values) > 1e-9 * np.abs(values).max())
