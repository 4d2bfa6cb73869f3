"""A whole experiment: processes, the store, failures."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import biornn as bn
from biornn.experiment import NetworkSpec, load_experiment, run_experiment
from biornn.experiment.run import check_output


def test_a_run_keeps_to_the_schema_and_says_what_it_is(run: xr.DataTree) -> None:
    bn.validate(run)
    assert run.attrs["title"] == "A small comparison"
    experiment = json.loads(run.attrs["experiment"])
    assert experiment["network"]["n_units"] == 8
    assert experiment["conditions"]["constrained"]["density"] == 0.5
    assert "keras" in json.loads(run.attrs["versions"])
    assert run["weights"].step.values.tolist() == [0, 2, 4, 5]


def test_numpy_alone_gives_the_stored_activity_back(run: xr.DataTree) -> None:
    """Equation 1 written out, with nothing of biornn but the store."""
    for prefix in ("", "probe_"):
        inputs = run[f"{prefix}trials"].inputs.values
        for network in run.network.values:
            w = run["weights"].to_dataset().sel(network=network).isel(epoch=-1)
            activity = run[f"{prefix}activity"].to_dataset().sel(network=network)
            rates = np.tile(w.initial_rates.values, (len(inputs), 1))
            for time in range(inputs.shape[1]):
                current = rates @ w.recurrent_weights.values + inputs[:, time] @ w.input_weights.values
                rates = (1 - w.alpha.values) * rates + w.alpha.values * np.tanh(current + w.recurrent_bias.values)
                # float32 on one side and float64 on the other, over 160 contracting steps
                np.testing.assert_allclose(activity.rates[:, time], rates, atol=1e-5)
            np.testing.assert_allclose(
                activity.outputs[:, -1], rates @ w.output_weights.values + w.output_bias.values, atol=1e-5
            )


def test_the_initial_weights_of_a_run_are_those_of_the_connectivity(run: xr.DataTree) -> None:
    wiring = bn.Connectivity(8, excitatory_fraction=0.75, density=0.5, autapses=False, seed=1)
    stored = run["weights"].to_dataset().sel(network="constrained-s01")
    np.testing.assert_array_equal(stored.recurrent_mask, wiring.recurrent.mask)
    np.testing.assert_allclose(stored.recurrent_weights[0], wiring.recurrent.initial_weights, rtol=1e-6)  # float32
    assert wiring.recurrent.violations(stored.recurrent_weights[-1].values) == 0
    assert abs(stored.recurrent_weights[-1] - stored.recurrent_weights[0]).max() > 1e-4


def test_held_out_trials_are_neither_validation_nor_training_trials(experiment_file: Path, run: xr.DataTree) -> None:
    from biornn.tasks.seeds import generator
    from biornn.training import TrialStream

    task = load_experiment(experiment_file).task
    held_out = {trial.tobytes() for trial in run["trials"].inputs.values}
    others = [*task.arrays(6, generator("validation", 0))[0]]
    for seed in (0, 1, 3):
        others += [trial for index in range(5) for trial in TrialStream(task, 4, seed)[index][0]]
    assert not held_out & {trial.tobytes() for trial in others}


def test_networks_that_fail_are_counted_and_the_others_go_on(experiment_file: Path, tmp_path: Path) -> None:
    # A frozen network, and one whose learning rate makes the loss infinite.
    experiment = load_experiment(
        experiment_file,
        ["seeds=1", "conditions={calm: {}, wild: {training.learning_rate: 1.0e+30, training.clip_norm: null}}"],
    )
    console = Console(file=io.StringIO(), width=200)
    tree = run_experiment(experiment, tmp_path / "run", n_workers=1, console=console).load()
    bn.validate(tree)
    assert tree["history"].status.values.tolist() == ["completed", "diverged"]
    assert np.isnan(tree["activity"].to_dataset().outputs.sel(network="wild-s00")).all()
    lines = console.file.getvalue().splitlines()
    assert any(line.startswith("[2/2] wild-s00  diverged after") for line in lines)


def test_a_network_whose_process_raises_is_a_row_with_its_status(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(spec: NetworkSpec, trials: dict[str, xr.Dataset]) -> dict[str, xr.Dataset]:
        if spec.condition == "constrained":
            raise OSError("lost\nits disk")
        from biornn.experiment.network import run_network

        return run_network(spec, trials, lambda news: None)

    monkeypatch.setattr("biornn.experiment.run._work", work)  # a closure travels to the workers by value
    console = Console(file=io.StringIO(), width=200)
    experiment = load_experiment(experiment_file, ["seeds=1"])
    tree = run_experiment(experiment, tmp_path / "run", console=console).load()
    bn.validate(tree)
    assert tree["history"].status.values.tolist() == ["completed", "failed"]
    assert np.isnan(tree["weights"].to_dataset().recurrent_weights.sel(network="constrained-s00")).all()
    assert "constrained-s00  failed: OSError: lost its disk" in console.file.getvalue()

    alone = load_experiment(experiment_file, ["conditions={constrained: {}}"])
    with pytest.raises(RuntimeError, match="expected at least one network to be trained, but all 2 failed"):
        run_experiment(alone, tmp_path / "none", console=console)
    assert not (tmp_path / "none").exists()


def test_a_folder_that_is_there_is_refused_before_any_work(
    experiment_file: Path, finished_run: Path, tmp_path: Path
) -> None:
    experiment = load_experiment(experiment_file)
    with pytest.raises(FileExistsError, match="expected a new folder, but it exists; choose another --out"):
        run_experiment(experiment, finished_run)
    (tmp_path / "thesis").mkdir()
    with pytest.raises(FileExistsError, match=r"expected a run to overwrite, found no run\.zarr"):
        run_experiment(experiment, tmp_path / "thesis", overwrite=True)
    (tmp_path / "thesis" / "run.zarr").mkdir()
    (tmp_path / "thesis" / "notes.txt").touch()
    with pytest.raises(FileExistsError, match=r"found 'notes\.txt' beside it; move it away"):
        check_output(tmp_path / "thesis", overwrite=True)
    (tmp_path / "link").symlink_to(finished_run)
    with pytest.raises(FileExistsError, match="expected a run to overwrite"):
        check_output(tmp_path / "link", overwrite=True)
    check_output(finished_run, overwrite=True)
    check_output(tmp_path / "new", overwrite=False)
