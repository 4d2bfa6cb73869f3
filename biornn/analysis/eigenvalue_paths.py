"""Eigenvalues followed through training: which leave the unit circle, and when."""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.scale import power_of_two


def eigenvalue_paths(eigenvalues: xr.DataArray) -> xr.DataArray:
    """Match the eigenvalues from snapshot to snapshot, so that a mode is the same one throughout.

    Parameters
    ----------
    eigenvalues
        As `eigenspectrum` gives them, dims `snapshot`, `mode`; others, such as `network`, broadcast.

    Returns
    -------
    xr.DataArray
        The same values, sorted along `mode`: at the last snapshot as they came, and at each snapshot before so that the
        sum of squared distances to the snapshot after is smallest. As they came where a snapshot is not finite, such as
        NaN of a network that diverged; the snapshots on its two sides are matched with each other. A single snapshot
        stays as it is.

    Raises
    ------
    ValueError
        If a dim is missing.

    Notes
    -----
    `scipy.optimize.linear_sum_assignment` (Kuhn 1955, the Hungarian method). Where snapshots are far apart against the
    distances between eigenvalues, which one became which is a guess: keep more snapshots.

    Examples
    --------
    >>> import xarray as xr
    >>> values = xr.DataArray([[0.9, -0.8], [-1.0, 0.95]], dims=("snapshot", "mode"))
    >>> eigenvalue_paths(values).values.tolist()
    [[-0.8, 0.9], [-1.0, 0.95]]
    """
    require_dims(eigenvalues, "eigenvalues", ["snapshot", "mode"])
    paths: xr.DataArray = xr.apply_ufunc(
        _paths,
        eigenvalues,
        input_core_dims=[["snapshot", "mode"]],
        output_core_dims=[["snapshot", "mode"]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[eigenvalues.dtype],
        keep_attrs=True,
    )
    return paths.transpose(*eigenvalues.dims)


def n_outside(eigenvalues: xr.DataArray, radius: float = 1.0) -> xr.DataArray:
    """Count the eigenvalues outside of a circle about zero.

    Parameters
    ----------
    eigenvalues
        Dims `mode` and any others.
    radius
        Of the circle; an eigenvalue on it is inside. The eigenvalues of an orthogonal matrix lie on the unit circle up
        to rounding: a radius slightly above 1, such as the 1.02 of the published networks' description, tells those
        that training moved.

    Returns
    -------
    xr.DataArray
        `n_outside`, without `mode`; NaN where an eigenvalue is not finite.

    Raises
    ------
    ValueError
        If `mode` is missing, or the radius is negative.
    """
    outside = _outside(eigenvalues, radius)
    count = outside.sum("mode").where((abs(eigenvalues) < np.inf).all("mode")).rename("n_outside")
    count.attrs = {"units": "1", "long_name": f"eigenvalues with a modulus above {radius:g}"}
    return count


def escape_update(paths: xr.DataArray, radius: float = 1.0) -> xr.DataArray:
    """Tell when each eigenvalue left a circle about zero for good.

    Parameters
    ----------
    paths
        As `eigenvalue_paths` gives them, dims `snapshot`, `mode` and any others.
    radius
        Of the circle.

    Returns
    -------
    xr.DataArray
        `escape_update` (..., mode): the `update` (where there is none, or it is not known: the `snapshot`) of the first
        snapshot from which on the eigenvalue is outside, snapshots that are not finite left out; NaN where it is inside
        at the last that is finite, and where none is.

    Raises
    ------
    ValueError
        If a dim is missing, or the radius is negative.
    """
    require_dims(paths, "paths", ["snapshot", "mode"])
    outside = _outside(paths, radius)
    known = abs(paths) < np.inf
    backwards = (outside | ~known).isel(snapshot=slice(None, None, -1)).cumprod("snapshot").astype(bool)
    for_good = backwards.isel(snapshot=slice(None, None, -1)) & known
    has_steps = "update" in paths.coords and bool((paths["update"] >= 0).all())
    when = paths["update" if has_steps else "snapshot"]
    first = when.values.astype(float)[for_good.argmax("snapshot").values]
    left = for_good.any("snapshot").copy(data=first).where(for_good.any("snapshot")).rename("escape_update")
    left.attrs = {
        "units": "update" if has_steps else "1",
        "long_name": f"when the modulus exceeded {radius:g} for good",
    }
    return left


def _outside(eigenvalues: xr.DataArray, radius: float) -> xr.DataArray:
    require_dims(eigenvalues, "eigenvalues", ["mode"])
    if not radius >= 0:
        raise ValueError(f"radius: expected a number of at least 0, got {radius!r}")
    return abs(eigenvalues) > radius


def _paths(values: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
    matched = values.copy()
    after = None  # the nearest later snapshot that is finite
    for snapshot in range(len(values) - 1, -1, -1):
        if not np.isfinite(values[snapshot]).all():
            continue
        if after is not None:
            distance = np.abs(matched[after][:, np.newaxis] - values[snapshot])
            # To scale, as squares of the distances of a diverging network may be too large to sum.
            order = scipy.optimize.linear_sum_assignment((distance / power_of_two(distance)) ** 2)[1]
            matched[snapshot] = values[snapshot][order]
        after = snapshot
    return matched
