"""Small tasks for the tests of training."""

from dataclasses import dataclass

import numpy as np

import biornn as bn
from biornn.tasks import Task, Trials
from biornn.tasks.task import task_generator

#: A flip-flop of one bit that a small network learns in seconds: 24 steps, two pulses.
SHORT_FLIP_FLOP = bn.tasks.FlipFlop(
    n_bits=1, duration=24, pulse_width=3, response_delay=1, min_gap=4, first_onset=1, n_pulses=2, noise=0.05
)


@dataclass(frozen=True)
class Echo(Task):
    """Repeat the signs of random inputs, `gain` times as large; targets turn into `spoilt` in a share of batches."""

    gain: float = 1.0
    n_steps: int = 5
    spoilt: float | None = None
    n_inputs: int = 2
    n_outputs: int = 2

    def arrays(self, n_trials, rng):
        inputs = rng.normal(size=(n_trials, self.n_steps, 2)).astype("float32")
        targets = np.sign(inputs) * np.float32(self.gain)
        # Validation sets of 20 trials stay as they are; training batches of 4 are spoilt by the first draw's sign.
        if self.spoilt is not None and n_trials < 20 and inputs[0, 0, 0] > 0:
            targets[0, -1, 0] = self.spoilt
        return Trials(inputs, targets, np.ones_like(targets))

    def trials(self, n_trials, seed, **fixed):
        return self.labelled(self.arrays(n_trials, task_generator(seed)))

    def score(self, outputs, trials):
        return (np.sign(outputs) == np.sign(trials["targets"])).mean(["time", "output_channel"])
