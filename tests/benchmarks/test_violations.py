"""Counting what training breaks."""

import importlib
from types import ModuleType

import numpy as np
import pytest

from tests.benchmarks.test_step_times import FOLDER


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("violations")


def test_each_planted_violation_is_counted_once(script: ModuleType) -> None:
    sign, mask = np.array([1, 1, -1]), np.array([[False, True, True], [True, False, False], [True, True, False]])
    weights = np.where(mask, sign[:, None] * 0.5, 0.0)
    assert script.count(weights, sign, mask) == (0, 0, 0, 0, 0.0)
    weights[2, :2] = 0.1, 0.2  # an inhibitory unit, presynaptic, excites twice
    assert script.count(weights, sign, mask) == (2, 1, 0, 0, 0.2)
    weights[1, 2] = -0.7  # no synapse there, and the wrong sign besides
    weights[0, 0] = 0.1
    assert script.count(weights, sign, mask) == (2, 1, 1, 1, 0.7)


def test_biornn_breaks_nothing_and_nn4n_until_its_next_forward_pass(script: ModuleType) -> None:
    found = script.measure(10, 2)
    kept = "biornn, by construction", "biornn, by projection", "Keras cell that masks in every step"
    assert all(found.pop(name).violations == (0, 0, 0, 0, 0.0) for name in kept)
    saved, corrected = found.values()
    if saved is not None:
        assert saved.violations.autapses == 10  # each is moved away from zero by its gradient
        assert corrected.violations == (0, 0, 0, 0, 0.0)
    assert script.table(found).count("not installed") == 2 * (saved is None)
