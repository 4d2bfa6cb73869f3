"""The surroundings of what is timed."""

import importlib
from types import ModuleType

import pytest

from tests.benchmarks.test_step_times import FOLDER


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("machine")


def test_children_choose_their_kernels_themselves(machine: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    monkeypatch.setenv("KEPT", "as it is")
    environment = machine.child_environment(3, "jax")
    assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & environment.keys()
    assert environment["KEPT"] == "as it is"
    assert environment["KERAS_BACKEND"] == "jax"
    assert {environment[name] for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")} == {"3"}


def test_the_description_tells_versions_and_what_is_missing(machine: ModuleType) -> None:
    described = machine.describe("biornn", "no-such-package")
    assert f"biornn {machine.version_of('biornn')}, no-such-package (not installed), numpy " in described
    assert described.endswith("kernels)")
