"""Files of one training become an ordinary run."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.cli import main
from biornn.report.network_table import describe_networks
from biornn.store.imported import _snapshots
from biornn.store.keras_hdf5 import KerasFileError
from tests.store.keras_files import arrays, write

PUBLISHED = Path(__file__).parents[3] / "shared" / "published"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of one training, out of order."""
    folder = tmp_path_factory.mktemp("keras")
    names = {"weights-10": 10, "_N_00_initial": None, "weights-9": 9}
    return [write(folder / f"{name}.hdf5", seed=update or 0, update=update) for name, update in names.items()]


@pytest.fixture(scope="module")
def imported(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> xr.DataTree:
    return bn.store.import_keras_hdf5(files, tmp_path_factory.mktemp("runs") / "run", n_trials=3).load()


def test_snapshots_stand_in_natural_order_the_initial_one_first(imported: xr.DataTree) -> None:
    weights = imported["weights"].to_dataset()
    assert weights.snapshot.values.tolist() == [0, 9, 10]
    assert weights["update"].values.tolist() == [0, 9, 10]
    for snapshot in (0, 9, 10):
        one = weights.recurrent_weights.sel(snapshot=snapshot).isel(network=0)
        np.testing.assert_array_equal(one, arrays(snapshot)["recurrent_kernel"])


def test_it_is_an_ordinary_run(imported: xr.DataTree) -> None:
    bn.validate(imported)
    assert not bn.audit(imported).to_array().any("snapshot").sel(variable="sign_violations").any()
    assert imported["network"].values.tolist() == ["imported"]
    assert imported["trials"].sizes["trial"] == 3
    assert imported["probe_trials"].memory_state.values[0, -1] == "--"
    assert imported["history"].status.values.tolist() == ["completed"]


def test_activity_and_scores_are_those_of_the_last_and_of_each_snapshot(imported: xr.DataTree) -> None:
    weights = imported["weights"].to_dataset().isel(network=0)
    for prefix in ("", "probe_"):
        again = bn.analysis.simulate(weights, imported[f"{prefix}trials"].inputs)
        for name in ("rates", "outputs"):
            stored = imported[f"{prefix}activity"][name].isel(network=0)
            np.testing.assert_allclose(again[name], stored, atol=1e-6)  # stored in single precision
    # By hand: the last snapshot, one trial, the first two steps.
    last = {name: value.astype(float) for name, value in arrays(10).items()}
    inputs = imported["trials"].inputs.values[0].astype(float)
    first = np.tanh(inputs[0] @ last["kernel"])
    second = np.tanh(first @ last["recurrent_kernel"] + inputs[1] @ last["kernel"])
    np.testing.assert_allclose(imported["activity"].rates.values[0, 0, :2], [first, second], atol=1e-6)
    scores = imported["history"].score.values[0]
    assert len(set(scores.tolist())) == 3
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.isnan(imported["history"].loss).all()


def test_the_experiment_says_what_the_files_say(imported: xr.DataTree) -> None:
    experiment = json.loads(imported.attrs["experiment"])
    assert experiment["imported"]["files"] == ["_N_00_initial.hdf5", "weights-9.hdf5", "weights-10.hdf5"]
    assert experiment["training"]["learning_rate"] == 1e-4
    assert experiment["network"]["initial"] == "orthogonal"
    assert experiment["task"]["n_bits"] == 2


@pytest.mark.nightly
def test_files_whose_names_do_not_count_passes_are_counted(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.hdf5", seed) for seed, name in enumerate(("late", "early"))]
    run = bn.store.import_keras_hdf5(paths, tmp_path / "run", n_trials=1)
    assert run["weights"].snapshot.values.tolist() == [1, 2]
    alone = bn.store.import_keras_hdf5(write(tmp_path / "net-400.hdf5", update=70), tmp_path / "one", n_trials=1)
    assert alone["weights"].snapshot.values.tolist() == [1]


@pytest.mark.parametrize(
    ("names", "snapshots"),
    [
        (["rnn_400u_initial", "rnn_400u_final"], [0, 1]),
        (["w-01-0.5000", "w-02-0.6000"], [1, 2]),
        (["N_initial", "w-20"], [0, 20]),
        (["w-2", "w-10"], [2, 10]),
        (["w-1", "w-99999999999999999999999"], [1, 2]),
    ],
)
def test_only_a_number_that_ends_the_name_counts_passes(names: list[str], snapshots: list[int]) -> None:
    assert _snapshots([Path(f"{name}.hdf5") for name in names]) == snapshots


def test_a_network_whose_activity_explodes_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "net.hdf5", activation="exponential")
    with h5py.File(path, "r+") as file:
        file["model_weights/simple_rnn_7/simple_rnn_7/recurrent_kernel:0"][...] = 30.0
    with pytest.raises(KerasFileError, match="expected a network that stays finite on the task's trials"):
        bn.store.import_keras_hdf5(path, tmp_path / "run", n_trials=2)
    assert not (tmp_path / "run").exists()


def test_what_a_file_does_not_tell_is_not_made_up(tmp_path: Path) -> None:
    path = write(tmp_path / "net.hdf5", update=3, recurrent_initializer=None, dropout=0.2)
    with h5py.File(path, "r+") as file:
        schedule = {"class_name": "ExponentialDecay", "config": {}}
        config = {"class_name": "RMSprop", "config": {"lr": schedule}}
        file.attrs["training_config"] = json.dumps({"optimizer_config": config, "loss": "mean_absolute_error"})
    described = describe_networks(bn.store.import_keras_hdf5(path, tmp_path / "run", n_trials=1))["imported"]
    assert described["training algorithm"].startswith(
        "RMSprop (backpropagation through time), learning rate Exponential"
    )
    assert described["training algorithm"].endswith("loss mean absolute error")
    assert described["initialisation"].startswith(
        "recurrent: not recorded; input: Glorot uniform; output: not recorded"
    )
    assert described["regularisation"] == "recurrent dropout: 0.2"


@pytest.mark.nightly
def test_a_network_of_any_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "net.hdf5")
    command = ["import", str(path), "--out", str(tmp_path / "run"), "--trials", "20", "--task"]
    assert main([*command, "perceptual_decision"]) == 0
    assert "worst accuracy" in " ".join(capsys.readouterr().out.split())
    run = bn.open_run(tmp_path / "run")
    assert run["trials"].attrs["task"] == "perceptual_decision"
    assert json.loads(run.attrs["experiment"])["task"]["name"] == "perceptual_decision"
    assert run["weights"].output_channel.values.tolist() == ["left", "right"]
    assert main([*command, "boolean_gate", "--overwrite"]) == 2
    told = "expected 2 inputs and 1 outputs, as the task boolean_gate has, got 2 and 2"
    assert told in capsys.readouterr().err
    assert main([*command, "no_such_task", "--overwrite"]) == 2
    assert "name: expected one of flip_flop, boolean_gate" in capsys.readouterr().err


def test_files_that_are_not_of_one_training_are_refused(tmp_path: Path) -> None:
    first = write(tmp_path / "net-1.hdf5")
    other = write(tmp_path / "net-2.hdf5", activation="relu")
    with pytest.raises(KerasFileError, match=r"expected activation 'tanh' as in net-1\.hdf5, got 'relu'"):
        bn.store.import_keras_hdf5([other, first], tmp_path / "run")
    twice = [write(tmp_path / f"initial_{name}.hdf5") for name in "ab"]
    with pytest.raises(KerasFileError, match=r"got initial_a\.hdf5 and initial_b\.hdf5"):
        bn.store.import_keras_hdf5(twice, tmp_path / "run")
    with pytest.raises(KerasFileError, match="expected 3 inputs and 3 outputs, as the task flip_flop has, got 2 and 2"):
        bn.store.import_keras_hdf5(first, tmp_path / "run", task=bn.tasks.FlipFlop())
    with pytest.raises(ValueError, match="files: expected at least one HDF5 file, got none"):
        bn.store.import_keras_hdf5([], tmp_path / "run")
    with pytest.raises(ValueError, match="name: expected letters"):
        bn.store.import_keras_hdf5(first, tmp_path / "run", name="../x")
    assert not (tmp_path / "run").exists()


@pytest.mark.nightly
def test_the_command(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["import", *map(str, files), "--out", str(tmp_path / "run"), "--name", "published", "--trials", "2"]
    assert main(command) == 0
    assert "published" in capsys.readouterr().out
    assert main(["audit", str(tmp_path / "run")]) == 0
    assert main(["info", str(tmp_path / "run")]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "imported from Keras 2.3.1: _N_00_initial.hdf5 (snapshot 0), weights-9.hdf5 (snapshot 9)" in printed
    assert main(command) == 2
    assert "expected a new folder, but it exists" in capsys.readouterr().err
    monkeypatch.setattr("biornn.cli._show", lambda *_: None)  # a second report would be the same
    assert main([*command, "--overwrite"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    broken = tmp_path / "broken.hdf5"
    broken.write_bytes(b"\x89HDF\r\n\x1a\n")
    capsys.readouterr()
    assert main(["import", str(broken), "--out", str(tmp_path / "new")]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"biornn: {broken}: expected a whole HDF5 file")
    assert len(printed.splitlines()) == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the networks published with the paper are not here")
def test_the_published_network(tmp_path: Path) -> None:
    run = bn.store.import_keras_hdf5(sorted(PUBLISHED.glob("*.hdf5")), tmp_path / "run", n_trials=4).load()
    weights = run["weights"].to_dataset()
    assert weights.snapshot.values.tolist() == [0, 1, 5, 10, 20]
    assert weights["update"].values.tolist() == [0, 235, 1175, 2350, 4700]
    radius = bn.analysis.spectral_radius(weights.recurrent_weights).isel(network=0)
    np.testing.assert_allclose(radius, [1.0, 1.0205, 1.0400, 1.0390, 1.0823], atol=5e-5)  # as published, 4 digits
    again = bn.analysis.simulate(weights.isel(network=0), run["trials"].inputs)
    np.testing.assert_allclose(again.rates, run["activity"].rates.isel(network=0), atol=1e-6)
    assert run["history"].score.isel(network=0, snapshot=-1) > 0.985
