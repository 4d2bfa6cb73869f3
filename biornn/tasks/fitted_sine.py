"""The sine that is nearest to a signal: what frequency and what amplitude it has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]
_PER_PERIOD = 8  # frequencies that are tried before the best is refined, for one more period in the signal
_GOLDEN = (np.sqrt(5) - 1) / 2
_N_REFINED = 45  # steps, each of which leaves 0.618 of the interval: 1e-10 of it in the end


def fitted_sine(signal: NDArray[np.floating], n_steps: NDArray[np.integer], dt: float) -> tuple[_Array, _Array]:
    """Fit a sine and a constant to each signal, by least squares.

    Parameters
    ----------
    signal
        (row, time).
    n_steps
        Samples of each row that count, from its start, (row).
    dt
        Time step, in ms.

    Returns
    -------
    tuple of numpy.ndarray
        Frequencies in Hz and amplitudes, each (row). A frequency has at least half a period in the signal, and two
        samples a period. It is NaN where the signal is constant, and its amplitude 0; both are NaN where it is not
        finite, or has fewer than four samples.

    Examples
    --------
    >>> phase = 2 * np.pi * 1.25 * np.arange(200) * 0.02
    >>> frequency, amplitude = fitted_sine(0.9 * np.sin(phase)[np.newaxis], np.array([200]), 20)
    >>> frequency.round(6).tolist(), amplitude.round(6).tolist()
    ([1.25], [0.9])
    """
    frequency, amplitude = np.full((2, len(signal)), np.nan)
    for length in np.unique(n_steps[n_steps >= 4]):
        rows = np.flatnonzero((n_steps == length) & np.isfinite(signal).all(axis=1))
        values = signal[rows, :length].astype(float)
        moves = np.ptp(values, axis=1) > 0
        amplitude[rows[~moves]] = 0.0
        values, rows = values[moves] - values[moves].mean(axis=1, keepdims=True), rows[moves]
        if len(rows):
            frequency[rows], amplitude[rows] = _fit(values, dt / 1000)
    return frequency, amplitude


def _fit(values: _Array, dt: float) -> tuple[_Array, _Array]:
    """Fit values (row, time) of mean 0; time step in s."""
    lowest, highest = 0.5 / (values.shape[1] * dt), 0.5 / dt
    tried = np.arange(lowest, highest, 2 * lowest / _PER_PERIOD)
    best = tried[np.argmax(_explained(values, tried[:, np.newaxis], dt)[0], axis=0)]
    low, high = (np.clip(best + side * (tried[1] - tried[0]), lowest, highest) for side in (-1, 1))
    for _ in range(_N_REFINED):
        width = _GOLDEN * (high - low)
        is_left = _explained(values, high - width, dt)[0] > _explained(values, low + width, dt)[0]
        low, high = np.where(is_left, low, high - width), np.where(is_left, low + width, high)
    frequency = (low + high) / 2
    return frequency, _explained(values, frequency, dt)[1]


def _explained(values: _Array, frequency: _Array, dt: float) -> tuple[_Array, _Array]:
    """Sum of squares that a sine explains, and its amplitude: frequencies (row), or (tried, 1) of all rows."""
    # About the middle of the signal, sines are orthogonal to cosines and to the constant.
    time = (np.arange(values.shape[1]) - (values.shape[1] - 1) / 2) * dt
    phase = 2 * np.pi * frequency[..., np.newaxis] * time
    parts = [np.sin(phase), np.cos(phase)]
    parts[1] -= parts[1].mean(axis=-1, keepdims=True)
    power = square = np.zeros(1)
    for part in parts:
        size = np.maximum((part**2).sum(axis=-1), 1e-12)  # of a cosine that is constant, at the highest frequency
        overlap = part[:, 0] @ values.T if part.ndim == 3 else (part * values).sum(axis=-1)
        power, square = power + overlap**2 / size, square + (overlap / size) ** 2
    return power, np.sqrt(square)
