"""The benchmark of one step, on a small network."""

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("step_times")


def test_the_table_has_a_row_per_kind_and_a_column_per_size(tmp_path: Path) -> None:
    out = tmp_path / "times" / "table.md"
    words = ["--sizes", "8,2", "--rounds", "2", "--updates", "1", "--threads", "1", "--out", str(out)]
    subprocess.run([sys.executable, str(FOLDER / "step_times.py"), *words], check=True, capture_output=True)
    header, line, reference, *rows, _, told = out.read_text().splitlines()
    assert header == "| 1 thread | 8 units, 2 trials |"
    assert reference.startswith("| `keras.layers.SimpleRNN` | ")
    assert {one.count("|") for one in (header, line, reference, *rows)} == {3}
    missing = {one.split("|")[1].strip() for one in rows if "not installed" in one}
    peers = {"torch": "`torch.nn.RNN`, unconstrained", "nn4n": "nn4n, constrained"}
    assert missing == {name for package, name in peers.items() if find_spec(package) is None}
    assert told.startswith("One update on 340 steps")


def test_ratios_are_those_of_one_round(script: ModuleType) -> None:
    seconds = {"SimpleRNN": [2.0, 2.0, 4.0], "unconstrained": [1.0, 3.0, 2.0], "constrained": [2.0, 3.0, 2.0]}
    others = {kind: [1.0] * 3 for kind in ("leaky", "scan", "masked in every step", "products")}
    text = script.table([script.Times(2, 8, 2, {**seconds, **others})])
    assert text.startswith("| 2 threads | 8 units, 2 trials |\n")
    assert "| `keras.layers.SimpleRNN` | 2000.0 ms |" in text
    assert "| biornn, unconstrained | 0.50 [0.50, 1.50] |" in text
    assert "| *biornn, constrained, over unconstrained* | 1.00 [1.00, 2.00] |" in text


def test_peers_that_were_not_timed_are_told_as_not_installed(script: ModuleType) -> None:
    seconds = {kind: [1.0] for kind in script.KINDS if kind not in ("torch", "nn4n")}
    text = script.table([script.Times(1, 8, 2, seconds)])
    assert text.count("| not installed |") == 2


def test_a_process_that_fails_is_noticed(script: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="expected an answer, got exit code 1"):
        script.Worker("no framework", 8, 2, 1)
