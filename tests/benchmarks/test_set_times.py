"""The benchmark of a set of networks, on small ones."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "experiments" / "benchmarks" / "set_times.py"


def test_whole_runs_are_timed_with_one_worker_and_with_two(tmp_path: Path) -> None:
    out = tmp_path / "table.md"
    words = ["--units", "5", "--networks", "2", "--updates", "2", "--rounds", "1", "--out", str(out)]
    subprocess.run([sys.executable, str(SCRIPT), *words], check=True, capture_output=True)
    head, _, line, products, *_ = out.read_text().splitlines()
    assert head == "| a set of networks | 1 worker | 2 workers | speed-up |"
    name, one, two, ratio = (cell.strip() for cell in line.strip("|").split("|"))
    assert name == "2 constrained networks of 5 units, 2 updates of 64 trials each"
    one, two = (float(time.removesuffix(" s")) for time in (one, two))
    assert one > 0
    assert two > 0
    # The times in the table are whole seconds.
    assert (one - 0.5) / (two + 0.5) <= float(ratio.split()[0]) <= (one + 0.5) / (two - 0.5)
    assert products.startswith("| *the products of its updates alone (numpy)* |")
