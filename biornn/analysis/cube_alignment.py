"""The memory cubes of several networks, turned onto the ideal one and so onto each other."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.memory_cube import cube_corners
from biornn.analysis.scale import power_of_two
from biornn.schema import text

_Array = NDArray[np.float64]
#: Scale of a cube, as a share of the largest coordinate, that could be rounding.
_ROUNDING = 1e-14
_ALIGNED = {
    "centroids": Output("memory state along a bit", ("memory_state", "bit")),
    "rotation": Output("direction of a bit in the space of the components", ("component", "bit")),
    "offset": Output("centre of the cube", ("component",)),
    "scale": Output("half the edge of the cube"),
}


def align_cubes(cube: xr.Dataset) -> xr.Dataset:
    """Turn, shift and scale the cubes of networks onto the ideal cube, and so onto each other.

    Parameters
    ----------
    cube
        As `memory_cube` gives it: `centroids` (..., memory_state, component).

    Returns
    -------
    xr.Dataset
        `centroids` (..., memory_state, bit): the corners of the ideal cube are at ±1 along each bit; `rotation`
        (..., component, bit), `offset` (..., component) and `scale` (...), with which any point of the space of the
        components follows: ``(point - offset) @ rotation / scale``, as `align_scores` does for a path. NaN for a
        network whose centroids are, do not differ, or lie such that no turn brings them nearer to the cube, as those of
        a network that holds only an exclusive or of its bits.

    Raises
    ------
    ValueError
        If there are no centroids, or fewer components than bits.

    Notes
    -----
    Orthogonal Procrustes, reflections allowed: which side of a component is positive is a convention.
    Schönemann (1966), Psychometrika 31, 1.
    """
    if "centroids" not in cube:
        raise ValueError(f"cube: expected the variable 'centroids', found {sorted(map(str, cube.data_vars))}")
    centroids = cube["centroids"]
    signs = cube_corners(text(centroids["memory_state"]).values.tolist())
    if centroids.sizes["component"] < signs.shape[1]:
        raise ValueError(
            f"cube: expected at least {signs.shape[1]} components for as many bits, got {centroids.sizes['component']}"
        )
    result = apply_kernel(
        lambda points: _onto_cube(points, signs),
        centroids,
        core_dims=[["memory_state", "component"]],
        outputs=_ALIGNED,
        sizes={"bit": signs.shape[1]},
    )
    return result.assign_coords(bit=np.arange(1, signs.shape[1] + 1))


def align_scores(scores: xr.DataArray, alignment: xr.Dataset) -> xr.DataArray:
    """Take a path through the space of the components to the ideal cube.

    Parameters
    ----------
    scores
        Dims `component` and any others, as `principal_components` gives them for the activity of the cube.
    alignment
        As `align_cubes` gives it for the same networks.

    Returns
    -------
    xr.DataArray
        As `scores`, with `bit` for `component`; the corners of the ideal cube are at ±1. NaN where the alignment is.

    Raises
    ------
    ValueError
        If `component` is missing, or has fewer than the alignment.
    """
    require_dims(scores, "scores", ["component"])
    if missing := set(alignment["component"].values.tolist()) - set(scores["component"].values.tolist()):
        raise ValueError(
            f"scores: expected the components of the alignment, got none of {sorted(missing)}; compute as many"
        )
    scores = scores.sel(component=alignment["component"])
    aligned: xr.DataArray = (scores - alignment["offset"]).dot(alignment["rotation"], dim="component")
    return (aligned / alignment["scale"]).rename("aligned_scores")


def _onto_cube(points: _Array, signs: _Array) -> tuple[_Array, _Array, _Array, float]:
    """Points (memory_state, bit) on the ideal cube; rotation (component, bit), offset (component), scale."""
    nan = np.nan
    undefined = np.full_like(signs, nan), np.full((points.shape[1], signs.shape[1]), nan), np.full(points.shape[1], nan)
    if not np.isfinite(points).all():
        return *undefined, nan
    unit = power_of_two(points)
    offset = (points / unit).mean(axis=0)
    centred = points / unit - offset
    left, sizes, right = np.linalg.svd(centred.T @ signs, full_matrices=False)
    rotation = left @ right
    scale = sizes.sum() / signs.size
    if not scale > _ROUNDING:
        return *undefined, nan
    return centred @ rotation / scale, rotation, offset * unit, float(scale * unit)
