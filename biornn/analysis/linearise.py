"""Networks linearised at their fixed points: the modes, what excites them, what they drive, how far they overshoot."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_variables
from biornn.analysis.each_network import as_of, constant_inputs, each_network, require_standing_still
from biornn.analysis.eigenmodes import eigenmodes
from biornn.analysis.kernels import Output, apply_kernel, describe
from biornn.analysis.spectrum import nonnormality
from biornn.analysis.stationary_gated import StationaryLSTM
from biornn.blas import one_blas_thread
from biornn.scalars import check_number
from biornn.schema import text

_Array = NDArray[np.float64]
_MATRIX = ["unit_pre", "unit_post"]
_DOUBLINGS = 26  # of steps: a hundred million
_N_BETWEEN = 40  # steps at which the growth is computed on the two sides of the largest that was found by doubling
_STILL_GROWING = 1.4  # in the last doubling
_ROUNDING = 1e-9

TIMES = {
    "time_constant": Output("time in which the mode decays to 1/e; negative where it grows", ("mode",), "ms"),
    "frequency": Output("turns of the mode per ms", ("mode",), "1/ms"),
}
_OF_JACOBIAN = {
    "jacobian": Output("derivative of a step of the network"),
    "eigenvalues": Output("eigenvalue of the Jacobian of a step"),
    "nonnormality": Output("departure of the Jacobian from normality"),
}
_AMPLIFICATION = {
    "amplification": Output("largest growth of a small deviation on its way back"),
    "amplification_time": Output("time of the largest growth", units="ms"),
}


class ModeTimes(NamedTuple):
    """How fast modes decay, in ms, and how often they turn per ms."""

    time_constant: _Array
    frequency: _Array


def mode_times(eigenvalues: NDArray[np.complexfloating], dt: float) -> ModeTimes:
    """Convert eigenvalues of a step: ``-dt / log|λ|``, negative for a mode that grows, and ``|arg λ| / (2π dt)``."""
    with np.errstate(divide="ignore"):
        time_constant = -dt / np.log(np.abs(eigenvalues))
    time_constant = np.where(np.abs(eigenvalues) == 1, np.inf, time_constant)
    return ModeTimes(time_constant, np.abs(np.angle(eigenvalues)) / (2 * np.pi * dt))


def linearise(
    points: xr.Dataset, weights: xr.Dataset, inputs: xr.DataArray | None = None, *, dt: float = 1.0
) -> xr.Dataset:
    """Linearise networks at their fixed points: ``δx[t+1] = δx[t] J + δu[t] B``, outputs ``δx C``.

    States are rows, as for `eigenmodes`: a LEFT eigenvector of ``J`` is a pattern of activity that keeps its shape, and
    the RIGHT eigenvector of the same mode is its selection vector (Mante et al. 2013), which says how much of the
    pattern a deviation, or an input, leaves behind.

    Parameters
    ----------
    points
        What `fixed_points` found, or some of it, such as ``points.isel(fixed_point=slice(8))``: `state` is needed.
        A Dataset of other states, without `kind`, can be given too; then ``J`` says how a deviation from their path
        goes on.
    weights, inputs
        Those for which the points were found.
    dt
        Time step, in ms.

    Returns
    -------
    xr.Dataset
        With the dims of `points`: `jacobian` (..., unit_pre, unit_post); the variables of `eigenmodes` for it, modes
        in the order of `points.eigenvalues`, of which `input_projection` (..., input_channel, mode) is the amplitude
        that an input of size 1 in one step gives the mode, and `output_projection` (..., output_channel, mode) the
        change of the outputs by a mode of amplitude 1; `time_constant` and `frequency` (..., mode), in ms and turns
        per ms; `nonnormality` of the Jacobian; `amplification`, the largest ``||J^t||`` over steps t, which is the
        largest growth of any small deviation, and `amplification_time` in ms, when it is reached: 1 and 0 where every
        deviation only decays, infinite where one grows without end. It is searched at t = 1, 2, 3, 4, 6, 8, 12, ... and
        then at 40 steps around the largest.
        NaN where there is no point, and for an LSTM, whose whole state is two numbers of each unit.

    Raises
    ------
    ValueError
        If the points are not of these networks, snapshots, and inputs, or a variable is missing.

    References
    ----------
    Mante, Sussillo, Shenoy & Newsome (2013), Nature 503, 78, supplementary section 7. Non-normal amplification:
    Murphy & Miller (2009), Neuron 61, 635.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> weights = run["weights"].to_dataset().isel(snapshot=-1)  # doctest: +SKIP
    >>> points = run["fixed_points"].to_dataset()  # doctest: +SKIP
    >>> modes = bn.analysis.linearise(points.isel(fixed_point=slice(8)), weights)  # doctest: +SKIP
    """
    require_variables(points, "points", ["state"])
    check_number("dt", dt, "a positive time in ms", above=0.0)
    inputs = constant_inputs(weights, inputs)
    is_empty = points["state"].sizes.get("fixed_point") == 0
    state = as_of(points["state"].pad(fixed_point=(0, 1)) if is_empty else points["state"], weights, inputs)
    shape, n_units = state.shape[:-1], state.sizes["unit"]
    linear = {
        "jacobian": np.full((*shape, n_units, n_units), np.nan),
        "input": np.full((*shape, weights.sizes["input_channel"], n_units), np.nan),
        "output": np.full((*shape, n_units, weights.sizes["output_channel"]), np.nan),
    }
    kind = None if is_empty or "kind" not in points else text(as_of(points["kind"], weights, inputs)).values
    for at, of in each_network(weights, inputs):
        if isinstance(of, StationaryLSTM):
            continue
        rows = state.values[at]
        if kind is not None:
            require_standing_still(of, np.atleast_2d(rows), np.atleast_1d(kind[at]))
        linear["jacobian"][at] = of.step_jacobian(rows)
        linear["input"][at], linear["output"][at] = of.input_derivatives(rows), of.output_derivatives(rows)
    with one_blas_thread():
        found = _modes(linear, state, points, weights, dt)
    return found.isel(fixed_point=slice(0, 0)) if is_empty else found


def _modes(
    linear: dict[str, _Array], state: xr.DataArray, points: xr.Dataset, weights: xr.Dataset, dt: float
) -> xr.Dataset:
    """Take the modes of Jacobians, with labels."""
    own = {"jacobian": _MATRIX, "input": ["input_channel", "unit"], "output": ["unit", "output_channel"]}
    gone = [dim for dim in state.dims if dim not in points["state"].dims]
    labels = state.isel(dict.fromkeys(gone, 0)).drop_vars("unit", errors="ignore").coords
    named = {
        name: xr.DataArray(values, dims=[*state.dims[:-1], *own[name]]).isel(dict.fromkeys(gone, 0))
        for name, values in linear.items()
    }
    jacobian = named["jacobian"].assign_coords(
        {name: one for name, one in labels.items() if set(one.dims) <= set(named["jacobian"].dims)}
    )
    result = eigenmodes(jacobian, named["input"], named["output"]).assign(jacobian=jacobian)
    for dim in ("input_channel", "output_channel", "unit"):
        if dim in weights.coords:
            result = result.assign_coords({dim: weights[dim]})
    for name, values in mode_times(result["eigenvalues"].values, dt)._asdict().items():
        result[name] = (result["eigenvalues"].dims, values)
    result["nonnormality"] = nonnormality(jacobian, result["eigenvalues"])
    growth = apply_kernel(_amplification, jacobian, core_dims=[_MATRIX], outputs=_AMPLIFICATION)
    growth["amplification_time"] = growth["amplification_time"] * dt
    return describe(result.assign(growth.data_vars), TIMES | _OF_JACOBIAN | _AMPLIFICATION)


def _amplification(jacobian: _Array) -> tuple[float, float]:
    """Return the largest norm of a power of the matrix, and that power."""
    if not np.isfinite(jacobian).all():
        return np.nan, np.nan
    if np.abs(np.linalg.eigvals(jacobian)).max(initial=0.0) > 1 + _ROUNDING:
        return np.inf, np.inf
    norms = {0: 1.0}
    powers = [jacobian]
    for doubling in range(_DOUBLINGS):
        powers.append(powers[-1] @ powers[-1])
        for n_steps, matrix in ((2**doubling, powers[-2]), (3 * 2**doubling, powers[-2] @ powers[-1])):
            norms[n_steps] = float(np.linalg.norm(matrix, 2))
        if norms[2**doubling] < 1:  # no later power can be larger than all until here
            break
    else:
        if norms[2**doubling] > _STILL_GROWING * norms[2 ** (doubling - 1)]:
            return np.inf, np.inf
    steps = sorted(norms)
    largest = int(np.argmax([norms[n_steps] for n_steps in steps]))
    first, last = steps[max(largest - 1, 0)], steps[min(largest + 1, len(steps) - 1)]
    for n_steps in np.unique(np.linspace(first, last, _N_BETWEEN).round().astype(int)):
        norms[int(n_steps)] = float(np.linalg.norm(_power(powers, int(n_steps)), 2))
    time = max(norms, key=lambda n_steps: (round(norms[n_steps], 9), -n_steps))
    return norms[time], float(time)


def _power(powers: list[_Array], n_steps: int) -> _Array:
    """Multiply the powers of a matrix by 1, 2, 4, ... to that by `n_steps`."""
    chosen = [power for bit, power in enumerate(powers) if n_steps >> bit & 1]
    product: _Array = reduce(np.matmul, chosen) if chosen else np.eye(len(powers[0]))
    return product
