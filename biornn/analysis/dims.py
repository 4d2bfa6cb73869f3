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
        raise TypeError(
            f"{name}: expected a DataArray with dims {list(dims)}, got {type(array).__name__}; "
            "label it with xarray.DataArray(values, dims=...)"
        )
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
        If a dim is missing or the matrix is not square.

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
    return n_pre


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
    ValueError
        If one is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> require_variables(xr.Dataset({"inputs": ("time", [0.0])}), "trials", ["inputs"])
    """
    for variable in variables:
        if variable not in dataset:
            raise ValueError(f"{name}: expected {variable!r}, found {sorted(map(str, dataset.variables))}")
