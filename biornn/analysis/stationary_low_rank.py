"""A network whose recurrent weights are of low rank, as an equation in as few numbers as their rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biornn.analysis.roots import Proof, prove
from biornn.analysis.stationary import Stationary
from biornn.analysis.stationary_rnn import MOST_SHARE, StationaryRNN, nearest_kink
from biornn.dynamics import Networks

_Array = NDArray[np.float64]
_EPS = float(np.finfo(float).eps)


def in_few_numbers(of: Stationary) -> Stationary:
    """Return the equation of a network of low rank in as few numbers as its rank; that of others as it is.

    Units need one time constant: otherwise the products of rates and weights do not determine the next ones.
    """
    if not isinstance(of, StationaryRNN) or of.is_solved_by_region or np.ptp(of.leak) > 0 or not 0 < of.leak[0] <= 1:
        return of
    rank = max(1, int(np.sum(of.singular_values > of.n_units * _EPS * of.singular_values[0])))
    if of.factors is None or rank > MOST_SHARE * of.n_units:
        return of
    return StationaryLowRank(of, of.factors, rank)


class StationaryLowRank(Stationary):
    """A network in the rate or current form with weights ``U V``: ``g(z) = f(z V + d) U - z``, where ``z = r U``.

    Its roots are the fixed points of both forms, whose rates are ``f(z V + d)`` and whose currents ``z V + d``. All
    other modes decay by the leak alone (Beiran et al. 2021, Neural Comput. 33, 1572).

    Slow points are those of all rates in the rate form: there U is orthonormal, and of all rates r with ``r U = z``
    those of `own_state` move least, by ``|g(z)|`` in a step of a time constant. In the current form V is orthonormal,
    and slow points are those of the currents ``z V + d``, whose space no network leaves; they move by ``|g(z)|``.

    Parameters
    ----------
    of
        The equation in as many numbers as units. Their time constants are the same.
    factors
        Singular vectors and values of its recurrent weights.
    rank
        How many of them are not rounding.
    """

    network: Networks

    def __init__(self, of: StationaryRNN, factors: tuple[_Array, _Array, _Array], rank: int) -> None:
        self._of, self._f, self.network, self.drive = of, of.network.f, of.network, of.drive
        self.n_units, self.n_numbers = of.n_units, rank
        self.limits, self.is_odd, self.is_eulers = of.limits, of.is_odd, of.is_eulers
        self.has_curvature, self.directions = of.has_curvature, of.directions
        left, values, right = factors
        self._is_rate = of.network.formulation == "rate"
        self._to_few: _Array = left[:, :rank]
        self._to_units: _Array = right[:rank]
        if self._is_rate:
            self._to_units = values[:rank, np.newaxis] * self._to_units
        else:
            self._to_few = self._to_few * values[:rank]
        self._norm = float(values[0])  # of U times that of V, one of which is 1
        self._gain = self._norm * self._f.steepest  # by which f(z V + d) U, or f(z V + d), changes with z at most
        # Of the weights, by the rounding of their factors: the network itself has it.
        self._left_out = float(np.linalg.norm(of.weights - self._to_few @ self._to_units))
        self._received: _Array = np.linalg.norm(self._to_units, axis=0)
        curvature = self._f.curvature
        self._curvature = self._norm * curvature * float(self._received.max()) if curvature else 0.0

    @property
    def leak(self) -> _Array:
        """Share of its state that each unit forgets in a step of the network."""
        return self._of.leak

    @property
    def other_eigenvalues(self) -> _Array:
        """Those of the modes that decay by the leak alone."""
        return np.full(self.n_units - self.n_numbers, 1 - self.leak[0])

    def _argument(self, state: _Array) -> _Array:
        """Return that of the activation (row, unit)."""
        argument: _Array = state @ self._to_units + self.drive[0, 0]
        return argument

    def values(self, state: _Array) -> _Array:
        """Return ``g`` of states (row, n_numbers)."""
        values: _Array = self._f(self._argument(state)) @ self._to_few - state
        return values

    def derivatives(self, state: _Array) -> _Array:
        """Return the derivatives of ``g``, (row, n_numbers, n_numbers)."""
        slope = self._f.derivative(self._argument(state))
        derivatives: _Array = (self._to_units * slope[:, np.newaxis]) @ self._to_few - np.eye(self.n_numbers)
        return derivatives

    def step(self, state: _Array) -> _Array:
        """Return the state (row, n_numbers) a step of the network later."""
        return state + self.leak[0] * self.values(state)

    def step_jacobian(self, state: _Array) -> _Array:
        """Return the derivatives of a step of the network, (row, n_numbers, n_numbers)."""
        return np.eye(self.n_numbers) + self.leak[0] * self.derivatives(state)

    def curvature(self, state: _Array) -> _Array:
        """Return the Lipschitz constant of the derivatives of ``g``; the same at all states."""
        return np.full(len(state), self._curvature)

    def step_curvature(self, state: _Array) -> _Array:
        """Return that of a step of the network."""
        return self.leak[0] * self.curvature(state)

    def step_jacobian_near(self, state: _Array, error: _Array) -> tuple[_Array, _Array]:
        """Return the derivatives of a step (row, n_numbers, n_numbers), and how far off they may be."""
        off = self.step_curvature(state) * error + _EPS + self.leak[0] * self._derivatives_rounding
        return self.step_jacobian(state), off

    @property
    def _derivatives_rounding(self) -> float:
        """The largest error that rounding makes in the derivatives, each a sum over units."""
        return self.n_units * _EPS * (1 + self._gain)

    def prove(self, state: _Array, residual: _Array) -> Proof:
        """Prove that there is a fixed point next to each state."""
        at, derivatives = residual + self.rounding(state), self.derivatives(state)
        return prove(at, derivatives, self.curvature(state), self.region(state), self._derivatives_rounding)

    def region(self, state: _Array) -> _Array:
        """Return how far it holds: up to the next kink."""
        return nearest_kink(self._f, self._argument(state), self._received)

    def rounding(self, state: _Array) -> _Array:
        """Return the largest error that rounding makes in the length of ``g``, of the factors of the weights, too."""
        rates = np.abs(self._f(self._argument(state)))
        received = np.abs(state) @ np.abs(self._to_units) + np.abs(self.drive[0, 0])
        sums = (rates + self._f.steepest * received) @ np.abs(self._to_few)
        error: _Array = self.n_units * _EPS * (np.linalg.norm(sums, axis=1) + np.linalg.norm(state, axis=1))
        gain = self._f.steepest if self._is_rate else self._gain
        return error + gain * self._left_out * np.linalg.norm(rates, axis=1)

    def own_state(self, state: _Array) -> _Array:
        """Return the rates or currents (row, unit) of states."""
        argument = self._argument(state)
        if not self._is_rate:
            return argument
        own: _Array = self._f(argument) - self.values(state) @ self._to_few.T
        return own

    def rates(self, state: _Array) -> _Array:
        """Return the rates (row, unit) of states."""
        return self._of.rates(self.own_state(state))

    def state_of(self, rates: _Array) -> _Array:
        """Return states with such rates (row, unit)."""
        state: _Array = rates @ self._to_few
        return state

    def own_error(self, state: _Array, error: _Array) -> _Array:
        """Return how far the rates or currents may be from those of a root that is at most so far away.

        Of rates, ``f(z V + d) (1 - U U')`` changes with z by the gain, and ``z U'``, at right angles, by 1.
        """
        argument = self._argument(state)
        rates = np.linalg.norm(self._f(argument), axis=1)
        received = np.linalg.norm(np.abs(state) @ np.abs(self._to_units) + np.abs(self.drive[0, 0]), axis=1)
        rounding = (self.n_numbers + 2) * _EPS * received + self._left_out * rates
        if not self._is_rate:
            return error + rounding
        own: _Array = np.hypot(1, self._gain) * error + self._f.steepest * rounding + 4 * _EPS * rates
        return own + self.rounding(state)

    def distance_to_kink(self, state: _Array) -> _Array:
        """Return how far the rates or currents of each state are from the next ones at which a derivative jumps."""
        return self._of.distance_to_kink(self.own_state(state))

    def known(self) -> tuple[_Array, bool]:
        """Return 0 of an odd network."""
        return np.zeros((int(self.is_odd), self.n_numbers)), False

    @property
    def is_bounded(self) -> bool:
        """Whether the activation is."""
        return self._of.is_bounded

    def usual_speed(self, rates: _Array) -> float:
        """Return the median speed, in the space of all units, from rates (row, unit)."""
        return self._of.usual_speed(rates)
