"""The benchmark of a run larger than memory, on a small one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "experiments" / "benchmarks" / "larger_than_memory.py"
SIZES = ["--networks", "3", "--trials", "40", "--units", "5", "--share", "0"]
WAYS = ["`bn.open_run(run, chunks={})`", "`xarray.open_datatree(…, chunks={})`", "`bn.open_run(run)`"]


def started(*words: str) -> str:
    command = [sys.executable, str(SCRIPT), *SIZES, *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_every_analysis_is_asked_in_every_way_and_the_run_is_removed(tmp_path: Path) -> None:
    text = started("--folder", str(tmp_path))
    assert [line.count("|") for line in text.splitlines()[:7]] == [6] * 7
    assert "not enough" not in text
    assert text.splitlines()[8].startswith("3 networks of 5 units on 40 trials: 1 MB of activity, ")
    assert list(tmp_path.iterdir()) == []


def test_all_ways_give_the_planted_cube(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    started("--folder", str(folder), "--here", "write")
    for way in WAYS:
        found = json.loads(started("--folder", str(folder), "--here", way, "memory cube"))
        assert found["mean"] == pytest.approx(1, abs=0.01)  # noise of 0.05 about corners at ±1, of hundreds of samples
