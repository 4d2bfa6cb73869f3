"""Runs that are broken, for real, go on as if they had not been; and what going on refuses."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from distributed import Client
from rich.console import Console

import biornn as bn
from biornn.cli import main
from biornn.experiment import load_experiment, run_experiment
from biornn.experiment.run import BrokenOffError, Interrupted, _Jobs
from biornn.schema import GATE_LABELS, SchemaError
from biornn.store import NETWORK_GROUPS, RunWriter, check_output
from tests.conftest import train_on
from tests.same_results import assert_same_results

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments" / "reliability"))
import faults

pytestmark = pytest.mark.usefixtures("shared_cluster")

N_KILLS = 5  # experiments/reliability/faults.py kills more often


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> faults.Bench:
    return faults.Bench(tmp_path_factory.mktemp("faults"), seed=1)


@pytest.mark.nightly
def test_a_run_that_is_killed_at_random_moments_loses_nothing(bench: faults.Bench) -> None:
    outcome = faults.killed_at_random(bench, N_KILLS)
    assert outcome.lost == ""
    assert outcome.times == N_KILLS


@pytest.mark.nightly
@pytest.mark.parametrize("name", faults.MOMENTS)
def test_a_run_that_is_killed_at_the_worst_moment_loses_nothing(bench: faults.Bench, name: str) -> None:
    assert faults.killed_when(bench, name, faults.MOMENTS[name]).lost == ""


@pytest.mark.nightly
@pytest.mark.parametrize(
    "fault", [faults.worker_killed, faults.disk_full, faults.no_writing, faults.deleted, faults.second_process]
)
def test_faults_of_a_machine_lose_nothing(bench: faults.Bench, fault: Callable[[faults.Bench], faults.Outcome]) -> None:
    outcome = fault(bench)
    assert outcome.lost == ""
    assert outcome.times > 0


@pytest.fixture(scope="module")
def interrupted(experiment_file: Path, cluster: Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that was interrupted when its first network was done."""
    folder = tmp_path_factory.mktemp("interrupted") / "run"
    take = _Jobs._take

    def interrupt(self: _Jobs, *arguments: Any) -> None:
        take(self, *arguments)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        train_on(cluster, patch)
        patch.setattr(_Jobs, "_take", interrupt)
        with pytest.raises(Interrupted, match=r"^1 of 4 networks are kept in .*run$") as raised:
            run_experiment(load_experiment(experiment_file), folder, console=Console(file=io.StringIO()))
    assert raised.value.advice == f"go on with --resume --out {folder}"
    return folder


@pytest.fixture
def broken(interrupted: Path, tmp_path: Path) -> Path:
    """Folder of a run that was interrupted, to go on with."""
    return Path(shutil.copytree(interrupted, tmp_path / "run"))


@pytest.fixture
def stopped(experiment_file: Path, run: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of a run that was interrupted when its first network, of which another run has the results, was done."""

    def interrupt(self: _Jobs, client: Client, writer: RunWriter, display: object) -> None:
        writer.write_network(self.specs[0].name, row(run, 0))
        raise KeyboardInterrupt

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(_Jobs, "gather", interrupt)
        with pytest.raises(Interrupted, match=r"^1 of 4 networks are kept in .*run$"):
            run_experiment(load_experiment(experiment_file), folder, console=Console(file=io.StringIO()))
    return folder


def resumed(experiment_file: Path, folder: Path, *changes: str) -> tuple[xr.DataTree, str]:
    """Go on with a run; return it and what was said."""
    console = Console(file=io.StringIO(), width=200)
    experiment = load_experiment(experiment_file, changes)
    return run_experiment(experiment, folder, resume=True, console=console).load(), console.file.getvalue()


def test_a_run_that_was_killed_ends_as_one_that_was_not(
    experiment_file: Path, run: xr.DataTree, tmp_path: Path
) -> None:
    """Killed with its workers at its first checkpoint, for real; `nightly` has the worst and random moments."""
    folder, seeds = tmp_path / "run", "seeds=[3]"
    words = ["run", str(experiment_file), "--out", str(folder), "--workers", "1", "--checkpoint-seconds", "0"]
    words += ["--set", seeds]
    process = subprocess.Popen([sys.executable, "-m", "biornn.cli", *words], start_new_session=True)
    while process.poll() is None and not any((folder / "checkpoints").glob("*.npz")):
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    found, _ = resumed(experiment_file, folder, seeds)
    assert_same_results(found, run.isel(network=[0, 2]))


@pytest.mark.nightly
def test_an_interrupted_run_goes_on_where_it_was(broken: Path, experiment_file: Path, run: xr.DataTree) -> None:
    assert bn.open_run(broken).sizes["network"] == 4  # it can be read as it is
    found, told = resumed(experiment_file, broken)
    assert "1 of 4 networks are done" in told
    assert told.count("completed after 5 updates") == 3
    assert_same_results(found, run)
    assert [path.name for path in broken.iterdir()] == ["run.zarr"]
    assert not list(broken.parent.glob(".*"))
    # Once more: there is nothing to do.
    again, told = resumed(experiment_file, broken)
    assert told == ""
    assert again.attrs["created"] == found.attrs["created"]


def test_another_experiment_or_backend_is_refused(
    stopped: Path, experiment_file: Path, finished_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    words = ["--resume", "--set", "network.n_units=9", "training.batch_size=5"]
    for folder in (stopped, finished_run):
        before = bn.open_run(folder).load()
        assert main(["run", str(experiment_file), "--out", str(folder), *words]) == 2
        error = capsys.readouterr().err
        assert "expected the experiment that the run began with, got another: " in error
        assert "network.n_units was 8, is 9; training.batch_size was 4, is 5" in error
        assert error.count("\n") == 1
        xr.testing.assert_identical(bn.open_run(folder).load(), before)
    monkeypatch.setattr("biornn.experiment.run.chosen_backend", lambda: ("torch", "0"))
    assert main(["run", str(experiment_file), "--out", str(stopped), "--resume"]) == 2
    assert "expected KERAS_BACKEND=tensorflow, with which the run began, got torch" in capsys.readouterr().err


@pytest.mark.nightly
def test_resuming_begins_where_nothing_was_begun(experiment_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    (out / "checkpoints").mkdir(parents=True)  # killed before its first line was written
    words = ["--set", "conditions={unconstrained: {}}", "seeds=[3]"]
    assert main(["run", str(experiment_file), "--out", str(out), "--resume", "--no-report", *words]) == 0
    assert bn.open_run(out).sizes["network"] == 1


def test_a_folder_of_something_else_is_left_alone(
    experiment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    assert main(["run", str(experiment_file), "--out", str(tmp_path / "thesis"), "--resume"]) == 2
    assert "expected a run that was broken off, found no checkpoints of one in it" in capsys.readouterr().err
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "mine"


@pytest.mark.nightly
def test_a_replacement_that_was_broken_off_goes_on_too(
    run_copy: Path, experiment_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two names: the old run is aside, the new one not yet in its place."""
    old = bn.open_run(run_copy).attrs["created"]
    words = [str(experiment_file), "--out", str(run_copy), "--no-report"]
    rename = Path.rename

    def killed(self: Path, target: Path) -> Path:
        if self.name == ".copy.new":
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed)
        assert main(["run", *words, "--overwrite"]) == 130
    assert not run_copy.exists()
    assert main(["run", *words, "--resume"]) == 0
    assert bn.open_run(run_copy).attrs["created"] >= old
    assert not list(run_copy.parent.glob(".copy*"))


@pytest.mark.nightly
def test_a_damaged_row_or_checkpoint_is_made_anew(broken: Path, experiment_file: Path, run: xr.DataTree) -> None:
    done = next((broken / "checkpoints").glob("*.done")).stem
    index = bn.open_run(broken).network.values.tolist().index(done)
    chunk = broken / "run.zarr" / "activity" / "rates" / "c" / str(index) / "0" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:100])
    for checkpoint in (broken / "checkpoints").glob("*.npz"):
        checkpoint.write_bytes(b"damaged")
    found, told = resumed(experiment_file, broken)
    assert "1 finished networks are damaged, and are trained again" in told
    assert_same_results(found, run)


def begun(folder: Path, run: xr.DataTree, **settings: bool) -> RunWriter:
    trials = {group: run[group].to_dataset(inherit=False) for group in ("trials", "probe_trials")}
    return RunWriter(folder, run.to_dataset(), run.attrs, trials, **settings)


def row(run: xr.DataTree, index: int) -> dict[str, xr.Dataset]:
    return {group: run[group].to_dataset().isel(network=index, drop=True) for group in NETWORK_GROUPS}


def half_done(folder: Path, run: xr.DataTree) -> Path:
    """Leave a run as one that was killed when two of its networks were done."""
    writer = begun(folder, run)
    for index in (0, 2):
        writer.write_network(str(run.network.values[index]), row(run, index))
    writer.leave()
    return folder


def finish(writer: RunWriter, run: xr.DataTree) -> Path:
    for index, name in enumerate(run.network.values.tolist()):
        if name not in writer.done:
            writer.write_network(name, row(run, index))
    return writer.finish()


@pytest.mark.nightly
def test_what_is_left_half_written_is_no_obstacle(tmp_path: Path, run: xr.DataTree) -> None:
    folder = half_done(tmp_path / "run", run)
    leftovers = [
        "run.zarr/.partial-manifest.json",
        "run.zarr/zarr.0f.partial",
        "run.zarr/weights/alpha/c/1/0.0f.partial",
    ]
    for name in leftovers:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("ha")
    writer = begun(folder, run, resume=True)
    assert sorted(writer.done) == sorted(run.network.values[[0, 2]])
    xr.testing.assert_identical(bn.open_run(finish(writer, run)).load(), run)
    assert not [name for name in leftovers if (folder / name).exists()]


@pytest.mark.nightly
def test_variables_that_only_a_later_network_has_are_added(tmp_path: Path, run: xr.DataTree) -> None:
    names, of_gates = run.network.values, row(run, 2)
    bias = xr.DataArray(np.ones((4, 6, 8), "f4"), {"gate": list(GATE_LABELS)}, ("snapshot", "gate", "unit"))
    of_gates["weights"] = of_gates["weights"].assign(gate_bias=bias)
    writer = begun(tmp_path / "run", run)
    writer.write_network(names[0], row(run, 0))
    writer.write_network(names[2], of_gates)
    writer.leave()
    writer = begun(tmp_path / "run", run, resume=True)
    assert writer.done == (names[0], names[2])  # the first is not damaged by what was added
    found = bn.open_run(finish(writer, run)).load()
    assert found["weights"].gate_bias.isnull().all(["snapshot", "gate", "unit"]).values.tolist() == [1, 1, 0, 1]
    assert (found["weights"].gate_bias[2] == 1).all()
    xr.testing.assert_identical(
        found["weights"].to_dataset().drop_vars(["gate_bias", "gate"]), run["weights"].to_dataset()
    )


@pytest.mark.nightly
def test_a_kill_within_the_last_step_leaves_the_complete_run(tmp_path: Path, run: xr.DataTree) -> None:
    folder = half_done(tmp_path / "run", run)
    finish(begun(folder, run, resume=True), run)
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "rest.done").touch()  # the journal is forgotten first
    with pytest.raises(FileExistsError, match="found no checkpoints of one in it"):
        begun(folder, run, resume=True)
    xr.testing.assert_identical(bn.open_run(folder).load(), run)


@pytest.mark.nightly
def test_a_lost_chunk_of_a_finished_network_is_noticed(tmp_path: Path, run: xr.DataTree) -> None:
    folder = half_done(tmp_path / "run", run)
    chunk = next(path for path in (folder / "run.zarr" / "activity" / "rates" / "c" / "2").rglob("*") if path.is_file())
    chunk.unlink()
    writer = begun(folder, run, resume=True)
    assert writer.done == (str(run.network.values[0]),)
    assert writer.notes == ["1 finished networks are damaged, and are trained again"]
    xr.testing.assert_identical(bn.open_run(finish(writer, run)).load(), run)


def test_a_store_that_cannot_be_read_is_not_thrown_away(tmp_path: Path, run: xr.DataTree) -> None:
    folder = half_done(tmp_path / "run", run)
    root = folder / "run.zarr" / "zarr.json"
    content = root.read_bytes()
    root.write_bytes(content[:50])
    with pytest.raises(SchemaError, match=r"expected a run to go on with, got .*; take it from a copy, or begin anew"):
        begun(folder, run, resume=True)
    root.write_bytes(content)
    assert len(begun(folder, run, resume=True).done) == 2


def test_a_run_that_is_damaged_is_not_made_whole_by_going_on(
    stopped: Path, experiment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chunk = next(path for path in (stopped / "run.zarr" / "trials" / "inputs" / "c").rglob("*") if path.is_file())
    chunk.unlink()
    assert main(["run", str(experiment_file), "--out", str(stopped), "--resume"]) == 2
    assert "is missing; take it from a copy" in capsys.readouterr().err


@pytest.mark.nightly
def test_nothing_of_somebody_else_is_removed(tmp_path: Path, run: xr.DataTree) -> None:
    mine = tmp_path / "models" / "checkpoints" / "model.pt"
    mine.parent.mkdir(parents=True)
    mine.touch()
    for settings in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(FileExistsError):
            begun(tmp_path / "models", run, **settings)
    assert mine.exists()
    # A run beside somebody's checkpoints.
    finish(begun(tmp_path / "other", run), run)
    shutil.move(tmp_path / "other" / "run.zarr", tmp_path / "models")
    with pytest.raises(FileExistsError, match="found 'checkpoints' beside it"):
        begun(tmp_path / "models", run, overwrite=True)
    assert mine.exists()
    # While a replacement is made, somebody writes into the run that is to be replaced.
    folder = tmp_path / "run"
    finish(begun(folder, run), run)
    writer = begun(folder, run, overwrite=True)
    (folder / "notes.md").write_text("mine")
    assert finish(writer, run) == tmp_path / "run.interrupted"
    assert (folder / "notes.md").read_text() == "mine"
    xr.testing.assert_identical(bn.open_run(folder).load(), run)


@pytest.mark.nightly
def test_a_replacement_that_was_left_does_not_outrank_a_newer_run(tmp_path: Path, run: xr.DataTree) -> None:
    folder = tmp_path / "run"
    finish(begun(folder, run), run)
    begun(folder, run, overwrite=True).leave()
    assert (tmp_path / ".run.new").exists()
    shutil.rmtree(folder)
    finish(begun(folder, run), run)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_half_a_report_is_no_obstacle_to_overwriting(run_copy: Path) -> None:
    (run_copy / ".partial-report.html").write_text("<html>")
    check_output(run_copy, overwrite=True)


def test_networks_that_all_failed_keep_their_checkpoints(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    left_at_last: list[int] = []

    def fail(self: _Jobs, client: object, writer: RunWriter, display: object) -> Iterator[int]:
        for n_left, spec in reversed(list(enumerate(self.specs))):
            writer.journal.checkpoint(spec.name).touch()
            self.failed[spec.name] = "its worker was lost 4 times"
            left.append(n_left)
            yield n_left

    monkeypatch.setattr(_Jobs, "gather", fail)
    experiment, console = load_experiment(experiment_file), Console(file=io.StringIO())
    with pytest.raises(BrokenOffError, match=r"all 4 failed; .* lost 4 times$") as raised:
        run_experiment(
            experiment, tmp_path / "run", n_workers=2, console=console, on_last=lambda: left_at_last.append(left[-1])
        )
    assert left_at_last == [1]  # of two processes, one has nothing left to train
    assert raised.value.advice == "their checkpoints are kept, go on with --resume"
    assert len(list((tmp_path / "run" / "checkpoints").glob("*.npz"))) == 4


def test_another_process_is_refused_before_it_changes_anything(run_copy: Path, run: xr.DataTree) -> None:
    writer = RunWriter(run_copy, run.to_dataset(), run.attrs, {}, overwrite=True)
    for settings in ({"overwrite": True}, {"resume": True}):
        with pytest.raises(FileExistsError, match="expected a folder that no other process writes, but one does"):
            RunWriter(run_copy, run.to_dataset(), run.attrs, {}, **settings)
    xr.testing.assert_identical(bn.open_run(run_copy).load(), run)
    writer.discard()
    RunWriter(run_copy, run.to_dataset(), run.attrs, {}, overwrite=True).discard()
    xr.testing.assert_identical(bn.open_run(run_copy).load(), run)
