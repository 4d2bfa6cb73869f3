"""A network under constant input, as the equation whose roots are its fixed points."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from biornn.analysis.roots import Map, Proof, prove
from biornn.stored_networks import AnyNetworks

_Array = NDArray[np.float64]


class Stationary(ABC):
    """One network that receives a constant input: ``g(x) = F(x) - x``, where ``F`` has its fixed points.

    Arrays of whole states are (row, n_numbers), where `n_numbers` is the number of units; an LSTM has twice as many,
    a network of low rank as few as its rank.

    Parameters
    ----------
    network
        Stored networks, of which there is one.
    inputs
        (input_channel,).
    """

    network: AnyNetworks
    #: Limits of the rates.
    limits: tuple[float, float] = (-1.0, 1.0)
    #: Whether ``F(-x) = -F(x)``, so that fixed points come in pairs.
    is_odd = False
    #: Whether there is a bound of the second derivatives, without which nothing is proved.
    has_curvature = True
    #: Directions (unit, direction) of rates that the recurrent weights read, where they are few.
    directions: _Array | None = None
    #: Whether a step of the network is Euler's, of a differential equation with longer time constants.
    is_eulers = False

    def __init__(self, network: AnyNetworks, inputs: _Array) -> None:
        self.network = network
        #: What units, or their gates, receive from the input.
        self.drive = network.drive(inputs[np.newaxis, np.newaxis])
        self.n_units: int = network.initial_state.shape[1]
        self.n_numbers = self.n_units

    @property
    def map(self) -> Map:
        """``g`` and its derivatives."""
        return Map(self.values, self.derivatives)

    @property
    @abstractmethod
    def leak(self) -> _Array:
        """Share of its state that each unit, at rest, forgets in a step of the network."""

    @abstractmethod
    def step(self, state: _Array) -> _Array:
        """Return the state (row, n_numbers) a step of the network later."""

    @abstractmethod
    def step_jacobian(self, state: _Array) -> _Array:
        """Return the derivatives of a step of the network, (row, n_numbers, n_numbers)."""

    @abstractmethod
    def values(self, state: _Array) -> _Array:
        """Return ``g`` of states (row, n_numbers)."""

    @abstractmethod
    def derivatives(self, state: _Array) -> _Array:
        """Return the derivatives of ``g``, (row, n_numbers, n_numbers)."""

    @abstractmethod
    def curvature(self, state: _Array) -> _Array:
        """Return Lipschitz constants of the derivatives of ``g``, within `region` of each state, in units of `size`."""

    @abstractmethod
    def step_curvature(self, state: _Array) -> _Array:
        """Return Lipschitz constants of the derivatives of a step of the network near each state."""

    @abstractmethod
    def region(self, state: _Array) -> _Array:
        """Return how far around each state its `curvature` holds."""

    @abstractmethod
    def rounding(self, state: _Array) -> _Array:
        """Return the largest error that rounding makes in the length of ``g`` of states (row, n_numbers)."""

    @abstractmethod
    def rates(self, state: _Array) -> _Array:
        """Return the rates (row, unit) of states."""

    @abstractmethod
    def state_of(self, rates: _Array) -> _Array:
        """Return whole states with such rates (row, unit)."""

    def own_state(self, state: _Array) -> _Array:
        """Return the state variable (row, unit) of whole states."""
        return state

    def whole(self, state: _Array, rates: _Array) -> _Array:
        """Return the whole states of state variables and rates (row, unit)."""
        return state

    def distance_to_kink(self, state: _Array) -> _Array:
        """Return how far each state (row, unit) is from the next one at which a derivative jumps; infinite if none."""
        return np.full(len(state), np.inf)

    def known(self) -> tuple[_Array, bool]:
        """Return fixed points, or states that may be some, that need no search, and whether there are no others."""
        return np.empty((0, self.n_numbers)), False

    @property
    def is_bounded(self) -> bool:
        """Whether ``F`` maps a ball into itself, so that the indices of all fixed points add up to 1."""
        return True

    @property
    def other_eigenvalues(self) -> _Array:
        """Eigenvalues of a step, the same in all states, that are not those of `step_jacobian`."""
        return np.empty(0)

    def speed(self, state: _Array) -> _Array:
        """Return how far each state (row, n_numbers) moves in a step of the network."""
        speed: _Array = np.linalg.norm(self.step(state) - state, axis=1)
        return speed

    def usual_speed(self, rates: _Array) -> float:
        """Return the median speed from rates (row, unit)."""
        return float(np.median(self.speed(self.state_of(rates))))

    def outputs(self, state: _Array) -> _Array:
        """Return the outputs (row, output_channel) in states."""
        outputs: _Array = self.network.outputs(self.rates(state)[np.newaxis])[0]
        return outputs

    def prove(self, state: _Array, residual: _Array) -> Proof:
        """Prove that there is a fixed point next to each state (row, n_numbers); distances in units of its `size`."""
        at = residual + self.rounding(state)
        return prove(at, self.derivatives(state), self.curvature(state), self.region(state))

    def size(self, state: _Array) -> _Array:
        """Return the units (row, n_numbers) in which proofs measure distances from states."""
        return np.ones_like(state)

    def apart(self, state: _Array, points: _Array) -> _Array:
        """Return the distances (row, point) of states from points, in the units of these."""
        return cdist(state, points)

    def own_error(self, state: _Array, error: _Array) -> _Array:
        """Return how far `own_state` may be from that of a root that is at most so far away, in units of `size`."""
        return error * self.size(state).max(axis=1)

    def step_jacobian_near(self, state: _Array, error: _Array) -> tuple[_Array, _Array]:
        """Return the derivatives of a step (row, n_numbers, n_numbers), and how far off they may be.

        That is by rounding, and from those at the fixed points, which are at most so far away.
        """
        jacobian = self.step_jacobian(state)
        return jacobian, self.step_curvature(state) * error + rounding_of(jacobian)

    def index(self, state: _Array) -> NDArray[np.int_]:
        """Return the index of each fixed point (row, n_numbers): the sign of det(1 - DF)."""
        return np.rint(np.linalg.slogdet(-self.derivatives(state))[0]).astype(int)


def rounding_of(jacobian: _Array) -> _Array:
    """Return the largest error of Jacobians (row, n, n) by the rounding of their sums, in the spectral norm."""
    error: _Array = jacobian.shape[1] * np.finfo(float).eps * np.linalg.norm(jacobian, axis=(1, 2))
    return error
