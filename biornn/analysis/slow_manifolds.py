"""Curves along which a network moves slowly, such as line attractors, and the speed along them."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims, require_variables
from biornn.analysis.each_network import as_of, constant_inputs, each_network, require_standing_still
from biornn.analysis.kernels import Output, describe
from biornn.analysis.stationary import Stationary
from biornn.analysis.stationary_gated import StationaryLSTM
from biornn.blas import one_blas_thread
from biornn.scalars import check_number, integer
from biornn.schema import text

_Array = NDArray[np.float64]

_N_CORRECTIONS = 20
_CORRECTED = 1e-10  # what is left of the equations of a step, over 1 + the length of the state
_NEUTRAL = 1e-6  # distance from 1 of the eigenvalue of a mode that does not come back
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
    step: float = 0.01,
    n_steps: int = 100,
) -> xr.Dataset:
    """Trace the curves of slow states that leave fixed and slow points along their leading mode.

    From a saddle, or a point of a line attractor, to both sides; from a slow point to the side to which the network
    goes. On a curve a network moves along it and not across: ``F(x) - x = v t``, with tangent ``t`` and speed ``v``. It
    is a line attractor where ``v`` is 0 all along; elsewhere ``v`` says how fast a memory drifts. A curve ends where it
    comes to rest. No curve starts at a stable point, for infinitely many ways lead there.

    Parameters
    ----------
    points
        What `fixed_points` found, or some of it along `fixed_point`.
    weights, inputs
        Those for which the points were found.
    slow
        Share of the usual speed above which a curve ends.
    step
        Length of a step along the curve: root mean square change of the units' states.
    n_steps
        Steps to each side, at most.

    Returns
    -------
    xr.Dataset
        With the dims of `points`, over (..., fixed_point, along), ``along = 0`` being the point: `state` (..., unit),
        `outputs` (..., output_channel), `speed` per time step, positive in the direction of growing `along`, and
        `arc_length`; NaN beyond the ends, where the curve comes to rest, is no longer slow, turns sharply, or cannot be
        followed. Only the point itself where a stable point stands or the leading mode oscillates, and nothing where
        there is no point, or for an LSTM, whose whole state is two numbers of each unit.
        `is_closed` (..., fixed_point): the curve is a ring, followed once.

    Raises
    ------
    ValueError
        If the points are not of these networks, snapshots, and inputs, or a number is out of its range.

    References
    ----------
    Seung (1996), PNAS 93, 13339, for line attractors.

    Notes
    -----
    Each step is implicit: at its end the network moves in the direction of the step. So the curve of a saddle is its
    unstable manifold. A slow point need not lie on its curve, which the first steps then reach.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> weights = run["weights"].to_dataset().isel(snapshot=-1)  # doctest: +SKIP
    >>> points = run["fixed_points"].to_dataset()  # doctest: +SKIP
    >>> curves = bn.analysis.slow_manifolds(points, weights)  # doctest: +SKIP
    >>> curves.speed.sel(network="dale-s00").plot.line(x="along")  # doctest: +SKIP
    """
    require_variables(points, "points", ["state", "usual_speed", "kind"])
    require_dims(points["state"], "points", ["fixed_point", "unit"])
    if "fixed_point" in points["usual_speed"].dims:
        raise ValueError("points: expected one usual_speed of a network, got one by fixed_point; select with .isel")
    check_number("slow", slow)
    check_number("step", step, "a positive number", above=0.0)
    n_steps = integer("n_steps", n_steps, minimum=1)
    inputs = constant_inputs(weights, inputs)
    state = as_of(points["state"], weights, inputs)
    kind = text(as_of(points["kind"], weights, inputs)).values
    usual_speed = as_of(points["usual_speed"], weights, inputs)
    shape, n_along = state.shape[:-1], 2 * n_steps + 1
    curves = {
        "state": np.full((*shape, n_along, state.sizes["unit"]), np.nan),
        "outputs": np.full((*shape, n_along, weights.sizes["output_channel"]), np.nan),
        "speed": np.full((*shape, n_along), np.nan),
        "arc_length": np.full((*shape, n_along), np.nan),
    }
    is_closed = np.zeros(shape, bool)
    with one_blas_thread():
        for at, of in each_network(weights, inputs):
            if isinstance(of, StationaryLSTM):
                continue
            rows = state.values[at]
            require_standing_still(of, rows, kind[at])
            tracer = _Tracer(of, step * np.sqrt(of.n_units), slow * float(usual_speed.values[at]))
            for number in np.flatnonzero(np.isfinite(rows).all(axis=1)):
                found, is_closed[(*at, number)] = tracer.both_sides(
                    rows[number], kind[(*at, number)] == "slow", n_steps
                )
                for name, values in found.items():
                    curves[name][(*at, number)] = values
    outer = state.dims[:-1]
    result = xr.Dataset({name: ((*outer, *_CURVE[name].dims), values) for name, values in curves.items()})
    result = describe(result.assign(is_closed=(outer, is_closed)), _CURVE | _CLOSED)
    gone = {dim: 0 for dim in outer if dim not in points["state"].dims}
    result = result.isel(gone).assign_coords(along=np.arange(-n_steps, n_steps + 1))
    labels = {**weights.coords, **state.isel(gone).coords}  # in the order of the weights
    return result.assign_coords({name: one for name, one in labels.items() if set(one.dims) <= set(result.dims)})


class _Tracer:
    """Follows the curve of one network, in steps of a length, as long as it is slow."""

    def __init__(self, of: Stationary, length: float, slowest: float) -> None:
        self._of, self._length, self._slowest = of, length, slowest

    def both_sides(self, start: _Array, is_slow: bool, n_steps: int) -> tuple[dict[str, _Array], bool]:
        """Return the variables along the curve, the point in the middle, and whether it is closed."""
        n_along = 2 * n_steps + 1
        state, speed = np.full((n_along, len(start)), np.nan), np.full(n_along, np.nan)
        state[n_steps], speed[n_steps] = start, 0.0
        is_closed = False
        flow = self._of.step(start[np.newaxis])[0] - start
        for side, direction in self._directions(start, flow, is_slow):
            speed[n_steps] = side * float(flow @ direction)
            for number, (one, along) in enumerate(self._one_side(start, direction, n_steps), start=1):
                state[n_steps + side * number], speed[n_steps + side * number] = one, side * along
                is_closed = number > _FIRST_STEPS and float(np.linalg.norm(one - start)) < _BACK * self._length
                if is_closed:
                    break
            if is_closed:  # the other side would be the same ring again
                break
        steps = np.linalg.norm(np.diff(state, axis=0), axis=1)
        after = np.cumsum(steps[n_steps:])
        before = -np.cumsum(steps[:n_steps][::-1])[::-1]
        return {
            "state": state,
            "outputs": self._of.outputs(state),
            "speed": speed,
            "arc_length": np.concatenate([before, [0.0], after]),
        }, is_closed

    def _directions(self, state: _Array, flow: _Array, is_slow: bool) -> list[tuple[int, _Array]]:
        """List the sides to which curves leave, each with its direction: none where the leading mode comes back."""
        values, patterns = np.linalg.eig(self._of.step_jacobian(state[np.newaxis])[0].T)
        leading = np.abs(values).argmax()
        if values[leading].imag or values[leading].real < (0 if is_slow else 1 - _NEUTRAL):
            return []
        pattern: _Array = patterns[:, leading].real
        pattern *= np.sign(pattern[np.abs(pattern).argmax()]) / np.linalg.norm(pattern)
        if is_slow:
            side = 1 if flow @ pattern > 0 else -1
            return [(side, side * pattern)]
        return [(1, pattern), (-1, -pattern)]

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
            if speed < -_CORRECTED * (1 + np.linalg.norm(after)):  # it has passed a stable point
                break
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
