"""Periods of trials in steps: where they are, how long, what is in them, and what outputs are on average in one."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.scalars import check_number


def in_steps(time: ArrayLike, dt: float) -> NDArray[np.int64]:
    """Give times, in ms, as the nearest number of steps; half a step is one."""
    return np.floor(np.asarray(time) / dt + 0.5).astype(int)


def periods(n_times: int, *lengths: ArrayLike) -> NDArray[np.int64]:
    """Give the number of the period at each (trial, time), from 0; from the last one's end on there is padding.

    Their lengths are in steps, each the same for all trials, or (trial).

    Examples
    --------
    >>> periods(5, 1, [1, 2], 1).tolist()
    [[0, 1, 2, 3, 3], [0, 1, 1, 2, 3]]
    """
    n_steps = np.stack(np.broadcast_arrays(*lengths, n_times), axis=-1)  # (trial, period), the padding included
    n_steps = np.diff(np.minimum(n_steps.cumsum(axis=-1), n_times), axis=-1, prepend=0)
    numbers = np.broadcast_to(np.arange(n_steps.shape[-1]), n_steps.shape)
    return np.repeat(numbers.ravel(), n_steps.ravel()).reshape(*n_steps.shape[:-1], n_times)


def by_period(values: NDArray[np.float32], period: NDArray[np.int64]) -> NDArray[np.float32]:
    """Give each (trial, time) what its period has, (trial, time, channel); 0 in the padding.

    Values are (trial, period, channel), or (1, period, channel) if they are the same in all trials.
    """
    padded = np.concatenate([values, np.zeros_like(values[:, :1])], axis=1)
    n_trials, n_periods, n_channels = padded.shape
    rows = period + n_periods * np.arange(n_trials)[:, np.newaxis]
    return padded.reshape(-1, n_channels).take(rows, axis=0)  # several times faster than padded[trial, period]


def draw_steps(
    name: str,
    shortest: float,
    longest: float,
    dt: float,
    n_trials: int,
    rng: np.random.Generator,
    fixed: float | None = None,
) -> NDArray[np.int64]:
    """Draw the length of a period evenly between two times in ms, in steps (trial); or take a fixed time in all trials.

    A ValueError calls a fixed time that is not between them by its name.
    """
    first, last = in_steps((shortest, longest), dt)
    if fixed is not None:  # also to what the shortest and the longest last in steps, as trials say
        ends = min(shortest, first * dt), max(longest, last * dt)
        check_number(name, fixed, f"from {shortest:g} to {longest:g} ms", *ends)
        return np.full(n_trials, in_steps(fixed, dt))
    return rng.integers(first, last + 1, n_trials)


def truncated_exponential(share: ArrayLike, mean: float, shortest: float, longest: float) -> NDArray[np.float64]:
    """Give the time that a share of those does not exceed which an exponential law has from `shortest` to `longest`."""
    beyond = 1 - np.asarray(share)  # share of the times that are longer
    with np.errstate(divide="ignore"):  # where the law as good as ends before the longest
        time = shortest - mean * np.log(beyond + np.asarray(share) * np.exp((shortest - longest) / mean))
    return np.minimum(time, longest)


def mean_between(outputs: xr.DataArray, first: xr.DataArray, end: xr.DataArray) -> xr.DataArray:
    """Average outputs from the step `first` to before the step `end`, both (trial)."""
    step = xr.DataArray(np.arange(outputs.sizes["time"]), dims="time")
    return xr.dot(outputs, ((step >= first) & (step < end)) / (end - first), dim="time")
