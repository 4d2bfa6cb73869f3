"""What networks do in a step of time: the one definition for layers, simulations and analyses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from biornn.activations import Activation

_Array = NDArray[np.floating]


def step(
    state: Any, rates: Any, drive: Any, recurrent_weights: Any, alpha: Any, f: Callable[[Any], Any], formulation: str
) -> tuple[Any, Any]:
    """Make an Euler step of the rate or the current form; arrays or tensors (..., unit).

    ``r <- (1 - alpha) r + alpha f(r W + drive)``, or ``x <- (1 - alpha) x + alpha (f(x) W + drive)`` with ``r = f(x)``.

    Parameters
    ----------
    state, rates
        Before the step: rates and again rates, or currents and their rates, some of which may be silenced.
    drive
        All that a unit receives except from other units.
    recurrent_weights
        (..., unit_pre, unit_post).
    alpha
        ``dt / tau``, a number or (..., unit); None: 1.
    f
        The activation function.
    formulation
        ``"rate"`` or ``"current"``.

    Returns
    -------
    tuple
        State and rates after the step.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", equation 1.
    """
    target = rates @ recurrent_weights + drive
    if formulation == "rate":
        target = f(target)
    state = target if alpha is None else state + alpha * (target - state)
    return state, (state if formulation == "rate" else f(state))


def jacobian(
    state: _Array, drive: _Array, recurrent_weights: _Array, alpha: Any, f: Activation, formulation: str
) -> _Array:
    """Return the derivatives of a `step`: (..., unit_pre, unit_post), of the state after by the state before.

    Parameters are those of `step`, as arrays with one network's recurrent weights or with (..., unit_pre, unit_post).

    In the rate form ``(1 - alpha_j) delta_ij + alpha_j f'(u_j) W_ij`` with ``u = r W + drive``, in the current form
    ``(1 - alpha_j) delta_ij + alpha_j f'(x_i) W_ij``.
    """
    if formulation == "rate":
        slope = f.derivative(state @ recurrent_weights + drive)
        derivatives = recurrent_weights[..., np.newaxis, :, :] * slope[..., np.newaxis, :]
    else:
        derivatives = recurrent_weights[..., np.newaxis, :, :] * f.derivative(state)[..., np.newaxis]
    diagonal = np.arange(state.shape[-1])
    if alpha is not None:
        derivatives *= np.asarray(alpha)[..., np.newaxis, :]
        derivatives[..., diagonal, diagonal] += 1 - np.asarray(alpha)
    return derivatives


class Networks(NamedTuple):
    """Stored networks of one activation and formulation side by side: each array (network, ...), in one precision."""

    input_weights: _Array
    recurrent_weights: _Array
    recurrent_bias: _Array
    output_weights: _Array
    output_bias: _Array
    initial_state: _Array
    alpha: _Array
    f: Activation
    formulation: str

    def of(self, kept: NDArray[Any] | list[int]) -> Networks:
        """Take some of the networks, by position or by a mask."""
        return self._replace(**{name: getattr(self, name)[kept] for name in self._fields[:-2]})

    def drive(self, inputs: _Array) -> _Array:
        """Return what units receive from inputs (network or 1, ..., input_channel) and their bias."""
        return product(inputs, self.input_weights) + beside(self.recurrent_bias, inputs.ndim)

    def step(self, state: _Array, rates: _Array, drive: _Array) -> tuple[_Array, _Array]:
        """Make a step of all networks; arrays (network, row, unit)."""
        alpha = self.alpha[:, np.newaxis]
        state, rates = step(state, rates, drive, self.recurrent_weights, alpha, self.f, self.formulation)
        return state, rates

    def jacobian(self, state: _Array, drive: _Array) -> _Array:
        """Return the derivatives of a step of all networks, (network, row, unit_pre, unit_post)."""
        alpha = self.alpha[:, np.newaxis]
        return jacobian(state, drive, self.recurrent_weights, alpha, self.f, self.formulation)

    def start(self, n_rows: int) -> tuple[_Array, _Array]:
        """Return state and rates (network, row, unit) before the first input."""
        n_networks, n_units = self.initial_state.shape
        state = np.broadcast_to(self.initial_state[:, np.newaxis], (n_networks, n_rows, n_units))
        return state, self.rates(state)

    def rates(self, state: _Array) -> _Array:
        """Return the rates of a state."""
        return state if self.formulation == "rate" else self.f(state)

    def outputs(self, rates: _Array) -> _Array:
        """Read out rates (network, ..., unit)."""
        return product(rates, self.output_weights) + beside(self.output_bias, rates.ndim)


def product(values: _Array, weights: _Array) -> _Array:
    """Multiply (network, ..., a) and (network, a, b)."""
    flat = values.reshape(len(values), -1, values.shape[-1]) @ weights
    return flat.reshape(len(flat), *values.shape[1:-1], weights.shape[-1])


def beside(values: _Array, n_dims: int) -> _Array:
    """Give (network, a) as many dims as an array that it is added to."""
    return values.reshape(len(values), *[1] * (n_dims - 2), values.shape[-1])
