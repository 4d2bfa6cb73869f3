"""What every export does: find the run, keep a file that is there, and turn text and attributes into plain ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from biornn.atomic import written_whole
from biornn.errors import in_one_line
from biornn.store.run import open_run


def opened(run: xr.DataTree | str | PathLike[str]) -> xr.DataTree:
    """Return a tree as it is, and open a run on disk in the chunks of its store."""
    if not isinstance(run, xr.DataTree | str | PathLike):
        raise TypeError(f"run: expected a DataTree or the path of a run, got {type(run).__name__}")
    return run if isinstance(run, xr.DataTree) else open_run(run, chunks={})


def check_target(target: Path, overwrite: bool) -> None:
    """Raise FileExistsError or FileNotFoundError if no file can be made there."""
    if target.is_dir():
        raise FileExistsError(f"{target}: expected a file to write, but it is a folder; name a file in it")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target}: expected a new file, but it exists; choose another, or --overwrite")
    check_parent(target)


def check_parent(target: Path) -> None:
    """Raise FileNotFoundError if the folder to write into is not there."""
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: expected a folder that exists, found none; make {target.parent} first")


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Yield an empty file beside the target, which takes its place when it is whole; an OSError names the target."""
    try:
        with written_whole(target) as partial:
            partial.touch()  # its error is clearer than that of a library
            yield partial
    except OSError as error:
        raise OSError(
            f"{target}: expected a file that can be written, got: {error.strerror or in_one_line(error)}"
        ) from error


def own_coordinates(node: xr.DataTree) -> xr.Dataset:
    """Return a group with the coordinates that it inherits for its dims, and without others."""
    own, dataset = node.to_dataset(inherit=False), node.to_dataset()
    unused = [name for name in dataset.coords if name not in own and not set(dataset[name].dims) <= set(own.dims)]
    return dataset.drop_vars(unused)


def texts(where: str, variable: xr.Variable) -> np.ndarray:
    """Return text as an array of objects; missing text as empty text. `where` names the variable in errors."""
    found = np.empty(variable.shape, object)
    for index, item in np.ndenumerate(np.asarray(variable.values, dtype=object)):
        if not isinstance(item, str) and not pd.isna(item):
            raise ValueError(f"{where}: expected numbers or text, got {type(item).__name__} {item!r}")
        found[index] = clean(item) if isinstance(item, str) else ""
    return found


def clean(text: str) -> str:
    """Escape characters that files cannot hold, which an error message in a run may have."""
    return str(text).replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def attributes(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Keep text, numbers and lists of either; write truth values as 0 and 1, everything else as JSON text."""
    return {str(name): _attribute(value) for name, value in attrs.items()}


def _attribute(value: Any) -> Any:
    values = np.asarray(value, object)
    items = values.ravel().tolist() if values.ndim < 2 else []
    if items and all(isinstance(item, str) for item in items):
        return [clean(item) for item in items] if values.ndim else clean(items[0])
    if items and all(isinstance(item, bool | int | float | np.bool | np.integer | np.floating) for item in items):
        numbers = np.asarray(value)
        if numbers.dtype.kind == "b":
            return numbers.astype(np.int8)
        if numbers.dtype.kind in "iuf":  # not a Python integer that is too large for any of them
            return numbers.astype(np.float64) if numbers.dtype in (np.float16, np.longdouble) else numbers
    return clean(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def usual_precision(array: Any) -> Any:
    """Return half and extended precision as single and double, which every program has."""
    kind, size = array.dtype.kind, array.dtype.itemsize // (2 if array.dtype.kind == "c" else 1)
    if kind not in "fc" or size in (4, 8):
        return array
    return array.astype(np.float32 if size < 4 else np.float64 if kind == "f" else np.complex128)
