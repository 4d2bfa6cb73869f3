"""The memory states of a network as the corners of a cube, in numbers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims, require_some
from biornn.analysis.held_states import held_states
from biornn.analysis.kernels import Output, apply_kernel, describe
from biornn.analysis.population import principal_components
from biornn.analysis.scale import power_of_two

_Array = NDArray[np.float64]
#: What the kernel gives; lengths are in the units of the rates.
_MEASURED = {
    "centroids": Output("mean of a memory state along a component", ("memory_state", "unit")),
    "spread": Output("root mean square distance from the centroid", ("memory_state",)),
    "edge_length": Output("distance of two states that differ in one bit", ("edge",)),
    "edge_angle": Output("angle between two edges that meet in a state", ("memory_state", "bit_pair"), "degree"),
    "affine_r2": Output("share of the centroids' variance that an affine image of the cube explains"),
    "similarity_r2": Output("share of the centroids' variance that a rotated and scaled cube explains"),
    "separation": Output("smallest distance of two states over their spread"),
}
_SHARES = {
    "explained_variance_ratio": Output("share of the variance"),
    "variance_share": Output("share of the variance in the first three components"),
}


def memory_cube(
    rates: xr.DataArray, memory_state: xr.DataArray, response_window: xr.DataArray | None = None
) -> xr.Dataset:
    """Measure how far the memory states of networks are the corners of a cube (with n bits: of an n-cube).

    The centroid of a state is the mean of the rates over the samples at which it is held. The ideal cube has a corner
    at ±1 along one axis per bit.

    Parameters
    ----------
    rates
        Activity, dims `trial`, `time`, `unit`; others, such as `network`, broadcast.
    memory_state
        Signs of the memorised bits, such as ``+-+``, dims `trial`, `time`. Samples with a ``0``, a bit that has not
        been set yet, are left out.
    response_window
        True where a bit is still allowed to be on its way, dims `trial`, `time`, `output_channel`: these samples are
        left out too. Recommended for the probe of a task, which changes its state often; without it the paths from
        state to state count as well.

    Returns
    -------
    xr.Dataset
        `centroids` (..., memory_state, component): the states in the space of the first principal components of the
        activity (as many as there are bits, and at least three), in the units of the rates;
        `explained_variance_ratio` (..., component) of these, and `variance_share` (...), its sum over the first three;
        `affine_r2`: share of the centroids' variance, over all units, that the best affine image of the ideal cube
        explains (a box or a sheared box has 1); `similarity_r2`: the same where only rotation, reflection, shift and
        one scale are allowed (only a cube has 1);
        `edge_length` (..., edge): distances between the states that differ in one bit, marked ``*`` in the label of the
        edge, such as ``+*-``; `edge_angle` (..., memory_state, bit_pair): angles between the edges that meet in a
        state, in degrees;
        `spread` (..., memory_state): root mean square distance of a state's samples from its centroid; `separation`
        (...): smallest distance between two centroids over the root mean square of the spreads.
        All NaN for a network whose activity is not finite; shares, scores, angles and `centroids` also where the
        activity never changes, as with silent units. `separation` is infinite where the samples of no state differ but
        by rounding, as with a single one of each.

    Raises
    ------
    ValueError
        If a dim is missing or empty, labels differ, or one of the 2**n states has no sample.

    See Also
    --------
    align_cubes : Turn the cubes of several networks, so that they lie on each other.

    Notes
    -----
    With ``Y`` the centred centroids and ``X`` the centred ideal cube, `affine_r2` is the coefficient of determination
    of the linear regression of ``Y`` on ``X``, and ``similarity_r2 = (Σ σ)² / (‖X‖² ‖Y‖²)`` with the singular values σ
    of ``Xᵀ Y`` (orthogonal Procrustes: Schönemann 1966, Psychometrika 31, 1). It never exceeds `affine_r2`. That the
    states of a 3-bit memory lie on a cube: Sussillo & Barak (2013), figure 3; Jarne, figures 5 and 6.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> states = xr.DataArray([["--", "+-", "-+", "++"]], dims=("trial", "time"))
    >>> square = np.array([[[-1.0, -1, 0], [1, -1, 0], [-1, 1, 0], [1, 1, 0]]])
    >>> cube = memory_cube(xr.DataArray(square, dims=("trial", "time", "unit")), states)
    >>> float(cube["similarity_r2"].round(6)), cube["edge_length"].values.round(6).tolist()
    (1.0, [2.0, 2.0, 2.0, 2.0])
    """
    require_dims(rates, "rates", ["trial", "time", "unit"])
    index, labels = held_states(rates, memory_state, response_window)
    require_some(rates, "rates")
    n_bits, edges = len(labels[0]), [name for name, *_ in edges_of(labels)]
    pairs = [f"{first}-{second}" for first, second in combinations(range(1, n_bits + 1), 2)]
    units = rates.attrs.get("units", "1")
    lengths = {name: _MEASURED[name]._replace(units=units) for name in ("centroids", "spread", "edge_length")}
    outputs = _MEASURED | lengths
    cube = apply_kernel(
        lambda activity: _cube(activity, index, labels),
        rates,
        core_dims=[["trial", "time", "unit"]],
        outputs=outputs,
        sizes={"memory_state": len(labels), "edge": len(edges), "bit_pair": len(pairs)},
    )
    cube = cube.assign_coords(
        memory_state=np.array(labels, object), edge=np.array(edges, object), bit_pair=np.array(pairs, object)
    )
    # A square's third component says how flat it is.
    components = principal_components(rates, min(max(3, n_bits), rates.sizes["unit"], index.size))
    ratio = components["explained_variance_ratio"]
    cube["centroids"] = (cube["centroids"] - components["mean"]).dot(components["loadings"], dim="unit")
    cube["explained_variance_ratio"] = ratio
    cube["variance_share"] = ratio.sel(component=slice(3)).sum("component", skipna=False)
    return describe(cube, outputs | _SHARES).drop_vars("unit", errors="ignore")


def cube_corners(labels: list[str]) -> _Array:
    """Return the corners of the ideal cube, (memory_state, bit), of states such as ``+-+``: each coordinate ±1."""
    return np.array([[1.0 if sign == "+" else -1.0 for sign in label] for label in labels])


def edges_of(labels: list[str]) -> list[tuple[str, int, int]]:
    """List name, positive end and negative end of each edge, bit by bit."""
    found = []
    for bit in range(len(labels[0])):
        for position, label in enumerate(labels):
            if label[bit] == "+":
                other = f"{label[:bit]}-{label[bit + 1 :]}"
                found.append((f"{label[:bit]}*{label[bit + 1 :]}", position, labels.index(other)))
    return found


def _cube(activity: NDArray[np.floating], index: NDArray[np.intp], labels: list[str]) -> tuple[_Array | float, ...]:
    """Centroids, spread, edge lengths, edge angles, affine and similarity R², separation; (trial, time, unit) in."""
    signs = cube_corners(labels)
    n_states, n_bits = signs.shape
    scale, origin = power_of_two(activity), activity[0, 0].astype(np.float64)
    centroids, spread = _states(activity, index, n_states, origin, scale)
    ends = np.array([edge[1:] for edge in edges_of(labels)])
    lengths = np.linalg.norm(centroids[ends[:, 0]] - centroids[ends[:, 1]], axis=1)
    # From a corner along bit k: to the state in which only that bit is of the other sign.
    along = np.stack([centroids[_flipped(signs, bit)] - centroids for bit in range(n_bits)], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):  # states that coincide have no direction and no separation
        along /= np.linalg.norm(along, axis=-1, keepdims=True)
        cosines = [(along[:, first] * along[:, second]).sum(-1) for first, second in combinations(range(n_bits), 2)]
        angles = np.degrees(np.arccos(np.clip(np.reshape(cosines, (-1, n_states)).T, -1.0, 1.0)))
        between = centroids[:, np.newaxis] - centroids
        nearest = np.linalg.norm(between, axis=-1)[~np.eye(n_states, dtype=bool)].min()
        separation = np.float64(nearest) / np.sqrt((spread**2).mean())
    fits = _fits(centroids, signs)
    return centroids * scale + origin, spread * scale, lengths * scale, angles, *fits, separation


def _states(
    activity: NDArray[np.floating], index: NDArray[np.intp], n_states: int, origin: _Array, scale: float
) -> tuple[_Array, _Array]:
    """Centroid, from the origin, and spread of each state, over the scale; NaN where any sample is not finite.

    With a sample as the origin, a rate that never changes is exactly zero.
    """
    centroids, spread = np.full((n_states, activity.shape[-1]), np.nan), np.full(n_states, np.nan)
    if np.isfinite(activity).all():
        for state in range(n_states):  # one after another: all samples in double precision need twice the activity
            samples = activity[index == state].astype(np.float64)
            samples -= origin
            samples /= scale
            centroids[state] = samples.mean(axis=0)
            samples -= centroids[state]
            spread[state] = np.sqrt(np.einsum("ij,ij", samples, samples) / len(samples))
        # Samples are at most 2 in size; what they differ by to their last digits is noise of the arithmetic.
        precision = np.finfo(np.result_type(activity.dtype, np.float32)).eps
        spread[spread <= 4 * precision * np.sqrt(activity.shape[-1])] = 0.0
    return centroids, spread


def _flipped(signs: _Array, bit: int) -> NDArray[np.intp]:
    """Position of the state in which one bit differs, for each state."""
    other = signs.copy()
    other[:, bit] *= -1
    return (other[:, np.newaxis] == signs).all(axis=-1).argmax(axis=1)


def _fits(centroids: _Array, signs: _Array) -> tuple[float, float]:
    """R² of the best affine image of the ideal cube, and of its best similar one."""
    centred = centroids - centroids.mean(axis=0)
    total = (centred**2).sum()
    if not total > 0:  # NaN, or states that do not differ
        return float("nan"), float("nan")
    products = signs.T @ centred  # the columns of the ideal cube are orthogonal, of squared length n_states
    affine = (products**2).sum() / len(signs) / total
    similarity = np.linalg.svd(products, compute_uv=False).sum() ** 2 / (signs.size * total)
    return float(affine), float(similarity)
