"""The number of weights that training may change."""

from __future__ import annotations

from collections.abc import Sequence

from biornn.experiment.config import NetworkConfig
from biornn.schema import GATES
from biornn.tasks import Task


def parameter_counts(network: NetworkConfig, task: Task, seed: int) -> dict[str, int]:
    """Count the free parameters of a network, without those that a mask forbids or that are not trainable.

    The kinds are ``input``, ``recurrent``, ``output`` and ``bias``, and ``initial state`` where it is learned.
    """
    wiring = network.connectivity(seed)
    trainable = wiring.recurrent_trainable
    gates, biases_per_gate = GATES.get(network.architecture, (("",), 1))
    counts = {
        "input": len(gates) * int(wiring.input(task.n_inputs).free.sum()),
        "recurrent": len(gates) * int((wiring.recurrent_mask & (trainable is None or trainable)).sum()),
        "output": int(wiring.readout(task.n_outputs).free.sum()),
        "bias": len(gates) * biases_per_gate * network.n_units * network.use_bias
        + task.n_outputs * network.readout_bias,
    }
    return counts | ({"initial state": network.n_units} if network.trainable_initial_state else {})


def number_range(numbers: Sequence[float], form: str = ",") -> str:
    """Write the numbers of several networks: one, or the smallest and the largest."""
    low, high = min(numbers), max(numbers)
    return f"{low:{form}}" if low == high else f"{low:{form}} to {high:{form}}"
