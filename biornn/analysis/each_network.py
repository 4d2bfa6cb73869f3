"""Each network of a set, at each snapshot and under each constant input, as an equation for its fixed points."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import ordered_as, require_dims, require_some, require_square, require_variables
from biornn.analysis.runnable import NUMBERS, runnable
from biornn.analysis.stationary import Stationary
from biornn.analysis.stationary_gated import StationaryGRU, StationaryLSTM
from biornn.analysis.stationary_rnn import StationaryRNN
from biornn.dynamics import Networks
from biornn.gated import GRUNetworks
from biornn.schema import GATED, text
from biornn.stored_networks import AnyNetworks, stored_networks

#: The dim of inputs that have none of their own.
INPUT = "input"
_STILL = 1e-4  # speed that single precision of points makes, over 1 + the length of the state
AnyStationary = StationaryRNN | StationaryGRU | StationaryLSTM
_DIMS = {
    "input_weights": ("input_channel", "unit"),
    "recurrent_weights": ("unit_pre", "unit_post"),
    "output_weights": ("unit", "output_channel"),
    "recurrent_bias": ("unit",),
    "output_bias": ("output_channel",),
    "initial_state": ("unit",),
    "alpha": ("unit",),
}
_OWN_DIMS = ("network", "snapshot", "fixed_point", "mode", "unit", "output_channel", INPUT)


def each_network(weights: xr.Dataset, inputs: xr.DataArray) -> Iterator[tuple[tuple[int, int, int], AnyStationary]]:
    """Give the position (network, snapshot, input) of each network that can be run, and its equation.

    The inputs are those of `constant_inputs`.
    """
    has_snapshots = "snapshot" in weights.dims
    for snapshot in range(weights.sizes["snapshot"] if has_snapshots else 1):
        safe, can_run = runnable(weights.isel(snapshot=[snapshot]) if has_snapshots else weights)
        if "network" not in safe.dims:
            safe, can_run = safe.expand_dims("network"), can_run.expand_dims("network")
        for members, networks in stored_networks(safe):
            for position, member in enumerate(members.tolist()):
                if can_run.values[member]:
                    for number, values in enumerate(inputs.values.astype(float)):
                        yield (member, snapshot, number), _stationary(networks.of([position]), values)


def _require_weights(weights: xr.Dataset) -> None:
    """Check variables, dims and sizes of networks, which may be made by hand."""
    require_variables(weights, "weights", [*NUMBERS, "activation", "formulation"])
    for name, dims in _DIMS.items():
        require_dims(weights[name], name, dims)
        if others := {*weights[name].dims} - {"network", "snapshot", *dims}:
            raise ValueError(f"{name}: expected no dims but network, snapshot and {list(dims)}, got {others.pop()!r}")
    require_some(weights["input_weights"], "input_weights", ["input_channel"])
    if (n_pre := require_square(weights["recurrent_weights"])) != weights.sizes["unit"]:
        raise ValueError(
            f"recurrent_weights: expected {weights.sizes['unit']} units, as the other variables have, got {n_pre}"
        )
    formulation = text(weights["formulation"].where(weights["formulation"].notnull(), ""))  # of those that failed
    if unknown := sorted({*formulation.values.ravel().tolist()} - {"rate", "current", *GATED, ""}):
        raise ValueError(f"formulation: expected one of {('rate', 'current', *GATED)}, got {unknown[0]!r}")
    smallest = weights["alpha"].where(formulation.isin(["rate", "current"])).min().item()
    if smallest <= 0:
        raise ValueError(f"alpha: expected dt / tau, a positive number, got {smallest:g}")


def _stationary(network: AnyNetworks, inputs: NDArray[np.float64]) -> AnyStationary:
    if isinstance(network, Networks):
        return StationaryRNN(network, inputs)
    return StationaryGRU(network, inputs) if isinstance(network, GRUNetworks) else StationaryLSTM(network, inputs)


def constant_inputs(weights: xr.Dataset, inputs: xr.DataArray | None) -> xr.DataArray:
    """Check weights and constant inputs, and give these the dims (some dim, input_channel); None: one without any."""
    _require_weights(weights)
    if inputs is None:
        return xr.DataArray(np.zeros((1, weights.sizes["input_channel"])), dims=(INPUT, "input_channel"))
    require_dims(inputs, "inputs", ["input_channel"])
    n_channels = weights.sizes["input_channel"]
    if inputs.ndim > 2 or inputs.sizes["input_channel"] != n_channels:
        raise ValueError(
            f"inputs: expected the dim input_channel with {n_channels} channels and at most one other, "
            f"got {dict(inputs.sizes)}"
        )
    if taken := ({*_OWN_DIMS} & set(inputs.dims)):
        raise ValueError(f"inputs: expected a dim of their own, such as 'level', got {taken.pop()!r}; rename it")
    inputs = ordered_as(inputs, weights, "input_channel", "inputs")
    if inputs.dtype.kind not in "fiub" or not np.isfinite(inputs.values.astype(float)).all():
        raise ValueError("inputs: expected finite numbers, got NaN or infinity")
    return inputs.transpose(..., "input_channel") if inputs.ndim == 2 else inputs.expand_dims(INPUT)


def as_of(values: xr.DataArray, weights: xr.Dataset, inputs: xr.DataArray) -> xr.DataArray:
    """Give what is known of points the dims (network, snapshot, input, ...), as in `each_network`, with units last.

    Sorted as the weights and inputs are, by their labels.
    """
    own: list[Hashable] = [dim for dim in ("network", "snapshot") if dim in weights.dims]
    own += [dim for dim in inputs.dims[:1] if dim != INPUT]
    own += [dim for dim in ("unit", "output_channel") if dim in values.dims]
    sizes = {dim: inputs.sizes.get(dim, weights.sizes.get(dim)) for dim in own}
    if {dim: size for dim, size in values.sizes.items() if dim != "fixed_point"} != sizes:
        raise ValueError(
            f"points: expected those of the same weights and inputs, with fixed_point and {sizes}, "
            f"got {dict(values.sizes)}"
        )
    for name in ("network", "snapshot"):
        of_points, of_weights = (one.coords.get(name) for one in (values, weights))
        if of_points is None or of_weights is None or of_points.ndim or of_weights.ndim:
            continue
        if of_points.item() != of_weights.item():
            raise ValueError(
                f"points: expected those of the {name} {of_weights.item()!r}, as the weights, got {of_points.item()!r}"
            )
    for dim in own:
        other = inputs.to_dataset(name="inputs") if dim in inputs.dims else weights
        values = ordered_as(values, other, str(dim), "points")
    outer = ["network", "snapshot", inputs.dims[0]]
    expanded = values.expand_dims([dim for dim in outer if dim not in values.dims])
    return expanded.transpose(*outer, ..., "unit", missing_dims="ignore")


def require_standing_still(of: Stationary, state: NDArray[np.float64], kind: NDArray[np.str_]) -> None:
    """Check that a network does not move at its fixed points; slow points and padding may."""
    rows = state[~np.isin(kind, ["", "slow"])]
    moves = of.speed(rows) / (1 + np.linalg.norm(rows, axis=1))
    if np.any(moves > _STILL):
        raise ValueError(
            "points: expected fixed points of these weights under these inputs, got one from which the network moves "
            f"by {moves.max():.2g} of its length in a step; give the weights and inputs for which they were found"
        )
