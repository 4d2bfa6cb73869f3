"""One small experiment, run once from the command line for all tests that read a run."""

import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
import xarray as xr

import biornn as bn
from biornn.cli import main

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
def finished_run(experiment_file: Path) -> Path:
    """Folder of a finished run; read it only."""
    folder = experiment_file.parent / "run"
    assert main(["run", str(experiment_file), "--out", str(folder), "--workers", "1"]) == 0
    return folder


@pytest.fixture(scope="session")
def run(finished_run: Path) -> xr.DataTree:
    return bn.open_run(finished_run).load()


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """Folder of a finished run that a test may damage."""
    return Path(shutil.copytree(finished_run, tmp_path / "copy"))
