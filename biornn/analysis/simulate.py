"""A stored network, run again with numpy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import ordered_as, require_dims, require_same_units, require_variables
from biornn.analysis.runnable import NUMBERS
from biornn.blas import one_blas_thread
from biornn.dynamics import Networks
from biornn.schema import GATE_WEIGHTS, GATED, text, variable_attrs
from biornn.stored_networks import AnyNetworks, stored_networks

_Array = NDArray[np.floating]
#: Rows (trials) that are run together. More are not faster: a step costs its arithmetic alone (a microsecond per row
#: at 100 units), and arrays that no longer fit into the processor's cache cost more.
_ROWS_AT_ONCE = 32


def simulate(
    weights: xr.Dataset,
    inputs: xr.DataArray,
    *,
    recurrent_noise: float = 0.0,
    seed: int | None = None,
    silenced: xr.DataArray | None = None,
    rates: bool = True,
    dtype: str = "float64",
) -> xr.Dataset:
    """Run networks on inputs, by default without noise.

    Parameters
    ----------
    weights
        The group `weights` of a run, of one network or of several. Where it has a `snapshot`, the last is taken;
        select another beforehand, as in ``weights.isel(snapshot=[0])``.
    inputs
        (trial, time, input_channel); other dims, such as `repeat`, broadcast.
    recurrent_noise
        Standard deviation of the stationary fluctuation that noise causes in a linear unit without input, as for
        `biornn.layers.ConstrainedRNNCell`: what a unit receives at each step has Gaussian noise added to it, of the
        standard deviation ``recurrent_noise * sqrt((2 - alpha) / alpha)``. Not defined for gated networks.
    seed
        Of the noise. The same seed gives the units at the same position the same noise in every network.
    silenced
        True for units whose rate is 0 for all others and for the readout; dims `unit` and any others, which broadcast
        with those of the inputs.
    rates
        Whether to return the rates. Without them many long simulations fit into memory.
    dtype
        Precision of all steps and of the result: ``"float64"``, or ``"float32"``, that of training, which takes less
        than half as long.

    Returns
    -------
    xarray.Dataset
        ``rates`` (network, trial, time, unit), after the input at each time, and ``outputs`` (network, trial, time,
        output_channel); without `network` where `weights` has none. Other dims of the inputs and of
        `silenced` stand beside `trial`. Activity that grows without bounds ends in infinity and NaN; a network that
        failed, without a formulation, is NaN.

    Raises
    ------
    ValueError
        If the inputs do not fit the weights, an activation or the precision is not known, or there is noise without a
        seed or in a gated network.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", equation 1.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> noisy = bn.analysis.simulate(
    ...     run["weights"].to_dataset(), run["trials"].inputs, recurrent_noise=0.1, seed=0
    ... )  # doctest: +SKIP
    """
    require_variables(weights, "weights", [*NUMBERS, "activation", "formulation"])
    require_same_units(weights, "weights")
    require_dims(inputs, "inputs", ["trial", "time", "input_channel"])
    inputs = ordered_as(inputs, weights, "input_channel", "inputs")
    if silenced is not None:
        require_dims(silenced, "silenced", ["unit"])
        silenced = ordered_as(silenced, weights, "unit", "silenced")
    if "snapshot" in weights.dims:
        weights = weights.isel(snapshot=-1)
    _check(weights, inputs, recurrent_noise, seed, silenced, dtype)
    side = _side_by_side(inputs, silenced)
    input_rows = _rows(inputs, side, "time", "input_channel").astype(dtype)
    heard = None if silenced is None else ~_rows(silenced, side, "unit").astype(bool)
    shape = (*input_rows.shape[:2], weights.sizes["unit"])
    noise = recurrent_noise * np.random.default_rng(seed).standard_normal(shape) if recurrent_noise else None
    networks = weights if "network" in weights.dims else weights.expand_dims("network")
    n_networks = networks.sizes["network"]
    activity = {"outputs": np.full((n_networks, *shape[:2], weights.sizes["output_channel"]), np.nan, dtype)}
    if rates:
        activity["rates"] = np.full((n_networks, *shape), np.nan, dtype)
    with one_blas_thread():
        for members, several in stored_networks(networks, dtype):
            for position, index in enumerate(members):
                result = {name: array[index] for name, array in activity.items()}
                _run(several.of([position]), input_rows, noise, heard, result)
    labelled = _labelled(activity, side, inputs, networks)
    return labelled if "network" in weights.dims else labelled.isel(network=0)


def _check(
    weights: xr.Dataset,
    inputs: xr.DataArray,
    recurrent_noise: float,
    seed: int | None,
    silenced: xr.DataArray | None,
    dtype: str,
) -> None:
    n_channels = weights.sizes["input_channel"]
    gated = [one for one in np.atleast_1d(text(weights["formulation"]).values).tolist() if one in GATED]
    if {"network", "unit"} & set(inputs.dims) or inputs.sizes["input_channel"] != n_channels:
        raise ValueError(
            f"inputs: expected dims trial, time, input_channel with {n_channels} channels, got {dict(inputs.sizes)}"
        )
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype: expected 'float32' or 'float64', got {dtype!r}")
    if not 0 <= recurrent_noise < np.inf:
        raise ValueError(f"recurrent_noise: expected a number of at least 0, got {recurrent_noise!r}")
    if gated:
        require_variables(weights, "weights", GATE_WEIGHTS)
    if recurrent_noise and gated:
        raise ValueError(f"recurrent_noise: expected 0 with a gated network, got {recurrent_noise!r} with {gated[0]}")
    if recurrent_noise and seed is None:
        raise ValueError("seed: expected an integer where there is recurrent noise, got None; give one, such as seed=0")
    if silenced is not None and (
        {"network", "time", "input_channel"} & set(silenced.dims) or silenced.sizes["unit"] != weights.sizes["unit"]
    ):
        raise ValueError(
            f"silenced: expected the dim unit with {weights.sizes['unit']} units and no network or time, "
            f"got {dict(silenced.sizes)}"
        )


def _side_by_side(inputs: xr.DataArray, silenced: xr.DataArray | None) -> xr.DataArray:
    """All dims that are run side by side, `trial` last, with their labels; the values mean nothing."""
    side = inputs.isel(time=0, input_channel=0, drop=True)
    if silenced is not None:
        side = xr.broadcast(*xr.align(side, silenced.isel(unit=0, drop=True), join="exact"))[0]
    return side.transpose(..., "trial")


def _rows(array: xr.DataArray, side: xr.DataArray, *trailing: str) -> NDArray[Any]:
    """Values with all dims of `side` in one axis, the first, and then the trailing ones."""
    missing = {dim: size for dim, size in side.sizes.items() if dim not in array.dims}
    values = array.expand_dims(missing).transpose(*side.dims, *trailing).values
    return values.reshape(-1, *values.shape[side.ndim :])


def _labelled(
    activity: dict[str, _Array], side: xr.DataArray, inputs: xr.DataArray, networks: xr.Dataset
) -> xr.Dataset:
    variables = {}
    for name, last in {"rates": "unit", "outputs": "output_channel"}.items():
        if name in activity:
            n_networks, _, *end = activity[name].shape
            dims = ("network", *side.dims, "time", last)
            variables[name] = (dims, activity[name].reshape(n_networks, *side.shape, *end))
    result = xr.Dataset(variables)
    coords = {**side.coords, **inputs.coords, **networks.coords}
    fitting = {name: labels for name, labels in coords.items() if set(labels.dims) <= set(result.dims)}
    return variable_attrs("activity", result.assign_coords(fitting))


def _run(
    network: AnyNetworks,
    inputs: _Array,
    noise: _Array | None,
    heard: NDArray[np.bool_] | None,
    activity: dict[str, _Array],
) -> None:
    """Run one network on inputs (row, time, input channel), and write its activity (row, time, ...)."""
    for start in range(0, len(inputs), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # activity without bounds
            # Time first: each step then reads and writes one piece of memory.
            drive = network.drive(np.ascontiguousarray(inputs[rows].swapaxes(0, 1))[np.newaxis])[0]
            if noise is not None:
                assert isinstance(network, Networks)  # see _check
                drive += np.sqrt((2 - network.alpha) / network.alpha) * noise[rows].swapaxes(0, 1)
            rates = _rates(drive, network, None if heard is None else heard[rows])
            outputs = network.outputs(rates[np.newaxis])[0]
        activity["outputs"][rows] = outputs.swapaxes(0, 1)
        if "rates" in activity:
            activity["rates"][rows] = rates.swapaxes(0, 1)


def _rates(drive: _Array, network: AnyNetworks, heard: NDArray[np.bool_] | None) -> _Array:
    """Make the steps, and return the rates (time, row, unit); they overwrite the drive (time, row, unit or gates)."""
    state, rates = network.start(drive.shape[1])
    found = drive[..., : state.shape[-1]]
    if heard is not None:
        rates = np.where(heard, rates, 0.0)
    for current, own in zip(drive, found, strict=True):
        state, rates = network.step(state, rates, current)
        if heard is not None:
            rates = np.where(heard, rates, 0.0)
        own[...] = rates[0]
    return found
