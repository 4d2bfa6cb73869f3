"""Tasks: labelled trials from a seeded generator. No Keras here.

A task has ``n_inputs``, ``n_outputs``, ``sample(n_trials, seed)``, ``probe()``, and ``arrays(n_trials, rng)``, the bare
inputs and targets that training streams.
"""

from biornn.tasks.flip_flop import FlipFlop
from biornn.tasks.task import Task

__all__ = ["FlipFlop", "Task"]
