"""Free parameters, counted against Keras."""

import numpy as np
import pytest

from biornn.experiment.config import NetworkConfig, TrainingConfig
from biornn.experiment.network import network_model
from biornn.experiment.parameters import number_range, parameter_counts
from biornn.tasks import FlipFlop

TASK = FlipFlop(n_bits=2)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_bias": False, "readout_bias": False},
        {"trainable_initial_state": True},
        {"architecture": "gru"},
        {"architecture": "lstm", "use_bias": False},
    ],
)
def test_without_masks_every_trainable_weight_of_keras_counts(settings: dict[str, object]) -> None:
    network = NetworkConfig(n_units=6, **settings)
    model = network_model(TASK, network, TrainingConfig(), seed=0)
    n_weights = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert sum(parameter_counts(network, TASK, seed=0).values()) == n_weights


def test_what_a_mask_forbids_does_not_count() -> None:
    network = NetworkConfig(
        n_units=10, excitatory_fraction=0.8, density=0.5, autapses=False, input_density=0.0, readout_from="excitatory"
    )
    counts = parameter_counts(network, TASK, seed=3)
    assert counts == {
        "input": 0,
        "recurrent": int(network.connectivity(3).recurrent.mask.sum()),
        "output": 16,
        "bias": 12,
    }
    assert 0 < counts["recurrent"] < 90


def test_counts_are_written_as_a_range_where_they_differ() -> None:
    assert number_range([1200, 1200]) == "1,200"
    assert number_range([7, 1200, 30]) == "7 to 1,200"
