"""The checks that an array carries the dims that an analysis needs."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr


def require_dims(array: xr.DataArray, name: str, dims: Sequence[str]) -> None:
    """Check that an array is labelled and has the dims that are needed; others may be there too.

    Parameters
    ----------
    array
        Any labelled array.
    name
        Name of the argument, for the message.
    dims
        Dims that have to be there, in any order.

    Raises
    ------
    TypeError
        If `array` is no DataArray.
    ValueError
        If a dim is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> require_dims(xr.DataArray([[1.0]], dims=("time", "unit")), "rates", ["unit"])
    """
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
    """Check that there is something along each dim: at least one network, trial, time or unit.

    Parameters
    ----------
    array
        Any labelled array.
    name
        Name of the argument, for the message.
    dims
        Dims that may not be empty; None: all that it has.

    Raises
    ------
    ValueError
        If a dim is empty.

    Examples
    --------
    >>> import xarray as xr
    >>> require_some(xr.DataArray([[1.0]], dims=("time", "unit")), "rates")
    """
    for dim in array.dims if dims is None else dims:
        if array.sizes[dim] == 0:
            raise ValueError(f"{name}: expected at least one {dim}, got none; select some along {dim!r}")


def require_square(recurrent_weights: xr.DataArray) -> int:
    """Check that recurrent weights go from units to the same units, and return how many there are.

    Parameters
    ----------
    recurrent_weights
        Dims `unit_pre`, `unit_post` and any others.

    Raises
    ------
    TypeError
        If it is no DataArray.
    ValueError
        If a dim is missing, the matrix is not square, or its rows and columns are labelled as different units.

    Examples
    --------
    >>> import xarray as xr
    >>> require_square(xr.DataArray([[1.0]], dims=("unit_pre", "unit_post")))
    1
    """
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
    """Check that `unit`, `unit_pre` and `unit_post` are labelled as the same units, where they have labels.

    Parameters
    ----------
    labelled
        Recurrent weights, or the group `weights` of a run.
    name
        Name of the argument, for the message.

    Raises
    ------
    ValueError
        If they are not: a kernel that multiplies by position would give wrong numbers.
    """
    labels = {dim: labelled.indexes[dim] for dim in ("unit", "unit_pre", "unit_post") if dim in labelled.indexes}
    first = next(iter(labels.values()), None)
    if different := [dim for dim, index in labels.items() if not index.equals(first)]:
        raise ValueError(
            f"{name}: expected the same labels in the same order along {', '.join(labels)}, got others along "
            f"{different[0]}; select and sort all of them alike"
        )


def ordered_as(array: xr.DataArray, other: xr.Dataset, dim: str, name: str) -> xr.DataArray:
    """Sort an array along a dim as another one is, by their labels; as it is where one of them has none.

    Parameters
    ----------
    array
        Array with the dim.
    other
        What gives the order.
    dim
        Such as `input_channel`.
    name
        Name of the argument, for the message.

    Raises
    ------
    ValueError
        If they have different labels.

    Examples
    --------
    >>> import xarray as xr
    >>> inputs = xr.DataArray([1.0, 2.0], {"input_channel": ["b", "a"]})
    >>> ordered_as(inputs, xr.Dataset(coords={"input_channel": ["a", "b"]}), "input_channel", "inputs").values.tolist()
    [2.0, 1.0]
    """
    if dim not in array.indexes or dim not in other.indexes or array.indexes[dim].equals(other.indexes[dim]):
        return array
    found, expected = array.indexes[dim].tolist(), other.indexes[dim].tolist()
    if sorted(map(str, found)) != sorted(map(str, expected)):
        raise ValueError(f"{name}: expected {expected} along {dim}, got {found}; rename or select them")
    return array.sel({dim: expected})


def require_variables(dataset: xr.Dataset, name: str, variables: Sequence[str]) -> None:
    """Check that a dataset has the variables that are needed; others may be there too.

    Parameters
    ----------
    dataset
        A group of a run.
    name
        Name of the argument, for the message.
    variables
        Names of the variables.

    Raises
    ------
    TypeError
        If it is no Dataset.
    ValueError
        If a variable is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> require_variables(xr.Dataset({"inputs": ("time", [0.0])}), "trials", ["inputs"])
    """
    if not isinstance(dataset, xr.Dataset):
        is_tree = isinstance(dataset, xr.DataTree)
        fix = "take its .to_dataset()" if is_tree else "look at the order of the arguments"
        raise TypeError(f"{name}: expected a Dataset with {list(variables)}, got {type(dataset).__name__}; {fix}")
    for variable in variables:
        if variable not in dataset:
            found = sorted(map(str, dataset.variables))
            fix = "take the whole group of a run, or of what biornn.train returns"
            raise ValueError(f"{name}: expected {variable!r}, found {found}; {fix}")
