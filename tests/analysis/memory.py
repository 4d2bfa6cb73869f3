"""Trials of a memory, and outputs for them."""

import numpy as np
import xarray as xr

DIMS = ("trial", "time", "output_channel")


def one_channel(values, **coords):
    """One trial of one channel."""
    return xr.DataArray(np.asarray(values, float).reshape(1, -1, 1), dims=DIMS, coords=coords)


def flip_flop(n_networks=2, n_trials=3, n_times=20, seed=0):
    """Outputs near enough to be mostly right; and random targets, states of two bits and windows."""
    rng = np.random.default_rng(seed)
    targets = xr.DataArray(
        rng.integers(-1, 2, (n_trials, n_times, 2)).astype(float), dims=DIMS, coords={"output_channel": ["a", "b"]}
    )
    noise = xr.DataArray(rng.normal(0, 0.4, (n_networks, *targets.shape)), dims=("network", *DIMS))
    outputs = (targets + noise).transpose("network", *DIMS)
    signs = np.array(["-", "0", "+"], dtype=object)[targets.values.astype(int) + 1]
    window = xr.DataArray(rng.random(targets.shape) < 0.3, dims=DIMS)
    trials = xr.Dataset({"targets": targets, "response_window": window})
    return outputs, trials.assign(memory_state=(DIMS[:2], signs[..., 0] + signs[..., 1]))
