"""A run as one NetCDF-4 file, for programs that read no Zarr."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pandas as pd
import xarray as xr

from biornn.atomic import written_whole
from biornn.errors import in_one_line
from biornn.store.run import open_run

#: The dim, and its labels, along which a complex variable becomes a real one: NetCDF has no complex numbers.
_PART, _PARTS = "part", ("re", "im")
#: A reader decompresses whole chunks, and those of the store, each all trials of a network, are large for that.
_CHUNK_BYTES = 4 * 2**20


def export_netcdf(
    run: xr.DataTree | str | PathLike[str], file: str | PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a run as one NetCDF-4 file.

    Parameters
    ----------
    run
        A run folder, or the ``run.zarr`` in it, which is copied chunk by chunk; or any tree, such as a run with results
        added to it, of which Dask arrays are written chunk by chunk, and others loaded.
    file
        The file. It appears under its name when it is complete.
    overwrite
        Whether a file that is already there is replaced.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FileExistsError
        If the file exists and is not to be overwritten, or is a folder.
    OSError
        If there is no run, or the file cannot be written.
    SchemaError
        If the run cannot be read, is not complete, or was written by a newer schema.
    TypeError
        If `run` is neither a tree nor a path.
    ValueError
        If the tree holds what NetCDF cannot.

    Notes
    -----
    A group of the tree is a group of the file, with every coordinate of its variables, so that it can be read alone.
    What NetCDF has no type for becomes:

    - complex numbers: real ones along a last dim ``part``, labelled ``re`` and ``im``;
    - booleans: 0 and 1, with the attribute ``dtype = "bool"``, of which xarray makes booleans again;
    - missing text: empty text;
    - attributes: true and false 1 and 0; None, dicts and nested lists JSON text.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.store.export_netcdf("runs/flip_flop", "flip_flop.nc")  # doctest: +SKIP
    """
    target = Path(file)
    if not isinstance(run, xr.DataTree | str | PathLike):
        raise TypeError(f"run: expected a DataTree or the path of a run, got {type(run).__name__}")
    _check_target(target, overwrite)
    tree = run if isinstance(run, xr.DataTree) else open_run(run, chunks={})
    try:
        with written_whole(target) as partial:
            partial.touch()  # says why a file cannot be made more clearly than HDF5 does
            _write(tree, partial)
    except OSError as error:
        reason = error.strerror or in_one_line(error)
        raise OSError(f"{target}: expected a file that can be written, got: {reason}") from error
    return target


def _check_target(target: Path, overwrite: bool) -> None:
    if target.is_dir():
        raise FileExistsError(f"{target}: expected a file to write, but it is a folder; name a file in it")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target}: expected a new file, but it exists; choose another, or --overwrite")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: expected a folder that exists, found none; make {target.parent} first")


def _write(tree: xr.DataTree, path: Path) -> None:
    """Write every group; what is known to be impossible is told before the first is written."""
    _check_parts(tree)
    groups = {"" if key == "." else key: _storable(key, node) for key, node in tree.subtree_with_keys}
    # HDF5 lets one thread write: a second reads ahead, and more would only hold more chunks in memory.
    with dask.config.set(scheduler="threads", num_workers=2):
        for group, dataset in groups.items():
            try:
                dataset.to_netcdf(
                    path,
                    mode="a" if group else "w",
                    group=group or None,
                    engine="h5netcdf",
                    encoding={name: _encoding(name, variable) for name, variable in dataset.variables.items()},
                )
            except OSError:
                raise
            except Exception as error:  # whatever else xarray and HDF5 refuse
                told = f"{type(error).__name__}: {in_one_line(error)}"
                raise ValueError(f"/{group}: expected a group that NetCDF can hold, got {told}") from error


def _check_parts(tree: xr.DataTree) -> None:
    """Refuse a dim `part` of somebody's own where complex variables need it."""
    if not any(_is_complex(variable) for node in tree.subtree for variable in node.variables.values()):
        return
    for key, node in tree.subtree_with_keys:
        labels = node.coords[_PART].values.tolist() if _PART in node.coords else []
        if (_PART in node.dims or _PART in node.variables) and labels != list(_PARTS):
            raise ValueError(
                f"{key}: expected no other {_PART!r} in a tree with complex numbers, which get it as a dim; rename it"
            )


def _storable(key: str, node: xr.DataTree) -> xr.Dataset:
    """Make of a group one that NetCDF can hold, and that can be read alone."""
    own, dataset = node.to_dataset(inherit=False), node.to_dataset()
    unused = [name for name in dataset.coords if name not in own and not set(dataset[name].dims) <= set(own.dims)]
    dataset = dataset.drop_vars(unused)
    variables = {name: _storable_variable(f"{key}/{name}", name, dataset.variables[name]) for name in dataset.variables}
    if any(_is_complex(variable) for variable in dataset.variables.values()):
        meaning = {"long_name": "real (re) and imaginary (im) part of a complex number"}
        variables[_PART] = xr.Variable((_PART,), np.array(_PARTS, object), meaning)
    coords = {name: variables.pop(name) for name in (*dataset.coords, _PART) if name in variables}
    return xr.Dataset(variables, coords, _attributes(dataset.attrs))


def _storable_variable(where: str, name: Hashable, variable: xr.Variable) -> xr.Variable:
    """Copy a variable, with types that NetCDF has and no encoding but the chunks of the store."""
    preferred = variable.encoding.get("preferred_chunks", {})
    if variable.dtype.kind in "OTU":
        data: Any = _texts(where, variable)
        return xr.Variable(variable.dims, data, _attributes(variable.attrs))
    if _is_complex(variable):
        if variable.dims == (name,):
            raise ValueError(f"{where}: expected real labels along a dim, got complex ones; name the dim otherwise")
        variable = _in_parts(variable)
    kind, size = variable.dtype.kind, variable.dtype.itemsize
    if kind == "f" and size not in (4, 8):  # half and extended precision
        variable = variable.astype(np.float32 if size < 4 else np.float64)
    return xr.Variable(variable.dims, variable.data, _attributes(variable.attrs), {"preferred_chunks": preferred})


def _is_complex(variable: xr.Variable) -> bool:
    return variable.dtype.kind == "c"


def _in_parts(variable: xr.Variable) -> xr.Variable:
    values = variable.data
    parts = xr.Variable.concat(
        [xr.Variable(variable.dims, part, variable.attrs) for part in (values.real, values.imag)], dim=_PART
    )
    parts = parts.transpose(..., _PART)
    return parts if parts.chunks is None else parts.chunk({_PART: len(_PARTS)})


def _texts(where: str, variable: xr.Variable) -> np.ndarray:
    texts = np.empty(variable.shape, object)
    for index, item in np.ndenumerate(np.asarray(variable.values, dtype=object)):
        if not isinstance(item, str) and not _is_missing(item):
            raise ValueError(f"{where}: expected numbers or text, got {type(item).__name__} {item!r}")
        texts[index] = _clean(item) if isinstance(item, str) else ""
    return texts


def _is_missing(item: object) -> bool:
    return item is None or item is pd.NA or (isinstance(item, float) and math.isnan(item))


def _clean(text: str) -> str:
    """Write out the characters that NetCDF cannot hold: an error message in a run may have some."""
    return str(text).replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _attributes(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _attribute(value) for name, value in attrs.items()}


def _attribute(value: Any) -> Any:
    """Keep text, numbers and lists of either; make truth values 0 and 1, and the rest JSON text."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, np.ndarray) and not value.ndim:
        value = value[()]
    is_list = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim == 1)
    items = value if is_list else [value]
    if len(items) and all(isinstance(item, str) for item in items):
        return [_clean(item) for item in items]
    if len(items) and all(isinstance(item, bool | int | float | np.bool | np.integer | np.floating) for item in items):
        numbers = np.asarray(value)
        if numbers.dtype.kind == "b":
            return numbers.astype(np.int8)
        if numbers.dtype.kind == "f" and numbers.itemsize not in (4, 8):
            return numbers.astype(np.float64)
        if numbers.dtype.kind in "iuf":  # a Python integer may be too large for any of them
            return numbers
    return _clean(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _encoding(name: Hashable, variable: xr.Variable) -> dict[str, Any]:
    if variable.dtype.kind == "O":
        return {"dtype": str}
    encoding: dict[str, Any] = {}
    if variable.dims == (name,):
        encoding["_FillValue"] = None  # a label is never missing
    if variable.size and variable.ndim and variable.dtype.kind != "S":
        encoding |= {"zlib": True, "complevel": 4, "shuffle": True, "chunksizes": _chunk_sizes(variable)}
    return encoding


def _chunk_sizes(variable: xr.Variable) -> tuple[int, ...]:
    """Take the chunks of the array or of its store, and halve them, the first dims first, while they are too large."""
    preferred = variable.encoding.get("preferred_chunks", {})
    if variable.chunks is not None:
        sizes = [max(lengths) for lengths in variable.chunks]
    else:
        sizes = [min(preferred.get(dim, size), size) for dim, size in variable.sizes.items()]
    for axis in range(len(sizes)):
        while math.prod(sizes) * variable.dtype.itemsize > _CHUNK_BYTES and sizes[axis] > 1:
            sizes[axis] = -(-sizes[axis] // 2)
    return tuple(sizes)
