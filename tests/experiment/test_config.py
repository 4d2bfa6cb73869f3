"""Sections of an experiment file."""

import numpy as np

from biornn.experiment.config import NetworkConfig


def test_time_constants_are_spread_alike_over_both_types() -> None:
    network = NetworkConfig(n_units=10, excitatory_fraction=0.7, tau={"shortest": 1, "longest": 16})
    wiring = network.connectivity(seed=0)
    tau = np.array(network.time_constants(wiring))
    for cell_type in ("excitatory", "inhibitory"):
        members = tau[wiring.cell_type == cell_type]
        np.testing.assert_allclose(members, np.geomspace(1, 16, len(members)))
    assert NetworkConfig(tau=3).time_constants(wiring) == 3
