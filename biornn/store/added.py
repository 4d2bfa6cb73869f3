"""Groups that are added to the store of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from biornn.atomic import folder_written_whole
from biornn.store.manifest import COMPRESSOR, consolidate
from biornn.store.writer import text_as_objects


def add_group(store: Path, group: str, dataset: xr.Dataset) -> None:
    """Write a group, in place of one of its name, and collect the metadata of the store again.

    It is written beside the store, and takes its place when it is whole: what is broken off leaves the group as it was.
    """
    encoding: dict[Any, Any] = {name: {"compressors": (COMPRESSOR,)} for name in dataset.variables}
    bare = text_as_objects(dataset).drop_encoding()
    with folder_written_whole(store / group, within=store.parent) as beside:
        bare.to_zarr(beside, mode="w", zarr_format=3, consolidated=False, encoding=encoding)
    consolidate(store)
