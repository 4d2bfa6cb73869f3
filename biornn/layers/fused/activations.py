"""Activations whose slope follows from their value, in numpy and in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.floating[Any]]


class _Activation(NamedTuple):
    """A function and its slope; each writes into its second argument, the slope from the function's value."""

    value: Callable[[_Array, _Array], object]
    slope: Callable[[_Array, _Array], object]


def _sigmoid(current: _Array, out: _Array) -> None:
    np.multiply(current, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5


def _sigmoid_slope(value: _Array, out: _Array) -> None:
    np.subtract(1.0, value, out=out)
    out *= value


def _softplus(current: _Array, out: _Array) -> None:
    np.logaddexp(current, 0.0, out=out)


def _softplus_slope(value: _Array, out: _Array) -> None:
    np.negative(value, out=out)
    np.expm1(out, out=out)
    np.negative(out, out=out)


def _tanh_slope(value: _Array, out: _Array) -> None:
    np.multiply(value, value, out=out)
    np.subtract(1.0, out, out=out)


#: Keras's names of the activations whose slope follows from their value.
ACTIVATIONS: Mapping[str, _Activation] = {
    "linear": _Activation(lambda current, out: np.copyto(out, current), lambda _, out: out.fill(1.0)),
    "relu": _Activation(
        lambda current, out: np.maximum(current, 0.0, out=out), lambda value, out: np.greater(value, 0.0, out=out)
    ),
    "sigmoid": _Activation(_sigmoid, _sigmoid_slope),
    "softplus": _Activation(_softplus, _softplus_slope),
    "tanh": _Activation(lambda current, out: np.tanh(current, out=out), _tanh_slope),
}
