"""A run as a folder of tables, for pandas, R and spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from biornn.analysis import edge_table
from biornn.atomic import folder_written_whole
from biornn.errors import in_one_line
from biornn.store.exporting import check_parent, opened, own_coordinates, texts, usual_precision

#: Groups whose variables of the same dims stand in one table.
_TOGETHER = ("history", "audit", "weights")
#: What a row of their tables is -> name of the table; the recurrent weights are in `EDGES`.
_TABLES: Mapping[tuple[Hashable, ...], str] = {
    ("network",): "networks",
    ("network", "snapshot"): "snapshots",
    ("network", "unit"): "units",
    ("network", "input_channel"): "input_channels",
    ("network", "output_channel"): "output_channels",
    ("network", "input_channel", "unit"): "input_weights",
    ("network", "unit", "output_channel"): "output_weights",
}
EDGES = "edges"
_NAME = r"[A-Za-z0-9_.+-]+"


def export_csv(run: xr.DataTree | str | PathLike[str], folder: str | PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a run as a folder of tidy tables, CSV files with a row of names.

    Parameters
    ----------
    run
        A run folder, or the ``run.zarr`` in it; or a tree, such as a run to which results were added.
    folder
        The folder. It appears under its name when it is complete.
    overwrite
        Whether a folder of tables that is already there is replaced.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    FileExistsError
        If the folder exists and is not to be overwritten, or holds other files than tables.
    OSError
        If there is no run, or a file cannot be written.
    SchemaError
        If the run cannot be read, is not complete, or was written by a newer schema.
    TypeError
        If `run` is neither a tree nor a path.
    ValueError
        If a network or a group has a name that cannot be that of a file, or a variable holds other things than numbers
        and text.

    Notes
    -----
    A variable is a column under its own name, beside the labels of its row:

    - ``networks.csv``: condition, seed, factors, how training ended, how many updates it took; and all that
      ``snapshots.csv`` has, at the last snapshot;
    - ``snapshots.csv``: score, loss and the other numbers of ``/history`` and ``/audit``, at every snapshot;
    - ``units.csv``, ``input_channels.csv``, ``output_channels.csv``, ``input_weights.csv``, ``output_weights.csv``:
      ``/weights`` by what their rows are, at the last snapshot;
    - ``edges/NETWORK.csv``: the recurrent synapses of a network at the last snapshot, as `biornn.analysis.edge_table`
      gives them; experiments read it as ``mask: {file: NETWORK.csv}``;
    - ``trials.csv``, ``probe_trials.csv``: the coordinates of the trials;
    - of other groups, a table for each set of dims, named by the group and the dims.

    Left out is what is measured over time (activity, inputs, targets): as tables it would take many times the room, and
    `export_netcdf` and `export_mat` hold it; and the weights at other snapshots than the last, of which
    `biornn.analysis.edge_table` makes tables.

    Numbers are written with all their digits: pandas reads the very numbers of the store. It reads empty text as
    missing, unless with ``keep_default_na=False``. Of complex numbers there are two columns, ``…_re`` and ``…_im``.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.store.export_csv("runs/example", "example_tables")  # doctest: +SKIP
    >>> import pandas as pd
    >>> pd.read_csv("example_tables/networks.csv").groupby("condition").score.median()  # doctest: +SKIP
    """
    target = Path(folder)
    _check_target(target, overwrite)
    tree = opened(run)
    try:
        with folder_written_whole(target) as partial:
            for name, table in _tables(tree):
                file = partial / f"{name}.csv"
                file.parent.mkdir(exist_ok=True)
                _with_all_digits(table).to_csv(file, index=False, encoding="utf-8", lineterminator="\n")
            _check_foreign(target, {path.relative_to(partial) for path in partial.rglob("*")})
    except FileExistsError:
        raise
    except OSError as error:
        reason = error.strerror or in_one_line(error)
        raise OSError(f"{target}: expected a folder that can be written, got: {reason}") from error
    return target


def _check_target(target: Path, overwrite: bool) -> None:
    if target.exists() or target.is_symlink():
        if not overwrite:
            raise FileExistsError(f"{target}: expected a new folder, but it exists; choose another, or --overwrite")
        if not target.is_dir() or target.is_symlink():
            raise FileExistsError(f"{target}: expected a folder of tables to replace, but it is none; choose another")
    check_parent(target)


def _check_foreign(target: Path, written: set[Path]) -> None:
    """Raise FileExistsError if a folder holds anything that the tables which replace it do not: it would be lost."""
    foreign = sorted({path.relative_to(target) for path in target.rglob("*")} - written)
    if foreign:
        raise FileExistsError(f"{target}: expected only tables to replace, found {foreign[0]}; move it away")


def _tables(tree: xr.DataTree) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give the tables with the names of their files, without the ending."""
    parts: dict[str, list[xr.Dataset]] = {}
    for key, node in tree.subtree_with_keys:
        dataset = own_coordinates(node)
        if key == ".":
            continue
        if key == "weights":
            if "network" not in dataset.dims:
                raise ValueError(f"{key}: expected the dim 'network', got {[*dataset.dims]}; add it with .expand_dims")
            dataset = dataset.isel(snapshot=-1, drop=True) if "snapshot" in dataset.dims else dataset
            for at, network in enumerate(texts(key, dataset["network"].variable).tolist()):
                yield f"{EDGES}/{_file_name(network)}", edge_table(dataset.isel(network=[at]))
            dataset = dataset.drop_dims(["unit_pre", "unit_post"])
        for part in _parts(key, dataset):
            parts.setdefault(_table_name(key, _dims(part)), []).append(part)
    for name, together in parts.items():
        yield _file_name(name), _table(name, xr.merge(together, join="exact", compat="override"))


def _parts(key: str, dataset: xr.Dataset) -> Iterator[xr.Dataset]:
    """Split a group into variables of the same dims, and leave out those over time."""
    if key in ("trials", "probe_trials"):  # coordinates are what these tables are for
        dataset = dataset.reset_coords(
            [n for n, one in dataset.coords.items() if one.dims == ("trial",) and n != "trial"]
        )
    kept = {name: one.dims for name, one in dataset.data_vars.items() if one.dims and "time" not in one.dims}
    for dims in dict.fromkeys(kept.values()):
        part = dataset[[name for name in kept if kept[name] == dims]]
        yield part
        if key in _TOGETHER and dims == ("network", "snapshot"):
            yield part.isel(snapshot=-1, drop=True)


def _dims(part: xr.Dataset) -> tuple[Hashable, ...]:
    return next(iter(part.data_vars.values())).dims


def _table_name(key: str, dims: tuple[Hashable, ...]) -> str:
    if key in _TOGETHER and dims in _TABLES:
        return _TABLES[dims]
    group = key.replace("/", "_")
    rest = [str(dim) for dim in dims if dim != "network" and not group.endswith(f"{dim}s")]
    return "_".join([group, *(["networks"] if dims == ("network",) else rest)])


def _file_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError(f"{name}: expected a name of letters, digits, or any of _.+-, for a file; rename it")
    return name


def _table(where: str, dataset: xr.Dataset) -> pd.DataFrame:
    """Lay out variables of the same dims, a row for each combination of labels."""
    sizes = {dim: dataset.sizes[dim] for dim in _dims(dataset)}
    others = {name: one for name, one in {**dataset.coords, **dataset.data_vars}.items() if name not in sizes}
    columns: dict[str, np.ndarray] = {}
    for name, array in ({dim: dataset[dim] for dim in sizes} | others).items():
        variable = array.variable.to_base_variable()
        if variable.dtype.kind in "OTU":
            variable = variable.copy(data=texts(f"{where}/{name}", variable))
        elif variable.dtype.kind not in "biufc":
            raise ValueError(
                f"{where}/{name}: expected numbers or text, got {variable.dtype}; turn it into one of them"
            )
        values = usual_precision(variable.set_dims(sizes).values.ravel())
        if values.dtype.kind == "c":
            columns |= {f"{name}_re": values.real, f"{name}_im": values.imag}
        else:
            columns[str(name)] = values
    return pd.DataFrame(columns)


def _with_all_digits(table: pd.DataFrame) -> pd.DataFrame:
    """Widen numbers of single precision: the few digits that tell them apart are read as other numbers."""
    return table.astype({name: np.float64 for name, dtype in table.dtypes.items() if dtype == np.float32})
