"""How the cost of training grows with every size.

Prints exponents of time and memory, and every point. Fully constrained networks, one size at a time.
"""

from __future__ import annotations

from functools import partial

import exponents
import numpy as np
from exponents import Sweep, Work
from updates import N_CHANNELS, keras_layer, keras_update, wiring

import biornn as bn


def update(units: int, steps: int, batch: int) -> Work:
    """Make a network, and one update of it on random arrays."""
    generator = np.random.default_rng(0)
    inputs, targets = (generator.standard_normal((batch, steps, N_CHANNELS), dtype="float32") for _ in range(2))
    return keras_update(keras_layer("constrained", units), inputs, targets)


def trials(n_trials: int) -> Work:
    """Make training trials of the flip-flop."""
    return lambda: bn.tasks.FlipFlop().arrays(n_trials, np.random.default_rng(0))


def recording(n_trials: int) -> Work:
    """Make a network of 100 units and trials, and record its activity on them."""
    from biornn.training import record_activity

    model = bn.layers.build_model(wiring(100), N_CHANNELS, N_CHANNELS)
    return partial(record_activity, model, bn.tasks.FlipFlop().trials(n_trials, seed=0))


def networks(n_networks: int) -> Work:
    """Plan a set of small networks, and the run that trains and records them with one worker."""
    from set_times import experiment, run

    return partial(run, experiment(32, n_networks, 50, batch=16), 1)


DEFAULTS = {
    "threads": 2,
    "sweeps": [
        *("units=64,250,1000,4000", "steps=100,500,1000,5000", "batch=8,32,128,512"),
        *("trials=100,1000,10000", "recording=64,500,2000", "networks=1,4"),
    ],
}
SWEEPS = {
    "units": Sweep("units, one update", "50 steps, batch 16", lambda n: update(n, 50, 16), ("0 → 2", "0 → 2")),
    "steps": Sweep("steps, one update", "100 units, batch 32", lambda n: update(100, n, 32), ("1", "1")),
    "batch": Sweep("batch, one update", "100 units, 340 steps", lambda n: update(100, 340, n), ("0 → 1", "1")),
    "trials": Sweep("trials made", "340 steps, 3 channels", trials, ("1", "1")),
    "recording": Sweep("trials recorded", "100 units, 340 steps", recording, ("0 → 1", "1")),
    "networks": Sweep(
        "networks of a run", "32 units, 50 updates of batch 16, one worker", networks, ("0 → 1", "0"), least=None
    ),
}
_SAID = (
    "Exponents are slopes of log cost over log size, over all points and over the last three; an arrow: from where "
    "overhead rules to where the size does. An update: Adam, Dale's law (80/20), half of the synapses, no "
    "self-connections. Memory: the peak beyond that of a process which has done a small case; of networks, the largest "
    "worker's in all. Every point has a fresh process."
)
parts = partial(exponents.parts, "growth", SWEEPS, _SAID, ("biornn", "keras", "tensorflow"))
