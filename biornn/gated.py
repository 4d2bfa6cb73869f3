"""What the gated layers of Keras, GRU and LSTM, do in a step of time, in numpy."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from biornn.activations import activation
from biornn.dynamics import beside, product

_Array = NDArray[np.floating]
_sigmoid = activation("sigmoid")


class GatedNetworks(NamedTuple):
    """Stored networks of one gated layer side by side: each array (network, ...), in one precision.

    The last axis of the weights and biases of the units holds the gates, in the order of Keras, side by side, each with
    its units: (gate and unit). `GRUNetworks` and `LSTMNetworks` make steps of them.
    """

    input_weights: _Array
    recurrent_weights: _Array
    bias: _Array
    recurrent_bias: _Array
    output_weights: _Array
    output_bias: _Array
    initial_state: _Array

    def of(self, kept: NDArray[Any] | list[int]) -> Self:
        """Take some of the networks, by position or by a mask."""
        return self._replace(**{name: getattr(self, name)[kept] for name in self._fields})

    def drive(self, inputs: _Array) -> _Array:
        """Return what gates receive from inputs (network or 1, ..., input_channel) and their bias."""
        return product(inputs, self.input_weights) + beside(self.bias, inputs.ndim)

    def received(self, rates: _Array) -> _Array:
        """Return what gates receive from rates (network, row, unit), with the second bias of a GRU."""
        received: _Array = rates @ self.recurrent_weights + self.recurrent_bias[:, np.newaxis]
        return received

    def outputs(self, rates: _Array) -> _Array:
        """Read out rates (network, ..., unit)."""
        return product(rates, self.output_weights) + beside(self.output_bias, rates.ndim)

    def start(self, n_rows: int) -> tuple[_Array, _Array]:
        """Return state and rates (network, row, unit) before the first input."""
        n_networks, n_units = self.initial_state.shape
        state = np.broadcast_to(self.initial_state[:, np.newaxis], (n_networks, n_rows, n_units))
        return state, state


class GRUGates(NamedTuple):
    """Values of the gates of a GRU (network, row, unit), and what the candidate receives from the rates."""

    update: _Array
    reset: _Array
    candidate: _Array
    received: _Array


class GRUNetworks(GatedNetworks):
    """Stored networks of ``keras.layers.GRU(reset_after=True)``; their state is their rates.

    ``h <- z h + (1 - z) n`` with the update gate ``z = s(x_z + h W_z + b_z)``, the reset gate ``r`` likewise, and the
    candidate ``n = tanh(x_n + r (h W_n + b_n))``; x is the drive, s the sigmoid: Cho et al. (2014), EMNLP, with the
    reset after the product.
    """

    def gates(self, rates: _Array, drive: _Array) -> GRUGates:
        """Return the gates in a step."""
        received = self.received(rates)
        update, reset, from_rates = np.split(received, 3, axis=-1)
        from_drive = np.split(drive, 3, axis=-1)
        update, reset = _sigmoid(update + from_drive[0]), _sigmoid(reset + from_drive[1])
        return GRUGates(update, reset, np.tanh(from_drive[2] + reset * from_rates), from_rates)

    def step(self, state: _Array, rates: _Array, drive: _Array) -> tuple[_Array, _Array]:
        """Make a step of all networks; arrays (network, row, unit), the drive (network, row, gate and unit)."""
        update, _, candidate, _ = self.gates(rates, drive)
        state = candidate + update * (state - candidate)
        return state, state

    def candidate_jacobian(self, gates: GRUGates) -> _Array:
        """Return the derivatives of the candidate by the rates, (network, row, unit_pre, unit_post)."""
        _, reset, candidate, received = gates
        _, to_reset, to_candidate = np.split(self.recurrent_weights, 3, axis=-1)
        slope = 1 - candidate**2
        return scaled(to_reset, slope * received * reset * (1 - reset)) + scaled(to_candidate, slope * reset)

    def jacobian(self, state: _Array, drive: _Array) -> _Array:
        """Return the derivatives of a step of all networks, (network, row, unit_pre, unit_post)."""
        gates = self.gates(state, drive)
        update, _, candidate, _ = gates
        to_update = np.split(self.recurrent_weights, 3, axis=-1)[0]
        derivatives = self.candidate_jacobian(gates) * (1 - update)[..., np.newaxis, :]
        derivatives += scaled(to_update, (state - candidate) * update * (1 - update)) + _diagonal(update)
        return derivatives


class LSTMGates(NamedTuple):
    """Values of the gates of an LSTM (network, row, unit)."""

    input: _Array
    forget: _Array
    candidate: _Array
    output: _Array


class LSTMNetworks(GatedNetworks):
    """Stored networks of ``keras.layers.LSTM``; their state is that of the cells, their rates the hidden state.

    ``c <- f c + i g`` and ``h <- o tanh(c)`` with the input gate ``i = s(x_i + h W_i)``, the forget gate ``f`` and the
    output gate ``o`` likewise, and the candidate ``g = tanh(x_g + h W_g)``; x is the drive, s the sigmoid: Hochreiter &
    Schmidhuber (1997), Neural Computation 9, 1735, with the forget gate.
    """

    def gates(self, rates: _Array, drive: _Array) -> LSTMGates:
        """Return the gates in a step."""
        input_, forget, candidate, output = np.split(drive + self.received(rates), 4, axis=-1)
        return LSTMGates(_sigmoid(input_), _sigmoid(forget), np.tanh(candidate), _sigmoid(output))

    def start(self, n_rows: int) -> tuple[_Array, _Array]:
        """Return cell states and rates (network, row, unit) before the first input; the rates are 0."""
        state, _ = super().start(n_rows)
        return state, np.zeros_like(state)

    def step(self, state: _Array, rates: _Array, drive: _Array) -> tuple[_Array, _Array]:
        """Make a step of all networks; arrays (network, row, unit), the drive (network, row, gate and unit)."""
        input_, forget, candidate, output = self.gates(rates, drive)
        state = forget * state + input_ * candidate
        return state, output * np.tanh(state)

    def cell_jacobian(self, state: _Array, gates: LSTMGates) -> _Array:
        """Return the derivatives of the cells' next states by the rates, (network, row, unit_pre, unit_post)."""
        input_, forget, candidate, _ = gates
        to_input, to_forget, to_candidate, _ = np.split(self.recurrent_weights, 4, axis=-1)
        return (
            scaled(to_input, input_ * (1 - input_) * candidate)
            + scaled(to_forget, forget * (1 - forget) * state)
            + scaled(to_candidate, input_ * (1 - candidate**2))
        )

    def output_jacobian(self, gates: LSTMGates) -> _Array:
        """Return the derivatives of the output gate by the rates, (network, row, unit_pre, unit_post)."""
        return scaled(np.split(self.recurrent_weights, 4, axis=-1)[3], gates.output * (1 - gates.output))

    def jacobian(self, state: _Array, rates: _Array, drive: _Array) -> _Array:
        """Return the derivatives of a step of all networks, (network, row, 2 unit_pre, 2 unit_post).

        The rates come first, then the cells' states.
        """
        gates = self.gates(rates, drive)
        squashed = np.tanh(gates.forget * state + gates.input * gates.candidate)
        slope = gates.output * (1 - squashed**2)
        cells = self.cell_jacobian(state, gates)
        after = self.output_jacobian(gates) * squashed[..., np.newaxis, :] + cells * slope[..., np.newaxis, :]
        return np.block([[after, cells], [_diagonal(slope * gates.forget), _diagonal(gates.forget)]])


def scaled(weights: _Array, scale: _Array) -> _Array:
    """Multiply all weights (network, pre, post) onto a unit by a number of its own, (network, row, post)."""
    return weights[:, np.newaxis] * scale[..., np.newaxis, :]


def _diagonal(values: _Array) -> _Array:
    """Make diagonal matrices of (..., unit)."""
    return values[..., np.newaxis] * np.eye(values.shape[-1])
