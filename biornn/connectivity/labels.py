"""Arrays that callers give: copied, and read by their labels where they have some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def given_array(name: str, value: Any, labels: Mapping[str, NDArray[Any]], dtype: type | None) -> NDArray[Any]:
    """Copy an array, so that the caller's own stays writable.

    `labels` are those of its dims, in order. A DataArray is transposed to this order, and sorted along the dims where
    it has labels itself. Sizes are not checked.
    """
    if hasattr(value, "columns") or not isinstance(getattr(value, "dims", ()), tuple):  # of pandas; an xarray.Dataset
        raise TypeError(f"{name}: expected an array or a DataArray, got {type(value).__name__}; say which dim is which")
    if hasattr(value, "dims"):
        value = _sorted(name, value, labels)
    try:
        return np.array(value, dtype)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected a rectangular array of numbers, got {value!r}") from None


def _sorted(name: str, array: Any, labels: Mapping[str, NDArray[Any]]) -> Any:
    dims = tuple(labels)
    if set(array.dims) != set(dims):
        raise ValueError(f"{name}: expected the dims {dims}, got {array.dims}; rename them with .rename(...)")
    for dim in dims:
        expected = labels[dim].tolist()
        if dim not in array.indexes or array.sizes[dim] != len(expected):
            continue
        found, known = Counter(array.indexes[dim]), set(expected)
        if strange := [label for label, count in found.items() if count > 1 or label not in known]:
            missing = next(label for label in expected if not found[label])
            raise ValueError(
                f"{name}: expected the label of each unit once along {dim}, got no {missing!r}, but {strange[0]!r}"
            )
        array = array.isel({dim: array.indexes[dim].get_indexer(expected)})
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
    return np.array(names)
