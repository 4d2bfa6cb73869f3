"""What each unit encodes: the variance of its rate that the memorised bits explain."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims, require_some
from biornn.analysis.held_states import held_states
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.memory_cube import cube_corners
from biornn.analysis.scale import power_of_two

_Array = NDArray[np.float64]
#: What the kernel gives.
_MEASURED = {
    "variance_explained": Output("share of the rate's variance that a bit explains alone", ("unit", "bit")),
    "interaction": Output("share of the rate's variance that only combinations of bits explain", ("unit",)),
    "residual": Output("share of the rate's variance within states", ("unit",)),
    "preferred_sign": Output("sign of the bit for which the rate is higher", ("unit", "bit")),
    "d_prime": Output(
        "difference of the rates for + and - over their standard deviation within states", ("unit", "bit")
    ),
    "mixed_selectivity": Output("effective number of bits that the rate depends on", ("unit",)),
}


def selectivity(
    rates: xr.DataArray, memory_state: xr.DataArray, response_window: xr.DataArray | None = None
) -> xr.Dataset:
    """Divide the variance of every unit's rate among the bits of the memory.

    An analysis of variance in which each of the 2**n states has the same weight, however long it was held, so that bits
    and their interactions are orthogonal and the shares add up to one.

    Parameters
    ----------
    rates, memory_state, response_window
        As for `memory_cube`. Take trials that hold every state many times: in the probe, each state is held once, and
        what is left of the state before counts for it. Without the response window the paths from state to state count
        as spread within states.

    Returns
    -------
    xr.Dataset
        `variance_explained` (..., unit, bit): share of the variance that a bit explains alone; `interaction` (...,
        unit): share that only combinations of bits explain; `residual` (..., unit): share that is left within states.
        Together they are one. `preferred_sign` (..., unit, bit): +1 or -1, the sign of the bit for which the mean rate
        is higher (0: neither). `d_prime` (..., unit, bit): mean rate for + less mean rate for -, over the standard
        deviation within states; infinite where states leave no spread but rounding. `mixed_selectivity` (..., unit):
        effective number of bits that the rate depends on, alone or in combination: 1 for a unit of one bit, n for one
        that all bits move alike.
        Bits are counted from 1. NaN for a unit whose rate never changes but by rounding, and for a network whose
        activity is not finite; `mixed_selectivity` also for a unit that no bit moves. With a single sample of each
        state nothing is known of the spread within it: `residual` is then 0 whatever the unit does.

    Raises
    ------
    ValueError
        If a dim is missing or empty, labels differ, or one of the 2**n states has no sample.

    See Also
    --------
    by_cell_type : Means over the units of each cell type.

    Notes
    -----
    With the mean rate m(s) of each state s, signs x, and a set A of bits, the effect of A is ``β_A = Σ_s m(s) Π_{k in
    A} x_k(s) / 2**n`` and its variance ``β_A²``; these are the Sobol indices (Sobol' 2001, Math. Comput. Simul. 55,
    271) of the mean rate. With ``T_k``, the sum of ``β_A²`` over all A with bit k (the total index of k),
    `mixed_selectivity` is ``(Σ T)² / Σ T²``. Mixed selectivity, linear and not: Rigotti et al. (2013), Nature 497, 585.
    Units to which three bits contribute independent normal numbers, as in a randomly turned space, score about 1.8.
    Noise alone explains about 1 / N per effect, N being the number of independent samples; samples that follow each
    other are not independent.

    Examples
    --------
    >>> import xarray as xr
    >>> states = xr.DataArray([["++", "+-", "-+", "--"]], dims=("trial", "time"))
    >>> of_bit_1, of_both, exclusive_or = [3, 3, 1, 1], [2, 0, 0, -2], [1, 0, 0, 1]
    >>> rates = xr.DataArray([[of_bit_1, of_both, exclusive_or]], dims=("trial", "unit", "time"))
    >>> result = selectivity(rates, states)
    >>> result["variance_explained"].values.tolist(), result["interaction"].values.tolist()
    ([[1.0, 0.0], [0.5, 0.5], [0.0, 0.0]], [0.0, 0.0, 1.0])
    """
    require_dims(rates, "rates", ["trial", "time", "unit"])
    index, labels = held_states(rates, memory_state, response_window)
    require_some(rates, "rates")
    signs = cube_corners(labels)
    result = apply_kernel(
        lambda activity: _selectivity(activity, index, signs),
        rates,
        core_dims=[["trial", "time", "unit"]],
        outputs=_MEASURED,
        sizes={"bit": signs.shape[1]},
    )
    return result.assign_coords(bit=np.arange(1, signs.shape[1] + 1))


def _selectivity(activity: NDArray[np.floating], index: NDArray[np.intp], signs: _Array) -> tuple[_Array, ...]:
    """Give the values of `_MEASURED` for one network; (trial, time, unit) in."""
    centroids, variance = _by_state(activity, index, len(signs))
    n_bits = signs.shape[1]
    sets = [bits for size in range(1, n_bits + 1) for bits in combinations(range(n_bits), size)]
    effects = np.stack([(signs[:, bits].prod(axis=1) @ centroids) / len(signs) for bits in sets])
    explained, within = effects**2, variance.mean(axis=0)
    involves = np.array([[bit in bits for bits in sets] for bit in range(n_bits)], float)
    with np.errstate(invalid="ignore", divide="ignore"):  # a unit that never changes, or never within a state
        share = explained / (total := explained.sum(axis=0) + within)
        d_prime = 2 * effects[:n_bits] / np.sqrt(within)
        moved_by = involves @ share
        mixed = moved_by.sum(axis=0) ** 2 / (moved_by**2).sum(axis=0)
        return (
            share[:n_bits].T,
            share[n_bits:].sum(axis=0),
            within / total,
            np.sign(np.where(total > 0, effects[:n_bits], np.nan)).T,
            d_prime.T,
            mixed,
        )


def _by_state(activity: NDArray[np.floating], index: NDArray[np.intp], n_states: int) -> tuple[_Array, _Array]:
    """Mean rate, from an arbitrary origin, and its variance, (memory_state, unit); NaN where activity is not finite."""
    kept = index >= 0
    # The first sample is as good an origin as any, and a rate that never changes is then exactly zero.
    samples = activity[kept].astype(np.float64)
    samples = samples - samples[0] if np.isfinite(activity).all() else np.full_like(samples, np.nan)
    # To the precision of the rates, their last digits are noise of the arithmetic.
    rounding = 4 * np.finfo(np.result_type(activity.dtype, np.float32)).eps * np.abs(activity[kept]).max(axis=0)
    samples[np.abs(samples) <= rounding] = 0.0
    scale = power_of_two(samples, axis=(0,))  # no measure depends on it
    samples /= scale
    smallest = (rounding / scale[0]) ** 2
    of_state = [samples[index[kept] == state] for state in range(n_states)]
    variance = np.stack([one.var(axis=0) for one in of_state])
    return np.stack([one.mean(axis=0) for one in of_state]), np.where(variance <= smallest, 0.0, variance)
