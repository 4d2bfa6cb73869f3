"""The benchmarks of growth, on small sizes."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "benchmarks"


def rows(script: str, out: Path, *words: str) -> list[list[str]]:
    command = [sys.executable, str(FOLDER / script), *words, "--threads", "1", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    lines = [line for line in out.read_text().splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_training_is_measured_at_every_size(tmp_path: Path) -> None:
    _, units, made, networks, _, units_points, *_ = rows(
        "growth.py", tmp_path / "table.md", "units=8,16", "trials=10,20", "networks=1"
    )
    assert units[:3] == ["units, one update", "50 steps, batch 16", "8 … 16"]
    assert made[:3] == ["trials made", "340 steps, 3 channels", "10 … 20"]
    assert networks[2] == "1 … 1"
    assert networks[5] == "nan"  # one point has no slope
    assert float(networks[7].split()[-1]) > 100  # MB of a worker with a framework
    assert units_points[1].startswith("8: ")


@pytest.mark.parametrize("sweep", ["updates=2", "recording=3"])
def test_other_sizes_of_training(tmp_path: Path, sweep: str) -> None:
    _, row, _, points = rows("growth.py", tmp_path / "table.md", sweep)
    assert row[2].split(" … ")[0] == sweep.partition("=")[2]
    assert float(points[1].split()[1].strip(",")) > 0


def test_analyses_are_measured_at_every_size(tmp_path: Path) -> None:
    words = ["spectra-networks=1,2", "spectra-units=4", "nonnormality=1", "cube-trials=40", "cube-networks=1"]
    words += ["pca-trials=20", "pca-units=5"]
    _, *summary = rows("analysis_growth.py", tmp_path / "table.md", *words)
    assert summary[0][2] == "1 … 2"
    assert [row[2].split()[0] for row in summary[1:7]] == [word.partition("=")[2] for word in words[1:]]
