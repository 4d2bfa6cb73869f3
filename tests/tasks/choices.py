"""Outputs of policies that choose one of two outputs."""

import xarray as xr


def constant(trials, first, second):
    """Outputs that are constant over time, the same in all trials or (trial)."""
    sides = xr.concat([xr.DataArray(first), xr.DataArray(second)], dim=trials["output_channel"])
    return xr.zeros_like(trials["targets"]) + sides


def choosing(trials, is_second):
    """Outputs that choose the second output where it is true (trial), and the first one elsewhere."""
    return constant(trials, 1.0 * ~is_second, 1.0 * is_second)


def summed(trials, channel, period="stimulus", until=float("inf")):
    """Sum of an input over a period (trial), or over that part of it which comes before a time in ms."""
    during = (trials["period"] == period) & (trials["time"] < until)
    return trials["inputs"].sel(input_channel=channel, drop=True).where(during, 0).astype(float).sum("time")
