"""An experiment that goes on from the networks of a run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import biornn as bn
from biornn.experiment import Experiment, expand, load_experiment, run_experiment
from biornn.experiment.messages import ExperimentError
from biornn.experiment.network import run_network
from biornn.store import NETWORK_GROUPS, RunWriter
from biornn.training import record_weights


class BegunError(Exception):
    """A training is about to begin."""


def weights_at_the_beginning(spec, monkeypatch):
    def begin(model, *arguments, **settings):
        raise BegunError(model)

    with monkeypatch.context() as patch:
        patch.setattr("biornn.experiment.network.train", begin)
        with pytest.raises(BegunError) as begun:
            run_network(spec, lambda news: None)
    return record_weights(begun.value.args[0])


def settings_of(file, run_folder, *settings):
    return load_experiment(file, [f"start.run={run_folder}", *settings])


def test_networks_begin_with_the_weights_of_the_same_condition_and_seed(experiment_file, finished_run, run):
    experiment = settings_of(experiment_file, finished_run, "training.learning_rate=0.02")
    assert experiment.start.created == run.attrs["created"]
    for spec in expand(experiment):
        assert spec.source.network == spec.name
    spec = expand(experiment)[1]
    groups = run_network(spec, lambda news: None)
    first = groups["weights"].isel(snapshot=0)
    last = run["weights"].to_dataset().sel(network=spec.name).isel(snapshot=-1)
    for name in ("input_weights", "recurrent_weights", "output_weights", "recurrent_bias", "output_bias"):
        np.testing.assert_array_equal(first[name], last[name])
    assert (groups["weights"].recurrent_weights.isel(snapshot=-1) != first["recurrent_weights"]).any()


def test_networks_begin_with_the_snapshot_that_is_asked_for(experiment_file, finished_run, run, monkeypatch):
    spec = expand(settings_of(experiment_file, finished_run, "start.snapshot=1"))[0]
    stored = run["weights"].to_dataset().sel(network=spec.name)["recurrent_weights"]
    begun = weights_at_the_beginning(spec, monkeypatch)["recurrent_weights"]
    np.testing.assert_array_equal(begun, stored.isel(snapshot=1))
    assert (begun != stored.isel(snapshot=-1)).any()


@pytest.mark.nightly
def test_from_the_first_snapshot_the_same_experiment_ends_the_same(experiment_file, finished_run, run):
    spec = expand(settings_of(experiment_file, finished_run, "start.snapshot=0"))[0]
    again = run_network(spec, lambda news: None)["weights"].isel(snapshot=-1)
    stored = run["weights"].to_dataset().sel(network=spec.name).isel(snapshot=-1)
    # Sums of TensorFlow in another order than in the worker, over five updates.
    np.testing.assert_allclose(again["recurrent_weights"], stored["recurrent_weights"], rtol=0, atol=1e-6)


def test_another_task_gets_new_inputs_and_keeps_the_rest(experiment_file, finished_run, run, monkeypatch):
    experiment = settings_of(
        experiment_file, finished_run, "task={name: flip_flop, n_bits: 1, duration: 160, n_pulses: 2}"
    )
    spec = expand(experiment)[0]
    first = weights_at_the_beginning(spec, monkeypatch)
    stored = run["weights"].to_dataset().sel(network=spec.name).isel(snapshot=-1)
    np.testing.assert_array_equal(first["recurrent_weights"], stored["recurrent_weights"])
    assert first["input_weights"].shape == (1, 8)


def test_a_run_of_one_condition_serves_all_conditions(experiment_file, run, tmp_path):
    trials = {group: run[group].to_dataset(inherit=False) for group in ("trials", "probe_trials")}
    writer = RunWriter(tmp_path / "one", run.to_dataset().isel(network=[1]), run.attrs, trials)
    writer.write_network(
        "unconstrained-s01", {group: run[group].to_dataset().isel(network=1, drop=True) for group in NETWORK_GROUPS}
    )
    one = writer.finish()
    experiment = settings_of(experiment_file, one, "conditions={slow: {training.learning_rate: 0.001}, fast: {}}")
    assert {spec.source.network for spec in expand(experiment)} == {"unconstrained-s01"}  # also for another seed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["start.run=nowhere"],
            r"start.run: expected a run to go on from, got .*nowhere: expected a run folder with run.zarr",
        ),
        (["start.snapshot=9"], r"start.snapshot: expected a position of 4 in .*, got 9"),
        (["start.created=yesterday"], "start.run: expected the run that the experiment began with, of yesterday"),
        (["conditions={other: {}}"], "start.run: expected a condition 'other' in .*, which has unconstrained, constra"),
        (["seeds=[2]"], "start.run: expected a network of seed 2 and condition 'unconstrained'"),
        (["network.n_units=9"], "start.run: expected networks with the n_units of condition .*, 9, got 8"),
        (
            ["conditions={unconstrained: {excitatory_fraction: 0.5}}"],
            r"start.run: expected recurrent weights that keep to the signs of condition 'unconstrained', got \d+ "
            r"others in unconstrained-s03, first from \d to \d",
        ),
        (["conditions={unconstrained: {architecture: gru, tau: 1.0}}"], "with the formulation of .*, gru, got rate in"),
        (["network.tau=4"], r"with the tau of condition 'unconstrained', \[4.0, .* got \[5.0, 5.0,"),
        (["network.activation=relu"], "with the activation of condition .*, relu, got tanh"),
        (["network.use_bias=false"], "run: expected recurrent_bias of zero, since condition 'unconstrained' has none"),
        (
            ["conditions={unconstrained: {density: 0.5}}"],
            r"expected recurrent weights that keep to the mask of .* got \d+ others .* give the mask that cuts",
        ),
        (["network.input_density=0.5"], "expected input weights that keep to the mask of condition"),
    ],
)
def test_what_cannot_be_gone_on_from_is_refused_before_anything_begins(
    settings, message, experiment_file, finished_run
):
    with pytest.raises(ExperimentError, match=message) as error:
        settings_of(experiment_file, finished_run, *settings)
    assert "\n" not in str(error.value)


def test_a_lesion_is_a_mask_that_is_given(experiment_file, finished_run, run, monkeypatch):
    mask = np.ones((8, 8), int)
    mask[2, :] = 0
    conditions = f"conditions={{unconstrained: {{mask: {mask.tolist()}}}}}"
    spec = expand(settings_of(experiment_file, finished_run, conditions))[0]
    first = weights_at_the_beginning(spec, monkeypatch)
    stored = run["weights"].to_dataset().sel(network=spec.source.network).isel(snapshot=-1)
    np.testing.assert_array_equal(first["recurrent_weights"], stored["recurrent_weights"] * mask)


@pytest.mark.nightly
def test_a_run_that_was_replaced_is_opened_again(experiment_file, finished_run, tmp_path):
    folder = Path(shutil.copytree(finished_run, tmp_path / "source"))
    assert settings_of(experiment_file, folder).start.created == bn.open_run(folder).attrs["created"]
    metadata = folder / "run.zarr" / "zarr.json"
    created = bn.open_run(folder).attrs["created"]
    metadata.write_text(metadata.read_text().replace(created, "2001-01-01T00:00:00+00:00"))
    (folder / "run.zarr" / "manifest.json").unlink()
    assert settings_of(experiment_file, folder).start.created == "2001-01-01T00:00:00+00:00"


def test_a_run_is_not_replaced_by_one_that_goes_on_from_it(experiment_file, finished_run):
    with pytest.raises(ValueError, match="out: expected another folder than"):
        run_experiment(settings_of(experiment_file, finished_run), finished_run, overwrite=True)


def test_a_stored_experiment_names_the_run(experiment_file, finished_run):
    experiment = settings_of(experiment_file, finished_run)
    again = Experiment.model_validate_json(experiment.model_dump_json())
    assert again.start == experiment.start


@pytest.mark.nightly
def test_the_command_goes_on_and_the_run_says_from_where(
    experiment_file, finished_run, tmp_path, shared_cluster, capsys
):
    from biornn.cli import main

    out = tmp_path / "second"
    arguments = ["run", str(experiment_file), "--from", str(finished_run), "--out", str(out), "--no-report"]
    assert main(arguments) == 0
    capsys.readouterr()
    assert main(["info", str(out)]) == 0
    assert "weights of " in capsys.readouterr().out
    assert json.loads(bn.open_run(out).attrs["experiment"])["start"]["run"] == str(finished_run)
    first, second = (bn.open_run(one)["weights"].recurrent_weights for one in (finished_run, out))
    np.testing.assert_array_equal(second.isel(snapshot=0), first.isel(snapshot=-1))
