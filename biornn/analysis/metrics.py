"""One metric of networks, or several, as one array that statistics can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_dims
from biornn.schema import text


def stack_metrics(metric: xr.DataArray | xr.Dataset, coords: Sequence[str]) -> xr.DataArray:
    """Return one float64 array, NaN where a network has no finite value, several metrics along the dim `metric`.

    `metric` is one metric or a Dataset of several, with the dim `network` and any others; `coords` must be on
    `network`. The coordinates `metric` and `units` are along the dim `metric`, or single values if `metric` was one
    array.
    """
    several = isinstance(metric, xr.Dataset)
    arrays = dict(metric.data_vars) if isinstance(metric, xr.Dataset) else {_name(metric): metric}
    if not arrays:
        raise ValueError("metric: expected at least one variable, got an empty Dataset")
    for name, array in arrays.items():
        _check(array, str(name), coords)
    dims = {frozenset(array.dims) for array in arrays.values()}
    if len(dims) > 1:
        shown = ", ".join(f"{name} {array.dims}" for name, array in arrays.items())
        raise ValueError(f"metric: expected metrics of the same dims, got {shown}; reduce them, or compare them apart")
    names = np.array([str(name) for name in arrays], object)
    units = np.array([array.attrs.get("units", "1") for array in arrays.values()], object)
    order = list(next(iter(arrays.values())).dims)
    values = xr.concat(
        [array.transpose(*order).astype(np.float64) for array in arrays.values()],
        "metric",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="drop",
    )
    values = values.assign_coords(metric=("metric", names), units=("metric", units)).compute()
    values = values.where(abs(values) < np.inf).rename(None)
    return values if several else values.isel(metric=0)


def arrange(values: xr.DataArray, levels: Mapping[str, Sequence[str]]) -> tuple[xr.DataArray, xr.DataArray]:
    """Arrange networks by their seed and by what they differ in.

    `levels` maps coordinates on `network`, such as ``condition``, to their values as text. Returns the values with the
    dims `seed`, sorted (no result may depend on the order of networks), those of `levels`, and those of `values`
    without `network`, NaN where there is no network; and how many networks each cell has, of which the last gives its
    values.
    """
    seeds = np.unique(values["seed"].values)
    position = [np.searchsorted(seeds, values["seed"].values)]
    for name, known in levels.items():
        position.append(np.array([known.index(one) for one in text(values[name]).values.tolist()], int))
    shape = (len(seeds), *map(len, levels.values()))
    counts = np.zeros(shape, int)
    np.add.at(counts, tuple(position), 1)
    ordered = values.transpose("network", ...)
    grid = np.full((*shape, *ordered.shape[1:]), np.nan)
    grid[tuple(position)] = ordered.values
    labels = {"seed": seeds, **{name: np.array(known, object) for name, known in levels.items()}}
    others = {name: coord for name, coord in ordered.coords.items() if "network" not in coord.dims}
    cells = xr.DataArray(grid, others | labels, [*labels, *ordered.dims[1:]])
    return cells, xr.DataArray(counts, labels, list(labels))


def _name(metric: xr.DataArray) -> str:
    return str(getattr(metric, "name", None) or "metric")


def _check(array: xr.DataArray, name: str, coords: Sequence[str]) -> None:
    require_dims(array, name, ["network"])
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: expected real numbers, got dtype {array.dtype}")
    for coord in coords:
        if coord not in array.coords or array[coord].dims != ("network",):
            raise ValueError(
                f"{name}: expected the coordinate {coord!r} on network, found {sorted(map(str, array.coords))}; "
                "take it from the run with .assign_coords(...)"
            )
    seeds = array["seed"].values
    if "seed" in coords and (seeds == -1).any():
        unknown = int(np.flatnonzero(seeds == -1)[0])
        raise ValueError(
            f"seed: expected a known seed of every network, got -1 (not known) at position {unknown}; "
            "networks are paired by their seeds"
        )
