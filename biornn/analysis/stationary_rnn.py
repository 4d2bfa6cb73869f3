"""A network in the rate or current form under constant input, as the equation whose roots are its fixed points."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import scipy
from numpy.typing import NDArray

from biornn.activations import Activation
from biornn.analysis.stationary import Stationary
from biornn.dynamics import Networks, jacobian, step

_Array = NDArray[np.float64]
_EPS = float(np.finfo(float).eps)
#: Rank over units up to which weights are of low rank.
MOST_SHARE = 0.25
_WEAK = 1e-6  # singular value, over the largest, of a direction that weights hardly read, such as by float32's rounding
_MOST_REGIONS = 4096  # 12 units that are on or off


class StationaryRNN(Stationary):
    """A network in the rate or current form: ``F`` is a step, with time constants of one step.

    Those change no fixed point; `step_jacobian` has the network's own.
    """

    network: Networks

    def __init__(self, network: Networks, inputs: _Array) -> None:
        super().__init__(network, inputs)
        self.weights = network.recurrent_weights[0]
        self.limits = network.f.limits
        self.is_eulers = bool((network.alpha < 1).any())
        self._form = (network.f, network.formulation)
        f, ends = network.f, np.array([-1.0, 1.0])
        self.is_odd = not self.drive.any() and bool(f(ends).sum() == 0)
        self.singular_values: _Array = np.linalg.svd(self.weights, compute_uv=False)
        self._norm = float(self.singular_values[0])
        n_strong = max(1, int(np.sum(self.singular_values > _WEAK * self._norm)))
        #: Left singular vectors, singular values and right ones, where few are strong.
        self.factors: tuple[_Array, _Array, _Array] | None = None
        if n_strong <= MOST_SHARE * self.n_units:
            self.factors = scipy.linalg.svd(self.weights, full_matrices=False)
            self.directions = self.factors[0][:, :n_strong]
        #: By how much the argument of f changes with the state, at most, (unit,).
        self._received: _Array = np.linalg.norm(self.weights, axis=0) if network.formulation == "rate" else np.ones(1)
        curvature = network.f.curvature
        self._curvature = self._norm * curvature * float(self._received.max()) if curvature else 0.0
        self.has_curvature = bool(np.isfinite(curvature))

    def step(self, state: _Array) -> _Array:
        """Return the state (row, unit) a step of the network later."""
        state = state[np.newaxis]
        after: _Array = self.network.step(state, self.network.rates(state), self.drive)[0][0]
        return after

    def values(self, state: _Array) -> _Array:
        """Return ``g`` of states (row, unit)."""
        after: _Array = step(state, self.rates(state), self.drive[0], self.weights, None, *self._form)[0]
        return after - state

    def derivatives(self, state: _Array) -> _Array:
        """Return the derivatives of ``g``, (row, unit_pre, unit_post)."""
        derivatives: _Array = jacobian(state, self.drive[0], self.weights, None, *self._form).astype(float, copy=False)
        diagonal = np.arange(self.n_units)
        derivatives[:, diagonal, diagonal] -= 1
        return derivatives

    def step_jacobian(self, state: _Array) -> _Array:
        """Return the derivatives of a step of the network, (row, unit_pre, unit_post)."""
        derivatives: _Array = self.network.jacobian(state[np.newaxis], self.drive)[0]
        return derivatives

    def input_derivatives(self, state: _Array) -> _Array:
        """Return the derivatives of a step by the inputs, (row, input_channel, unit)."""
        slope = self.network.f.derivative(self._argument(state)) if self.network.formulation == "rate" else 1.0
        derivatives: _Array = (
            self.network.input_weights * (self.network.alpha * np.broadcast_to(slope, state.shape))[:, np.newaxis]
        )
        return derivatives

    def output_derivatives(self, state: _Array) -> _Array:
        """Return the derivatives of the outputs, (row, unit, output_channel)."""
        slope = 1.0 if self.network.formulation == "rate" else self.network.f.derivative(state)
        derivatives: _Array = np.broadcast_to(slope, state.shape)[..., np.newaxis] * self.network.output_weights
        return derivatives

    @property
    def leak(self) -> _Array:
        """Share of its state that each unit forgets in a step of the network."""
        leak: _Array = self.network.alpha[0]
        return leak

    def curvature(self, state: _Array) -> _Array:
        """Return the Lipschitz constant of the derivatives of ``g``; the same at all states."""
        return np.full(len(state), self._curvature)

    def step_curvature(self, state: _Array) -> _Array:
        """Return that of a step of the network, which a leak makes no larger."""
        return self.curvature(state)

    def region(self, state: _Array) -> _Array:
        """Return how far it holds: up to the next kink."""
        return self.distance_to_kink(state)

    def rates(self, state: _Array) -> _Array:
        """Return the rates of states (row, unit)."""
        rates: _Array = self.network.rates(state[np.newaxis])[0]
        return rates

    def state_of(self, rates: _Array) -> _Array:
        """Return states with such rates (row, unit): of the current form, those that they lead to."""
        if self.network.formulation == "rate":
            return rates
        state: _Array = rates @ self.weights + self.drive[0, 0]
        return state

    def distance_to_kink(self, state: _Array) -> _Array:
        """Return how far each state (row, unit) is from the next one at which a derivative jumps; infinite if none."""
        return nearest_kink(self.network.f, self._argument(state), self._received)

    def _argument(self, state: _Array) -> _Array:
        """Return that of the activation at states (row, unit)."""
        return state if self.network.formulation == "current" else state @ self.weights + self.drive[0, 0]

    def rounding(self, state: _Array) -> _Array:
        """Return the largest error that rounding makes in the length of ``g`` of states (row, unit)."""
        sums = np.abs(self.rates(state)) @ np.abs(self.weights) + np.abs(self.drive[0, 0])
        error: _Array = self.n_units * _EPS * (np.linalg.norm(sums, axis=1) + np.linalg.norm(state, axis=1))
        return error

    @property
    def is_bounded(self) -> bool:
        """Whether the activation is."""
        return self.network.f.is_bounded

    def known(self) -> tuple[_Array, bool]:
        """Return all fixed points of a network that is linear in each of few regions; of an odd one, 0."""
        if self.is_solved_by_region:
            return self._in_every_region()
        return np.zeros((int(self.is_odd), self.n_units)), False

    @property
    def is_solved_by_region(self) -> bool:
        """Whether the network is linear in each of few regions, so that the equations of all are solved."""
        f = self.network.f
        return f.curvature == 0 and (len(f.kinks) + 1) ** self.n_units <= _MOST_REGIONS

    def _in_every_region(self) -> tuple[_Array, bool]:
        """Return the solutions (row, unit) of the linear equations of each region that lie in it.

        And whether the equations of every region have one solution.
        """
        f = self.network.f
        edges = np.array([-np.inf, *f.kinks, np.inf])
        inside = np.array([0.0]) if not f.kinks else np.array([f.kinks[0] - 1, *_middles(f.kinks), f.kinks[-1] + 1])
        slopes = f.derivative(inside)
        offsets = f(inside) - slopes * inside
        piece = np.array(list(product(range(len(inside)), repeat=self.n_units)))
        slope, offset, drive = slopes[piece], offsets[piece], self.drive[0, 0]
        identity = np.eye(self.n_units)
        if self.network.formulation == "rate":
            matrices, right = identity - self.weights * slope[:, np.newaxis, :], slope * drive + offset
        else:
            matrices, right = identity - slope[:, :, np.newaxis] * self.weights, offset @ self.weights + drive
        regular = np.linalg.cond(matrices) < 1 / np.sqrt(_EPS)
        matrices, right, piece = matrices[regular], right[regular], piece[regular]
        state: _Array = np.linalg.solve(np.swapaxes(matrices, 1, 2), right[..., np.newaxis])[..., 0]
        argument = state if self.network.formulation == "current" else state @ self.weights + drive
        slack = 1e-9 * (1 + np.abs(argument))
        lies_in = np.all((argument >= edges[piece] - slack) & (argument <= edges[piece + 1] + slack), axis=1)
        return state[lies_in], bool(regular.all())


def nearest_kink(f: Activation, argument: _Array, received: _Array) -> _Array:
    """Return how far each state (row,) is from the next one at which a derivative jumps; infinite if none.

    `argument` (row, unit) is that of f, and `received` (unit,) by how much it changes with the state, at most.
    """
    if not f.kinks:
        return np.full(len(argument), np.inf)
    away = np.abs(argument[:, :, np.newaxis] - np.array(f.kinks)).min(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):  # a unit that receives nothing is always off or on
        nearest: _Array = np.nan_to_num(away / received, nan=np.inf).min(axis=1)
    return nearest


def _middles(kinks: tuple[float, ...]) -> list[float]:
    return [(left + right) / 2 for left, right in pairwise(kinks)]
