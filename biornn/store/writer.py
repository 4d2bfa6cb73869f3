"""Writing a run: a Zarr v3 tree that is filled network by network."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import xarray as xr
import zarr

from biornn.errors import in_one_line
from biornn.schema import COORDS, SCHEMA_VERSION, SchemaError
from biornn.store import manifest
from biornn.store.folder import STORE, check_output, members, remove, replacement
from biornn.store.journal import FOLDER as CHECKPOINTS
from biornn.store.journal import Journal, check_same_experiment
from biornn.store.lock import RunLock

#: Groups whose variables have the dim `network`; that of the probe only where the task has one.
NETWORK_GROUPS = ("activity", "probe_activity", "weights", "history", "audit")

#: Coordinates that each network has of its own; the others are labels, which the networks of a run share.
_OWN_COORDS = tuple(name for name, (dims, _) in COORDS.items() if len(dims) > 1 and dims[0] == "network")

_PACKAGES = ("biornn", "keras", "tensorflow", "numpy", "scipy", "scikit-learn", "xarray", "zarr", "dask")


def run_attrs(title: str, experiment: str, **versions: str) -> dict[str, Any]:
    """Return the attributes of the root of a new run, with `versions` beside those of Python and the packages."""
    noted = {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}, **versions}
    return {
        "title": title,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": json.dumps(noted),
        "experiment": experiment,
    }


class RunWriter:
    """Writes a run: first the template and the trials, then each network into its own chunks, last the mark `complete`.

    At every moment, also after a kill, the folder holds a complete run or one that is marked as incomplete and can be
    resumed. A run that is already there stays until the new one is complete; `overwrite` and `resume` are as for
    `biornn.experiment.run_experiment`, with the same errors. `networks` are the coordinates ``network``, ``condition``
    and ``seed``, `trials` the groups ``trials`` and, if there is one, ``probe_trials``; ``schema_version`` and
    ``complete`` are added to `attrs`, those of the root (see `biornn.schema.ROOT_ATTRS`).
    """

    def __init__(
        self,
        folder: Path,
        networks: xr.Dataset,
        attrs: Mapping[str, Any],
        trials: Mapping[str, xr.Dataset],
        *,
        overwrite: bool = False,
        resume: bool = False,
    ) -> None:
        if not resume:
            check_output(folder, overwrite)
        self._folder = folder
        self._networks = networks
        self._names = networks["network"].values.tolist()
        self._groups = [name for name in NETWORK_GROUPS if name != "probe_activity" or "probe_trials" in trials]
        self.missing: dict[str, tuple[str, str]] = {}
        self._lock = RunLock(folder)
        new = replacement(folder)
        if resume:
            self._target = new if Journal(new).exists() else folder
        else:
            remove(new)  # what an interrupted replacement left
            self._target = new if folder.exists() else folder
        self._path = self._target / STORE
        self.journal = Journal(self._target)
        self.done: tuple[str, ...] = ()
        self.notes: list[str] = []
        try:
            if resume and self.journal.exists():
                self._go_on(attrs)
            elif resume and self._target.exists() and (members(self._target) or self.journal.is_foreign()):
                raise FileExistsError(
                    f"{folder}: expected a run that was broken off, found no {CHECKPOINTS} of one in it; choose "
                    "another --out, or --overwrite"
                )
            self._begin(attrs, trials)
        except BaseException:
            self._lock.release()
            raise

    def _go_on(self, attrs: Mapping[str, Any]) -> None:
        """Find the finished networks, and mark the run as incomplete."""
        begun = self.journal.begun()
        check_same_experiment(self._target, begun["experiment"], attrs["experiment"])
        self.notes = _other_versions(self._target, begun["versions"], attrs["versions"])
        noted = [name for name in self._names if self.journal.done(name) is not None]
        if not noted:
            return
        try:
            is_complete = zarr.open_group(self._path, mode="r").attrs.get("complete")
        except Exception as error:  # of zarr, in a damaged file
            raise _beyond_repair(self._target, error) from None
        if is_complete:
            manifest.check(self._path)
        for path in self._path.rglob("*"):
            if manifest.is_leftover(path.name):
                path.unlink()
        self.done = tuple(name for name in noted if self._has_row(name))
        if lost := len(noted) - len(self.done):
            self.notes.append(f"{lost} finished networks are damaged, and are trained again")
        zarr.open_group(self._path, mode="r+").attrs["complete"] = 0
        (self._path / manifest.NAME).unlink(missing_ok=True)

    def _has_row(self, name: str) -> bool:
        """Return whether all files of a finished network are there and can be read."""
        index = self._names.index(name)
        noted = self.journal.done(name)
        # Files may have come since: labels of a dim that no network had before.
        if not noted or not noted.items() <= manifest.row(self._path, self._groups, index).items():
            return False
        try:
            for group in self._groups:
                with xr.open_zarr(self._path, group=group, consolidated=False) as dataset:
                    dataset.isel(network=index).load()
        except (RuntimeError, ValueError, LookupError, TypeError):  # of zarr and xarray, in a damaged store
            return False
        return True

    def _begin(self, attrs: Mapping[str, Any], trials: Mapping[str, xr.Dataset]) -> None:
        """Create the store, unless it has finished networks, and write the trials, which the experiment determines."""
        try:
            if not self.journal.exists():
                self._target.mkdir(parents=True, exist_ok=True)
                self.journal.begin(attrs)
            elif not self.done:  # the checkpoints stay
                shutil.rmtree(self._path, ignore_errors=True)
        except OSError as error:
            raise OSError(f"{self._folder}: expected a folder that can be written, got: {error.strerror}") from None
        try:
            if not self.done:
                self._create(self._networks.assign_attrs({**attrs, "schema_version": SCHEMA_VERSION, "complete": 0}))
            for group, dataset in trials.items():
                self._create(dataset, group=group, mode="w")
        except Exception:
            if not self.journal.has_begun_training():
                remove(self._target)
            raise

    def write_network(self, name: str, groups: Mapping[str, xr.Dataset]) -> None:
        """Write the results of one network: all groups of networks, without the dim `network`."""
        index = self._names.index(name)
        for group in self._groups:
            self._create_missing(group, groups[group])
            row = _of_network(groups[group])
            row = row.drop_vars(list(row.coords)).expand_dims("network")
            self._write(row, group=group, mode="r+", region={"network": slice(index, index + 1)})
        self.journal.note_done(name, manifest.row(self._path, self._groups, index))
        self.done = (*self.done, name)

    def note_missing(self, name: str, status: str, reason: str) -> None:
        """Note the status (``failed`` or ``interrupted``) of a network without results, and why, for `finish`."""
        self.missing[name] = (status, reason)

    def finish(self, keep_old: bool = False) -> Path:
        """Mark the run as complete, put it in its place, and return its folder.

        With `keep_old` a run that was to be replaced stays, and the new one is named ``NAME.interrupted``.
        """
        for name, (status, reason) in self.missing.items():
            index = self._names.index(name)
            storable = reason.encode("utf-8", "backslashreplace").decode()
            row = xr.Dataset({"status": ("network", [status]), "failure": ("network", [storable])})
            self._write(row, group="history", mode="r+", region={"network": slice(index, index + 1)})
        manifest.consolidate(self._path)
        manifest.seal(self._path)
        place = self._take_place(keep_old)
        if not self.missing:
            Journal(place).remove()
        self._lock.release()
        return place

    def _take_place(self, keep_old: bool) -> Path:
        """Move a run to the place of the one that it replaces."""
        old = self._folder.with_name(f".{self._folder.name}.old")
        if self._target == self._folder:
            remove(old)  # left by a process that ended after the second renaming
            return self._folder
        if not keep_old and self._folder.exists():  # a process may have ended between the two renamings
            try:
                check_output(self._folder, overwrite=True)
            except FileExistsError:  # files of others have been put there in the meantime
                keep_old = True
        if keep_old:
            return self._target.rename(self._free_place())
        remove(old)
        if self._folder.exists():
            self._folder.rename(old)
        self._target.rename(self._folder)
        remove(old)
        return self._folder

    def _free_place(self) -> Path:
        """Return the first name beside the old run that is not taken."""
        names = (f"{self._folder.name}.interrupted{'' if n == 1 else f'-{n}'}" for n in count(1))
        return next(path for path in map(self._folder.with_name, names) if not path.exists())

    def is_gone(self) -> bool:
        """Return whether somebody deleted the run while it was written."""
        try:
            return "complete" not in zarr.open_group(self._path, mode="r").attrs
        except FileNotFoundError:
            return True
        except Exception:  # it is there, and cannot be read
            return False

    def discard(self) -> None:
        """Remove what was written, and nothing else; a run that was to be replaced stays."""
        remove(self._target)
        self._lock.release()

    def leave(self) -> None:
        """Leave the run incomplete, to be resumed."""
        self._lock.release()

    def _create_missing(self, group: str, row: xr.Dataset) -> None:
        """Create the variables of a row that no network has had before."""
        place = self._path / group
        there = set(zarr.open_group(place, mode="r").array_keys()) if place.exists() else set()
        if set(row.variables) - there:
            template = _template(_of_network(row), self._networks).drop_vars(there, errors="ignore")
            template = template.set_coords([name for name in _OWN_COORDS if name in template])
            self._create(template, group=group, mode="a", compute=False)

    def _create(self, dataset: xr.Dataset, mode: str = "w-", **options: Any) -> None:
        encoding: dict[Any, dict[str, Any]] = {}
        for name, array in dataset.variables.items():
            encoding[name] = {"compressors": (manifest.COMPRESSOR,)}
            if name in dataset.data_vars and array.dims[:1] == ("network",) and array.chunks is None:
                encoding[name]["chunks"] = (1, *array.shape[1:])  # one writer per chunk, also of text
        self._write(dataset, mode=mode, encoding=encoding, **options)

    def _write(self, dataset: xr.Dataset, **options: Any) -> None:
        text_as_objects(dataset).to_zarr(self._path, zarr_format=3, consolidated=False, **options)


def _beyond_repair(folder: Path, what: object) -> SchemaError:
    return SchemaError(
        f"{folder}: expected a run to go on with, got {in_one_line(str(what))}; take it from a copy, or begin anew by "
        "--overwrite"
    )


def _other_versions(folder: Path, begun: str, now: str) -> list[str]:
    """Refuse to resume with another backend, whose numbers differ; describe differences between other versions."""
    before, after = json.loads(begun), json.loads(now)
    if before.get("keras backend") != after.get("keras backend"):
        raise ValueError(
            f"{folder}: expected KERAS_BACKEND={before.get('keras backend')}, with which the run began, got "
            f"{after.get('keras backend')}; set it, or choose another --out"
        )
    return [
        f"begun with {name} {version}, goes on with {after.get(name)}: the numbers may differ in their last digits"
        for name, version in before.items()
        if after.get(name) != version
    ]


def _of_network(row: xr.Dataset) -> xr.Dataset:
    """Return the group of a network with those coordinates as variables that each network has of its own."""
    return row.reset_coords([name for name in _OWN_COORDS if name in row.coords])


def _template(row: xr.Dataset, networks: xr.Dataset) -> xr.Dataset:
    """Make a group for all networks, filled with NaN, zero, empty text, and the status `interrupted`."""
    n_networks = networks.sizes["network"]

    def blank(array: xr.DataArray) -> xr.DataArray:
        shape, dims = (n_networks, *array.shape), ("network", *array.dims)
        if array.dtype.kind in "OUT":
            text = "interrupted" if array.name == "status" else ""
            return xr.DataArray(np.full(shape, text, object), dims=dims, attrs=array.attrs)
        # One writer per chunk; and single snapshots of a large matrix can be read alone.
        per_snapshot = 1 if "unit_pre" in array.dims else -1
        chunks = [1, *(per_snapshot if dim == "snapshot" else -1 for dim in array.dims)]
        fill = np.nan if array.dtype.kind == "f" else array.dtype.type()
        data = dask.array.full(shape, fill, dtype=array.dtype, chunks=chunks)
        return xr.DataArray(data, dims=dims, attrs=array.attrs)

    variables = {name: blank(array) for name, array in row.data_vars.items()}
    return xr.Dataset(variables, row.coords).assign_coords(networks.coords)


def text_as_objects(dataset: xr.Dataset) -> xr.Dataset:
    """Cast numpy's fixed-width text, for which Zarr has no stable type and which would cut longer text."""
    text = {name: array.astype(object) for name, array in dataset.variables.items() if array.dtype.kind == "U"}
    return dataset.assign({name: array for name, array in text.items() if name in dataset.data_vars}).assign_coords(
        {name: array for name, array in text.items() if name in dataset.coords}
    )
