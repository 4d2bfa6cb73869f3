"""One small experiment, run once from the command line for all tests that read a run; workers that stay."""

import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
# Threads that decompose one small matrix wait for each other actively: ten times as long where two processes test.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import xarray as xr
from distributed import Client
from filelock import FileLock
from threadpoolctl import threadpool_limits

import biornn as bn
from biornn.cli import main
from biornn.experiment.cluster import connect

threadpool_limits(1, user_api="blas")  # numpy may be loaded already, by a plugin of pytest

SMALL_EXPERIMENT = """\
title: A small comparison
task: {n_bits: 2, duration: 160, n_pulses: 2}
network: {n_units: 8, tau: 5.0, dt: 1.0}
conditions:
  unconstrained: {}
  constrained: {excitatory_fraction: 0.75, density: 0.5, autapses: false, enforcement: projection}
seeds: [3, 1]
training: {max_updates: 5, batch_size: 4, validate_every: 2, n_validation_trials: 6}
recording: {n_trials: 5}
"""


@pytest.fixture(scope="session")
def experiment_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("experiment") / "small.yaml"
    path.write_text(SMALL_EXPERIMENT)
    return path


@pytest.fixture(scope="session")
def cluster() -> Iterator[Client]:
    """A worker of this machine, which loads its framework once."""
    with connect(n_workers=1) as client:
        yield client


def train_on(cluster: Client, patch: pytest.MonkeyPatch) -> None:
    """Have runs train their networks on the worker that stays."""
    for module in ("run", "plan"):
        patch.setattr(f"biornn.experiment.{module}.connect", lambda *_: nullcontext(cluster))


@pytest.fixture
def shared_cluster(cluster: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    train_on(cluster, monkeypatch)


@pytest.fixture(scope="session")
def finished_run(
    experiment_file: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """Folder of a finished run without figures and report; read it only."""
    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        base = base.parent  # the processes of pytest-xdist share the run
    folder = base / "finished_run"
    with FileLock(f"{folder}.lock"), pytest.MonkeyPatch.context() as patch:
        if not folder.exists():
            train_on(request.getfixturevalue("cluster"), patch)
            assert main(["run", str(experiment_file), "--out", str(folder), "--no-report"]) == 0
    return folder


@pytest.fixture(scope="session")
def run(finished_run: Path) -> xr.DataTree:
    return bn.open_run(finished_run).load()


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """Folder of a finished run that a test may damage."""
    return Path(shutil.copytree(finished_run, tmp_path / "copy"))
