"""A GRU or LSTM under constant input, as the equation whose roots are its fixed points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biornn.activations import ACTIVATIONS
from biornn.analysis.roots import Proof, prove
from biornn.analysis.stationary import Stationary, rounding_of
from biornn.gated import GRUNetworks, LSTMNetworks, scaled

_Array = NDArray[np.float64]
_EPS = float(np.finfo(float).eps)
_ROUNDED = 8  # roundings in the functions of a gate, beside those of its sum
_REGION = 0.1  # around a state, in which the bounds of the second derivatives hold
_BENT_TANH, _BENT_SIGMOID = (ACTIVATIONS[name].curvature for name in ("tanh", "sigmoid"))
#: Largest ``S² |tanh''(c)| <= 8 S² exp(-2 |c|)``, where a cell state c of the size S is at least ``(1 - _REGION) S``.
_BENT_SCALED = 8 * np.exp(-2) / (1 - _REGION) ** 2
_LARGEST = 1 - 1e-6  # share of its limit that a rate can have for a cell's state to be computed from it


class _Norms:
    """Spectral norm of a gate's recurrent weights, lengths of its columns (unit,), and the largest of these."""

    def __init__(self, weights: _Array) -> None:
        self.norm = float(np.linalg.norm(weights, 2))
        self.columns: _Array = np.linalg.norm(weights, axis=0)
        self.longest = float(self.columns.max(initial=0.0))


class StationaryGRU(Stationary):
    """A GRU: ``g(h) = n(h) - h`` with the candidate n, as its update gate is below 1 everywhere."""

    network: GRUNetworks

    def __init__(self, network: GRUNetworks, inputs: _Array) -> None:
        super().__init__(network, inputs)
        self._update, self._reset, self._candidate = map(_Norms, np.split(network.recurrent_weights[0], 3, axis=-1))

    @property
    def leak(self) -> _Array:
        """Share of its state that each unit forgets in a step at rest."""
        update: _Array = self.network.gates(np.zeros((1, 1, self.n_units)), self.drive).update[0, 0]
        return 1 - update

    def step(self, state: _Array) -> _Array:
        """Return the state (row, unit) a step later."""
        after: _Array = self.network.step(state[np.newaxis], state[np.newaxis], self.drive)[0][0]
        return after

    def step_jacobian(self, state: _Array) -> _Array:
        """Return the derivatives of a step, (row, unit_pre, unit_post)."""
        derivatives: _Array = self.network.jacobian(state[np.newaxis], self.drive)[0]
        return derivatives

    def values(self, state: _Array) -> _Array:
        """Return ``g`` of states (row, unit)."""
        values: _Array = self.network.gates(state[np.newaxis], self.drive).candidate[0] - state
        return values

    def derivatives(self, state: _Array) -> _Array:
        """Return the derivatives of ``g``, (row, unit_pre, unit_post)."""
        gates = self.network.gates(state[np.newaxis], self.drive)
        derivatives: _Array = self.network.candidate_jacobian(gates)[0] - np.eye(self.n_units)
        return derivatives

    def input_derivatives(self, state: _Array) -> _Array:
        """Return the derivatives of a step by the inputs, (row, input_channel, unit)."""
        update, reset, candidate, received = self.network.gates(state[np.newaxis], self.drive)
        to_update, to_reset, to_candidate = np.split(self.network.input_weights, 3, axis=-1)
        slope = (1 - update) * (1 - candidate**2)
        derivatives: _Array = (
            scaled(to_update, (state - candidate) * update * (1 - update))
            + scaled(to_reset, slope * received * reset * (1 - reset))
            + scaled(to_candidate, slope)
        )[0]
        return derivatives

    def output_derivatives(self, state: _Array) -> _Array:
        """Return the derivatives of the outputs, (row, unit, output_channel)."""
        weights = self.network.output_weights
        return np.broadcast_to(weights, (len(state), *weights.shape[1:]))

    def region(self, state: _Array) -> _Array:
        """Return how far around each state its `curvature` holds."""
        return np.full(len(state), _REGION)

    def curvature(self, state: _Array) -> _Array:
        """Bound ``|n''|``, for ``n = tanh(u)``, ``u = x + r a``, ``a = h W + b`` and the reset gate r.

        ``n'' = tanh''(u) u'u' + tanh'(u) (2 r' a' + r'' a)``, of which each product is at most that of the norm of one
        factor and the largest component of the other.
        """
        reset, candidate = self._reset, self._candidate
        received, slope = self._bounds(state)
        steepest = candidate.longest + received / 4 * reset.longest
        mixed = min(reset.norm * candidate.longest, candidate.norm * reset.longest) / 2
        return _BENT_TANH * slope * steepest + mixed + _BENT_SIGMOID * received * reset.norm * reset.longest

    def step_curvature(self, state: _Array) -> _Array:
        """Bound the second derivatives of a step, ``n + z (h - n)``: ``(1 - z) n'' + 2 z' (1 - n') + z'' (h - n)``."""
        update, slope = self._update, self._bounds(state)[1]
        apart = np.abs(state).max(axis=1) + _REGION + 1
        bent = _BENT_SIGMOID * apart * update.norm * update.longest
        return self.curvature(state) + update.longest / 2 * (1 + slope) + bent

    def _bounds(self, state: _Array) -> tuple[_Array, _Array]:
        """Return the largest ``|a|``, and the largest norm of the derivatives of u, within the region."""
        received = np.abs(self.network.gates(state[np.newaxis], self.drive).received[0])
        largest: _Array = (received + _REGION * self._candidate.columns).max(axis=1)
        return largest, self._candidate.norm + largest / 4 * self._reset.norm

    def rounding(self, state: _Array) -> _Array:
        """Return the largest error that rounding makes in the length of ``g`` of states (row, unit)."""
        received = np.abs(self.network.gates(state[np.newaxis], self.drive).received[0])
        _, reset, candidate = np.split(_summed(self.network, state, self.drive), 3, axis=-1)
        sums = candidate + received * reset / 4 + 1
        return _error(self.n_units, sums, np.ones_like(state), state)

    def rates(self, state: _Array) -> _Array:
        """Return the rates, which are the state."""
        return state

    def state_of(self, rates: _Array) -> _Array:
        """Return the state, which is the rates."""
        return rates


class StationaryLSTM(Stationary):
    """An LSTM: ``g = (o tanh(c) - h, f c + i n - c)`` of rates h and cell states c, side by side.

    Its step has the same fixed points, with the same indices: the equation of the rates has c in place of the cell
    states that a step makes of it, so that the derivatives differ by a multiple of those of the second part.
    """

    network: LSTMNetworks

    def __init__(self, network: LSTMNetworks, inputs: _Array) -> None:
        super().__init__(network, inputs)
        self.n_numbers = 2 * self.n_units
        self._input, self._forget, self._candidate, self._output = map(
            _Norms, np.split(network.recurrent_weights[0], 4, axis=-1)
        )

    @property
    def leak(self) -> _Array:
        """Share of its cell state that each unit forgets in a step at rest."""
        forget: _Array = self.network.gates(np.zeros((1, 1, self.n_units)), self.drive).forget[0, 0]
        return 1 - forget

    def step(self, state: _Array) -> _Array:
        """Return rates and cell states (row, 2 unit) a step later."""
        rates, cells = np.split(state[np.newaxis], 2, axis=-1)
        cells_after, rates_after = self.network.step(cells, rates, self.drive)
        return np.concatenate([rates_after, cells_after], axis=-1)[0]

    def step_jacobian(self, state: _Array) -> _Array:
        """Return the derivatives of a step, (row, 2 unit_pre, 2 unit_post)."""
        rates, cells = np.split(state[np.newaxis], 2, axis=-1)
        derivatives: _Array = self.network.jacobian(cells, rates, self.drive)[0]
        return derivatives

    def values(self, state: _Array) -> _Array:
        """Return ``g`` of states (row, 2 unit)."""
        rates, cells = np.split(state[np.newaxis], 2, axis=-1)
        gates = self.network.gates(rates, self.drive)
        after = gates.output * np.tanh(cells), gates.forget * cells + gates.input * gates.candidate
        return np.concatenate(after, axis=-1)[0] - state

    def derivatives(self, state: _Array) -> _Array:
        """Return the derivatives of ``g``, (row, 2 unit_pre, 2 unit_post)."""
        rates, cells = np.split(state[np.newaxis], 2, axis=-1)
        gates, squashed, identity = self.network.gates(rates, self.drive), np.tanh(cells), np.eye(self.n_units)
        by_rates = (
            self.network.output_jacobian(gates) * squashed[..., np.newaxis, :],
            self.network.cell_jacobian(cells, gates),
        )
        by_cells = (
            (gates.output * (1 - squashed**2))[..., np.newaxis] * identity,
            gates.forget[..., np.newaxis] * identity,
        )
        derivatives: _Array = np.block([list(by_rates), list(by_cells)])[0] - np.eye(self.n_numbers)
        return derivatives

    def size(self, state: _Array) -> _Array:
        """Return the units in which proofs count: 1 for rates, and for cell states their own size if it is larger.

        A cell that hardly forgets has a large state, and its equation is as badly conditioned as it is large; counted
        so, its second derivatives do not grow with it.
        """
        return self.whole(np.maximum(np.abs(self.own_state(state)), 1), np.ones((len(state), self.n_units)))

    def prove(self, state: _Array, residual: _Array) -> Proof:
        """Prove that there is a fixed point next to each state (row, 2 unit); distances in units of its `size`."""
        size = self.size(state)
        at = np.linalg.norm(self.values(state) / size, axis=1) + _error(self.n_units, self._sums(state), size, state)
        derivatives = self.derivatives(state) * size[:, :, np.newaxis] / size[:, np.newaxis]
        return prove(at, derivatives, self.curvature(state), self.region(state))

    def apart(self, state: _Array, points: _Array) -> _Array:
        """Return the distances (row, point) of states from points, in the units of these."""
        pairs = zip(points, self.size(points), strict=True)
        distances = [np.linalg.norm((state - point) / size, axis=1) for point, size in pairs]
        return np.reshape(distances, (len(points), len(state))).T

    def step_jacobian_near(self, state: _Array, error: _Array) -> tuple[_Array, _Array]:
        """Return the derivatives of a step in units of `size`, which have the same eigenvalues, and how far off."""
        size, slope = self.size(state), self._slopes()[1]
        error = error / size.max(axis=1)
        jacobian = self.step_jacobian(state) * size[:, :, np.newaxis] / size[:, np.newaxis]
        off = np.where(error * slope <= _REGION, self.step_curvature(state) * error, np.inf)
        return jacobian, off + rounding_of(jacobian)

    def region(self, state: _Array) -> _Array:
        """Return how far around each state its `curvature` holds, in units of `size`."""
        return np.full(len(state), _REGION)

    def curvature(self, state: _Array) -> _Array:
        """Bound the second derivatives of both parts of ``g``, in units of `size`; the same at all states.

        Those of ``o tanh(c)``, and of ``f c + i n``; of each product, that of the norm of one factor and the largest
        component of the other. In these units c is at most ``1 + _REGION``.
        """
        output = self._output
        of_rates = _BENT_SIGMOID * output.norm * output.longest + output.longest / 2 + _BENT_SCALED
        return np.full(len(state), np.hypot(of_rates, self._bent()))

    def step_curvature(self, state: _Array) -> _Array:
        """Bound the second derivatives of a step, in which the rates are ``o tanh(c')`` of the next cell states c'.

        In units of `size`, where c' changes by at most `_REGION`.
        """
        output, bent, (slope, steepest) = self._output, self._bent(), self._slopes()
        of_rates = _BENT_SIGMOID * output.norm * output.longest + output.longest / 2 * slope
        return np.full(len(state), np.hypot(of_rates + _BENT_SCALED * slope * steepest + bent, bent))

    def _bent(self) -> float:
        """Bound the second derivatives of ``f c + i n``."""
        input_, forget, candidate = self._input, self._forget, self._candidate
        return (
            _BENT_SIGMOID * ((1 + _REGION) * forget.norm * forget.longest + input_.norm * input_.longest)
            + forget.longest / 2
            + min(input_.norm * candidate.longest, candidate.norm * input_.longest) / 2
            + _BENT_TANH * candidate.norm * candidate.longest
        )

    def _slopes(self) -> tuple[float, float]:
        """Bound the norm of the derivatives of ``f c + i n``, and the largest of a unit."""
        input_, forget, candidate = self._input, self._forget, self._candidate
        return (
            (1 + _REGION) / 4 * forget.norm + 1 + input_.norm / 4 + candidate.norm,
            (1 + _REGION) / 4 * forget.longest + 1 + input_.longest / 4 + candidate.longest,
        )

    def rounding(self, state: _Array) -> _Array:
        """Return the largest error that rounding makes in the length of ``g`` of states (row, 2 unit)."""
        return _error(self.n_units, self._sums(state), np.ones_like(state), state)

    def _sums(self, state: _Array) -> _Array:
        """Return the sums of the sizes of all that each number of ``g`` is made of."""
        input_, forget, candidate, output = np.split(_summed(self.network, self.rates(state), self.drive), 4, axis=-1)
        cells = np.abs(self.own_state(state))
        return self.whole(cells * (forget / 4 + 1) + input_ / 4 + candidate + 1, output / 4 + 1)

    def rates(self, state: _Array) -> _Array:
        """Return the rates (row, unit) of states."""
        return state[:, : self.n_units]

    def own_state(self, state: _Array) -> _Array:
        """Return the cell states (row, unit) of states."""
        return state[:, self.n_units :]

    def whole(self, state: _Array, rates: _Array) -> _Array:
        """Put rates and cell states (row, unit) side by side."""
        return np.concatenate([rates, state], axis=-1)

    def state_of(self, rates: _Array) -> _Array:
        """Return states with such rates (row, unit), and the cell states that make the output gates let them out."""
        output = self.network.gates(rates[np.newaxis], self.drive).output[0]
        return self.whole(np.arctanh(np.clip(rates / output, -_LARGEST, _LARGEST)), rates)


def _summed(network: GRUNetworks | LSTMNetworks, rates: _Array, drive: NDArray[np.floating]) -> _Array:
    """Return the sum of the sizes of all that gates receive, (row, gate and unit)."""
    sizes = np.abs(rates) @ np.abs(network.recurrent_weights[0]) + np.abs(network.recurrent_bias[0])
    summed: _Array = sizes + np.abs(drive[0, 0])
    return summed


def _error(n_units: int, sums: _Array, size: _Array, state: _Array) -> _Array:
    """Return the length of the errors that rounding makes in such sums (row, n_numbers), in units of a size."""
    error: _Array = np.linalg.norm(sums / size, axis=1) + np.linalg.norm(state / size, axis=1)
    return (n_units + _ROUNDED) * _EPS * error
