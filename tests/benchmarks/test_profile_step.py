"""The profile of one step."""

import importlib
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.benchmarks.test_step_times import FOLDER


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("profile_step")


def test_the_clock_counts_what_happens_within_the_methods(script: ModuleType) -> None:
    class Sleeper:
        def sleep(self, seconds: float) -> str:
            time.sleep(seconds)
            return "awake"

    clock, method = script.Clock(), Sleeper.sleep
    with clock.on(Sleeper, "sleep"):
        assert Sleeper().sleep(0.02) == "awake"
        time.sleep(0.02)
    assert 0.02 <= clock.seconds < 0.04
    assert Sleeper.sleep is method


def test_the_parts_sum_to_the_update(script: ModuleType) -> None:
    planted = {
        "scan update": 20.0, "layer": 17.0, "fused update": 9.0, "core": 6.0, "products": 3.0, "activation": 1.0,
    }  # fmt: skip
    (before, after), *parts = script.take_apart({name: [value] for name, value in planted.items()}).values()
    assert sum(part[0][0] for part in parts) == pytest.approx(before[0])
    assert sum(part[1][0] for part in parts) == pytest.approx(after[0])


def test_the_table_has_a_column_per_size(tmp_path: Path) -> None:
    out = tmp_path / "profile.md"
    words = ["--sizes", "8,2", "6,3", "--rounds", "1", "--updates", "1", "--out", str(out)]
    subprocess.run([sys.executable, str(FOLDER / "profile_step.py"), *words], check=True, capture_output=True)
    header, _, update, *_ = out.read_text().splitlines()
    assert header == "| one step (ms) | 8 units, 2 trials | 6 units, 3 trials |"
    assert update.startswith("| one update | ")
    assert update.count(" → ") == 2
