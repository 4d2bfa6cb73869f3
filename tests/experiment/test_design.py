"""Conditions times seeds, matched by seed."""

import numpy as np

from biornn.experiment import Experiment, expand
from biornn.experiment.design import network_index

EXPERIMENT = Experiment(
    conditions={"free": {}, "dale": {"excitatory_fraction": 0.8}, "bare": {"autapses": False}}, seeds=[2, 11]
)


def test_every_condition_meets_every_seed_and_matched_networks_are_done_together() -> None:
    names = [spec.name for spec in expand(EXPERIMENT)]
    assert names == ["free-s02", "dale-s02", "bare-s02", "free-s11", "dale-s11", "bare-s11"]


def test_the_store_is_ordered_by_condition_as_the_file_is() -> None:
    index = network_index(EXPERIMENT)
    assert index.condition.values.tolist() == ["free", "free", "dale", "dale", "bare", "bare"]
    assert index.seed.values.tolist() == [2, 11] * 3
    assert index.network.values[3] == "dale-s11"


def test_networks_of_one_seed_share_what_their_settings_leave_in_common() -> None:
    free, dale, bare, other = (spec.network.connectivity(spec.seed) for spec in expand(EXPERIMENT)[:4])
    np.testing.assert_array_equal(free.input(3).initial_weights, dale.input(3).initial_weights)
    np.testing.assert_array_equal(free.readout(3).initial_weights, dale.readout(3).initial_weights)
    assert abs(free.input(3).initial_weights - other.input(3).initial_weights).max() > 0.01
    for wiring in (free, dale, bare):
        # Eigenvalues of a 100 x 100 matrix in float64 are exact to about 1e-12.
        assert abs(np.abs(np.linalg.eigvals(wiring.recurrent.initial_weights)).max() - 1) < 1e-10
