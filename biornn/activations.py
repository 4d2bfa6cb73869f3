"""The activation functions in numpy, by their Keras names: what a stored network can be run again with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

Array = NDArray[np.floating]


def _softplus(x: Array) -> Array:
    return np.logaddexp(x, 0)


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _selu(x: Array) -> Array:
    # Klambauer et al. (2017), equation 2
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


#: Name -> function of an array.
ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "softplus": _softplus,
    "sigmoid": lambda x: scipy.special.expit(x),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "elu": _elu,
    "selu": _selu,
    "gelu": lambda x: x * (1 + scipy.special.erf(x / np.sqrt(2))) / 2,
    "silu": lambda x: x * scipy.special.expit(x),
    "exponential": np.exp,
}


def activation(name: str) -> Callable[[Array], Array]:
    """Return the activation of a Keras name, such as ``"tanh"``; a ValueError lists the names that there are."""
    try:
        return ACTIVATIONS[name]
    except KeyError:
        raise ValueError(f"activation: expected one of {tuple(ACTIVATIONS)}, got {name!r}") from None
