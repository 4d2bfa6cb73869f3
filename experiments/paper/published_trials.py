"""Trials with the slips of the generator that was published with the paper, for a comparison with its numbers.

They differ from `biornn.tasks.FlipFlop` in three ways: the last sample of every target is zero, the third pulse may run
off the end of the trial (its target then never comes), and the gaps are drawn as in the published code.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

N_STEPS = 340
PULSE = 20  # ms, as all times below; steps of 1 ms
DELAY = 20


def published_trials(n_trials: int, seed: int, n_bits: int = 3) -> xr.Dataset:
    """Make trials as the published generator does, but from a seed, which it ignores.

    Returns ``inputs`` (trial, time, input_channel) and ``targets`` (trial, time, output_channel).
    """
    rng = np.random.default_rng(seed)
    shape = (n_trials, n_bits)
    first = rng.integers(10, 100, shape)
    second = first + PULSE + 50 + rng.integers(1, 51, shape)
    third = second + 100 + rng.integers(1, 51, shape)
    signs = [rng.choice([1, -1, 0], shape), rng.choice([1, -1], shape), rng.choice([1, -1], shape)]
    time = np.arange(N_STEPS)
    inputs, targets = np.zeros((n_trials, n_bits, N_STEPS)), np.zeros((n_trials, n_bits, N_STEPS))
    for onset, sign in zip((first, second, third), signs, strict=True):
        since = time - onset[..., np.newaxis]
        inputs += np.where((since >= 0) & (since < PULSE), sign[..., np.newaxis], 0)
        targets = np.where(since >= PULSE + DELAY, sign[..., np.newaxis], targets)
    targets[..., -1] = 0
    inputs += 0.1 * rng.standard_normal(inputs.shape)
    names = [f"bit_{bit + 1}" for bit in range(n_bits)]
    return xr.Dataset(
        {
            "inputs": (("trial", "time", "input_channel"), inputs.transpose(0, 2, 1)),
            "targets": (("trial", "time", "output_channel"), targets.transpose(0, 2, 1)),
        },
        {"trial": np.arange(n_trials), "time": time.astype(float), "input_channel": names, "output_channel": names},
    )
