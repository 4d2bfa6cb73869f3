"""A run on disk: a Zarr v3 tree that is filled network by network and opened with plain xarray."""

from __future__ import annotations

import json
import platform
import shutil
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from os import PathLike
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import xarray as xr
import zarr

from biornn.errors import in_one_line
from biornn.schema import SCHEMA_VERSION, SchemaError
from biornn.store import manifest
from biornn.store.journal import FOLDER as CHECKPOINTS
from biornn.store.journal import Journal, check_same_experiment
from biornn.store.lock import RunLock

#: Groups whose variables have the dim `network`.
NETWORK_GROUPS = ("activity", "probe_activity", "weights", "history", "audit")

_NAME = "run.zarr"
#: What a run folder may hold; anything else is somebody's own, and never removed.
_MEMBERS = {_NAME, CHECKPOINTS, "figures", "report.html"}
_PACKAGES = ("biornn", "keras", "tensorflow", "numpy", "scipy", "scikit-learn", "xarray", "zarr", "dask")


def open_run(path: str | PathLike[str], *, chunks: Mapping[str, int] | None = None) -> xr.DataTree:
    """Open a run.

    Parameters
    ----------
    path
        A run folder, or the ``run.zarr`` in it.
    chunks
        None: an array is loaded whole when it is used. For a run larger than memory, ``{}``: Dask arrays in the chunks
        of the store, of which analyses work on a few at a time; a chunk is the activity of one network, or its weights
        at one epoch. Other chunks are those of `xarray.open_datatree`.

    Returns
    -------
    xarray.DataTree
        Its groups, loaded when they are used.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    SchemaError
        If it cannot be read, is not complete, is no longer as it was written, or comes from a newer schema.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/flip_flop")  # doctest: +SKIP
    >>> run["activity"].rates.sel(network="dale-s00")  # doctest: +SKIP
    >>> rates = bn.open_run("runs/flip_flop", chunks={})["activity"].rates  # doctest: +SKIP
    >>> bn.analysis.participation_ratio(rates).compute()  # doctest: +SKIP
    """
    store = run_folder(path) / _NAME
    if not (store / "zarr.json").is_file() or (store / "zarr.json").is_symlink():
        raise FileNotFoundError(f"{path}: expected a run folder with {_NAME} in it, found none")
    try:
        attrs = zarr.open_group(store, mode="r").attrs.asdict()
        if not attrs.get("complete"):
            raise SchemaError(
                f"{path}: expected a complete run, got one that is still being written, or was broken off; wait for "
                "it, or go on with --resume"
            )
        version = attrs.get("schema_version")
        if not isinstance(version, int) or version > SCHEMA_VERSION:
            raise SchemaError(
                f"{path}: expected schema_version at most {SCHEMA_VERSION}, got {version!r}; update biornn"
            )
        manifest.check(store)
        tree = xr.open_datatree(store, engine="zarr", chunks=chunks)
    except SchemaError:
        raise
    except Exception as error:  # whatever zarr and xarray find in a damaged file
        raise SchemaError(
            f"{path}: expected a readable run, got {type(error).__name__}: {in_one_line(error)}"
        ) from error
    return tree


def finished_run(path: Path, attrs: Mapping[str, Any]) -> xr.DataTree | None:
    """Return a run that is complete, with nothing left to go on with; None if there is none.

    Parameters
    ----------
    path
        A run folder.
    attrs
        Attributes of the run that is wanted.

    Raises
    ------
    ValueError
        If the run is of another experiment.
    """
    if Journal(path).begun() or Journal(path.with_name(f".{path.name}.new")).begun():
        return None
    try:
        run = open_run(path)
    except (FileNotFoundError, SchemaError):
        return None
    check_same_experiment(path, run.attrs["experiment"], attrs["experiment"])
    return run


def changes(path: str | PathLike[str]) -> list[str]:
    """List what of a run is not as it was when it was complete.

    Parameters
    ----------
    path
        A run folder, or the ``run.zarr`` in it, which `open_run` found whole.

    Returns
    -------
    list of str
        Such as ``"attributes of weights/alpha"`` or ``"values of weights/alpha"``: somebody changed them, who may well
        have had reasons. What is damaged is refused by `open_run`, or when it is read.
    """
    return manifest.changes(run_folder(path) / _NAME)


def run_folder(path: str | PathLike[str]) -> Path:
    """Return the folder of a run, whichever of the two was named.

    Parameters
    ----------
    path
        A run folder, or the ``run.zarr`` in it.
    """
    folder = Path(path)
    return folder.parent if folder.name == _NAME else folder


def check_output(folder: Path, overwrite: bool) -> None:
    """Raise FileExistsError where a run folder must not be made.

    Parameters
    ----------
    folder
        The run folder.
    overwrite
        Whether a run that is there may be replaced.
    """
    if not folder.exists():
        return
    if not overwrite:
        resume = ", or go on with --resume" if Journal(folder).begun() else ""
        raise FileExistsError(
            f"{folder}: expected a new folder, but it exists; choose another --out, or --overwrite{resume}"
        )
    if folder.is_symlink() or not ((folder / _NAME).is_dir() or Journal(folder).begun()):
        raise FileExistsError(f"{folder}: expected a run to overwrite, found no {_NAME} in it; choose another --out")
    if foreign := sorted({path.name for path in folder.iterdir()} - _MEMBERS):
        raise FileExistsError(
            f"{folder}: expected only a run to overwrite, found {foreign[0]!r} beside it; move it away"
        )


def run_attrs(title: str, experiment: str, **versions: str) -> dict[str, Any]:
    """Return the attributes of the root of a new run.

    Parameters
    ----------
    title
        Its title.
    experiment
        JSON text: how its networks came about.
    **versions
        Versions to note beside those of Python and of the packages that biornn builds on.
    """
    noted = {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}, **versions}
    return {
        "title": title,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": json.dumps(noted),
        "experiment": experiment,
    }


class RunWriter:
    """Writes a run: first the frame and the trials, then each network into its own chunks, at last `complete`.

    At every moment the folder holds a run that can be read, or one that is marked as not complete and can be gone on
    with, also if the process is killed.

    Parameters
    ----------
    folder
        Run folder. A run that is already there stays as it is until the new one is complete.
    networks
        Index of the networks, with the coordinates ``network``, ``condition`` and ``seed``.
    attrs
        Attributes of the root (see `biornn.schema.ROOT_ATTRS`); ``schema_version`` and ``complete`` are added.
    trials
        The groups ``trials`` and ``probe_trials``.
    overwrite
        Whether a run that is already there is replaced.
    resume
        Whether one that was broken off goes on; where nothing was begun, it begins.

    Raises
    ------
    FileExistsError
        If the folder exists and is not to be overwritten, or is no run, or another process writes it.
    ValueError
        If what is to go on began with another experiment or backend.
    OSError
        If it cannot be made or written.
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
        self.missing: dict[str, tuple[str, str]] = {}
        self._lock = RunLock(folder)
        replacement = folder.with_name(f".{folder.name}.new")
        if resume:
            self._target = replacement if Journal(replacement).begun() else folder
        else:
            self._target = replacement if folder.exists() else folder
        self._path = self._target / _NAME
        self.journal = Journal(self._target)
        try:
            self.done = self._go_on(attrs) if resume else ()
            self._has_template = bool(self.done)
            if not self.done:
                self._begin(attrs, trials, keep_checkpoints=resume)
        except BaseException:
            self._lock.release()
            raise

    def _go_on(self, attrs: Mapping[str, Any]) -> tuple[str, ...]:
        """Find the networks that are done, and mark the run as not complete."""
        begun = self.journal.begun()
        if begun is None:
            if self._target.exists() and {path.name for path in self._target.iterdir()} - {CHECKPOINTS}:
                raise FileExistsError(
                    f"{self._folder}: expected a run that was broken off, found no {CHECKPOINTS} in it; choose another "
                    "--out, or --overwrite"
                )
            return ()
        check_same_experiment(self._folder, begun["experiment"], attrs["experiment"])
        _check_same_backend(self._folder, begun["versions"], attrs["versions"])
        done = self._whole_rows([name for name in self._names if self.journal.is_done(name)])
        if done:
            zarr.open_group(self._path, mode="r+").attrs["complete"] = 0
            (self._path / manifest.NAME).unlink(missing_ok=True)
        return done

    def _whole_rows(self, names: Sequence[str]) -> tuple[str, ...]:
        """Choose the networks all of whose results are there and can be read."""
        try:
            groups = [xr.open_zarr(self._path, group=group, consolidated=False) for group in NETWORK_GROUPS]
        except Exception:  # whatever zarr and xarray find in a damaged store
            return ()

        def is_whole(name: str) -> bool:
            try:
                rows = [group.isel(network=self._names.index(name)).load() for group in groups]
            except Exception:
                return False
            return all(str(row["status"].values) != "interrupted" for row in rows if "status" in row)

        return tuple(filter(is_whole, names))

    def _begin(self, attrs: Mapping[str, Any], trials: Mapping[str, xr.Dataset], keep_checkpoints: bool) -> None:
        """Make a store without networks."""
        if keep_checkpoints:
            shutil.rmtree(self._path, ignore_errors=True)
        elif self._target != self._folder:
            shutil.rmtree(self._target, ignore_errors=True)  # what an interrupted replacement left
        try:
            self._target.mkdir(parents=True, exist_ok=keep_checkpoints)
            self.journal.begin(attrs)
        except OSError as error:
            raise OSError(f"{self._folder}: expected a folder that can be written, got: {error.strerror}") from None
        root = self._networks.assign_attrs({**attrs, "schema_version": SCHEMA_VERSION, "complete": 0})
        try:
            self._create(root)
            for group, dataset in trials.items():
                self._create(dataset, group=group)
        except Exception:
            if not keep_checkpoints:
                shutil.rmtree(self._target, ignore_errors=True)
            raise

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
                self._create(_template(groups[group], self._networks), group=group, compute=False)
            self._has_template = True
        index = self._names.index(name)
        for group in NETWORK_GROUPS:
            row = groups[group].drop_vars(list(groups[group].coords)).expand_dims("network")
            self._write(row, group=group, mode="r+", region={"network": slice(index, index + 1)})
        self.done = (*self.done, name)
        self.journal.note_done(name)

    def note_missing(self, name: str, status: str, reason: str) -> None:
        """Note why a network has no results; its row says so once the run is finished.

        Parameters
        ----------
        name
            Its label along `network`.
        status
            ``"failed"`` or ``"interrupted"``.
        reason
            What went wrong.
        """
        self.missing[name] = (status, reason)

    def finish(self, keep_old: bool = False) -> Path:
        """Mark the run as complete, and put it in its place.

        Its metadata are consolidated, so that it opens fast and without a warning.

        Parameters
        ----------
        keep_old
            Whether a run that was to be replaced stays; the new one then stands beside it, as ``NAME.interrupted`` or,
            where there is one, ``NAME.interrupted-2`` and so on.

        Returns
        -------
        pathlib.Path
            The folder of the run.
        """
        for name, (status, reason) in self.missing.items():
            index = self._names.index(name)
            told = reason.encode("utf-8", "backslashreplace").decode()  # a message may hold what no file can
            row = xr.Dataset({"status": ("network", [status]), "failure": ("network", [told])})
            self._write(row, group="history", mode="r+", region={"network": slice(index, index + 1)})
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
            zarr.consolidate_metadata(self._path)
        manifest.seal(self._path)
        place = self._take_place(keep_old)
        if not self.missing:
            Journal(place).remove()
        self._lock.release()
        return place

    def _take_place(self, keep_old: bool) -> Path:
        """Put a run that replaces another where that is."""
        if self._target == self._folder:
            return self._folder
        if keep_old:
            return self._target.rename(self._free_place())
        old = self._folder.with_name(f".{self._folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self._folder.exists():  # not if this was broken off between the two names
            self._folder.rename(old)
        self._target.rename(self._folder)
        shutil.rmtree(old, ignore_errors=True)
        return self._folder

    def _free_place(self) -> Path:
        """Find a name beside the run that is kept which nothing has: what is there may be a run that somebody needs."""
        names = (f"{self._folder.name}.interrupted{'' if n == 1 else f'-{n}'}" for n in count(1))
        return next(path for path in map(self._folder.with_name, names) if not path.exists())

    def discard(self) -> None:
        """Remove what was written; a run that was to be replaced stays."""
        shutil.rmtree(self._target, ignore_errors=True)
        self._lock.release()

    def abandon(self) -> None:
        """Remove what was written since somebody deleted the run, and nothing that may be theirs."""
        shutil.rmtree(self._path, ignore_errors=True)
        with suppress(OSError):
            self._target.rmdir()
        self._lock.release()

    def leave(self) -> None:
        """Leave the run as it is, not complete, to be gone on with."""
        self._lock.release()

    def _create(self, dataset: xr.Dataset, **options: Any) -> None:
        encoding = {name: {"compressors": (manifest.COMPRESSOR,)} for name in dataset.variables}
        self._write(dataset, mode="w-", encoding=encoding, **options)

    def _write(self, dataset: xr.Dataset, **options: Any) -> None:
        _text_as_objects(dataset).to_zarr(self._path, zarr_format=3, consolidated=False, **options)


def _check_same_backend(folder: Path, begun: str, now: str) -> None:
    """Refuse to go on with another backend: its numbers are others."""
    before, after = (json.loads(versions).get("keras backend") for versions in (begun, now))
    if before != after:
        raise ValueError(
            f"{folder}: expected KERAS_BACKEND={before}, with which the run began, got {after}; set it, or choose "
            "another --out"
        )


def _template(row: xr.Dataset, networks: xr.Dataset) -> xr.Dataset:
    """Lay out a group for all networks: NaN, zero or no text, and `interrupted`, until a network is written."""
    n_networks = networks.sizes["network"]

    def blank(array: xr.DataArray) -> xr.DataArray:
        shape, dims = (n_networks, *array.shape), ("network", *array.dims)
        if array.dtype.kind in "OUT":
            text = "interrupted" if array.name == "status" else ""
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
