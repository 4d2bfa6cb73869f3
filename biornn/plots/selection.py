"""The check that the data of a plot are those of one network."""

from __future__ import annotations

import xarray as xr

from biornn.analysis.dims import require_dims

_HINTS = {
    "network": "select one network first, e.g. .sel(network=...)",
    "snapshot": "select one snapshot first, e.g. .isel(snapshot=-1)",
    "trial": "select one trial first, e.g. .isel(trial=0)",
}


def select(array: xr.DataArray, name: str, *dims: str) -> xr.DataArray:
    """Check that an array has exactly these dims, and put them in this order.

    A TypeError or ValueError names the argument, and how to select along a dim that is too many.

    Examples
    --------
    >>> import xarray as xr
    >>> select(xr.DataArray([[1.0]], dims=("unit", "time")), "rates", "time", "unit").dims
    ('time', 'unit')
    """
    require_dims(array, name, dims)
    for dim in array.dims:
        if dim not in dims:
            hint = _HINTS.get(str(dim), f"select along {dim} first")
            raise ValueError(f"{name}: expected the dims {list(dims)}, got {list(array.dims)}; {hint}")
    return array.transpose(*dims)


def select_trial(array: xr.DataArray, name: str, trial: int) -> xr.DataArray:
    """Take one trial of an array, by position; an array without trials is returned as it is.

    An IndexError says which trials there are.
    """
    require_dims(array, name, [])
    if "trial" not in array.dims:
        return array
    n_trials = array.sizes["trial"]
    if not -n_trials <= trial < n_trials:
        raise IndexError(f"trial: expected a position from 0 to {n_trials - 1} in {name}, got {trial}")
    return array.isel(trial=trial)
