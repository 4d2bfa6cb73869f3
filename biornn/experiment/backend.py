"""The Keras backend on which networks are trained."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

BACKENDS = ("tensorflow", "jax", "torch")


def chosen_backend() -> tuple[str, str]:
    """Return name and version of the backend in ``KERAS_BACKEND``, which must be known and installed."""
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    if name not in BACKENDS:
        raise ValueError(f"KERAS_BACKEND: expected one of {BACKENDS}, got {name!r}")
    try:
        return name, version(name)
    except PackageNotFoundError:
        message = f"KERAS_BACKEND: expected a backend that is installed, got {name!r}; "
        raise RuntimeError(f'{message}pip install "biornn[{name}]"') from None
