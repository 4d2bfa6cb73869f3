"""Curves along which a network moves slowly, such as line attractors, and the speed along them."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from biornn.analysis.dims import require_variables
from biornn.analysis.each_network import as_of, constant_inputs, each_network
from biornn.analysis.kernels import Output, describe
from biornn.analysis.stationary import Stationary
from biornn.scalars import check_number, integer

_Array = NDArray[np.float64]

_N_CORRECTIONS = 20
_CORRECTED = 1e-10  # what is left of the equations of a step, over 1 + the length of the state
_STRAIGHT = 0.5  # smallest cosine between two steps
_FIRST_STEPS, _BACK = 2, 0.75  # a curve is closed if it comes back after these steps to within this share of a step
_CURVE = {
    "state": Output("state on the curve", ("along", "unit")),
    "outputs": Output("readout of the rates", ("along", "output_channel")),
    "speed": Output("speed along the curve, per step; negative: backwards", ("along",)),
    "arc_length": Output("distance along the curve from the point, negative: backwards", ("along",)),
}
_CLOSED = {"is_closed": Output("the curve comes back to its point", units="", dtype=np.bool_)}


def slow_manifolds(
    points: xr.Dataset,
    weights: xr.Dataset,
    inputs: xr.DataArray | None = None,
    *,
    slow: float = 0.1,
    step: float = 0.02,
    n_steps: int = 100,
) -> xr.Dataset:
    """Trace the curve of slow states through each fixed or slow point, to both sides along its leading mode.

    That is the mode with the largest eigenvalue: of a stable point the slowest one, of a saddle the one that leaves it.

    On the curve a network moves along it and not across: ``F(x) - x = v t``, with tangent ``t`` and speed ``v``. It is
    a line attractor where ``v`` is 0 all along. Where it is not, ``v`` says how fast a memory drifts, and its zeros are
    fixed points.

    Parameters
    ----------
    points
        What `fixed_points` found, or some of it, such as ``points.isel(fixed_point=[0])``.
    weights, inputs
        Those for which the points were found.
    slow
        Share of the usual speed above which a curve ends.
    step
        Length of a step along the curve, over that of the longest state of a network's points.
    n_steps
        Steps to each side, at most.

    Returns
    -------
    xr.Dataset
        With the dims of `points`, over (..., fixed_point, along), ``along = 0`` being the point: `state` (..., unit),
        `outputs` (..., output_channel), `speed` per time step, positive in the direction of growing `along`, and
        `arc_length`; NaN beyond the ends, where the curve is no longer slow, turns sharply, or cannot be followed, and
        everywhere for a point whose leading mode oscillates. `is_closed` (..., fixed_point): the curve is a ring,
        followed once.

    Raises
    ------
    ValueError
        If the points are not of these networks, snapshots, and inputs, or a number is out of its range.

    References
    ----------
    Seung (1996), PNAS 93, 13339, for line attractors.

    Notes
    -----
    Each step is implicit: at its end the network moves in the direction of the step. Against the flow (``v < 0`` for
    growing `along`) that is stable as long as the steps are longer than what the network moves in the time constant of
    the modes across; from a saddle or a slow point outwards it always is.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> weights = run["weights"].to_dataset().isel(snapshot=-1)  # doctest: +SKIP
    >>> points = run["fixed_points"].to_dataset()  # doctest: +SKIP
    >>> curve = bn.analysis.slow_manifolds(points.isel(fixed_point=[0]), weights)  # doctest: +SKIP
    >>> curve.speed.plot(x="along", row="network")  # doctest: +SKIP
    """
    require_variables(points, "points", ["state", "usual_speed"])
    check_number("slow", slow)
    check_number("step", step, "a positive number", above=0.0)
    n_steps = integer("n_steps", n_steps, minimum=1)
    inputs = constant_inputs(weights, inputs)
    state = as_of(points["state"], weights, inputs)
    usual_speed = as_of(points["usual_speed"], weights, inputs)
    shape, n_along = state.shape[:-1], 2 * n_steps + 1
    curves = {
        "state": np.full((*shape, n_along, state.sizes["unit"]), np.nan),
        "outputs": np.full((*shape, n_along, weights.sizes["output_channel"]), np.nan),
        "speed": np.full((*shape, n_along), np.nan),
        "arc_length": np.full((*shape, n_along), np.nan),
    }
    is_closed = np.zeros(shape, bool)
    with threadpool_limits(1, user_api="blas"):
        for at, of in each_network(weights, inputs):
            rows = state.values[at]
            length = step * float(np.nan_to_num(np.linalg.norm(rows, axis=1)).max(initial=0.0))
            for number in np.flatnonzero(np.isfinite(rows).all(axis=1)):
                tracer = _Tracer(of, length or step, slow * float(usual_speed.values[at]))
                found, is_closed[(*at, number)] = tracer.both_sides(rows[number], n_steps)
                for name, values in found.items():
                    curves[name][(*at, number)] = values
    outer = state.dims[:-1]
    result = xr.Dataset({name: ((*outer, *_CURVE[name].dims), values) for name, values in curves.items()})
    result = describe(result.assign(is_closed=(outer, is_closed)), _CURVE | _CLOSED)
    result = result.isel({dim: 0 for dim in outer if dim not in points["state"].dims})
    result = result.assign_coords(along=np.arange(-n_steps, n_steps + 1))
    labels = {**weights.coords, **points.coords}
    return result.assign_coords({name: one for name, one in labels.items() if set(one.dims) <= set(result.dims)})


class _Tracer:
    """Follows the curve of one network, in steps of a length, as long as it is slow."""

    def __init__(self, of: Stationary, length: float, slowest: float) -> None:
        self._of, self._length, self._slowest = of, length, slowest

    def both_sides(self, start: _Array, n_steps: int) -> tuple[dict[str, _Array], bool]:
        """Return the variables along the curve, the point in the middle, and whether it is closed."""
        n_along = 2 * n_steps + 1
        state, speed = np.full((n_along, len(start)), np.nan), np.full(n_along, np.nan)
        direction = self._leading_mode(start)
        is_closed = False
        if direction is not None:
            state[n_steps], speed[n_steps] = start, (self._of.step(start[np.newaxis])[0] - start) @ direction
            for side in (1, -1):
                for number, (one, along) in enumerate(self._one_side(start, side * direction, n_steps), start=1):
                    state[n_steps + side * number], speed[n_steps + side * number] = one, side * along
                    is_closed = number > _FIRST_STEPS and float(np.linalg.norm(one - start)) < _BACK * self._length
                    if is_closed:
                        break
                if is_closed:  # the other side would be the same ring again
                    break
        steps = np.linalg.norm(np.diff(state, axis=0), axis=1)
        after = np.cumsum(steps[n_steps:])
        before = -np.cumsum(steps[:n_steps][::-1])[::-1]
        arc_length = np.concatenate([before, [0.0 if direction is not None else np.nan], after])
        return {
            "state": state,
            "outputs": self._of.outputs(self._of.rates(state)),
            "speed": speed,
            "arc_length": arc_length,
        }, is_closed

    def _leading_mode(self, state: _Array) -> _Array | None:
        values, patterns = np.linalg.eig(self._of.step_jacobian(state[np.newaxis])[0].T)
        leading = np.abs(values).argmax()
        if values[leading].imag:
            return None
        pattern: _Array = patterns[:, leading].real
        return pattern * np.sign(pattern[np.abs(pattern).argmax()]) / np.linalg.norm(pattern)

    def _one_side(self, state: _Array, direction: _Array, n_steps: int) -> list[tuple[_Array, float]]:
        """List the states in this direction, and the speed at each along it."""
        found: list[tuple[_Array, float]] = []
        for _ in range(n_steps):
            stepped = self._stepped(state, direction)
            if stepped is None:
                break
            after, speed = stepped
            before, direction = direction, (after - state) / self._length
            if abs(speed) > self._slowest or direction @ before < _STRAIGHT:
                break
            found.append((after, speed))
            state = after
        return found

    def _stepped(self, before: _Array, direction: _Array) -> tuple[_Array, float] | None:
        """Return the state at the step's length from one before in which the flow has the direction of the step.

        And its speed. By Newton's method: of ``F(x) - x = v (x - before) / length``, an implicit Euler step, for x
        and v.
        """
        n_units, length = len(before), self._length
        state = before + length * direction
        speed = float((self._of.step(state[np.newaxis])[0] - state) @ direction)
        system = np.zeros((n_units + 1, n_units + 1))
        for _ in range(_N_CORRECTIONS):
            chord = (state - before) / length
            left = self._of.step(state[np.newaxis])[0] - state - speed * chord
            too_long = (chord @ chord - 1) * length / 2
            if np.linalg.norm(left) + abs(too_long) <= _CORRECTED * (1 + np.linalg.norm(state)):
                return state, speed
            system[:n_units, :n_units] = self._of.step_jacobian(state[np.newaxis])[0].T - (1 + speed / length) * np.eye(
                n_units
            )
            system[:n_units, n_units], system[n_units, :n_units] = -chord, chord
            try:
                change = np.linalg.solve(system, -np.append(left, too_long))
            except np.linalg.LinAlgError:
                break
            state, speed = state + change[:n_units], speed + float(change[n_units])
            if not np.isfinite(state).all():
                break
        return None
