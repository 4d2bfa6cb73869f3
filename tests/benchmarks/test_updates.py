"""What is timed does what it is said to do."""

import importlib
from types import ModuleType

import numpy as np
import pytest

from tests.benchmarks.test_step_times import FOLDER


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("updates")


def test_the_floor_multiplies_two_different_arrays(updates: ModuleType) -> None:
    # numpy makes the product of an array with its own transpose, which is symmetric, at half the work
    product = updates.numpy_updates(4, 2)["products"]()
    assert product.shape == (4, 4)
    assert not np.allclose(product, product.T)


def test_every_kind_of_keras_network_learns(updates: ModuleType) -> None:
    for kind, update in updates.keras_updates(5, 2).items():
        assert update() > update(), kind


def test_every_kind_of_torch_network_learns(updates: ModuleType) -> None:
    pytest.importorskip("torch")
    for kind, update in updates.torch_updates(5, 2).items():
        assert update() > update(), kind


def test_nn4n_computes_the_same_network(updates: ModuleType) -> None:
    torch, _ = pytest.importorskip("torch"), pytest.importorskip("nn4n")
    constraint = updates.wiring(6)
    inputs = np.random.default_rng(0).normal(size=(4, 2, 3)).astype("float32")
    rates = np.zeros((2, 6))
    for now in inputs:
        rates = np.tanh(rates @ constraint.recurrent.initial_weights + now @ constraint.input(3).initial_weights)
    network = updates.nn4n_network(constraint)
    with torch.no_grad():
        _, [states] = network(torch.from_numpy(inputs))  # in training mode: signs and mask are written, and keep all
    np.testing.assert_allclose(states[-1].numpy(), rates, atol=1e-6)  # float32
