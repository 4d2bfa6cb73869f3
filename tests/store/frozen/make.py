"""Freeze a run of the present schema version, once, when a version is new: ``python tests/store/frozen/make.py``.

The archive is never made again: later versions of biornn are tested for reading what this one wrote.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from biornn.cli import main
from biornn.schema import SCHEMA_VERSION

EXPERIMENT = """\
title: Frozen
task: {n_bits: 1, duration: 60, n_pulses: 1}
network: {n_units: 4, tau: 5.0, dt: 1.0}
conditions:
  unconstrained: {}
  constrained: {excitatory_fraction: 0.75, density: 0.75, autapses: false}
seeds: 1
training: {max_updates: 2, batch_size: 4, validate_every: 2, n_validation_trials: 2}
recording: {n_trials: 2}
"""


def freeze(archive: Path) -> None:
    """Train two networks, and pack the store of their run, without its figures and report."""
    if archive.exists():
        sys.exit(f"{archive}: expected a new version, but it is frozen already")
    with tempfile.TemporaryDirectory() as folder:
        experiment, run = Path(folder) / "frozen.yaml", Path(folder) / "run"
        experiment.write_text(EXPERIMENT)
        if main(["run", str(experiment), "--out", str(run), "--workers", "1"]) != 0:
            sys.exit("expected a run without failures")
        shutil.make_archive(str(archive).removesuffix(".tar.xz"), "xztar", root_dir=run, base_dir="run.zarr")


if __name__ == "__main__":
    freeze(Path(__file__).with_name(f"schema_{SCHEMA_VERSION}.tar.xz"))
