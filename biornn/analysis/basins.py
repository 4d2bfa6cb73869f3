"""Where networks without changing input end: the share of starts that each stable fixed point attracts."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from biornn.analysis.dims import require_dims, require_variables
from biornn.analysis.each_network import as_of, constant_inputs, each_network, require_standing_still
from biornn.analysis.fixed_point_starts import rates_in_box
from biornn.analysis.fixed_points import own_starts
from biornn.analysis.kernels import Output, describe
from biornn.analysis.run_to_rest import run_to_rest
from biornn.analysis.stationary import Stationary
from biornn.blas import one_blas_thread
from biornn.scalars import integer
from biornn.schema import text
from biornn.tasks.seeds import generator

_Array = NDArray[np.float64]

_MOST_STEPS = 20_000
_STANDS_STILL = 1e-11  # change of a state in a step, over 1 + its length
_AT = 1e-3  # distance to a fixed point at which a state has arrived, over 1 + its length

_SHARES = {
    "basin_share": Output("share of the starts that end in it; 0 where it is not stable"),
    "elsewhere": Output("share of the starts that end in no stable fixed point"),
    "moving": Output("share of the starts from which the network still moves in the end"),
}


def basins(
    points: xr.Dataset,
    weights: xr.Dataset,
    starts: xr.DataArray | None = None,
    inputs: xr.DataArray | None = None,
    *,
    n_starts: int = 256,
    seed: int = 0,
) -> xr.Dataset:
    """Run networks from many states until they stand still, and count where they end.

    Parameters
    ----------
    points
        What `fixed_points` found for these weights and inputs.
    weights, starts, inputs
        As for `fixed_points`: with recorded rates as starts the shares are those of the activity that a network has,
        without any those of the box of all possible rates, which in networks of many units with few strong
        directions is close to the middle in all of them.
    n_starts
        Starts of a network; of recorded rates so many are drawn, with replacement.
    seed
        Of the starts.

    Returns
    -------
    xr.Dataset
        `basin_share` (..., fixed_point), with the dims of `points`: the share of starts from which the network arrives
        at this point, 0 where it is not stable; `elsewhere` (...), the rest: they arrive at an attractor that is not
        among the points, on a manifold, at a marginal point, in an oscillation, at infinity, or nowhere within 20,000
        steps; `moving` (...), the share that still moves then. A share of p has a standard error of
        ``sqrt(p (1 - p) / n_starts)``. NaN for a network that cannot be run.

    Raises
    ------
    ValueError
        If the points are not of these networks, snapshots, and inputs, or a variable is missing.
    """
    require_variables(points, "points", ["state", "rates", "kind"])
    require_dims(points["state"], "points", ["fixed_point", "unit"])
    if starts is not None:
        require_dims(starts, "starts", ["unit"])
    n_starts = integer("n_starts", n_starts, minimum=1)
    inputs = constant_inputs(weights, inputs)
    state, of_state = (as_of(points[name], weights, inputs) for name in ("state", "rates"))
    kind = as_of(points["kind"], weights, inputs)
    share = np.full(kind.shape, np.nan)
    elsewhere, moving = np.full(kind.shape[:-1], np.nan), np.full(kind.shape[:-1], np.nan)
    with one_blas_thread():
        for at, of in each_network(weights, inputs):
            rng = generator("basins", seed)
            own = own_starts(starts, weights, *at[:2])
            rates = rates_in_box(of, n_starts, rng) if own is None else own[rng.integers(len(own), size=n_starts)]
            whole = of.whole(state.values[at], of_state.values[at])
            require_standing_still(of, whole, text(kind).values[at])
            ends, stands_still = arrived(of, of.state_of(rates), whole)
            counts = np.bincount(ends[ends >= 0], minlength=state.sizes["fixed_point"])
            share[at] = np.where(text(kind).values[at] == "stable", counts, 0) / n_starts
            elsewhere[at], moving[at] = 1 - share[at].sum(), np.mean(~stands_still)
    gone = {dim: 0 for dim in kind.dims if dim not in points["kind"].dims}
    result = xr.Dataset({"basin_share": (kind.dims, share)})
    result = result.assign(elsewhere=(kind.dims[:-1], elsewhere), moving=(kind.dims[:-1], moving)).isel(gone)
    return describe(result, _SHARES).assign_coords(kind.isel(gone).coords)


def arrived(of: Stationary, state: _Array, points: _Array) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Run until nothing moves: the one of some points at which each state arrives, or -1, and which stand still."""
    state, stands_still = run_to_rest(of, state, _STANDS_STILL, _MOST_STEPS)
    ends = np.full(len(state), -1)
    if len(points):
        is_finite = np.isfinite(state).all(axis=1)
        apart = np.full((len(state), len(points)), np.inf)
        apart[is_finite] = np.nan_to_num(cdist(state[is_finite], points), nan=np.inf)
        nearest = apart.argmin(axis=1)
        is_there = apart[np.arange(len(state)), nearest] <= _AT * (1 + np.linalg.norm(points[nearest], axis=1))
        ends[is_there] = nearest[is_there]
    return ends, stands_still
