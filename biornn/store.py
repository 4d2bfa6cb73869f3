"""A run on disk: a Zarr v3 tree that is filled network by network and opened with plain xarray."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import xarray as xr
import zarr

from biornn.schema import SCHEMA_VERSION, SchemaError

#: Groups whose variables have the dim `network`.
NETWORK_GROUPS = ("activity", "probe_activity", "weights", "history", "audit")

_NAME = "run.zarr"


def open_run(path: str | PathLike[str]) -> xr.DataTree:
    """Open a run.

    Parameters
    ----------
    path
        A run folder, or the ``run.zarr`` in it.

    Returns
    -------
    xarray.DataTree
        Its groups, loaded when they are used.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    SchemaError
        If it cannot be read, is not complete, or was written by a newer schema.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/flip_flop")  # doctest: +SKIP
    >>> run["activity"].rates.sel(network="dale-s00")  # doctest: +SKIP
    """
    folder = Path(path)
    store = folder if folder.name == _NAME else folder / _NAME
    if not (store / "zarr.json").is_file():
        raise FileNotFoundError(f"{path}: expected a run folder with {_NAME} in it, found none")
    try:
        if not zarr.open_group(store, mode="r").attrs.get("complete"):
            raise SchemaError(
                f"{path}: expected a complete run, got an interrupted one; run it again, with --overwrite"
            )
        tree = xr.open_datatree(store, engine="zarr")
    except SchemaError:
        raise
    except Exception as error:  # whatever zarr and xarray find in a damaged file
        raise SchemaError(f"{path}: expected a readable run, got {type(error).__name__}: {_one_line(error)}") from error
    version = tree.attrs.get("schema_version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise SchemaError(f"{path}: expected schema_version at most {SCHEMA_VERSION}, got {version!r}; update biornn")
    return tree


class RunWriter:
    """Writes a run: first the frame and the trials, then each network into its own chunks, at last `complete`.

    Parameters
    ----------
    folder
        Run folder; it is created, and must not hold a run yet.
    networks
        Index of the networks, with the coordinates ``network``, ``condition`` and ``seed``.
    attrs
        Attributes of the root (see `biornn.schema.ROOT_ATTRS`); ``schema_version`` and ``complete`` are added.
    trials
        The groups ``trials`` and ``probe_trials``.

    Raises
    ------
    OSError
        If the folder cannot be made or written.
    """

    def __init__(
        self, folder: Path, networks: xr.Dataset, attrs: Mapping[str, Any], trials: Mapping[str, xr.Dataset]
    ) -> None:
        self.path = folder / _NAME
        self._networks = networks
        self._names = networks["network"].values.tolist()
        self._has_template = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(f"{folder}: expected a folder that can be written, got: {error.strerror}") from None
        root = networks.assign_attrs({**attrs, "schema_version": SCHEMA_VERSION, "complete": 0})
        self._write(root, mode="w-")
        for group, dataset in trials.items():
            self._write(dataset, group=group, mode="w-")

    def write_network(self, name: str, groups: Mapping[str, xr.Dataset]) -> None:
        """Write the results of one network.

        Parameters
        ----------
        name
            Its label along `network`.
        groups
            Each of `NETWORK_GROUPS`, without the dim `network`.
        """
        if not self._has_template:
            for group in NETWORK_GROUPS:
                self._write(_template(groups[group], self._networks), group=group, mode="w-", compute=False)
            self._has_template = True
        index = self._names.index(name)
        for group in NETWORK_GROUPS:
            row = groups[group].drop_vars(list(groups[group].coords)).expand_dims("network")
            self._write(row, group=group, mode="r+", region={"network": slice(index, index + 1)})

    def finish(self) -> None:
        """Mark the run as complete, and consolidate its metadata so that it opens fast and without a warning."""
        zarr.open_group(self.path, mode="r+").attrs["complete"] = 1
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
            zarr.consolidate_metadata(self.path)

    def _write(self, dataset: xr.Dataset, **options: Any) -> None:
        _text_as_objects(dataset).to_zarr(self.path, zarr_format=3, consolidated=False, **options)


def _template(row: xr.Dataset, networks: xr.Dataset) -> xr.Dataset:
    """Lay out a group for all networks: NaN, zero or no text, and the status `failed`, until a network is written."""
    n_networks = networks.sizes["network"]

    def blank(array: xr.DataArray) -> xr.DataArray:
        shape, dims = (n_networks, *array.shape), ("network", *array.dims)
        if array.dtype.kind in "OUT":
            text = "failed" if array.name == "status" else ""
            return xr.DataArray(np.full(shape, text, object), dims=dims, attrs=array.attrs)
        # One writer per chunk; and single snapshots of a large matrix can be read alone.
        per_epoch = 1 if "unit_pre" in array.dims else -1
        chunks = [1, *(per_epoch if dim == "epoch" else -1 for dim in array.dims)]
        fill = np.nan if array.dtype.kind == "f" else array.dtype.type()
        data = dask.array.full(shape, fill, dtype=array.dtype, chunks=chunks)
        return xr.DataArray(data, dims=dims, attrs=array.attrs)

    variables = {name: blank(array) for name, array in row.data_vars.items()}
    return xr.Dataset(variables, row.coords).assign_coords(networks.coords)


def _text_as_objects(dataset: xr.Dataset) -> xr.Dataset:
    """Cast text, which numpy holds at a fixed width: Zarr has no stable type for it, and longer texts would be cut."""
    text = {name: array.astype(object) for name, array in dataset.variables.items() if array.dtype.kind == "U"}
    return dataset.assign({name: array for name, array in text.items() if name in dataset.data_vars}).assign_coords(
        {name: array for name, array in text.items() if name in dataset.coords}
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
