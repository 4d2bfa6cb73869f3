"""Sections of an experiment file."""

import numpy as np
import pytest
from pydantic import ValidationError

from biornn.experiment import Experiment
from biornn.experiment.config import NetworkConfig, TrainingConfig


def test_time_constants_are_spread_alike_over_both_types() -> None:
    network = NetworkConfig(n_units=10, excitatory_fraction=0.7, tau={"shortest": 1, "longest": 16})
    wiring = network.connectivity(seed=0)
    tau = np.array(network.time_constants(wiring))
    for cell_type in ("excitatory", "inhibitory"):
        members = tau[wiring.cell_type == cell_type]
        np.testing.assert_allclose(sorted(members), np.geomspace(1, 16, len(members)))
    assert NetworkConfig(tau=3).time_constants(wiring) == 3


def test_time_constants_do_not_follow_the_order_of_the_units_and_match_over_conditions() -> None:
    """A given mask, such as a ring, has units in an order of its own."""

    def tau(seed: int, **settings: float) -> np.ndarray:
        network = NetworkConfig(n_units=200, tau={"shortest": 1, "longest": 100}, **settings)
        return np.log(network.time_constants(network.connectivity(seed)))

    free, other, signed = tau(0), tau(1), tau(0, excitatory_fraction=0.8)
    limit = 4 / np.sqrt(200)  # standard errors of a correlation of what is independent
    assert abs(np.corrcoef(free, np.arange(200))[0, 1]) < limit
    assert abs(np.corrcoef(free, other)[0, 1]) < limit
    np.testing.assert_array_equal(free, tau(0, density=0.1))
    np.testing.assert_array_equal(free[:160].argsort(), signed[:160].argsort())  # the excitatory ones


def test_numbers_of_numpy_are_settings_like_others() -> None:
    network = NetworkConfig(
        n_units=np.int64(2), autapses=np.False_, mask=np.eye(2, dtype=int), tau=np.array([2.0, 3.0])
    )
    assert network == NetworkConfig(n_units=2, autapses=False, mask=[[1, 0], [0, 1]], tau=[2.0, 3.0])
    assert Experiment(seeds=np.int64(3)).seeds == Experiment(seeds=np.arange(3)).seeds == [0, 1, 2]
    crossed = Experiment(conditions={"fast": {"tau": np.float64(2.0), "training.batch_size": np.int64(4)}})
    assert Experiment.model_validate_json(crossed.model_dump_json()) == crossed
    for value in (True, np.True_, [np.int64(1), True]):
        with pytest.raises(ValidationError):
            TrainingConfig(max_updates=1, validate_every=1, snapshots=value)


def test_a_topology_is_a_setting_of_the_network_and_told_whole() -> None:
    levels = ["none", {"small_world": {"k": 4, "p": 0.1}}, {"small_world": {"k": 4, "p": 1, "directed": False}}]
    experiment = Experiment(network={"n_units": 20}, factors={"topology": levels}, seeds=2)
    assert list(experiment.conditions) == ["unconstrained", "topology-level2", "topology-level3"]
    network, _ = experiment.settings("topology-level2")
    assert network.topology == {"small_world": {"k": 4, "p": 0.1, "directed": True}}
    masks = [network.connectivity(seed).recurrent_mask for seed in experiment.seeds]
    assert (masks[0] != masks[1]).any()
    assert Experiment.model_validate_json(experiment.model_dump_json()) == experiment
    with pytest.raises(ValidationError, match=r"topology\.small_world\.k: expected an even number of neighbours"):
        NetworkConfig(n_units=4, topology={"small_world": {"k": 4, "p": 0.1}})


def test_a_criterion_is_a_score_or_names_what_it_is_on() -> None:
    assert TrainingConfig(criterion=0.9).criterion == 0.9
    both = TrainingConfig(criterion={"score": 0.98, "held": 1.0})
    assert both.model_dump()["criterion"] == {"score": 0.98, "held": 1.0}
    assert TrainingConfig.model_validate_json(both.model_dump_json()) == both
    for wrong, told in {
        "criterion: held": {"held": 1.5},
        "Extra inputs": {"accuracy": 0.98},
        "expected score, held, or both": {},
        "greater": -1,
    }.items():
        with pytest.raises(ValidationError, match=wrong if wrong[0] != "c" else "less than or equal to 1"):
            TrainingConfig(criterion=told)
