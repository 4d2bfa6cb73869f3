"""Table 1 says what the store says."""

import copy
import json

import numpy as np
import pytest
import xarray as xr

from biornn.experiment import load_experiment
from biornn.experiment.design import expand
from biornn.experiment.network import network_model
from biornn.report.network_table import describe_networks, network_table


def test_each_condition_is_described_from_weights_and_experiment(run: xr.DataTree) -> None:
    described = describe_networks(run)
    assert list(described) == ["unconstrained", "constrained"]
    free, constrained = described["unconstrained"], described["constrained"]
    assert free["units"] == "8"
    assert constrained["units"] == "8 (6 excitatory, 2 inhibitory)"
    assert free["time step"] == "1 ms; time constant 5 ms"
    assert (free["input weights"], free["recurrent weights"], free["output weights"]) == ("2 × 8", "8 × 8", "8 × 2")
    assert free["bias"] == "units: yes; outputs: yes"
    assert free["initialisation"].startswith("recurrent: orthogonal, spectral radius 1;")
    assert constrained["initialisation"].startswith("recurrent: gamma, spectral radius 1;")
    assert free["training algorithm"].startswith("Adam (backpropagation through time), learning rate 0.005, cosine")
    assert free["regularisation"] == "none"
    assert free["constraints"] == "none"
    assert constrained["constraints"].startswith("Dale's law, ")
    assert constrained["constraints"].endswith("no self-connections, by projection")


def test_free_parameters_are_those_that_training_may_change(run: xr.DataTree) -> None:
    described = describe_networks(run)
    assert described["unconstrained"]["free parameters"] == "106 (input 16, recurrent 64, output 16, bias 10)"
    masks = run["weights"].recurrent_mask.sum(["unit_pre", "unit_post"])
    low, high = sorted(masks.sel(network=masks.condition == "constrained").values.tolist())
    assert f"recurrent {low} to {high}" in described["constrained"]["free parameters"] or low == high


@pytest.mark.parametrize("architecture", ["rnn", "gru", "lstm"])
def test_the_count_is_that_of_keras(tmp_path, run: xr.DataTree, architecture: str) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(f"task: {{n_bits: 2}}\nnetwork: {{n_units: 8, architecture: {architecture}}}\nseeds: 1\n")
    spec = expand(load_experiment(path))[0]
    model = network_model(spec.task, spec.network, spec.training, spec.seed)
    counted = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    changed = run.copy()
    formulation = "rate" if architecture == "rnn" else architecture
    weights = run["weights"].to_dataset(inherit=False)
    changed["weights"].dataset = weights.assign(formulation=("network", np.full(4, formulation, object)))
    assert describe_networks(changed)["unconstrained"]["free parameters"].startswith(f"{counted} (")


def test_fixed_synapses_are_no_free_parameters(run: xr.DataTree) -> None:
    weights = run["weights"].to_dataset()
    plastic = weights["recurrent_trainable"] & (weights["unit_pre"] < 3)
    changed = run.copy()
    changed["weights"] = xr.DataTree(weights.assign(recurrent_trainable=plastic))
    assert "recurrent 24," in describe_networks(changed)["unconstrained"]["free parameters"]
    assert "fixed weights" in describe_networks(changed)["unconstrained"]["constraints"]
    changed["weights"] = xr.DataTree(
        weights.assign(output_trainable=weights["output_trainable"] & (weights["unit"] < 3))
    )
    assert "output 6," in describe_networks(changed)["unconstrained"]["free parameters"]
    older = ["recurrent_trainable", "input_trainable", "output_trainable"]
    changed["weights"] = xr.DataTree(weights.drop_vars(older))
    assert describe_networks(changed) == describe_networks(run)


def test_topology_and_rewiring_are_constraints(run: xr.DataTree) -> None:
    experiment = copy.deepcopy(json.loads(run.attrs["experiment"]))
    experiment["network"] |= {"topology": {"small_world": {"k": 4, "p": 0.1}}, "rewired": True, "enforcement": "hand"}
    changed = run.copy()
    changed.attrs = {**run.attrs, "experiment": json.dumps(experiment)}
    told = describe_networks(changed)["unconstrained"]["constraints"]
    experiment["network"]["input_weights"] = [[1.0]]
    changed.attrs = {**run.attrs, "experiment": json.dumps(experiment)}
    assert "; input: given; output: Glorot" in describe_networks(changed)["unconstrained"]["initialisation"]
    assert told == "a small world topology, rewired with the degrees of the given mask, by hand"


def test_regularisation_and_what_is_not_recorded(run: xr.DataTree) -> None:
    changed = run.copy()
    experiment = copy.deepcopy(json.loads(run.attrs["experiment"]))
    experiment["training"] |= {"l1_weights": 0.1, "l2_rates": 0.01, "n_training_trials": 300}
    changed.attrs = {**run.attrs, "experiment": json.dumps(experiment)}
    described = describe_networks(changed)["unconstrained"]
    assert described["regularisation"] == "L1 of weights 0.1, L2 of rates 0.01"
    assert "300 training trials, in passes" in described["training algorithm"]
    changed.attrs = {**run.attrs, "experiment": "{}"}
    described = describe_networks(changed)["unconstrained"]
    assert described["training algorithm"] == "not recorded"
    assert described["bias"] == "units: not recorded; outputs: not recorded"


def test_trials_in_training_are_told_stage_by_stage(run: xr.DataTree) -> None:
    assert describe_networks(run)["unconstrained"]["trials in training"] == "as in the task"
    experiment = copy.deepcopy(json.loads(run.attrs["experiment"]))
    stages = [
        {"task": {"n_pulses": 1}, "updates": 100, "score": 0.8},
        {"task": {}, "updates": None, "score": 0.9},
        {"task": {}, "updates": 50, "score": None},
    ]
    experiment["training"] |= {"task": {"noise": 0.0}, "stages": stages}
    experiment["conditions"]["constrained"] = {"training.task.noise": 0.3, "training.stages": []}
    changed = run.copy()
    changed.attrs = {**run.attrs, "experiment": json.dumps(experiment)}
    described = describe_networks(changed)
    assert described["constrained"]["trials in training"] == "noise 0.3"
    assert described["unconstrained"]["trials in training"] == (
        "noise 0.0, n pulses 1, until 100 updates or a score of 0.8; then noise 0.0, until a score of 0.9; "
        "then noise 0.0, until 50 updates; then noise 0.0"
    )


def test_a_network_that_failed_is_left_out(run: xr.DataTree) -> None:
    changed = run.copy()
    weights, history = (run[group].to_dataset(inherit=False) for group in ("weights", "history"))
    blank = weights.formulation.astype(object).copy(data=np.array(["", "rate", "", ""], object))
    changed["weights"].dataset = weights.assign(
        formulation=blank,
        recurrent_mask=weights.recurrent_mask & xr.DataArray([False, True, False, False], dims="network"),
    )
    status = np.array(["failed", "completed", "failed", "failed"], object)
    changed["history"].dataset = history.assign(status=("network", status))
    described = describe_networks(changed)
    assert described["unconstrained"] == describe_networks(run)["unconstrained"]
    assert described["constrained"] == {}
    table = network_table(changed)
    assert next(iter(table.columns[2].cells)).plain == "failed"
    status = np.array(["completed", "completed", "interrupted", "interrupted"], object)
    changed["history"].dataset = history.assign(status=("network", status))
    assert describe_networks(changed)["constrained"] == {}
    assert next(iter(network_table(changed).columns[2].cells)).plain == "not trained"


def test_the_table_has_a_row_per_property_and_a_column_per_condition(run: xr.DataTree) -> None:
    table = network_table(run)
    assert [str(column.header) for column in table.columns] == ["", "unconstrained", "constrained"]
    assert table.row_count == len(describe_networks(run)["constrained"])
