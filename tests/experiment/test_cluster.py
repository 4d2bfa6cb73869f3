"""Networks on a Dask scheduler with two workers, processes of their own: the same run, also if one is killed."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dask
import pytest
import xarray as xr
from distributed import Client
from rich.console import Console

import biornn as bn
from biornn.cli import main
from biornn.experiment import load_experiment, run_experiment
from biornn.experiment.cluster import connect
from tests.same_results import assert_same_results

_SECONDS = 60


class Loopback:
    """A scheduler and its workers, as `dask scheduler` and `dask worker` start them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        file = folder / "scheduler.json"
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        for _ in range(_SECONDS * 10):
            if file.exists() and (text := file.read_text()):
                break
            time.sleep(0.1)
        self.address = next(word for word in text.split('"') if word.startswith("tcp://127.0.0.1:"))
        self.workers = [self._start("worker", self.address, "--nthreads", "1", "--no-nanny") for _ in range(2)]

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:], "--no-dashboard"]
        with (self._folder / "log").open("a") as log:
            process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        self.all = [*getattr(self, "all", []), process]
        return process

    def stop(self) -> None:
        for process in reversed(self.all):
            process.terminate()
            process.wait(_SECONDS)


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Loopback]:
    cluster = Loopback(tmp_path)
    yield cluster
    cluster.stop()


@pytest.mark.nightly
def test_a_network_is_the_same_wherever_it_is_trained_also_when_a_worker_is_killed(
    experiment_file: Path, run: xr.DataTree, tmp_path: Path, loopback: Loopback
) -> None:
    class Killing(io.StringIO):
        """Kills a worker when the first network is done, while it works on another."""

        killed = False

        def write(self, text: str) -> int:
            if "[1/4]" in text and not self.killed:
                self.killed = True
                loopback.workers[1].send_signal(signal.SIGKILL)
            return super().write(text)

    console = Console(file=Killing(), width=200)
    experiment = load_experiment(experiment_file)
    tree = run_experiment(experiment, tmp_path / "run", scheduler=loopback.address, console=console).load()
    bn.validate(tree)
    assert_same_results(tree, run)  # to the bit as on this machine's own processes
    done = [line.split()[1] for line in console.file.getvalue().splitlines() if "completed after" in line]
    assert sorted(done) == sorted(run.network.values)  # each once
    assert loopback.workers[1].wait(_SECONDS) == -signal.SIGKILL


@pytest.mark.nightly
def test_a_scheduler_that_is_not_there_gets_one_line(
    experiment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", str(experiment_file), "--out", str(tmp_path / "run"), "--scheduler"]
    assert main([*arguments, "tcp://127.0.0.1:1"]) == 2
    error = capsys.readouterr().err
    assert "scheduler: expected a running Dask scheduler at tcp://127.0.0.1:1, got: " in error
    assert error.count("\n") == 1
    assert main([*arguments, "nonsense"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()
    # A Dask that was left set up for a scheduler that never was could compute nothing more in this process.
    assert dask.config.get("scheduler", None) is None


def test_a_run_does_not_become_the_scheduler_of_everything_else(cluster: Client) -> None:
    assert cluster.submit(os.getpid).result() != os.getpid()
    assert dask.delayed(os.getpid)().compute() == os.getpid()


def test_workers_of_another_version_are_refused(cluster: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biornn.experiment.cluster.__version__", "99.0")
    with pytest.raises(RuntimeError, match=r"expected biornn 99\.0 on every worker, got .* on tcp://"):
        connect(cluster.scheduler.address).__enter__()


def test_a_scheduler_without_workers_is_told_how_to_start_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biornn.experiment.cluster._SECONDS_FOR_FIRST_WORKER", 1)
    with (
        connect(n_workers=0) as client,
        pytest.raises(RuntimeError, match="expected at least one worker within 1 s, got none; start them with"),
    ):
        connect(client.scheduler.address).__enter__()


def test_processes_of_this_machine_keep_the_memory_that_they_free(cluster: Client) -> None:
    assert cluster.submit(os.getenv, "MALLOC_TRIM_THRESHOLD_").result() is None


def test_processes_of_this_machine_end_without_taking_all_that_they_loaded_apart(tmp_path: Path) -> None:
    def load(file: str, write: Callable[[str], object]) -> None:
        class Loaded:
            def __del__(self) -> None:
                write(file)

        sys.loaded = Loaded()

    file = tmp_path / "taken apart"
    with connect(n_workers=1) as client:
        client.submit(load, str(file), os.mkdir).result()
    assert not file.exists()
