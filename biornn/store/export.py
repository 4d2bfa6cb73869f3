"""A run as one NetCDF-4 file, for programs that read no Zarr."""

from __future__ import annotations

import math
from collections.abc import Hashable
from os import PathLike
from pathlib import Path
from typing import Any

import dask
import numpy as np
import xarray as xr

from biornn.errors import named
from biornn.store.exporting import (
    attributes,
    check_target,
    new_file,
    opened,
    own_coordinates,
    texts,
    usual_precision,
)

#: Readers decompress whole chunks, and those of the store, with all trials of a network, are large for that.
_CHUNK_BYTES = 4 * 2**20


def export_netcdf(
    run: xr.DataTree | str | PathLike[str], file: str | PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a run as one NetCDF-4 file.

    Parameters
    ----------
    run
        A run folder, or the ``run.zarr`` in it; or a tree, such as a run to which results were added. Runs on disk and
        Dask arrays are written chunk by chunk.
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
    Types that NetCDF does not have are converted:

    - complex numbers: real ones along a last dim ``part``, labelled ``re`` and ``im``;
    - booleans: 0 and 1, with the attribute ``dtype = "bool"``, of which xarray makes booleans again;
    - missing text: empty text;
    - attributes: true and false 1 and 0; None, dicts and nested lists JSON text.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.store.export_netcdf("runs/example", "example.nc")  # doctest: +SKIP
    """
    target = Path(file)
    check_target(target, overwrite)
    tree = opened(run)
    with new_file(target) as partial:
        _write(tree, partial)
    return target


def _write(tree: xr.DataTree, path: Path) -> None:
    # All groups are converted before the first is written. HDF5 lets one thread write; a second one reads ahead.
    groups = {"" if key == "." else key: _storable(key, node) for key, node in tree.subtree_with_keys}
    with dask.config.set(scheduler="threads", num_workers=2):
        for group, dataset in groups.items():
            encoding = {name: _encoding(name, variable) for name, variable in dataset.variables.items()}
            mode: Any = "a" if group else "w"
            try:
                dataset.to_netcdf(path, mode=mode, group=group or None, engine="h5netcdf", encoding=encoding)
            except OSError:
                raise
            except Exception as error:  # of xarray and HDF5
                raise ValueError(f"/{group}: expected a group that NetCDF can hold, got {named(error)}") from error


def _storable(key: str, node: xr.DataTree) -> xr.Dataset:
    """Convert a group to types that NetCDF has, with the inherited coordinates of its dims."""
    dataset = own_coordinates(node)
    complex_names = {name for name, variable in dataset.variables.items() if variable.dtype.kind == "c"}
    if complex_names and ("part" in dataset.variables or {"part", *complex_names} & set(dataset.dims)):
        raise ValueError(
            f"{key}: expected neither complex labels nor a 'part', which complex numbers get as a dim; rename it"
        )
    variables = {name: _storable_variable(f"{key}/{name}", dataset.variables[name]) for name in dataset.variables}
    coords = {name: variables.pop(name) for name in dataset.coords}
    if complex_names:
        meaning = {"long_name": "real (re) and imaginary (im) part of a complex number"}
        coords["part"] = xr.Variable("part", np.array(["re", "im"], object), meaning)
    return xr.Dataset(variables, coords, attributes(dataset.attrs))


def _storable_variable(where: str, variable: xr.Variable) -> xr.Variable:
    """Convert a variable; of its encoding, only the chunks of the store are kept."""
    attrs, kind = attributes(variable.attrs), variable.dtype.kind
    if kind in "OTU":
        return xr.Variable(variable.dims, texts(where, variable), attrs)
    chunks = {"preferred_chunks": variable.encoding.get("preferred_chunks", {})}
    if kind == "c":
        parts = [xr.Variable(variable.dims, part) for part in (variable.data.real, variable.data.imag)]
        variable = xr.Variable.concat(parts, dim="part").transpose(..., "part")
    return xr.Variable(variable.dims, usual_precision(variable.data), attrs, chunks)


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
    """Start from the chunks of the array or of its store, and halve them, first dims first, while they are large."""
    preferred = variable.encoding.get("preferred_chunks", {})
    if variable.chunks is not None:
        sizes = [max(lengths) for lengths in variable.chunks]
    else:
        sizes = [min(preferred.get(dim, size), size) for dim, size in variable.sizes.items()]
    for axis in range(len(sizes)):
        while math.prod(sizes) * variable.dtype.itemsize > _CHUNK_BYTES and sizes[axis] > 1:
            sizes[axis] = -(-sizes[axis] // 2)
    return tuple(sizes)
