"""A run as one .mat file, for MATLAB and whatever else reads its version 5: Octave, scipy, R, Julia."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from biornn.store.exporting import attributes, check_target, new_file, opened, own_coordinates, texts, usual_precision

#: What stands in the struct of a group beside its variables and the groups in it.
_BESIDE = ("dims", "attributes", "variable_attributes", "names")
_KEYWORDS = (
    "break|case|catch|classdef|continue|else|elseif|end|for|function|global|if|otherwise|parfor|persistent|return|"
    "spmd|switch|try|while"
)
_LONGEST_NAME = 63  # of MATLAB
_MOST_BYTES = 2**31 - 1  # that MATLAB reads of a variable of version 5
_FORMAT: Mapping[str, Any] = {"long_field_names": True, "oned_as": "column"}


def export_mat(run: xr.DataTree | str | PathLike[str], file: str | PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a run as one .mat file.

    Parameters
    ----------
    run
        A run folder, or the ``run.zarr`` in it; or a tree, such as a run to which results were added. A group at a time
        is in memory.
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
        If a group is larger than the 2 GiB that a variable of such a file can have, or holds other things than numbers
        and text.

    Notes
    -----
    A group is a struct: of its variables, of the labels of their dims, and of

    - ``dims``: variable -> names of its dims, in their order;
    - ``attributes`` of the group, and ``variable_attributes``: variable -> its own, such as ``units``;
    - ``names``, where there are any: variables and groups that have another name here -> their name in the run. Names
      are made of ASCII letters, digits and ``_``, begin with a letter, and have at most 63 characters.

    The root's own stand beside the groups. Arrays keep their type and the order of their dims; half and extended
    precision become single and double. Text is a cell array, missing text empty. MATLAB has no array of one dim, so
    that it becomes a column, and leaves out the last dims of size 1; `dims` tells all of them.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.store.export_mat("runs/example", "example.mat")  # doctest: +SKIP
    >>> from scipy.io import loadmat
    >>> loadmat("example.mat", simplify_cells=True)["weights"]["recurrent_weights"]  # doctest: +SKIP
    """
    from scipy.io import savemat

    target = Path(file)
    check_target(target, overwrite)
    tree = opened(run)
    for key, node in tree.subtree_with_keys:
        _check_size(key, node)
    with new_file(target) as partial, partial.open("wb") as stream:
        names = _valid_names(tree.children)
        for key, value in _struct("", tree, names).items():
            savemat(stream, {key: value}, **_FORMAT)
        for key, node in tree.children.items():
            savemat(stream, {names[key]: _whole_struct(f"{key}/", node)}, **_FORMAT)
    return target


def _check_size(key: str, node: xr.DataTree) -> None:
    n_bytes = sum(one.to_dataset(inherit=False).nbytes for one in node.subtree) if key != "." else 0
    if n_bytes > _MOST_BYTES:
        raise ValueError(
            f"{key}: expected at most {_MOST_BYTES / 1e9:.1f} GB, which a variable of a .mat file can have, got "
            f"{n_bytes / 1e9:.1f} GB; export as NetCDF, which MATLAB reads too, or a part of the run"
        )


def _whole_struct(where: str, node: xr.DataTree) -> dict[str, Any]:
    names = _valid_names(node.children)
    inner = {names[key]: _whole_struct(f"{where}{key}/", child) for key, child in node.children.items()}
    return _struct(where, node, names) | inner


def _struct(where: str, node: xr.DataTree, groups: Mapping[Hashable, str]) -> dict[str, Any]:
    """Convert the variables of a group, whose inner groups have taken some names."""
    dataset = own_coordinates(node)
    names = _valid_names([*dataset.data_vars, *dataset.coords], taken=groups.values())
    found = {names[name]: _value(f"{where}{name}", variable) for name, variable in dataset.variables.items()}
    others = {valid: str(name) for name, valid in {**names, **groups}.items() if valid != name}
    attrs = {names[name]: _attributes(one.attrs) for name, one in dataset.variables.items() if one.attrs}
    beside = {
        "dims": {names[name]: _cells(one.dims) for name, one in dataset.variables.items()},
        "attributes": _attributes(dataset.attrs),
        "variable_attributes": attrs,
        "names": others,
    }
    return found | {name: value for name, value in beside.items() if value}


def _valid_names(names: Iterable[Hashable], taken: Iterable[str] = ()) -> dict[Hashable, str]:
    """Give each name one that MATLAB takes, and no two the same."""
    used, found = {*_BESIDE, *taken}, {}
    for name in names:
        valid = re.sub(r"[^A-Za-z0-9_]", "_", str(name))
        valid = (valid if re.match("[A-Za-z]", valid) else f"x_{valid}")[:_LONGEST_NAME]
        stem, number = valid, 1
        while valid in used or re.fullmatch(_KEYWORDS, valid):
            number += 1
            ending = f"_{number}"
            valid = stem[: _LONGEST_NAME - len(ending)] + ending
        used.add(valid)
        found[name] = valid
    return found


def _value(where: str, variable: xr.Variable) -> Any:
    if variable.dtype.kind in "OTU":
        found = texts(where, variable)
        return found if found.ndim else found.item()
    if variable.dtype.kind not in "biufc":
        raise ValueError(f"{where}: expected numbers or text, got {variable.dtype}; turn it into one of them")
    return usual_precision(np.asarray(variable.values))


def _attributes(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    names = _valid_names(map(str, attrs))
    return {names[name]: _cells(one) if isinstance(one, list) else one for name, one in attributes(attrs).items()}


def _cells(words: Iterable[Hashable]) -> np.ndarray:
    return np.array([str(word) for word in words], object)
