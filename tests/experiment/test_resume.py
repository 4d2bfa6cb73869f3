"""Runs that are broken, for real, go on as if they had not been; and what going on refuses."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from rich.console import Console

import biornn as bn
from biornn.cli import main
from biornn.experiment import load_experiment, run_experiment
from biornn.experiment.run import _Jobs
from biornn.store import RunWriter

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments" / "reliability"))
import faults

N_KILLS = 20


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> faults.Bench:
    return faults.Bench(tmp_path_factory.mktemp("faults"), seed=1)


@pytest.mark.faults
def test_a_run_that_is_killed_at_random_moments_loses_nothing(bench: faults.Bench) -> None:
    outcome = faults.killed_at_random(bench, N_KILLS)
    assert outcome.lost == ""
    assert outcome.times == N_KILLS


@pytest.mark.faults
@pytest.mark.parametrize("name", faults.MOMENTS)
def test_a_run_that_is_killed_at_the_worst_moment_loses_nothing(bench: faults.Bench, name: str) -> None:
    assert faults.killed_when(bench, name, faults.MOMENTS[name]).lost == ""


@pytest.mark.faults
@pytest.mark.parametrize(
    "fault", [faults.worker_killed, faults.disk_full, faults.no_writing, faults.deleted, faults.second_process]
)
def test_faults_of_a_machine_lose_nothing(bench: faults.Bench, fault: Callable[[faults.Bench], faults.Outcome]) -> None:
    outcome = fault(bench)
    assert outcome.lost == ""
    assert outcome.times > 0


@pytest.fixture
def broken(experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of a run that was interrupted when its first network was done."""
    folder = tmp_path / "run"
    take = _Jobs._take

    def interrupt(self: _Jobs, *arguments: Any) -> None:
        take(self, *arguments)
        raise KeyboardInterrupt

    experiment, console = load_experiment(experiment_file), Console(file=io.StringIO())
    monkeypatch.setattr(_Jobs, "_take", interrupt)
    with pytest.raises(KeyboardInterrupt, match="go on with --resume; 1 of 4 "):
        run_experiment(experiment, folder, n_workers=1, console=console)
    monkeypatch.setattr(_Jobs, "_take", take)
    return folder


def test_an_interrupted_run_goes_on_where_it_was(
    broken: Path, experiment_file: Path, run: xr.DataTree, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bn.open_run(broken).sizes["network"] == 4  # it can be read as it is
    assert main(["run", str(experiment_file), "--out", str(broken), "--workers", "1", "--resume"]) == 0
    error = capsys.readouterr().err
    assert "1 of 4 networks are done" in error
    assert error.count("completed after 5 updates") == 3
    found = bn.open_run(broken).load()
    for group in faults._GROUPS:
        xr.testing.assert_identical(
            *(tree[group].to_dataset().drop_vars("wall_time", errors="ignore") for tree in (found, run))
        )
    assert sorted(path.name for path in broken.iterdir()) == ["figures", "report.html", "run.zarr"]
    assert not list(broken.parent.glob(".*"))
    # Once more: there is nothing to do.
    assert main(["run", str(experiment_file), "--out", str(broken), "--resume"]) == 0
    assert "updates" not in capsys.readouterr().err
    assert bn.open_run(broken).attrs["created"] == found.attrs["created"]


def test_another_experiment_or_backend_is_refused(
    broken: Path, experiment_file: Path, finished_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    words = ["--resume", "--set", "network.n_units=9", "training.batch_size=5"]
    for folder in (broken, finished_run):
        before = bn.open_run(folder).load()
        assert main(["run", str(experiment_file), "--out", str(folder), *words]) == 2
        error = capsys.readouterr().err
        assert "expected the experiment that the run began with, got another: " in error
        assert "network.n_units was 8, is 9; training.batch_size was 4, is 5" in error
        assert error.count("\n") == 1
        xr.testing.assert_identical(bn.open_run(folder).load(), before)
    monkeypatch.setattr("biornn.experiment.run.chosen_backend", lambda: ("torch", "0"))
    assert main(["run", str(experiment_file), "--out", str(broken), "--resume"]) == 2
    assert "expected KERAS_BACKEND=tensorflow, with which the run began, got torch" in capsys.readouterr().err


def test_resuming_begins_where_nothing_was_begun(experiment_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    (out / "checkpoints").mkdir(parents=True)  # killed before its first line was written
    words = ["--set", "conditions={unconstrained: {}}", "seeds=[3]", "--workers", "1"]
    assert main(["run", str(experiment_file), "--out", str(out), "--resume", *words]) == 0
    assert bn.open_run(out).sizes["network"] == 1


def test_a_folder_of_something_else_is_left_alone(
    experiment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    assert main(["run", str(experiment_file), "--out", str(tmp_path / "thesis"), "--resume"]) == 2
    assert "expected a run that was broken off, found no checkpoints in it" in capsys.readouterr().err
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "mine"


def test_a_replacement_that_was_broken_off_goes_on_too(
    run_copy: Path, experiment_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two names: the old run is aside, the new one not yet in its place."""
    old = bn.open_run(run_copy).attrs["created"]
    words = [str(experiment_file), "--out", str(run_copy), "--workers", "1"]
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


def test_a_damaged_row_or_checkpoint_is_made_anew(broken: Path, experiment_file: Path, run: xr.DataTree) -> None:
    done = next((broken / "checkpoints").glob("*.done")).stem
    index = bn.open_run(broken).network.values.tolist().index(done)
    chunk = broken / "run.zarr" / "activity" / "rates" / "c" / str(index) / "0" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:100])
    for checkpoint in (broken / "checkpoints").glob("*.npz"):
        checkpoint.write_bytes(b"damaged")
    assert main(["run", str(experiment_file), "--out", str(broken), "--workers", "1", "--resume"]) == 0
    xr.testing.assert_identical(bn.open_run(broken)["weights"].to_dataset().load(), run["weights"].to_dataset())
    xr.testing.assert_identical(bn.open_run(broken)["activity"].to_dataset().load(), run["activity"].to_dataset())


def test_another_process_is_refused_before_it_changes_anything(run_copy: Path, run: xr.DataTree) -> None:
    writer = RunWriter(run_copy, run.to_dataset(), run.attrs, {}, overwrite=True)
    for settings in ({"overwrite": True}, {"resume": True}):
        with pytest.raises(FileExistsError, match="expected a folder that no other process writes, but one does"):
            RunWriter(run_copy, run.to_dataset(), run.attrs, {}, **settings)
    xr.testing.assert_identical(bn.open_run(run_copy).load(), run)
    writer.discard()
    RunWriter(run_copy, run.to_dataset(), run.attrs, {}, overwrite=True).discard()
    xr.testing.assert_identical(bn.open_run(run_copy).load(), run)
