"""Opening a run: a Zarr v3 tree, which plain xarray opens too."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import xarray as xr
import zarr

from biornn.errors import named
from biornn.schema import SCHEMA_VERSION, SchemaError
from biornn.store import manifest
from biornn.store.folder import STORE, replacement, run_folder
from biornn.store.journal import Journal, check_same_experiment


def open_run(path: str | PathLike[str], *, chunks: Mapping[str, int] | None = None) -> xr.DataTree:
    """Open a run.

    Parameters
    ----------
    path
        A run folder, or the ``run.zarr`` in it.
    chunks
        None: an array is loaded whole when it is used. For a run larger than memory, ``{}``: Dask arrays in the chunks
        of the store, of which analyses work on a few at a time; a chunk is the activity of one network, or its weights
        at one snapshot. Other chunks are those of `xarray.open_datatree`.

    Returns
    -------
    xarray.DataTree
        Its groups, loaded when they are used. Where there are snapshots, they are found by number and by update:
        ``.sel(snapshot=4)``, ``.sel(update=200)``.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    SchemaError
        If it cannot be read, is not complete, is no longer as it was written, or comes from a newer schema.

    Notes
    -----
    All networks of a run share their updates: one that stopped earlier has its last weights from then on, also at
    ``.sel(update=...)`` of a later one. ``method="nearest"`` takes the closest snapshot, and slices work too. Plain
    xarray finds updates after ``.set_xindex("update")``. There is no such index where the update of a snapshot is not
    known (-1), or stands twice, as in imported runs.

    An index is no column: ``.drop_indexes("update")`` makes `update` an ordinary coordinate again, for
    ``to_dataframe`` to show, and to stack, reindex or concatenate along `snapshot`.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> run["activity"].rates.sel(network="dale-s00")  # doctest: +SKIP
    >>> run["weights"].recurrent_weights.sel(update=200)  # doctest: +SKIP
    >>> rates = bn.open_run("runs/example", chunks={})["activity"].rates  # doctest: +SKIP
    >>> bn.analysis.participation_ratio(rates).compute()  # doctest: +SKIP
    """
    store = run_folder(path) / STORE
    if not (store / "zarr.json").is_file() or (store / "zarr.json").is_symlink():
        raise FileNotFoundError(f"{path}: expected a run folder with {STORE} in it, found none")
    try:
        attrs = zarr.open_group(store, mode="r").attrs.asdict()
        if not attrs.get("complete"):
            raise SchemaError(
                f"{path}: expected a complete run, got one that is still being written, or was broken off; wait for "
                "it, or go on with --resume"
            )
        version = attrs.get("schema_version")
        if version != SCHEMA_VERSION:
            is_older = isinstance(version, int) and version < SCHEMA_VERSION
            advice = "make the run again, or open it with the biornn that wrote it" if is_older else "update biornn"
            raise SchemaError(f"{path}: expected schema_version {SCHEMA_VERSION}, got {version!r}; {advice}")
        manifest.check(store)
        tree = xr.open_datatree(store, engine="zarr", chunks=chunks)
        for node in tree.subtree:
            _index_updates(node)
    except SchemaError:
        raise
    except Exception as error:  # of zarr and xarray, in a damaged file
        raise SchemaError(f"{path}: expected a readable run, got {named(error)}") from error
    return tree


def _index_updates(node: xr.DataTree) -> None:
    """Let the snapshots of a group be selected by their updates, where each has one of its own."""
    update = node.coords.get("update")
    if update is not None and update.dims == ("snapshot",) and (update >= 0).all() and update.to_index().is_unique:
        node.dataset = node.to_dataset(inherit=False).set_xindex("update")


def changes(path: str | PathLike[str]) -> list[str]:
    """List what was changed in a run since it was complete.

    Parameters
    ----------
    path
        A run folder, or the ``run.zarr`` in it, which `open_run` has opened.

    Returns
    -------
    list of str
        Such as ``"attributes of weights/alpha"`` or ``"values of weights/alpha"``. Damage is another matter: `open_run`
        refuses it, or reading the array does.
    """
    return manifest.changes(run_folder(path) / STORE)


def fingerprint(path: str | PathLike[str]) -> str:
    """Return a hash of the run in a folder, which `open_run` found whole: of all its values and attributes."""
    return manifest.fingerprint(run_folder(path) / STORE)


def finished_run(path: Path, attrs: Mapping[str, Any]) -> xr.DataTree | None:
    """Return a complete run that has no networks left to train, or None; ValueError if it has another experiment."""
    if Journal(path).exists() or Journal(replacement(path)).exists():
        return None
    try:
        if not zarr.open_group(path / STORE, mode="r").attrs.get("complete"):
            return None
    except Exception:  # none, or one that cannot be read
        return None
    run = open_run(path)
    check_same_experiment(path, run.attrs["experiment"], attrs["experiment"])
    return run
