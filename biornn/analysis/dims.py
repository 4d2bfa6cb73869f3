"""Checks that an array has the dims and labels that an analysis needs."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr


def require_dims(array: xr.DataArray, name: str, dims: Sequence[str]) -> None:
    """Check that an argument is a DataArray with some dims, in any order; it may have others."""
    if not isinstance(array, xr.DataArray):
        holds_arrays = isinstance(array, xr.Dataset | xr.DataTree)
        fix = "give one of its variables" if holds_arrays else "label it with xarray.DataArray(values, dims=...)"
        raise TypeError(f"{name}: expected a DataArray with dims {list(dims)}, got {type(array).__name__}; {fix}")
    missing = [dim for dim in dims if dim not in array.dims]
    if missing:
        raise ValueError(
            f"{name}: expected the dims {list(dims)}, got {list(array.dims)}; "
            f"{missing[0]!r} is missing: rename the dim that means it with .rename(...)"
        )


def require_some(array: xr.DataArray, name: str, dims: Sequence[str] | None = None) -> None:
    """Check that an array is not empty along some dims, by default along all."""
    for dim in array.dims if dims is None else dims:
        if array.sizes[dim] == 0:
            raise ValueError(f"{name}: expected at least one {dim}, got none; select some along {dim!r}")


def require_square(recurrent_weights: xr.DataArray) -> int:
    """Check that recurrent weights go from units to the same units, and return the number of units."""
    require_dims(recurrent_weights, "recurrent_weights", ["unit_pre", "unit_post"])
    n_pre, n_post = (recurrent_weights.sizes[dim] for dim in ("unit_pre", "unit_post"))
    if n_pre != n_post:
        raise ValueError(
            f"recurrent_weights: expected as many unit_pre as unit_post, got {n_pre} and {n_post}; "
            "select the same units on both sides"
        )
    require_same_units(recurrent_weights, "recurrent_weights")
    return n_pre


def require_same_units(labelled: xr.DataArray | xr.Dataset, name: str) -> None:
    """Check that `unit`, `unit_pre` and `unit_post`, where they have labels, have the same ones in the same order."""
    labels = {dim: labelled.indexes[dim] for dim in ("unit", "unit_pre", "unit_post") if dim in labelled.indexes}
    first = next(iter(labels.values()), None)
    if different := [dim for dim, index in labels.items() if not index.equals(first)]:
        raise ValueError(
            f"{name}: expected the same labels in the same order along {', '.join(labels)}, got others along "
            f"{different[0]}; select and sort all of them alike"
        )


def ordered_as(array: xr.DataArray, other: xr.Dataset, dim: str, name: str) -> xr.DataArray:
    """Sort an array along a dim as another is, by their labels, which must be the same; as it is if one has none."""
    if dim not in array.indexes or dim not in other.indexes or array.indexes[dim].equals(other.indexes[dim]):
        return array
    found, expected = array.indexes[dim].tolist(), other.indexes[dim].tolist()
    if sorted(map(str, found)) != sorted(map(str, expected)):
        raise ValueError(f"{name}: expected {expected} along {dim}, got {found}; rename or select them")
    return array.sel({dim: expected})


def require_variables(dataset: xr.Dataset, name: str, variables: Sequence[str]) -> None:
    """Check that an argument is a Dataset with some variables; it may have others."""
    if not isinstance(dataset, xr.Dataset):
        is_tree = isinstance(dataset, xr.DataTree)
        fix = "take its .to_dataset()" if is_tree else "look at the order of the arguments"
        raise TypeError(f"{name}: expected a Dataset with {list(variables)}, got {type(dataset).__name__}; {fix}")
    for variable in variables:
        if variable not in dataset:
            found = sorted(map(str, dataset.variables))
            fix = "take the whole group of a run, or of what biornn.train returns"
            raise ValueError(f"{name}: expected {variable!r}, found {found}; {fix}")
