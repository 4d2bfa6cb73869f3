"""Groups that are added to the store of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from biornn.store.manifest import COMPRESSOR
from biornn.store.writer import text_as_objects


def add_group(store: Path, group: str, dataset: xr.Dataset) -> None:
    """Write a group, in place of one of its name; `consolidate` the store afterwards."""
    encoding: dict[Any, Any] = {name: {"compressors": (COMPRESSOR,)} for name in dataset.variables}
    bare = text_as_objects(dataset).drop_encoding()
    bare.to_zarr(store, group=group, mode="w", zarr_format=3, consolidated=False, encoding=encoding)
