"""Masks and weights of inputs and readout that are given: for all channels, or for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biornn.connectivity.labels import given_array, noun, truth_values

#: Dims of the weights at each end of a network.
DIMS = {"input": ("input_channel", "unit"), "readout": ("unit", "output_channel")}
#: What of them can be given.
KINDS = ("mask", "weights", "trainable")


def read_end(name: str, value: Any, dims: tuple[str, str], unit_names: NDArray[Any]) -> NDArray[Any]:
    """Return an array of these dims, or of masks also (unit,), with the units in order and channels by their numbers.

    Which weights are trainable may be one truth value.
    """
    if name.endswith("trainable") and isinstance(value, bool | np.bool_):
        return np.array(value)
    is_weights = name.endswith("weights")
    shape = np.shape(value) if hasattr(value, "shape") else np.array(value, object).shape
    own = dims if is_weights or len(shape) != 1 else ("unit",)
    sizes = getattr(value, "sizes", dict(zip(own, shape, strict=False)))
    labels = {dim: unit_names if dim == "unit" else np.arange(sizes.get(dim, 0)) for dim in own}
    values = given_array(name, value, labels, float if is_weights else None)
    n_units = unit_names.size
    if values.ndim != len(own) or values.shape[own.index("unit")] != n_units or not values.size:
        of_each = ", ".join(str(n_units) if dim == "unit" else f"{noun(dim)}s" for dim in dims)
        expected = f"({of_each})" if is_weights else f"({n_units},) or ({of_each})"
        raise ValueError(f"{name}: expected shape {expected}, got {values.shape}")
    return values if is_weights else truth_values(name, values, labels)


def known_channels(end: str, given: Mapping[str, NDArray[Any] | None]) -> int | None:
    """Return the number of channels that the given arrays of an end have; None if they leave it open."""
    channel = DIMS[end].index("unit") - 1
    known = (values.shape[channel] for values in given.values() if values is not None and values.ndim == 2)
    return next(known, None)


def of_channels(name: str, values: NDArray[Any], dims: tuple[str, str], n_channels: int, n_units: int) -> NDArray[Any]:
    """Return values for each of the channels, in these dims."""
    shape = tuple(n_units if dim == "unit" else n_channels for dim in dims)
    if values.ndim == 2:
        if values.shape != shape:
            channels = noun(next(dim for dim in dims if dim != "unit"))
            got = values.shape[dims.index("unit") - 1]
            raise ValueError(f"{name}: expected {n_channels} {channels}s, as there are, got {got}")
        return values
    return np.broadcast_to(values if dims[1] == "unit" or not values.ndim else values[:, np.newaxis], shape)
