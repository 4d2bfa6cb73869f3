"""The backend of Keras on which networks are trained."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

BACKENDS = ("tensorflow", "jax", "torch")


def chosen_backend() -> tuple[str, str]:
    """Return the name of the backend that the variable ``KERAS_BACKEND`` chooses, and its version.

    Raises
    ------
    ValueError
        If it is no backend.
    RuntimeError
        If it is not installed.
    """
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    if name not in BACKENDS:
        raise ValueError(f"KERAS_BACKEND: expected one of {BACKENDS}, got {name!r}")
    try:
        return name, version(name)
    except PackageNotFoundError:
        message = f"KERAS_BACKEND: expected a backend that is installed, got {name!r}; "
        raise RuntimeError(f'{message}pip install "biornn[{name}]"') from None
