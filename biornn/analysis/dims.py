"""The check that an array carries the dims that an analysis needs."""

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
