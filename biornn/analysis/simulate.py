"""A stored network, run again with numpy alone."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.activations import activation
from biornn.schema import GATED, variable_attrs


def simulate(weights: xr.Dataset, inputs: xr.DataArray) -> xr.Dataset:
    """Run networks on inputs, without noise.

    Parameters
    ----------
    weights
        The group `weights` of a run, of one network or of several. Where it has an `epoch`, the last is taken; select
        another beforehand, as in ``weights.isel(epoch=[0])``.
    inputs
        (trial, time, input_channel).

    Returns
    -------
    xarray.Dataset
        ``rates`` (network, trial, time, unit), after the input at each time, and ``outputs`` (network, trial, time,
        output_channel), in float64; without `network` where `weights` has none.

    Raises
    ------
    ValueError
        If the inputs do not fit the weights, an activation is not known, or a network is gated.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", equation 1.
    """
    if "epoch" in weights.dims:
        weights = weights.isel(epoch=-1)
    n_channels = weights.sizes["input_channel"]
    if set(inputs.dims) != {"trial", "time", "input_channel"} or inputs.sizes["input_channel"] != n_channels:
        raise ValueError(
            f"inputs: expected dims trial, time, input_channel with {n_channels} channels, got {dict(inputs.sizes)}"
        )
    inputs = inputs.transpose("trial", "time", "input_channel")
    if "network" not in weights.dims:
        return _simulate_one(weights, inputs)
    networks = [_simulate_one(weights.isel(network=index), inputs) for index in range(weights.sizes["network"])]
    return xr.concat(
        networks, dim=weights["network"], data_vars="all", coords="minimal", compat="override", join="override"
    )


def _simulate_one(weights: xr.Dataset, inputs: xr.DataArray) -> xr.Dataset:
    if (formulation := str(weights["formulation"].values)) in GATED:
        raise ValueError(f"weights: expected a network in the rate or current form, got {formulation!r}; leave it out")
    matrices = {
        "input": weights["input_weights"].transpose("input_channel", "unit"),
        "recurrent": weights["recurrent_weights"].transpose("unit_pre", "unit_post"),
        "output": weights["output_weights"].transpose("unit", "output_channel"),
    }
    w = {name: matrix.values.astype(float) for name, matrix in matrices.items()}
    drive = inputs.values.astype(float) @ w["input"] + weights["recurrent_bias"].values
    rates = _rates(
        drive,
        w["recurrent"],
        weights["initial_state"].values.astype(float),
        weights["alpha"].values,
        str(weights["activation"].values),
        formulation,
    )
    outputs = rates @ w["output"] + weights["output_bias"].values
    activity = xr.Dataset(
        {"rates": (("trial", "time", "unit"), rates), "outputs": (("trial", "time", "output_channel"), outputs)},
        {
            name: labels
            for name, labels in {**inputs.coords, **weights.coords}.items()
            if name in ("trial", "time", "unit", "output_channel", "network", "condition", "seed")
        },
    )
    return variable_attrs("activity", activity)


def _rates(
    drive: NDArray[np.float64],
    recurrent_weights: NDArray[np.float64],
    state: NDArray[np.float64],
    alpha: NDArray[np.floating],
    activation_name: str,
    formulation: str,
) -> NDArray[np.float64]:
    """Euler steps; drive and the result are (trial, time, unit)."""
    f = activation(activation_name)
    rates = np.empty_like(drive)
    state = np.broadcast_to(state, drive[:, 0].shape)
    for step in range(drive.shape[1]):
        if formulation == "rate":
            state = state + alpha * (f(state @ recurrent_weights + drive[:, step]) - state)
            rates[:, step] = state
        else:
            state = state + alpha * (f(state) @ recurrent_weights + drive[:, step] - state)
            rates[:, step] = f(state)
    return rates
