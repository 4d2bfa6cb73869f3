"""The benchmark on a GPU, as far as a machine without one can tell."""

import importlib
import subprocess
import sys
from importlib.util import find_spec
from types import ModuleType

import pytest

from tests.benchmarks.test_step_times import FOLDER


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("gpu_times")


def test_times_are_absolute_and_ratios_are_those_of_one_round(script: ModuleType) -> None:
    seconds = {(name, kind): [0.002, 0.004] for name, one in script.SURROUNDINGS.items() for kind in one.kinds}
    floors = {("", script.FLOAT32): [0.001, 0.004], ("", script.TF32): [0.0005, 0.001]}
    text = script.table([script.Times(8, 2, {**seconds, **floors, ("", "torch"): [0.01, 0.03]})])
    header, *_, last = text.splitlines()
    assert header == "|  | 8 units, 2 trials |"
    assert last == "| *PyTorch: biornn, constrained, over products alone, in float32* | 1.50 [1.00, 2.00] |"
    assert "| `torch.nn.RNN` of cuDNN, unconstrained | 20.0 [10.0, 30.0] ms |" in text
    assert "| *JAX in TF32: biornn, constrained, over products alone, in TF32* | 4.00 [4.00, 4.00] |" in text
    assert "| *JAX: biornn, constrained, over unconstrained* | 1.00 [1.00, 1.00] |" in text


@pytest.mark.skipif(find_spec("jax") is None or find_spec("torch") is None, reason="JAX or PyTorch is not installed")
def test_without_a_gpu_it_says_what_is_missing(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = subprocess.run([sys.executable, str(FOLDER / "gpu_times.py")], capture_output=True, text=True)
    assert done.returncode == 2
    assert "expected a GPU that JAX and PyTorch see, got none" in done.stderr
