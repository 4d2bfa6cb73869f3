"""What the arrangement of the weights adds to their constraint: random weights under the same constraint as the null.

Initial weights may differ from the null as well, as orthogonal ones do: what training added is the change between the
first and the last snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, describe
from biornn.analysis.presynaptic_type import presynaptic_type
from biornn.analysis.same_labels import same_labels

_MATRIX = ["unit_pre", "unit_post"]
#: Values that agree to this share of their size are equal: a statistic that shuffling cannot change, such as a norm,
#: still differs in its last digits.
_ROUNDING = 1e-9


def matched_random_weights(
    recurrent_weights: xr.DataArray,
    recurrent_mask: xr.DataArray,
    cell_type: xr.DataArray | None = None,
    *,
    n_draws: int = 100,
    seed: int,
    keep_balance: bool = False,
) -> xr.DataArray:
    """Shuffle the weights of each network among the synapses that its constraint treats alike.

    A weight goes to any allowed synapse of a presynaptic unit of the same cell type. Mask, signs, absent
    self-connections and the distribution of the weights of each type stay exactly; whatever structure training built
    is gone.

    Parameters
    ----------
    recurrent_weights
        As for `eigenspectrum`.
    recurrent_mask
        True where a synapse may exist, dims `unit_pre`, `unit_post` and any of the others. A weight elsewhere stays
        where it is.
    cell_type
        Type of each unit, dims `unit` and any of the others; None: all are unconstrained.
    n_draws
        Number of random matrices per network.
    seed
        Seed. A draw depends on it, its number and the weights alone, not on which other networks are there.
    keep_balance
        Shuffle only among the synapses onto the same postsynaptic unit, so that each unit also receives the same
        excitation and the same inhibition. For networks whose initial weights are balanced in every unit, which keeps
        their spectrum in the disk of `predicted_spectrum`: otherwise the loss of that balance counts as structure.

    Returns
    -------
    xr.DataArray
        Weights, dims (`draw`, ..., `unit_pre`, `unit_post`), draws counted from 0. NaN for a network that diverged or
        failed.

    Raises
    ------
    ValueError
        If a dim is missing, the matrix is not square, mask or `cell_type` do not fit, or `n_draws` is below 1.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.DataArray([[0.0, 1.0], [2.0, 0.0]], dims=("unit_pre", "unit_post"))
    >>> draws = matched_random_weights(weights, weights > 0, n_draws=3, seed=0)
    >>> draws.dims, draws.max().item(), draws.isel(draw=0).values.diagonal().tolist()
    (('draw', 'unit_pre', 'unit_post'), 2.0, [0.0, 0.0])
    """
    _check_draws(n_draws)
    groups = _groups(recurrent_weights, recurrent_mask, cell_type, keep_balance)
    draws = [_shuffled(recurrent_weights, groups, [seed, draw]) for draw in range(n_draws)]
    shuffled = xr.concat(draws, xr.Variable("draw", np.arange(n_draws)), coords="minimal", compat="override")
    return shuffled.transpose("draw", ..., *_MATRIX).rename("recurrent_weights")


def compare_with_null(
    statistic: Callable[[xr.DataArray], xr.DataArray],
    recurrent_weights: xr.DataArray,
    recurrent_mask: xr.DataArray,
    cell_type: xr.DataArray | None = None,
    *,
    n_draws: int = 200,
    seed: int,
    keep_balance: bool = False,
) -> xr.Dataset:
    """Compare a statistic of the weights with what random weights under the same constraint give.

    Parameters
    ----------
    statistic
        Takes weights with the dims of `recurrent_weights`, returns real numbers without `unit_pre` and `unit_post`:
        such as `spectral_radius`, `nonnormality`, `singular_value_entropy`, or
        ``lambda weights: bulk_and_outliers(weights, cell_type)["n_outliers"]``. Several statistics of the same draws
        are faster together, along a dim of their own: ``lambda weights: xr.Dataset({...}).to_array("statistic")``.
    recurrent_weights, recurrent_mask, cell_type, seed, keep_balance
        As for `matched_random_weights`.
    n_draws
        Number of random matrices per network; the smallest p-value is ``2 / (1 + n_draws)``. The standard error of a z
        is about ``sqrt(1 / n_draws + z² / (2 n_draws))``: of a large one, 7 % with 99 draws and 16 % with 20.

    Returns
    -------
    xr.Dataset
        Per network (and snapshot): `observed`, `null_mean`, `null_sd` (in the units of the statistic), `z`, the
        difference of observed and mean over the sd, NaN where the null does not vary; `p_value`, Monte Carlo and
        two-sided: twice the smaller of ``(1 + number of draws at least as large) / (1 + n_draws)`` and the same for as
        small, at most 1. NaN where the statistic of the weights or of a draw is not finite, as for a network that
        diverged. Where shuffling changes nothing, as with a single unit or weights that are all equal, the p-value is
        1.

    Raises
    ------
    ValueError
        As `matched_random_weights`, and if the statistic is complex or keeps `unit_pre` or `unit_post`.

    Notes
    -----
    The p-value is valid for any number of draws: Davison & Hinkley (1997), Bootstrap Methods and their Application,
    section 4.2; Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9, 39. It asks whether the places of the weights
    matter, given their values: what training did to the distribution of the weights is in the null as well. A set of
    networks has as many p-values; correct for it. To tell what training added, compare the last snapshot with the
    first: initial weights need not look like shuffled ones (an orthogonal matrix is normal, its shuffles are not).

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from biornn.analysis import nonnormality
    >>> ring = xr.DataArray(np.roll(np.eye(20), 1, axis=1), dims=("unit_pre", "unit_post"))
    >>> chance = compare_with_null(nonnormality, ring, xr.ones_like(ring, bool), n_draws=99, seed=0)
    >>> float(chance["observed"].round(6)), float(chance["null_mean"].round(1)), float(chance["p_value"])
    (0.0, 0.9, 0.02)
    """
    _check_draws(n_draws)
    groups = _groups(recurrent_weights, recurrent_mask, cell_type, keep_balance)
    observed = _real(statistic(recurrent_weights))
    null = xr.concat(
        [_real(statistic(_shuffled(recurrent_weights, groups, [seed, draw]))) for draw in range(n_draws)],
        "draw",
        coords="minimal",
        compat="override",
    )
    mean, sd = null.mean("draw", skipna=False), null.std("draw", ddof=1 if n_draws > 1 else 0, skipna=False)
    tolerance = _ROUNDING * np.maximum(abs(observed), abs(mean))
    known = observed.notnull() & mean.notnull()
    as_large, as_small = (null >= observed - tolerance).sum("draw"), (null <= observed + tolerance).sum("draw")
    p_value = (2 * (1 + as_large.where(as_large < as_small, as_small)) / (1 + n_draws)).clip(max=1.0)
    compared = xr.Dataset(
        {
            "observed": observed,
            "null_mean": mean,
            "null_sd": sd,
            "z": (observed - mean) / sd.where(sd > tolerance),
            "p_value": p_value.where(known),
        }
    )
    units = observed.attrs.get("units", "1")
    return describe(
        compared,
        {
            "observed": Output("statistic of the recurrent weights", units=units),
            "null_mean": Output("mean of the statistic over matched random weights", units=units),
            "null_sd": Output("standard deviation of the statistic over matched random weights", units=units),
            "z": Output("distance from the null in its standard deviations"),
            "p_value": Output("probability of a value as far out under the null, two-sided"),
        },
    )


def _check_draws(n_draws: int) -> None:
    if not n_draws >= 1:
        raise ValueError(f"n_draws: expected at least 1, got {n_draws!r}")


def _real(values: xr.DataArray) -> xr.DataArray:
    if values.dtype.kind == "c":
        raise ValueError("statistic: expected real numbers, got complex ones; take abs(...) or .real of them")
    if left := [dim for dim in _MATRIX if dim in values.dims]:
        raise ValueError(f"statistic: expected one number per network (and snapshot), got values along {left[0]!r}")
    return values.where(abs(values) < np.inf)


def _groups(
    weights: xr.DataArray, mask: xr.DataArray, cell_type: xr.DataArray | None, keep_balance: bool
) -> xr.Dataset:
    """Group the synapses whose weights may be exchanged.

    `group` is the number of each synapse's group; -1 where none is allowed, -2 throughout a network that failed.
    `order` lists the positions of the synapses, sorted by group.
    """
    types = presynaptic_type(weights, cell_type)
    require_dims(mask, "recurrent_mask", _MATRIX)
    same_labels("recurrent_mask", "the networks and units of recurrent_weights", weights, mask)
    group = types.where(types >= 0, -2)
    if keep_balance:
        n_units = weights.sizes["unit_post"]
        group = (group * n_units + xr.DataArray(np.arange(n_units), dims="unit_post")).where(types >= 0, -2)
    group = group.where(mask.astype(bool) | (types < 0), -1).astype(np.intp)
    order = xr.apply_ufunc(
        lambda values: _flat(values).argsort(axis=-1, kind="stable").reshape(values.shape),
        group,
        input_core_dims=[_MATRIX],
        output_core_dims=[_MATRIX],
        dask="parallelized",
        output_dtypes=[np.intp],
    )
    return xr.Dataset({"group": group, "order": order})


def _shuffled(weights: xr.DataArray, groups: xr.Dataset, seed: list[int]) -> xr.DataArray:
    """One draw for every matrix."""
    shuffled: xr.DataArray = xr.apply_ufunc(
        _shuffle,
        weights,
        groups["group"],
        groups["order"],
        input_core_dims=[_MATRIX] * 3,
        output_core_dims=[_MATRIX],
        kwargs={"seed": seed},
        dask="parallelized",
        output_dtypes=[np.result_type(weights.dtype, np.float32)],
        keep_attrs=True,
    )
    return shuffled


def _shuffle(
    weights: NDArray[np.floating], group: NDArray[np.intp], order: NDArray[np.intp], seed: list[int]
) -> NDArray[np.floating]:
    """Exchange the weights within their groups, over the last two axes; the others broadcast."""
    shape, is_known = weights.shape, np.isfinite(weights).all(axis=(-2, -1)) & (group != -2).all(axis=(-2, -1))
    weights, group, order = _flat(weights), _flat(group), _flat(order)
    # Sorted by group twice, the second time in random order within it: the places, and who goes there.
    takers = np.argsort(group + np.random.default_rng(seed).random(group.shape[-1]), axis=-1)
    source = np.empty_like(order)
    np.put_along_axis(source, order, takers, axis=-1)
    source = np.where(group == -1, np.arange(group.shape[-1]), source)
    shuffled = np.take_along_axis(weights, source, axis=-1)
    return np.where(is_known[..., np.newaxis, np.newaxis], shuffled.reshape(shape), np.float32(np.nan))


def _flat(matrices: NDArray[Any]) -> NDArray[Any]:
    return matrices.reshape(*matrices.shape[:-2], -1)
