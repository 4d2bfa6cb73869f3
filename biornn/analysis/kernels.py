"""Array kernels on labelled arrays: what a kernel gives gets its dims, units and meaning in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr


class Output(NamedTuple):
    """One of the arrays that a kernel gives: its meaning, its own dims, its units and type."""

    long_name: str
    dims: tuple[str, ...] = ()
    units: str = "1"
    dtype: type[np.generic] = np.float64


def apply_kernel(
    kernel: Callable[..., Any],
    *arrays: xr.DataArray,
    core_dims: Sequence[Sequence[str]],
    outputs: Mapping[str, Output],
    sizes: Mapping[str, int] | None = None,
    vectorize: bool = True,
) -> xr.Dataset:
    """Apply a kernel to each network, snapshot and whatever else broadcasts, lazily where an array is lazy.

    The kernel takes plain arrays with their `core_dims` last, and returns as many as there are `outputs`, a name for
    each; `sizes` are those of dims that no array has. With `vectorize` it is called once per network, with the core
    dims alone; without, once, with the other dims before them.
    """
    found = xr.apply_ufunc(
        kernel,
        *arrays,
        input_core_dims=core_dims,
        output_core_dims=[output.dims for output in outputs.values()],
        vectorize=vectorize,
        dask="parallelized",
        output_dtypes=[output.dtype for output in outputs.values()],
        dask_gufunc_kwargs={"output_sizes": dict(sizes or {}), "allow_rechunk": True},
    )
    named = zip(outputs, found if len(outputs) > 1 else (found,), strict=True)
    return describe(xr.Dataset(dict(named)), outputs)


def describe(dataset: xr.Dataset, outputs: Mapping[str, Output]) -> xr.Dataset:
    """Set units and long name of the variables that are named, and return the dataset."""
    for name, output in outputs.items():
        dataset[name].attrs = {"units": output.units, "long_name": output.long_name}
    return dataset
