"""Arrays that callers give: copied, and read by their labels where they have some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, SupportsIndex

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.errors import in_one_line, printable


def given_array(name: str, value: Any, labels: Mapping[str, NDArray[Any]], dtype: type | None) -> NDArray[Any]:
    """Copy an array, so that the caller's own stays writable.

    `labels` are those of its dims, in order. A DataArray is transposed to this order, and sorted along the dims where
    it has labels itself; where two dims share their labels and it has them along one, its order is that of both. Sizes
    are not checked.
    """
    of_pandas_or_sparse = hasattr(value, "iloc") or hasattr(value, "toarray")  # labels or zeros would be lost
    is_dataset = not isinstance(getattr(value, "dims", ()), tuple)
    if of_pandas_or_sparse or is_dataset or isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: expected an array or a DataArray, got {type(value).__name__}; make it one with the dims "
            f"{', '.join(labels)}"
        )
    if hasattr(value, "dims"):
        value = _sorted(name, value, labels)
    try:
        if hasattr(value, "dtype") and np.iscomplexobj(value):  # numpy would leave the imaginary part out
            raise TypeError
        return np.array(value, dtype)
    except (TypeError, ValueError):
        got = printable(in_one_line(repr(value)))
        raise ValueError(f"{name}: expected a rectangular array of numbers, got {got}") from None


def _sorted(name: str, array: Any, labels: Mapping[str, NDArray[Any]]) -> Any:
    dims = tuple(labels)
    if set(array.dims) != set(dims):
        raise ValueError(f"{name}: expected the dims {dims}, got {array.dims}; rename them with .rename(...)")
    own = dict(array.indexes)
    for dim in dims:
        index = next((own[one] for one in (dim, *dims) if one in own and labels[one] is labels[dim]), None)
        expected = labels[dim].tolist()
        if index is None or not len(index) == array.sizes[dim] == len(expected):
            continue
        found, known = Counter(index), set(expected)
        if strange := [label for label, count in found.items() if count > 1 or label not in known]:
            missing = next(label for label in expected if not found[label])
            raise ValueError(
                f"{name}: expected the label of each {noun(dim)} once along {dim}, got no {missing!r}, but "
                f"{strange[0]!r}"
            )
        array = array.isel({dim: index.get_indexer(expected)})
    return array.transpose(*dims)


def own_labels(name: str, value: Any, dims: tuple[str, ...]) -> list[Any] | None:
    """Return the labels of a DataArray along its dims; None if it has none, or numbers from 0 in any order."""
    indexes = [value.indexes[dim] for dim in dims if dim in getattr(value, "indexes", ())]
    named = [index for index in indexes if set(index) != set(range(len(index)))]
    if not all(named[0].equals(other) for other in named):
        raise ValueError(
            f"{name}: expected the same labels along {' and '.join(dims[-2:])}, in the same order; got others; "
            "unit_names say which order is meant"
        )
    return list(named[0]) if named else None


def name_units(names: Any, n_units: int, given: Mapping[str, Any]) -> NDArray[Any]:
    """Return the names of the units: `names`, or the labels of the first of the given arrays that has some."""
    if names is not None:
        return _unique("unit_names", names, n_units)
    for name, value in given.items():
        labels = own_labels(name, value, ("unit", "unit_pre", "unit_post"))
        if labels is not None and len(labels) == n_units:
            return _unique(name, labels, n_units)
    return np.arange(n_units)


def _unique(name: str, given: Any, n_units: int) -> NDArray[Any]:
    names = [value.item() if isinstance(value, np.generic) else value for value in np.asarray(given, object).ravel()]
    kinds = sorted({type(value).__name__ for value in names})
    if len(names) != n_units or kinds not in (["str"], ["int"]):
        raise ValueError(
            f"{name}: expected names of {n_units} units, all of str or all of int, got {len(names)} of "
            f"{' and '.join(kinds)}"
        )
    most, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ValueError(f"{name}: expected a name of its own for each unit, got {most!r} {count} times")
    try:
        return np.array(names, str if kinds == ["str"] else np.int64)
    except OverflowError:  # as floats, two of them could be one
        raise ValueError(
            f"{name}: expected integers of 64 bits, got {max(names, key=abs)}; name units by text"
        ) from None


def noun(dim: str) -> str:
    """Name what is along a dim: ``unit`` for ``unit_pre``."""
    return dim.removesuffix("_pre").removesuffix("_post").replace("_", " ")


def place(index: Sequence[SupportsIndex], labels: Mapping[str, NDArray[Any]]) -> str:
    """Name the place of an entry in an array whose dims have these labels: ``from unit 'PV1' to unit 'E7'``."""
    names = [f"{noun(dim)} {labels[dim].tolist()[number]!r}" for dim, number in zip(labels, index, strict=True)]
    return f"of {' along '.join(names)}" if "axis" in labels else f"from {' to '.join(names)}"


def truth_values(name: str, values: NDArray[Any], labels: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Return values that are true or false, 1 or 0, as such; a ValueError names the place of the first that is not."""
    if values.dtype != bool and not (is_right := np.isin(values, (0, 1))).all():
        first = np.unravel_index(is_right.argmin(), values.shape)
        got = np.asarray(values[first]).tolist()
        raise ValueError(f"{name}: expected only true and false (1 and 0), got {got!r} {place(first, labels)}")
    return values.astype(bool)


def labelled_mask(mask: NDArray[np.bool_], unit_names: ArrayLike | None) -> xr.DataArray:
    """Label a mask (unit_pre, unit_post), with the names of the units if there are some."""
    dims = ("unit_pre", "unit_post")
    return xr.DataArray(mask, {} if unit_names is None else dict.fromkeys(dims, np.asarray(unit_names)), dims)
