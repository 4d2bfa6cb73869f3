"""What cannot be matched is said; what is matched is so."""

import numpy as np

from biornn.experiment import Experiment, expand
from biornn.experiment.matching import unmatched

SMALL = {"n_units": 10}


def test_conditions_that_differ_in_nothing_but_a_setting_need_no_words() -> None:
    told = unmatched(Experiment(network=SMALL, conditions={"tanh": {}, "relu": {"activation": "relu"}}))
    assert told == {"tanh": [], "relu": []}


def test_every_condition_has_the_spectral_radius_that_was_asked_for() -> None:
    experiment = Experiment(
        network={"n_units": 30, "spectral_radius": 1.3},
        factors={"dale": ["none", 0.8], "density": [1.0, 0.2], "autapses": [True, False]},
    )
    for spec in expand(experiment):
        weights = spec.network.connectivity(spec.seed).recurrent.initial_weights
        # Eigenvalues of sparse matrices may be ill-conditioned: half the digits.
        assert abs(np.abs(np.linalg.eigvals(weights)).max() - 1.3) < 1e-7
    told = unmatched(experiment)
    assert told["no-autapses"] == ["free parameters: 1,083 (in unconstrained: 1,113)"]
    assert told["dale"] == ["initial recurrent weights: drawn by the rule gamma instead of orthogonal"]
    assert not any("spectral radius" in sentence for sentences in told.values() for sentence in sentences)


def test_a_mask_without_a_cycle_has_no_spectral_radius_to_match() -> None:
    mask = np.triu(np.ones((10, 10), int), 1).tolist()
    told = unmatched(Experiment(network=SMALL, conditions={"free": {}, "chain": {"mask": mask}}, seeds=[3]))
    assert told["chain"][-1] == (
        "initial spectral radius: 0 (in free: 1); without a cycle in the mask it is 0, whatever the weights (seeds [3])"
    )


def test_other_trials_and_gated_networks_are_told() -> None:
    conditions = {
        "free": {},
        "batch": {"training.batch_size": 8, "training.n_validation_trials": 10},
        "gru": {"architecture": "gru"},
        "wide": {"spectral_radius": 1.5},
    }
    told = unmatched(Experiment(network=SMALL, conditions=conditions))
    assert told["batch"] == [
        "training trials: batch_size is 8 instead of 32",
        "validation trials: n_validation_trials is 10 instead of 200",
    ]
    assert told["gru"][1] == "initial weights: a GRU has others, and no spectral radius"
    assert told["wide"] == ["initial spectral radius: 1.5 (in free: 1)"]


def test_the_reference_is_unconstrained_wherever_it_stands() -> None:
    told = unmatched(Experiment(network=SMALL, conditions={"no": {"autapses": False}, "unconstrained": {}}))
    assert told == {"no": ["free parameters: 163 (in unconstrained: 173)"], "unconstrained": []}


def test_a_criterion_of_its_own_is_told() -> None:
    conditions = {"free": {}, "longer": {"training.criterion": 0.99}}
    told = unmatched(Experiment(network=SMALL, conditions=conditions))
    assert told["longer"] == ["duration of the training: criterion is 0.99 instead of none"]
