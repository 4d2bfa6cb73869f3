"""The activation functions in numpy, by their Keras names: what a stored network can be run again with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Activation:
    """An activation function ``f`` and what is known of it; called with an array, it gives its values.

    Parameters
    ----------
    value, derivative
        ``f`` and ``f'``; at a kink the derivative is that on its left or on its right.
    steepest
        Largest ``|f'|``: the Lipschitz constant of ``f``.
    curvature
        Largest ``|f''|`` between the kinks: the Lipschitz constant of the derivative there.
    limits
        Smallest and largest value, infinite where there is none.
    kinks
        Where the derivative jumps.
    """

    value: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    steepest: float
    curvature: float
    limits: tuple[float, float]
    kinks: tuple[float, ...] = ()

    def __call__(self, x: Array) -> Array:
        """Return ``f(x)``."""
        return self.value(x)

    @property
    def is_bounded(self) -> bool:
        """Whether all values lie in an interval."""
        return bool(np.isfinite(self.limits).all())


# Klambauer et al. (2017), equation 2
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_INF = np.inf


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _elu_derivative(x: Array) -> Array:
    return np.where(x > 0, 1.0, np.exp(np.minimum(x, 0)))


def _selu(x: Array) -> Array:
    return _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, 0)))


def _selu_derivative(x: Array) -> Array:
    return _SELU_SCALE * np.where(x > 0, 1.0, _SELU_ALPHA * np.exp(np.minimum(x, 0)))


def _sigmoid(x: Array) -> Array:
    values: Array = scipy.special.expit(x)
    return values


def _normal(x: Array) -> Array:
    """Cumulative distribution of the standard normal."""
    values: Array = scipy.special.ndtr(x)
    return values


def _between(low: float, high: float, slope: float = 1.0) -> Callable[[Array], Array]:
    """Make the derivative of a function that is clipped outside of an interval."""
    return lambda x: np.where((x > low) & (x < high), slope, 0.0)


#: Name -> function. Largest second derivatives are those of the closed forms: of tanh 4 / (3 sqrt 3), of the sigmoid
#: 1 / (6 sqrt 3), of gelu 2 / sqrt(2 pi), at 0. The largest first ones of gelu, at sqrt 2, and of silu are rounded up.
ACTIVATIONS: Mapping[str, Activation] = {
    "linear": Activation(lambda x: x, np.ones_like, 1.0, 0.0, (-_INF, _INF)),
    "tanh": Activation(np.tanh, lambda x: 1 - np.tanh(x) ** 2, 1.0, 4 / (3 * np.sqrt(3)), (-1, 1)),
    "relu": Activation(lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.0, 0.0), 1.0, 0.0, (0, _INF), (0.0,)),
    "relu6": Activation(lambda x: np.clip(x, 0, 6), _between(0, 6), 1.0, 0.0, (0, 6), (0.0, 6.0)),
    "leaky_relu": Activation(
        lambda x: np.where(x > 0, x, 0.2 * x), lambda x: np.where(x > 0, 1.0, 0.2), 1.0, 0.0, (-_INF, _INF), (0.0,)
    ),
    "softplus": Activation(lambda x: np.logaddexp(x, 0), _sigmoid, 1.0, 1 / 4, (0, _INF)),
    "sigmoid": Activation(_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x), 1 / 4, 1 / (6 * np.sqrt(3)), (0, 1)),
    "hard_sigmoid": Activation(
        lambda x: np.clip(x / 6 + 0.5, 0, 1), _between(-3, 3, 1 / 6), 1 / 6, 0.0, (0, 1), (-3.0, 3.0)
    ),
    "hard_tanh": Activation(lambda x: np.clip(x, -1, 1), _between(-1, 1), 1.0, 0.0, (-1, 1), (-1.0, 1.0)),
    "softsign": Activation(lambda x: x / (1 + np.abs(x)), lambda x: (1 + np.abs(x)) ** -2.0, 1.0, 2.0, (-1, 1)),
    "elu": Activation(_elu, _elu_derivative, 1.0, 1.0, (-1, _INF)),
    "selu": Activation(
        _selu,
        _selu_derivative,
        _SELU_SCALE * _SELU_ALPHA,
        _SELU_SCALE * _SELU_ALPHA,
        (-_SELU_SCALE * _SELU_ALPHA, _INF),
        (0.0,),
    ),
    "gelu": Activation(
        lambda x: x * _normal(x),
        lambda x: _normal(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
        1.12891,
        2 / np.sqrt(2 * np.pi),
        (-0.17, _INF),
    ),
    "silu": Activation(
        lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x)), 1.09985, 0.5, (-0.2785, _INF)
    ),
    "exponential": Activation(np.exp, np.exp, _INF, _INF, (0, _INF)),
}


def activation(name: str) -> Activation:
    """Return the activation of a Keras name, such as ``"tanh"``; a ValueError lists the names that there are."""
    try:
        return ACTIVATIONS[name]
    except KeyError:
        raise ValueError(f"activation: expected one of {tuple(ACTIVATIONS)}, got {name!r}") from None
