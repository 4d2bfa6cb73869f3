"""Tables in files, with or without names of their rows and columns, lists of edges, and cell types of units."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from biornn.connectivity.labels import noun, place
from biornn.errors import in_one_line
from biornn.schema import text

SYNAPSES = ("unit_pre", "unit_post")
UNITS = ("unit",)
MAX_UNITS = 50_000  # 10 GB of recurrent weights
_TRUTH = {"true": "1", "false": "0"}


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files in a Zarr store with their names."""
    digest, parts = sha256(), [path]
    if path.suffix == ".zarr" and path.is_dir():
        parts = sorted(part for part in path.rglob("*") if part.is_file())
    for part in parts:
        digest.update(str(part.relative_to(path)).encode())
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def read_table(path: Path, dims: tuple[str, ...] = SYNAPSES) -> xr.DataArray:
    """Read a table with these dims, and with the names of its rows and columns where it has some.

    A table of synapses, (unit_pre, unit_post), is square, and has its units in one order. A ``.csv`` is a table whose
    first row and first column name columns and rows. Of synapses it may be a list of edges with the columns ``pre``,
    ``post`` and ``weight`` (without it, 1), in which units come in the order in which they are first named; the
    attribute ``is_list`` says that it may leave out units. Beside `weight` it may have other columns, which are not
    read. Of the cell types of units, (unit,), it has a column ``cell_type`` and, unless that is the first, the names of
    the units in the first; other columns are not read. An ``.npy`` holds one array, an ``.npz`` one, and `unit_names`
    if wanted; a ``.nc`` or ``.zarr`` one variable of these dims. A ValueError says what is wrong with the content.
    """
    try:
        table = READERS[path.suffix](path, dims)
    except (OSError, EOFError, LookupError, TypeError, csv.Error, zipfile.BadZipFile) as error:
        raise ValueError(in_one_line(error)) from None
    if table.ndim != len(dims) or not table.size or (dims == SYNAPSES and table.shape[0] != table.shape[1]):
        raise ValueError(f"one of the shape {table.shape}")
    if dims == UNITS and table.dtype.kind in "OUT":
        table = text(table)
    elif table.dtype.kind not in "biuf":
        raise ValueError(f"values of the type {table.dtype}")
    for dim in dims:
        if dim in table.indexes and not table.indexes[dim].is_unique:
            twice = table.indexes[dim][table.indexes[dim].duplicated()].tolist()[0]
            raise ValueError(f"the {noun(dim)} {twice!r} twice")
    if dims == SYNAPSES:
        table = _in_one_order(table)
    if table.dtype.kind == "f" and not (is_number := np.isfinite(table.values)).all():
        first = np.unravel_index(is_number.argmin(), table.shape)
        names = {dim: table[dim].values for dim in dims}
        raise ValueError(f"{table.values[first]} {place(first, names)}")
    return table


def _in_one_order(table: xr.DataArray) -> xr.DataArray:
    """Name the units of both sides of a square by those of one, and sort the columns as the rows."""
    names = [table.indexes[dim].tolist() for dim in SYNAPSES if dim in table.indexes]
    if not names:
        return table
    if strange := set(names[0]) ^ set(names[-1]):
        raise ValueError(f"the unit {min(strange, key=str)!r} along one side alone")
    table = table.assign_coords({dim: names[0] for dim in SYNAPSES if dim not in table.indexes})
    return table.sel(dict.fromkeys(SYNAPSES, names[0]))


def _from_csv(path: Path, dims: tuple[str, ...]) -> xr.DataArray:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = _equally_long(csv.reader(file, skipinitialspace=True))
        header = next(rows, [])
        if dims == UNITS:
            return _from_column("cell_type", header, rows)
        is_list = dims == SYNAPSES and {"pre", "post"} <= set(header)
        return _from_edges(header, rows) if is_list else _from_square(header, rows, dims)


def _equally_long(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    length = 0
    for number, row in enumerate(rows, 1):
        length = length or len(row)
        if len(row) not in (0, length):
            raise ValueError(f"{len(row)} cells in row {number} instead of {length}")
        if row:
            yield [cell.strip() for cell in row]


def _from_edges(header: list[str], rows: Iterable[list[str]]) -> xr.DataArray:
    if "weight" not in header and (others := [name for name in header if name not in ("pre", "post", "")]):
        raise ValueError(f"the columns {', '.join(header)}, of which none is weight; rename or drop {others[0]!r}")
    places = [header.index(name) for name in ("pre", "post", "weight") if name in header]
    edges = {}
    for row in rows:
        pre, post, *weight = [row[place] for place in places]
        if (pre, post) in edges:
            raise ValueError(f"the edge from {pre!r} to {post!r} twice")
        edges[pre, post] = float(weight[0] or "nan") if weight else 1.0
    units = list(dict.fromkeys(unit for edge in edges for unit in edge))
    if len(units) > MAX_UNITS:
        raise ValueError(f"{len(units)} units, more than {MAX_UNITS}")
    number = {unit: index for index, unit in enumerate(units)}
    weights = np.zeros((len(units),) * 2)
    for (pre, post), one in edges.items():
        weights[number[pre], number[post]] = one
    return _named(weights, units, units, SYNAPSES).assign_attrs(is_list=True)


def _from_column(name: str, header: list[str], rows: Iterable[list[str]]) -> xr.DataArray:
    """Read what stands in one column for each unit, whose names are in the first column, unless that is this one."""
    if name not in header:
        raise ValueError(f"the columns {', '.join(header)}, of which none is {name}")
    place, cells = header.index(name), list(rows)
    values = np.array([row[place] for row in cells])
    if cells and np.isin(values, ("1", "-1", "0")).all():
        values = values.astype(int)
    units = [row[0] for row in cells]
    names = [int(unit) for unit in units] if all(unit.isdecimal() for unit in units) else units
    return xr.DataArray(values, {"unit": names} if place else {}, UNITS)


def _from_square(header: list[str], rows: Iterable[list[str]], dims: tuple[str, ...]) -> xr.DataArray:
    names, values = [], []
    for name, *cells in rows:
        names.append(name)
        try:
            values.append(np.array([_TRUTH.get(cell.lower(), cell or "nan") for cell in cells], float))
        except ValueError as error:
            raise ValueError(f"{in_one_line(error)} in the row of {name!r}") from None
    return _named(np.array(values).reshape(len(names), len(header[1:])), names, header[1:], dims)


def _named(values: np.ndarray, rows: list[str], columns: list[str], dims: tuple[str, ...]) -> xr.DataArray:
    """Label a table; names that are all numbers, of synapses on both sides, are integers."""

    def numbers(names: list[str]) -> list[Any]:
        beside = [*rows, *columns] if dims == SYNAPSES else names
        return [int(name) for name in names] if all(name.isdecimal() for name in beside) else names

    return xr.DataArray(values, dict(zip(dims, map(numbers, (rows, columns)), strict=True)), dims)


def _from_npy(path: Path, dims: tuple[str, ...]) -> xr.DataArray:
    return _unnamed(np.load(path, mmap_mode="r", allow_pickle=False), dims)


def _from_npz(path: Path, dims: tuple[str, ...]) -> xr.DataArray:
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    names = arrays.pop("unit_names", None)
    if len(arrays) != 1:
        raise ValueError(f"the arrays {', '.join(arrays)}, of which one is expected, and unit_names")
    table = _unnamed(next(iter(arrays.values())), dims)
    units = [dim for dim in dims if dim.startswith("unit")]
    return table if names is None else table.assign_coords(dict.fromkeys(units, names.tolist()))


def _unnamed(values: np.ndarray, dims: tuple[str, ...]) -> xr.DataArray:
    return xr.DataArray(values, dims=dims if values.ndim == len(dims) else None)


def _from_xarray(path: Path, dims: tuple[str, ...]) -> xr.DataArray:
    options: dict[str, Any] = {"engine": "zarr", "consolidated": False} if path.suffix == ".zarr" else {}
    with xr.open_dataset(path, **options) as dataset:
        if len(dataset.data_vars) != 1:
            raise ValueError(f"the variables {', '.join(map(str, dataset.data_vars))}, of which one is expected")
        (table,) = dataset.data_vars.values()
        if set(table.dims) != set(dims):
            raise ValueError(f"the dims {table.dims} instead of {dims}")
        return table.transpose(*dims).load()


#: Reader of each ending.
READERS = {".csv": _from_csv, ".npy": _from_npy, ".npz": _from_npz, ".nc": _from_xarray, ".zarr": _from_xarray}
