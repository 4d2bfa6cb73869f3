"""Which backend of Keras an experiment is trained with."""

import importlib.metadata

import pytest

from biornn.experiment.backend import chosen_backend


def test_it_is_that_of_the_environment_with_its_version(monkeypatch):
    monkeypatch.setattr("biornn.experiment.backend.version", {"tensorflow": "2.0", "jax": "3.0"}.get)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert chosen_backend() == ("tensorflow", "2.0")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert chosen_backend() == ("jax", "3.0")


def test_one_that_is_not_there_is_refused_with_the_fix(monkeypatch):
    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("biornn.experiment.backend.version", version)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(RuntimeError, match=r"^KERAS_BACKEND: .*, got 'torch'; pip install \"biornn\[torch\]\"$"):
        chosen_backend()
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    with pytest.raises(ValueError, match=r"^KERAS_BACKEND: expected one of .*, got 'theano'$"):
        chosen_backend()
