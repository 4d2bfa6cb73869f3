"""The parts of a set's time."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "experiments" / "benchmarks" / "profile_set.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return runpy.run_path(str(SCRIPT))


def test_parts_sum_to_the_whole_and_tracing_counts_as_building(script) -> None:
    spans = {
        "update": [2.0, 2.0, 2.0, 50.0],  # an update that something else delayed
        "trials": [0.5] * 10,
        "validation": [30.0, 1.0, 1.0],  # the first one traces
        "snapshots": [0.25, 0.25],
        "recording": [1.0, 3.0],
        "waiting": [0.0, 0.125],
    }
    parts = script["take_apart"](spans, 7.0, 100.0, 10)
    assert parts == {
        "updates": 2.0 * 10 - 5.0,
        "building": 100.0 - (20.0 + 3.0 + 0.5 + 4.0 + 7.0),
        "loading": 7.0,
        "trials": 5.0,
        "validation": 3.0,
        "snapshots": 0.5,
        "recording": 4.0,
        "whole": 100.0,
        "waiting": 0.125,
    }


def test_an_update_waits_until_its_trials_are_made(script) -> None:
    made = {0: 3.0, 1: 3.0, 2: 5.5, 3: 6.0, 4: 99.0}  # the last was made ahead, and never asked for
    assert script["waits"]([1.0, 4.0, 5.0, 6.0], made) == [0.0, 0.5, 0.0]


def test_the_table_has_both_and_the_share_of_the_latter(script) -> None:
    after = {"updates": 6.0, "building": 1.0, "loading": 1.0, "trials": 0.5, "validation": 0.75, "snapshots": 0.25}
    after |= {"recording": 0.5, "whole": 10.0, "waiting": 0.01}
    before = {name: 2 * seconds for name, seconds in after.items()}
    lines = script["table"]({"scan": [before], "fused": [after]}, "a set").splitlines()
    assert "| updates | 12.0 | 6.0 | 60.0% [60.0%, 60.0%] |" in lines
    together = "loading, trials, validation, snapshots and recording together"
    assert f"| *{together}* | 6.0 | 3.0 | 30.0% [30.0%, 30.0%] |" in lines
    assert "| *of it, waiting for trials* | 0.0 | 0.0 | 0.1% [0.1%, 0.1%] |" in lines


def test_a_small_set_is_taken_apart(tmp_path: Path) -> None:
    out = tmp_path / "table.md"
    words = ["--units", "5", "--networks", "1", "--updates", "4", "--out", str(out)]
    subprocess.run([sys.executable, str(SCRIPT), *words], check=True, capture_output=True)
    lines = out.read_text().splitlines()
    assert lines[0].count("|") == lines[-4].count("|")
    assert lines[-1].startswith("1 constrained networks of 5 units, 4 updates of 64 trials each, on one core")
