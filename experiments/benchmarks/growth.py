"""How the cost of training grows with every size: python experiments/benchmarks/growth.py.

Fully constrained networks (Dale's law 80/20, half of the synapses, no self-connections), one size at a time.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from exponents import Sweep, Work, main

N_CHANNELS = 3


def update(units: int, steps: int, batch: int) -> Work:
    """Make a network, and one update of it on random arrays.

    Parameters
    ----------
    units, steps, batch
        Sizes.
    """
    import keras
    import numpy as np

    import biornn as bn

    generator = np.random.default_rng(0)
    inputs, targets = (generator.standard_normal((batch, steps, N_CHANNELS), dtype="float32") for _ in range(2))
    model = bn.layers.build_model(_wiring(units), N_CHANNELS, N_CHANNELS)
    model.compile(keras.optimizers.Adam(1e-4, global_clipnorm=1.0), "mse", jit_compile=False)

    def work() -> float:
        with bn.layers.fused_readout(model):  # as `biornn.train` does
            return float(model.train_on_batch(inputs, targets))

    return work


def _wiring(units: int) -> object:
    import biornn as bn

    return bn.Connectivity(units, excitatory_fraction=0.8, density=0.5, autapses=False, seed=0)


def training(updates: int) -> Work:
    """Make a network of 64 units, and its whole training, trials and validation included.

    Parameters
    ----------
    updates
        How many.
    """
    import biornn as bn

    model = bn.layers.build_model(_wiring(64), N_CHANNELS, N_CHANNELS, tau=7.0, dt=1.0)
    return lambda: bn.train(model, bn.tasks.FlipFlop(), seed=0, max_updates=updates, batch_size=32)


def trials(n_trials: int) -> Work:
    """Make training trials of the flip-flop.

    Parameters
    ----------
    n_trials
        How many.
    """
    import numpy as np

    from biornn.tasks import FlipFlop

    return lambda: FlipFlop().arrays(n_trials, np.random.default_rng(0))


def recording(n_trials: int) -> Work:
    """Make a network of 100 units and trials, and record its activity on them.

    Parameters
    ----------
    n_trials
        How many trials.
    """
    import biornn as bn
    from biornn.training import record_activity

    model = bn.layers.build_model(_wiring(100), N_CHANNELS, N_CHANNELS)
    sampled = bn.tasks.FlipFlop().sample(n_trials, seed=0)
    return lambda: record_activity(model, sampled)


def networks(n_networks: int) -> Work:
    """Plan a set of small networks, and the run that trains and records them with one worker.

    Parameters
    ----------
    n_networks
        How many.
    """
    from rich.console import Console

    from biornn.experiment import Experiment, run_experiment

    planned = Experiment(
        title="A set that grows",
        network={"n_units": 32, "tau": 7.0, "excitatory_fraction": 0.8, "density": 0.5, "autapses": False},
        conditions={"constrained": {}},
        seeds=n_networks,
        training={"max_updates": 50, "batch_size": 16, "validate_every": 50},
        recording={"n_trials": 16},
    )

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            console = Console(file=io.StringIO())
            run_experiment(planned, Path(folder) / "run", n_workers=1, console=console).close()

    return run


SWEEPS = {
    "units": Sweep(
        "units, one update", "50 steps, batch 16", (64, 128, 256, 512, 1000, 2000, 4000),
        lambda n: update(n, 50, 16), ("0 → 2", "0 → 2"),
    ),
    "steps": Sweep(
        "steps, one update", "100 units, batch 32", (100, 200, 500, 1000, 2000, 5000),
        lambda n: update(100, n, 32), ("1", "1"),
    ),
    "batch": Sweep(
        "batch, one update", "100 units, 340 steps", (8, 16, 32, 64, 128, 256, 512),
        lambda n: update(100, 340, n), ("0 → 1", "1"),
    ),
    "updates": Sweep(
        "updates of a training", "64 units, 340 steps, batch 32", (25, 50, 100, 200, 400, 800),
        training, ("0 → 1", "0"), once=True,
    ),
    "trials": Sweep(
        "trials made", "340 steps, 3 channels", (10, 100, 1000, 10_000, 50_000), trials, ("1", "1"),
    ),
    "recording": Sweep(
        "trials recorded", "100 units, 340 steps", (64, 125, 250, 500, 1000, 2000), recording, ("0 → 1", "1"),
    ),
    "networks": Sweep(
        "networks of a run", "32 units, 50 updates of batch 16, one worker", (1, 2, 4, 8, 16, 32),
        networks, ("0 → 1", "0"), least=None,
    ),
}  # fmt: skip
TOLD = (
    "Exponents are slopes of log cost over log size, over all points and over the last three; an arrow: from where "
    "overhead rules to where the size does. An update: Adam, Dale's law (80/20), half of the synapses, no "
    "self-connections. Memory: the peak beyond that of a process which has done a small case; of networks, the largest "
    "worker's in all. Every point has a fresh process."
)

if __name__ == "__main__":
    main(__file__, SWEEPS, TOLD, "biornn", "keras", "tensorflow")
