"""The README does what it says."""

import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


def block(mark: str, page: str = "README.md") -> str:
    """Text of the fenced block under ``<!-- mark -->``."""
    (found,) = re.findall(rf"<!-- {mark} -->\n```\w+\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return found


def test_the_library_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(block("library").strip().splitlines()) <= 11
    exec(block("library"), {})
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_circuit_of_ones_own_goes_in() -> None:
    names: dict[str, Any] = {}
    exec(block("circuit"), names)
    circuit, weights = names["circuit"], names["weights"]
    np.testing.assert_array_equal(circuit.recurrent.initial_weights, weights)
    assert circuit.unit_names.tolist() == ["PV", "E1", "E2"]


def test_the_notebook_example_runs_on_a_run(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = block("notebook").replace("runs/flip_flop", str(finished_run)).replace("dale-s00", "constrained-s01")
    assert "biornn" not in code.replace(str(finished_run), "")
    exec(code, {})
    plt.close("all")
    printed = capsys.readouterr().out
    assert "unconstrained" in printed


def test_commands_are_single_lines_that_name_what_is_there() -> None:
    for mark in ("run", "test"):
        assert len(block(mark).strip().splitlines()) == 1
    assert (ROOT / re.search(r"experiments/\S+\.yaml", block("run")).group()).is_file()
