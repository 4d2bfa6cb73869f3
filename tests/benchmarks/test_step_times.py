"""The benchmark of one step, on a small network."""

import runpy
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "experiments" / "benchmarks" / "step_times.py"


def test_the_table_has_a_row_per_size_and_number_of_threads(tmp_path: Path) -> None:
    out = tmp_path / "times" / "table.md"
    words = ["--sizes", "8,2", "--rounds", "2", "--updates", "1", "--threads", "1", "--out", str(out)]
    subprocess.run([sys.executable, str(SCRIPT), *words], check=True, capture_output=True)
    header, line, row, *_ = out.read_text().splitlines()
    assert header.startswith("| threads | units | batch | `keras.layers.SimpleRNN` (ms) | biornn, unconstrained |")
    assert row.startswith("| 1 | 8 | 2 | ")
    assert header.count("|") == line.count("|") == row.count("|")


def test_ratios_are_those_of_one_round() -> None:
    script = runpy.run_path(str(SCRIPT))
    kinds = {kind: [1.0, 3.0, 2.0] for kind in script["COLUMNS"]}
    one = {"threads": 1, "units": 8, "batch": 2, "backend": "tensorflow"}
    text = script["table"]([{**one, "seconds": {script["REFERENCE"]: [2.0, 2.0, 4.0], **kinds}}], 3)
    assert "| 1 | 8 | 2 | 2000.0 | 0.50 [0.50, 1.50] |" in text
