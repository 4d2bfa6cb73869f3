"""A whole experiment: processes, the store, failures."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from distributed import Client
from rich.console import Console

import biornn as bn
from biornn.cli import main
from biornn.experiment import Interrupted, NetworkSpec, load_experiment, run_experiment
from biornn.experiment.progress import ProgressDisplay
from biornn.experiment.run import _outcome
from biornn.schema import GATE_LABELS, GATE_WEIGHTS, has_gate, text
from biornn.store import NETWORK_GROUPS, RunWriter, add_fixed_points, check_output

pytestmark = pytest.mark.usefixtures("shared_cluster")


def test_a_run_keeps_to_the_schema_and_says_what_it_is(run: xr.DataTree) -> None:
    bn.validate(run)
    assert run.attrs["title"] == "A small comparison"
    experiment = json.loads(run.attrs["experiment"])
    assert experiment["network"]["n_units"] == 8
    assert experiment["conditions"]["constrained"]["density"] == 0.5
    versions = json.loads(run.attrs["versions"])
    assert versions[versions["keras backend"]][0].isdigit()
    assert run["weights"]["update"].values.tolist() == [0, 2, 4, 5]


def test_numpy_alone_gives_the_stored_activity_back(run: xr.DataTree) -> None:
    """Equation 1 written out, with nothing of biornn but the store."""
    for prefix in ("", "probe_"):
        inputs = run[f"{prefix}trials"].inputs.values
        for network in run.network.values:
            w = run["weights"].to_dataset().sel(network=network).isel(snapshot=-1)
            w = {name: weight.values for name, weight in w.items()}
            activity = run[f"{prefix}activity"].to_dataset().sel(network=network)
            rates, every = np.tile(w["initial_rates"], (len(inputs), 1)), []
            for time in range(inputs.shape[1]):
                current = rates @ w["recurrent_weights"] + inputs[:, time] @ w["input_weights"]
                rates = (1 - w["alpha"]) * rates + w["alpha"] * np.tanh(current + w["recurrent_bias"])
                every.append(rates)
            # float32 on one side and float64 on the other, over 160 contracting steps
            np.testing.assert_allclose(activity.rates, np.stack(every, axis=1), atol=1e-5)
            np.testing.assert_allclose(
                activity.outputs[:, -1], rates @ w["output_weights"] + w["output_bias"], atol=1e-5
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


@pytest.mark.nightly
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
    assert any(re.match(r"\[./2\] wild-s00  diverged after \d updates: the \w+ loss was", line) for line in lines)
    calm, wild = text(tree["history"].to_dataset().failure).values.tolist()
    assert calm == ""
    assert re.fullmatch(r"the (training|validation) loss was (nan|inf) at update \d", wild)


def replace_work(monkeypatch: pytest.MonkeyPatch, work: Callable[[NetworkSpec], Any]) -> None:
    """Let workers do something else; a closure travels to them by value."""

    def replacement(spec: NetworkSpec, *others: object) -> Any:
        return work(spec)

    monkeypatch.setattr("biornn.experiment.run.work", replacement)


@pytest.mark.nightly
def test_a_network_whose_process_raises_is_a_row_with_its_status(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(spec: NetworkSpec) -> dict[str, xr.Dataset]:
        if spec.condition == "constrained":
            raise ValueError("lost\nits mind")
        from biornn.experiment.network import run_network

        return run_network(spec, lambda news: None)

    replace_work(monkeypatch, work)
    console = Console(file=io.StringIO(), width=200)
    experiment = load_experiment(experiment_file, ["seeds=1"])
    tree = run_experiment(experiment, tmp_path / "run", console=console).load()
    bn.validate(tree)
    assert tree["history"].status.values.tolist() == ["completed", "failed"]
    assert text(tree["history"].to_dataset().failure).values.tolist() == ["", "ValueError: lost its mind"]
    assert np.isnan(tree["weights"].to_dataset().recurrent_weights.sel(network="constrained-s00")).all()
    assert "constrained-s00  failed: ValueError: lost its mind" in console.file.getvalue()

    alone = load_experiment(experiment_file, ["conditions={constrained: {}}"])
    message = (
        "expected at least one network to be trained, but all 2 failed; constrained-s03: ValueError: lost its mind"
    )
    with pytest.raises(RuntimeError, match=message):
        run_experiment(alone, tmp_path / "none", console=console)
    assert not (tmp_path / "none").exists()


def test_a_machine_that_fails_gets_another_attempt_and_a_network_none(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: xr.DataTree
) -> None:
    marks = tmp_path / "marks"
    trained = {group: run[group].to_dataset().isel(network=0, drop=True) for group in NETWORK_GROUPS}

    def work(spec: NetworkSpec) -> dict[str, xr.Dataset]:
        with marks.open("a") as file:
            file.write(f"{spec.name}\n")
        n_attempts = marks.read_text().split().count(spec.name)
        if spec.condition == "full":
            raise OSError("no space left")
        if spec.condition == "wrong":
            raise ValueError("impossible")
        if n_attempts == 1:
            raise MemoryError
        return trained

    replace_work(monkeypatch, work)
    experiment = load_experiment(experiment_file, ["seeds=1", "conditions={fine: {}, full: {}, wrong: {}}"])
    tree = run_experiment(experiment, tmp_path / "run", n_workers=1, console=Console(file=io.StringIO())).load()
    assert tree["history"].status.values.tolist() == ["completed", "failed", "failed"]
    attempts = Counter(marks.read_text().split())
    assert attempts == {"fine-s00": 2, "full-s00": 2, "wrong-s00": 1}


@pytest.mark.nightly
def test_an_interruption_keeps_what_is_done(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: ProgressDisplay, network: str, note: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ProgressDisplay, "finished", interrupt)
    experiment, quiet = load_experiment(experiment_file), Console(file=io.StringIO())
    out = tmp_path / "run"
    with pytest.raises(Interrupted, match=rf"1 of 4 networks are kept in {out}$"):
        run_experiment(experiment, out, n_workers=1, console=quiet)
    tree = bn.open_run(out).load()
    bn.validate(tree)
    history = tree["history"].to_dataset()
    assert sorted(text(history.status).values.tolist()) == ["completed", *["interrupted"] * 3]
    left = history.isel(network=np.flatnonzero(text(history.status) == "interrupted"))
    assert (text(left.failure) == "the run was interrupted before it was trained").all()
    assert np.isnan(left.score).all()

    # A whole run is not given up for a part of a new one.
    with pytest.raises(Interrupted, match=r"1 of 4 networks are kept in .*run\.interrupted"):
        run_experiment(experiment, out, n_workers=1, console=quiet, overwrite=True)
    assert bn.open_run(out).attrs["created"] == tree.attrs["created"]
    first = bn.open_run(tmp_path / "run.interrupted").attrs["created"]
    with pytest.raises(Interrupted, match=r"1 of 4 networks are kept in .*run\.interrupted-2"):
        run_experiment(experiment, out, n_workers=1, console=quiet, overwrite=True)
    assert bn.open_run(tmp_path / "run.interrupted").attrs["created"] == first


@pytest.mark.parametrize(
    ("status", "reached", "told"),
    [
        ("criterion_reached", 50.0, "criterion reached after 50 updates of 75, validation accuracy 0.970"),
        ("criterion_reached", 75.0, "criterion reached after 75 updates, validation accuracy 0.970"),
        ("criterion_not_reached", np.nan, "criterion not reached after 75 updates, validation accuracy 0.970"),
    ],
)
def test_updates_to_the_criterion_are_told(status: str, reached: float, told: str) -> None:
    """It takes several validations, so that training goes on."""
    scalars = {"status": status, "updates_trained": 75, "updates_to_criterion": reached}
    history = xr.Dataset(scalars | {"score": ("snapshot", [0.5, 0.97], {"score_name": "accuracy"})})
    assert _outcome(history) == told


@pytest.mark.parametrize(
    ("number", "send", "has_own_worker"),
    [
        pytest.param(signal.SIGINT, os.killpg, True, marks=pytest.mark.nightly),
        pytest.param(signal.SIGTERM, os.kill, True, marks=pytest.mark.nightly),
        (signal.SIGTERM, os.kill, False),
    ],
)
def test_a_signal_ends_a_run_in_one_line(
    number: signal.Signals,
    send: Callable[[int, int], None],
    has_own_worker: bool,
    experiment_file: Path,
    tmp_path: Path,
    cluster: Client,
) -> None:
    """Ctrl-C in a terminal goes to all processes; SIGTERM, which a cluster sends before it kills, to the first."""
    command = ["run", str(experiment_file), "--out", str(tmp_path / "run")]
    command += ["--workers", "1"] if has_own_worker else ["--scheduler", cluster.scheduler.address]
    changes = ["--set", "seeds=6", "training.max_updates=40"]
    # Where tests run in the background of a shell, their processes ignore Ctrl-C, which a terminal's do not.
    listen = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.executable, sys.argv[1:])"
    )
    words = [sys.executable, "-c", listen, sys.executable, "-m", "biornn.cli", *command, *changes]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("[1/"))
        send(process.pid, number)
        told = process.stderr.read().splitlines()
    assert process.returncode == 130
    assert told[-1].startswith("biornn: interrupted: ")
    assert not [line for line in told[:-1] if not line.startswith("[")]
    run = bn.open_run(tmp_path / "run").load()
    bn.validate(run)
    status = text(run["history"].status).values.tolist()
    assert 1 <= status.count("completed") < 12
    assert set(status) == {"completed", "interrupted"}


def test_an_interruption_before_the_first_network_leaves_nothing(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("biornn.experiment.run.connect", interrupted)
    with pytest.raises(Interrupted, match="no network was done, nothing is kept"):
        run_experiment(load_experiment(experiment_file), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.nightly
def test_a_disk_that_fills_loses_nothing_that_was_written(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = RunWriter.write_network, []

    def full_after_two(self: RunWriter, name: str, groups: dict[str, xr.Dataset]) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        write(self, name, groups)
        written.append(name)

    monkeypatch.setattr(RunWriter, "write_network", full_after_two)
    experiment, quiet = load_experiment(experiment_file), Console(file=io.StringIO())
    with pytest.raises(RuntimeError, match="No space left on device; 2 of 4 networks are kept in"):
        run_experiment(experiment, tmp_path / "run", n_workers=1, console=quiet)
    tree = bn.open_run(tmp_path / "run").load()
    bn.validate(tree)
    assert sorted(tree.network.values[(text(tree["history"].status) == "completed").values]) == sorted(written)


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


@pytest.mark.nightly
def test_gated_networks_stand_in_the_same_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "architectures.yaml"
    path.write_text(
        "task: {n_bits: 1, duration: 60, n_pulses: 1}\nnetwork: {n_units: 4}\nseeds: 1\n"
        "conditions: {rnn: {}, gru: {architecture: gru}, lstm: {architecture: lstm}}\n"
        "training: {max_updates: 2, batch_size: 2, validate_every: 2, n_validation_trials: 2}\n"
        "recording: {n_trials: 3}\n"
    )
    run = run_experiment(load_experiment(path), tmp_path / "run", console=Console(file=io.StringIO())).load()
    bn.validate(run)
    weights = run["weights"].to_dataset()
    assert text(weights.formulation).values.tolist() == ["rate", "gru", "lstm"]
    gated = weights.isel(network=[1, 2])
    for name in ("input_weights", "recurrent_weights", "recurrent_bias", "alpha"):
        assert gated[name].isnull().all()
    assert list(weights.gate.values) == list(GATE_LABELS)
    for name in GATE_WEIGHTS:  # of which the first network has none
        assert weights[name].isel(network=0).isnull().all()
        by_gate = weights[name].notnull().all([dim for dim in weights[name].dims if dim not in ("network", "gate")])
        assert (by_gate == has_gate(weights.formulation, weights.gate)).all()
    # What fits the schema is there: the readout gives the outputs from the hidden state.
    activity = run["activity"].to_dataset()
    readout = weights.isel(snapshot=-1, drop=True).drop_vars("update", errors="ignore")
    outputs = xr.dot(activity.rates, readout.output_weights, dim="unit") + readout.output_bias
    xr.testing.assert_allclose(outputs, activity.outputs, atol=1e-6)
    assert (abs(activity.rates) <= 1).all()
    assert (run["audit"].mask_violations == 0).all()
    again = bn.analysis.simulate(weights, run["trials"].inputs)
    for name in ("rates", "outputs"):
        np.testing.assert_allclose(again[name], activity[name], atol=1e-5)
    assert run["history"].held.isel(snapshot=-1).notnull().all()
    points = add_fixed_points(tmp_path / "run", n_starts=8, max_batches=2)["fixed_points"].load()
    assert (points.n_fixed_points > 0).all()
    assert points.sizes["mode"] == 8  # of the LSTM
    exported = xr.open_datatree(bn.store.export_netcdf(tmp_path / "run", tmp_path / "run.nc"))["weights"]
    np.testing.assert_array_equal(exported.gate_bias, weights.gate_bias)
    assert exported.gate.values.tolist() == list(GATE_LABELS)
    assert main(["info", str(tmp_path / "run")]) == 0
    assert "nan" not in capsys.readouterr().out


@pytest.mark.nightly
def test_a_run_goes_on_when_nobody_reads_what_it_prints(experiment_file: Path, tmp_path: Path) -> None:
    code = """
import sys
from biornn.experiment import load_experiment, run_experiment
run_experiment(load_experiment(sys.argv[1], ["seeds=1", "training.max_updates=2"]), sys.argv[2], n_workers=1)
"""
    shell = 'set -o pipefail; "$0" -c "$1" "$2" "$3" 2>&1 | head -c 1'
    arguments = [sys.executable, code, str(experiment_file), str(tmp_path / "run")]
    ended = subprocess.run(["bash", "-c", shell, *arguments], stdout=subprocess.PIPE, timeout=300)
    assert ended.returncode == 0
    assert set(bn.open_run(tmp_path / "run")["history"].status.values) == {"completed"}
