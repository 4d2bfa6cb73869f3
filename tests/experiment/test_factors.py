"""Crossed factors."""

import numpy as np
import pytest

from biornn.experiment import Experiment
from biornn.experiment.design import network_index
from biornn.experiment.factors import cross_factors
from biornn.schema import text

FACTORS = {"dale": ["none", 0.8], "density": [1.0, 0.2], "autapses": [True, False]}


def test_every_combination_is_a_condition_named_after_what_it_changes() -> None:
    cells = cross_factors(FACTORS, {})
    assert list(cells) == [
        "unconstrained",
        "no-autapses",
        "density-0.2",
        "density-0.2+no-autapses",
        "dale",
        "dale+no-autapses",
        "dale+density-0.2",
        "dale+density-0.2+no-autapses",
    ]
    assert cells["dale+no-autapses"].changes == {"excitatory_fraction": 0.8, "density": 1.0, "autapses": False}
    assert cells["dale+no-autapses"].levels == {"dale": "0.8", "density": "1", "autapses": "false"}


def test_names_stay_apart_and_say_what_is_meant() -> None:
    assert list(cross_factors({"dale": ["none", 0.5, 0.8]}, {})) == ["unconstrained", "dale-0.5", "dale-0.8"]
    assert list(cross_factors({"dale": [0.8, "none"]}, {})) == ["reference", "no-dale"]
    # Sparse in every condition: the first is not without constraints.
    assert list(cross_factors({"dale": ["none", 0.8]}, {"density": 0.5})) == ["reference", "dale"]
    assert list(cross_factors({"tau": [7.0, {"shortest": 1, "longest": 10}]}, {})) == ["unconstrained", "tau-level2"]
    assert list(cross_factors({"learning_rate": [0.01, 0.001], "activation": ["tanh", "relu"]}, {}))[1:] == [
        "activation-relu",
        "learning_rate-0.001",
        "learning_rate-0.001+activation-relu",
    ]


def test_a_factor_may_be_any_key_of_network_or_training() -> None:
    experiment = Experiment(factors={"training.batch_size": [8, 16], "activation": ["tanh", "relu"]}, seeds=1)
    network, training = experiment.settings("batch_size-16+activation-relu")
    assert (network.activation, training.batch_size) == ("relu", 16)


def test_the_store_labels_networks_with_the_levels_of_their_factors() -> None:
    index = network_index(Experiment(factors=FACTORS, seeds=[4, 2]))
    assert index.sizes["network"] == 16
    one = index.sel(network="dale+density-0.2-s02")
    assert (one.factor_dale.item(), one.factor_density.item(), one.factor_autapses.item()) == ("0.8", "0.2", "true")
    # The first level along the networks is the reference.
    assert [text(index[name])[0].item() for name in ("factor_dale", "factor_density")] == ["none", "1"]
    assert (np.unique(text(index.factor_autapses), return_counts=True)[1] == 8).all()


def test_a_stored_experiment_holds_factors_and_conditions_and_can_be_read_again() -> None:
    experiment = Experiment(factors=FACTORS)
    assert Experiment.model_validate_json(experiment.model_dump_json()) == experiment


def test_a_level_of_several_values_is_told_whole_beside_its_name() -> None:
    cells = cross_factors({"tau": [7.0, {"shortest": 1, "longest": 10}]}, {})
    assert cells["tau-level2"].levels == {"tau": '{"shortest": 1, "longest": 10}'}


@pytest.mark.parametrize("levels", [[5e-3, "5e-3"], [1, 1.0], [0.005, 5e-3], [0.01]])
def test_levels_that_become_the_same_setting_are_refused(levels: list[object]) -> None:
    with pytest.raises(ValueError, match=r"factors.learning_rate: expected at least two levels, all different"):
        cross_factors({"learning_rate": levels}, {})


def test_a_key_that_yaml_reads_as_a_truth_value_is_refused() -> None:
    with pytest.raises(ValueError, match=r"factors: expected names of settings, got True"):
        Experiment.model_validate({"factors": {True: [1, 2]}})
