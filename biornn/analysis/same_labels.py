"""The check that arrays are of the same networks, units, trials and times."""

from __future__ import annotations

from typing import Any

import xarray as xr


def same_labels(name: str, expected: str, *arrays: xr.DataArray, source: str = "run") -> tuple[Any, ...]:
    """Align arrays that must have the same labels, or raise a ValueError of one line.

    `name` is the argument that is wrong if they do not, `expected` what it should have had, such as ``the units of
    values``, and `source` what all of them come from: a run, or trials.
    """
    try:
        return xr.align(*arrays, join="exact", copy=False)
    except ValueError as error:
        raise ValueError(f"{name}: expected {expected}, got others; take both from the same {source}") from error
