"""The benchmark of a set of networks, on small ones."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "experiments" / "benchmarks" / "set_times.py"


def test_whole_runs_are_timed_with_one_worker_and_with_two(tmp_path: Path) -> None:
    out = tmp_path / "table.md"
    words = ["--units", "5", "--networks", "2", "--updates", "2", "--rounds", "1", "--out", str(out)]
    subprocess.run([sys.executable, str(SCRIPT), *words], check=True, capture_output=True)
    lines = out.read_text().splitlines()
    ratio, share = (float(line.split("|")[2].split()[0]) for line in lines[2:4])
    assert ratio > 0
    assert 0 <= share < 1
    assert lines[5].startswith("2 constrained networks of 5 units, 2 updates of 64 trials each, ")
