"""The check that arrays are of the same networks, units, trials and times."""

from __future__ import annotations

from typing import Any

import xarray as xr


def same_labels(name: str, expected: str, *arrays: xr.DataArray, source: str = "run") -> tuple[Any, ...]:
    """Align arrays that have to have the same labels; a ValueError of one line where they have not.

    Parameters
    ----------
    name
        Of the argument that is told to be wrong.
    expected
        What it should have had, such as ``the units of values``.
    arrays
        Arrays of any dims.
    source
        What all of them come from: a run, or trials.
    """
    try:
        return xr.align(*arrays, join="exact", copy=False)
    except ValueError as error:
        raise ValueError(f"{name}: expected {expected}, got others; take both from the same {source}") from error
