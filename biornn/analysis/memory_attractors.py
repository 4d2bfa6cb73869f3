"""Which fixed point holds which memory state, and what stands between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.basins import arrived
from biornn.analysis.dims import require_variables
from biornn.analysis.each_network import as_of, constant_inputs, each_network, require_standing_still
from biornn.analysis.held_states import are_bits
from biornn.analysis.kernels import Output, describe
from biornn.analysis.memory_cube import edges_of
from biornn.analysis.retention import last_held, state_names, states_at
from biornn.analysis.stationary import Stationary
from biornn.blas import one_blas_thread
from biornn.schema import text
from biornn.tasks import Task, task_of
from biornn.tasks.seeds import generator

_Array = NDArray[np.float64]

_ASIDE = 1e-3  # how far beside a saddle to start, over 1 + the length of its state
_SIDES = ("-", "+")
_OFF, _N_INVERSE = 1e-10, 3  # of an inverse iteration: distance from the eigenvalue, over that, and steps

_MATCHED = {
    "leads_to": Output("fixed point that a saddle with one unstable mode leads to; -1: none"),
    "escape_time": Output("time to pass a slow point, from its speed and curvature", units="ms"),
    "attractor": Output("stable fixed point in which the state ends without input; -1: none"),
    "has_attractor": Output("the state ends in a stable fixed point at which its outputs are right", units=""),
    "stands_still": Output("nothing moves in the end; if not, the state goes on, as in an oscillation", units=""),
    "saddle": Output("saddle between the attractors of two neighbouring states; -1: none"),
    "n_memory_attractors": Output("stable fixed points that hold a memory state"),
    "n_unset": Output("stable fixed points with the outputs of a state with a bit that is not set"),
    "n_spurious": Output("other stable fixed points"),
}


def memory_attractors(
    points: xr.Dataset, weights: xr.Dataset, probe_trials: xr.Dataset, task: Task | None = None, dt: float = 1.0
) -> xr.Dataset:
    """Match the fixed points of networks without input to the memory states that the probe holds.

    Each network is left in each memory state, as in `retention`, and runs until it stands still.

    Parameters
    ----------
    points
        What `fixed_points` found for these weights, without inputs.
    weights, probe_trials, task
        As for `retention`.
    dt
        Time step, in ms.

    Returns
    -------
    xr.Dataset
        Over `network` and `snapshot`, as the points. By fixed point or slow point: `leads_to` (..., fixed_point, side),
        the stable fixed points to which the two sides of a saddle with one unstable mode lead, as positions along
        `fixed_point`, -1 for none and for other points; `escape_time` (..., fixed_point), for slow points: how long it
        takes to pass one along its slowest mode, in ms, NaN where it is no bottleneck.
        By memory state: `attractor` (..., memory_state), the position of the stable fixed point in which it ends,
        -1 if it ends in none; `has_attractor`, whether its outputs are right there; and `stands_still`, whether the
        network stands still in the end. A network that does not may still hold its state, by an oscillation that its
        outputs do not show: then `retention` says that the state is held, and it has no attractor here.
        By neighbouring states: `saddle` (..., edge), the position of a saddle with one unstable mode whose sides
        lead to their two attractors, -1 if none does, as where an attractor with a bit that is not set stands between
        them; no `edge` where states are not named by bits.
        Of each network: `n_memory_attractors`, the stable fixed points that hold a state which ends there; `n_unset`,
        those of states with a bit that is not set, such as ``+0-``, if the task has such; and `n_spurious`, all others.
        -1, NaN or False for a network that cannot be run.

    Raises
    ------
    ValueError
        If a variable is missing, `points` are those of inputs or of other networks or snapshots, or nothing is to be
        held.

    Notes
    -----
    Close to a slow point activity along its slowest mode obeys ``a[t+1] = a[t] + e + c a[t]²``, with e from the speed
    and c from the second derivative; the passage takes ``pi / sqrt(e c)`` steps: Strogatz (2015), Nonlinear Dynamics
    and Chaos, section 4.3.
    """
    require_variables(points, "points", ["state", "rates", "outputs", "eigenvalues", "kind", "n_unstable"])
    task = task_of(probe_trials) if task is None else task
    without = constant_inputs(weights, None)
    needed = ("state", "rates", "kind", "n_unstable")
    expanded = xr.Dataset({name: as_of(points[name], weights, without) for name in needed})
    expanded["first_eigenvalue"] = as_of(points["eigenvalues"].isel(mode=0, drop=True), weights, without)
    expanded = expanded.isel({without.dims[0]: 0}).transpose("network", "snapshot", "fixed_point", "unit")
    gone = {dim: 0 for dim in ("network", "snapshot") if dim not in points["kind"].dims}
    outputs = as_of(points["outputs"], weights, without).isel({without.dims[0]: 0})
    names = state_names(outputs.transpose("network", "snapshot", "fixed_point", ...).values, probe_trials, task)
    held = last_held(probe_trials, task)
    inputs = probe_trials["inputs"].transpose("trial", "time", "input_channel").values[held.trial].astype(float)
    edges = edges_of(held.labels) if are_bits(held.labels) else []
    matched = _empty(names.shape, held.labels, edges)
    with one_blas_thread():
        for (*at, _), of in each_network(weights, without):
            here = tuple(at)
            reached = of.whole(*(one[0] for one in states_at(of.network, inputs, held.time)))
            own = expanded.isel(network=at[0], snapshot=at[1])
            state = of.whole(own["state"].values, own["rates"].values)
            require_standing_still(of, state, text(own["kind"]).values)
            found = _matched(of, own, state, reached, names[here], held.labels, edges, dt)
            for name, values in found.items():
                matched[name][here] = values
    return _labelled(matched, expanded, held.labels, edges, gone)


def _empty(shape: tuple[int, ...], labels: list[str], edges: list[tuple[str, int, int]]) -> dict[str, Any]:
    """Make what networks have that cannot be run; the shape is that of (network, snapshot, fixed_point)."""
    outer = shape[:2]
    return {
        "leads_to": np.full((*shape, 2), -1),
        "escape_time": np.full(shape, np.nan),
        "attractor": np.full((*outer, len(labels)), -1),
        "has_attractor": np.zeros((*outer, len(labels)), bool),
        "stands_still": np.zeros((*outer, len(labels)), bool),
        "saddle": np.full((*outer, len(edges)), -1),
        "n_memory_attractors": np.full(outer, np.nan),
        "n_unset": np.full(outer, np.nan),
        "n_spurious": np.full(outer, np.nan),
    }


def _matched(
    of: Stationary,
    points: xr.Dataset,
    state: _Array,
    reached: _Array,
    names: NDArray[np.str_],
    labels: list[str],
    edges: list[tuple[str, int, int]],
    dt: float,
) -> dict[str, Any]:
    """Match the points of one network, whose states (fixed_point, n_numbers) are whole, as those that it reached."""
    kind = text(points["kind"]).values
    stable = np.flatnonzero(kind == "stable")
    saddles = np.flatnonzero((kind == "saddle") & (points["n_unstable"].values == 1))
    beside = _beside(of, state[saddles], points["first_eigenvalue"].values[saddles].real)
    ends, stands_still = arrived(of, np.concatenate([reached, beside]), state[stable])
    ends = np.append(stable, -1)[ends]
    attractor, sides = ends[: len(reached)], ends[len(reached) :].reshape(-1, 2)
    leads_to = np.full((len(kind), 2), -1)
    leads_to[saddles] = sides
    escape_time = np.full(len(kind), np.nan)
    for slow in np.flatnonzero(kind == "slow"):
        escape_time[slow] = dt * _steps_to_pass(of, state[slow])
    has_attractor = (attractor >= 0) & (np.append(names, "")[attractor] == np.array(labels))
    is_unset = np.char.find(names[stable], "0") >= 0 if are_bits(labels) else np.zeros(len(stable), bool)
    return {
        "leads_to": leads_to,
        "escape_time": escape_time,
        "attractor": attractor,
        "has_attractor": has_attractor,
        "stands_still": stands_still[: len(reached)],
        "saddle": [_between(sides, saddles, attractor[one], attractor[other]) for _, one, other in edges],
        "n_memory_attractors": len(np.unique(attractor[has_attractor])),
        "n_unset": int(is_unset.sum()),
        "n_spurious": len(np.setdiff1d(stable[~is_unset], attractor[has_attractor])),
    }


def _beside(of: Stationary, saddles: _Array, growth: _Array) -> _Array:
    """Return two states beside each saddle, along its unstable mode of an eigenvalue; (saddle and side, n_numbers)."""
    beside = np.empty((len(saddles), 2, of.n_numbers))
    for row, (state, eigenvalue) in enumerate(zip(saddles, growth, strict=True)):
        pattern = _pattern(of.step_jacobian(state[np.newaxis])[0], eigenvalue)
        pattern *= np.sign(pattern[np.abs(pattern).argmax()])
        beside[row] = state + _ASIDE * (1 + np.linalg.norm(state)) * np.array([-pattern, pattern])
    return beside.reshape(-1, of.n_numbers)


def _pattern(jacobian: _Array, eigenvalue: float) -> _Array:
    """Return the left eigenvector of a real eigenvalue, by inverse iteration: much sooner than with all the others."""
    shifted = jacobian.T - eigenvalue * (1 + _OFF) * np.eye(len(jacobian))
    pattern = generator("pattern", 0).standard_normal(len(jacobian))
    for _ in range(_N_INVERSE):
        pattern = np.linalg.solve(shifted, pattern / np.linalg.norm(pattern)).astype(np.float64)
    unit: _Array = pattern / np.linalg.norm(pattern)
    return unit


def _between(sides: NDArray[np.intp], saddles: NDArray[np.intp], one: int, other: int) -> int:
    """Return the first saddle whose sides lead to two attractors, or -1."""
    if one == other or min(one, other) < 0:
        return -1
    joins = np.flatnonzero(np.all(np.sort(sides, axis=1) == sorted((one, other)), axis=1))
    return int(saddles[joins[0]]) if len(joins) else -1


def _steps_to_pass(of: Stationary, state: _Array) -> float:
    """Return the steps it takes to pass a slow point along its slowest mode; NaN where it is no bottleneck."""
    values, left, right = scipy.linalg.eig(of.step_jacobian(state[np.newaxis])[0], left=True)
    slowest = np.abs(values - 1).argmin()
    reader, pattern = right[:, slowest].real, left[:, slowest].real
    pattern /= pattern @ reader
    aside = _ASIDE * (1 + np.linalg.norm(state)) / np.linalg.norm(pattern)
    rows = state + aside * np.outer([-1, 0, 1], pattern)
    before, speed, after = (of.step(rows) - rows) @ reader
    curvature = (before - 2 * speed + after) / (2 * aside**2)
    return float(np.pi / np.sqrt(speed * curvature)) if speed * curvature > 0 else np.nan


def _labelled(
    matched: dict[str, Any],
    points: xr.Dataset,
    labels: list[str],
    edges: list[tuple[str, int, int]],
    gone: dict[str, int],
) -> xr.Dataset:
    own: dict[str, tuple[str, ...]] = {"leads_to": ("fixed_point", "side"), "escape_time": ("fixed_point",)}
    own |= dict.fromkeys(("attractor", "has_attractor", "stands_still"), ("memory_state",)) | {"saddle": ("edge",)}
    result = xr.Dataset(
        {name: (("network", "snapshot", *own.get(name, ())), values) for name, values in matched.items()}
    )
    result = describe(result.isel(gone), _MATCHED).assign_coords(
        fixed_point=points.coords.get("fixed_point", np.arange(points.sizes["fixed_point"])),
        memory_state=np.array(labels, object),
        edge=np.array([name for name, *_ in edges], object),
        side=np.array(_SIDES, object),
    )
    coords = points.isel(gone).coords
    return result.assign_coords({name: one for name, one in coords.items() if set(one.dims) <= set(result.dims)})
