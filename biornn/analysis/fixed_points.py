"""All fixed points of a set of networks, isolated ones proved, with what the search may have missed."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import parent_process
from typing import Any

import numpy as np
import xarray as xr
from dask.system import CPU_COUNT
from numpy.typing import NDArray

from biornn.analysis.dims import ordered_as, require_dims, require_some, require_variables
from biornn.analysis.each_network import INPUT, constant_inputs, each_network
from biornn.analysis.fixed_point_search import Found, search
from biornn.analysis.kernels import Output, describe
from biornn.analysis.linearise import TIMES, mode_times
from biornn.analysis.retention import state_names
from biornn.analysis.roots import MapBlocks, blocks_of
from biornn.analysis.runnable import NUMBERS
from biornn.analysis.spectrum import eigenvalues_in_order, in_order
from biornn.analysis.stationary import Stationary
from biornn.analysis.stationary_low_rank import in_few_numbers
from biornn.blas import one_blas_thread
from biornn.scalars import check_number, integer
from biornn.schema import text
from biornn.tasks import Task, task_of

_Array = NDArray[np.float64]
_Complex = NDArray[np.complex128]

#: What a fixed point can be; `manifold`: a line or more of them, `slow`: no fixed point, but almost.
KINDS = ("stable", "saddle", "unstable", "marginal", "manifold", "slow")

_POINT = {
    "state": Output("state: rates, currents in the current form, or cell states of an LSTM", ("unit",)),
    "rates": Output("firing rate of a unit", ("unit",)),
    "outputs": Output("readout of the rates", ("output_channel",)),
    "residual": Output("length of F(x) - x, with time constants of one step"),
    "error_bound": Output("largest distance to the exact fixed point, proved; NaN where none is"),
    "speed_ratio": Output("speed of the state over the usual speed"),
    "eigenvalues": Output("eigenvalue of the Jacobian of a step", ("mode",), dtype=np.complex128),
    **TIMES,
    "n_unstable": Output("modes that grow; -1 where there is no fixed point", dtype=np.int64),
    "n_unstable_continuous": Output("modes that grow in continuous time; -1 where there is none", dtype=np.int64),
    "kind": Output("kind of the fixed point", units="", dtype=np.str_),
    "n_hits": Output("starts that led to it", dtype=np.int64),
    "index": Output("sign of det(1 - DF); 0 where not isolated", dtype=np.int64),
    "manifold_dim": Output("dims of the manifold that it stands for; 0: a point", dtype=np.int64),
    "distance_to_kink": Output("distance of the state to where a derivative jumps"),
}
_NETWORK = {
    "n_fixed_points": Output("fixed points found", dtype=np.int64),
    "n_slow_points": Output("slow points found", dtype=np.int64),
    "index_sum": Output("sum of the indices; +1 if all are found and the activation is bounded", dtype=np.int64),
    "n_unseen": Output("fixed points that were not found, a lower bound"),
    "unseen_basin": Output("share of the box of rates from which the network ends at none of them, estimated"),
    "complete": Output("nothing says that one is missing", units="", dtype=np.bool_),
    "usual_speed": Output("median speed of the recorded rates, or of all possible ones; per step"),
}
_NOTHING: dict[type[np.generic], Any] = {np.int64: 0, np.str_: "", np.bool_: False}
#: Variable -> what it is where a network has fewer points than another.
PADDING = {name: _NOTHING.get(output.dtype, np.nan) for name, output in (_POINT | _NETWORK).items()}
PADDING |= {
    "n_unstable": -1,
    "n_unstable_continuous": -1,
    "memory_state": "",
    **dict.fromkeys(("leads_to", "attractor", "saddle"), -1),
}
PADDING |= dict.fromkeys(("has_attractor", "stands_still"), False)
_NEAR = 1e-3  # distance from where modes neither grow nor decay, below which it is asked whether one may be there


def fixed_points(
    weights: xr.Dataset,
    starts: xr.DataArray | None = None,
    inputs: xr.DataArray | None = None,
    *,
    probe_trials: xr.Dataset | None = None,
    task: Task | None = None,
    dt: float = 1.0,
    n_starts: int = 128,
    max_batches: int = 20,
    slow: float = 0.01,
    seed: int = 0,
) -> xr.Dataset:
    """Find the fixed points of networks under constant input, prove isolated ones, and say how complete they are.

    Parameters
    ----------
    weights
        The group `weights` of a run, of one network or of several, or a Dataset of the same variables made by hand
        (docs/fixed_points.md shows one). Each `snapshot` is searched where there are some:
        select those that are meant, as in ``weights.isel(snapshot=-1)``.
    starts
        Recorded rates, such as ``run["probe_activity"].rates``: `unit` and any other dims, of which `network` and
        `snapshot` are matched with those of the weights. Of the starts that are not drawn next to points that are known
        already, a quarter of all, half are drawn from them, with and without noise. None: all of these are drawn from
        the box of possible rates, and from where the network goes from there.
        The usual speed is the median of the recorded rates or, without them, of the box.
    inputs
        Constant inputs, `input_channel` and at most one other dim, which the result then has; None: no input.
    probe_trials, task
        As for `retention`: what the networks hold, and what says which outputs are right. None: no `memory_state`.
    dt
        Time step, in ms.
    n_starts
        Starts in a batch. Before, networks run from as many states in the box of possible rates, as often as it takes
        for a run to end in an attractor that is not known yet in less than one of 200 cases: 200 runs or more, and at
        most 16 times.
    max_batches
        There are batches until the last three, and the last fifth of them, have found nothing new and nothing says that
        a point is missing; so many at most. The default finds most points of a trained network; 200 found all that
        are known.
    slow
        Share of the usual speed, below which a local minimum of the speed is a slow point.
    seed
        Of the starts; the result depends on nothing else, and not on which other networks are searched.

    Returns
    -------
    xr.Dataset
        Over (network, snapshot, fixed_point), fixed points with fewer unstable modes first, and slow points last:
        `state`, `rates` (..., unit) and `outputs` (..., output_channel); `residual`, the length of ``F(x) - x`` (with
        time constants of one step, which do not move fixed points); `error_bound`, how far the exact fixed point can
        be at most, NaN where none is proved; `speed_ratio`, the speed over the usual speed;
        `eigenvalues` (..., mode) of the Jacobian of a step, largest modulus first, with their `time_constant` in ms
        (negative where the mode grows) and `frequency` in turns per ms; `n_unstable`, how many of them are above 1 in
        modulus, by more than the error of the Jacobian can make; `n_unstable_continuous`, how many would grow in
        continuous time, see Notes; `kind`, one of `KINDS`, by `n_unstable`; `n_hits`; `index`; `manifold_dim`;
        `distance_to_kink`, infinite for smooth activations; with `probe_trials` also `memory_state`, the state whose
        outputs are right there, such as ``+-+`` or, with a bit that is not set, ``+0+``; no text where none is. Padded
        with NaN, 0, no text, and -1 in `n_unstable` and `n_unstable_continuous`, also for slow points.
        Over (network, snapshot): `n_fixed_points` (a manifold counts as one, slow points do not), `n_slow_points`,
        `index_sum`, `n_unseen`, `unseen_basin`, the share of possible rates from which the network ends at a fixed
        point that is not among them, estimated (NaN where 5000 steps are less than 10 time constants),
        `complete`, and `usual_speed`.
        A network that diverged or failed has none, NaN in `n_unseen` and False in `complete`. An LSTM has its cell
        states in `state` and twice as many modes as units, for its whole state is both; in `mode` others are padded.

    Raises
    ------
    ValueError
        If a variable, channel or unit does not fit, no network can be run, an activation has no bounded second
        derivative, or a number is out of its range.

    Notes
    -----
    ``x* = F(x*)`` is solved by Newton's method, and by that of Levenberg and Marquardt where it fails, with the
    analytic Jacobian, in float64. A root counts as an isolated fixed point if the theorem of Newton and Kantorovich
    proves that there is exactly one near it, and two roots are one if they lie where it proves that there is only one.

    `unseen_basin` is the estimate of Good (1953, Biometrika 40, 237), from the runs whose end no other run had: as they
    begin all over the box, it says how much of the box belongs to attractors that are missing, not how many there are.
    `complete` is True if the last three batches, and the last fifth of them, found nothing new, no isolated point is
    left unproved, `n_unseen`, the estimate of Chao (1984, Scand. J. Stat. 11, 265) from those that were hit once or
    twice, is 0, and, with a bounded activation, `index_sum` is +1, as it must be by Poincaré and Hopf's theorem. All of
    this is necessary, and not sufficient: a pair of fixed points with opposite indices that few starts lead to can be
    missed. `n_unseen` is a lower bound, and several times too low while many are missing, for some points are much
    harder to come to than others, and more starts are drawn next to those that few have led to. Small networks that are
    linear in pieces (up to 12 relu units) are solved in each piece, and `complete` is then a proof.

    Networks of low rank are solved in as few numbers as their rank, in a small part of the time: those whose units have
    one time constant, and whose recurrent weights have at most a quarter as many singular values as units, beside those
    that rounding in double precision makes. They have the same fixed points and modes, with other error bounds. In the
    current form, slow points are then those of the currents that such a network can receive.

    In a box of many units all sums that weights read in a few directions are close to their means, and attractors may
    be far away. Where at most a quarter of the singular values of the weights are above a millionth of the largest,
    every second start that would be in the box lies along these directions instead. In other networks with few strong
    directions give `starts` along them.

    Steps of the rate and the current form are Euler's, ``x + dt dx/dt``, of a network in continuous time. That has the
    same fixed points, and there a mode with the eigenvalue λ of a step grows at the rate ``Re(λ - 1) / dt``. Euler's
    steps sustain fast oscillations that decay in continuous time (``|λ| > 1`` with ``Re λ < 1``): the more so, the
    longer the steps. In an attractor of the steps no mode grows in continuous time either. Gated networks, and those
    whose time constants all are one step (``alpha`` 1), are networks in steps: -1 in `n_unstable_continuous`.

    Sussillo & Barak (2013), Neural Comput. 25, 626; Katz & Reggia (2018), IEEE Trans. Neural Netw. Learn. Syst. 29,
    2747, for acceptance by an error bound.

    Of a GRU, ``x* = n(x*)`` is solved, with the candidate n, which has the same fixed points however long the update
    gate keeps a state; slow points are minima of ``|n(x) - x|``. Of an LSTM, ``h = o tanh(c)`` and ``c = f c + i n``
    for rates h and cell states c. Both map a ball into itself, so that `index_sum` is +1 of all.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> found = bn.analysis.fixed_points(
    ...     run["weights"].to_dataset().isel(snapshot=-1), run["probe_activity"].rates
    ... )  # doctest: +SKIP
    """
    n_starts = integer("n_starts", n_starts, minimum=1)
    max_batches = integer("max_batches", max_batches, minimum=1)
    check_number("dt", dt, "a positive time in ms", above=0.0)
    check_number("slow", slow)
    require_variables(weights, "weights", [*NUMBERS, "activation", "formulation"])
    inputs = constant_inputs(weights, inputs)
    if starts is not None:
        require_dims(starts, "starts", ["unit"])
        require_some(starts, "starts")
    every = each_network(weights, inputs)
    jobs = [(at, in_few_numbers(of), own_starts(starts, weights, *at[:2])) for at, of in every]
    if not jobs:
        forms = ", ".join(sorted({str(one) or "none" for one in np.atleast_1d(text(weights["formulation"]).values)}))
        raise ValueError(
            "weights: expected a network with finite weights, got NaN or infinity in all of them "
            f"(forms: {forms}); select networks that were trained"
        )
    for (member, *_), of, _ in jobs:
        if not of.has_curvature:
            name = str(np.atleast_1d(weights["activation"].values)[member])
            raise ValueError(f"activation: expected one with a bounded second derivative, got {name!r}")
    if starts is not None and all(own is None for _, _, own in jobs):
        raise ValueError("starts: expected finite rates, got none; leave them out, or give those of the same run")

    def points_of(job: tuple[Any, Stationary, _Array | None], map_blocks: MapBlocks = map) -> dict[str, Any]:
        _, of, own = job
        return _points(of, search(of, own, n_starts, max_batches, slow, seed, map_blocks), dt, map_blocks)

    with one_blas_thread(), ThreadPoolExecutor(CPU_COUNT) as pool:
        # Threads work on a network each, or on blocks of starts of a single one, unless other processes have others.
        if len(jobs) == 1 and parent_process() is None:
            found = [points_of(jobs[0], pool.map)]
        else:
            found = list(pool.map(points_of, jobs))
    points = _labelled(weights, inputs, {at: points for (at, *_), points in zip(jobs, found, strict=True)})
    if probe_trials is not None:
        points["memory_state"] = _memory_state(points["outputs"], probe_trials, task or task_of(probe_trials))
    return points


def own_starts(starts: xr.DataArray | None, weights: xr.Dataset, network: int, snapshot: int) -> _Array | None:
    """Take the recorded rates (row, unit) of a network; None where there are none that are finite."""
    if starts is None:
        return None
    if starts.sizes["unit"] != weights.sizes["unit"]:
        raise ValueError(f"starts: expected {weights.sizes['unit']} units, got {starts.sizes['unit']}")
    if "network" in starts.dims:
        names = np.atleast_1d(weights["network"].values) if "network" in weights.coords else [None]
        if (name := names[network]) not in starts.indexes.get("network", ()):
            raise ValueError(f"starts: expected rates of the network {name!r}, found none; give those of the same run")
        starts = starts.sel(network=name)
    if "snapshot" in starts.dims:
        starts = starts.isel(snapshot=snapshot if starts.sizes["snapshot"] == weights.sizes.get("snapshot") else -1)
    rows = ordered_as(starts, weights, "unit", "starts").transpose(..., "unit").values.astype(float)
    rows = rows.reshape(-1, rows.shape[-1])
    rows = rows[np.isfinite(rows).all(axis=1)]
    return rows if len(rows) else None


def _points(of: Stationary, found: Found, dt: float, map_blocks: MapBlocks) -> dict[str, Any]:
    """Compute all variables of the fixed points of one network, in their order: arrays (point, ...)."""
    at = found.points
    n_points = len(at.state)
    in_blocks = map_blocks(lambda block: eigenvalues_in_order(of.step_jacobian(at.state[block])), blocks_of(at.state))
    eigenvalues = np.concatenate(list(in_blocks))
    modulus = np.abs(eigenvalues)
    isolated = ~np.isnan(at.error_bound)
    error = np.nan_to_num(at.error_bound)
    is_neutral = _may_be(_on_circle(eigenvalues), of, at.state, eigenvalues, error)
    n_unstable = np.sum((modulus > 1) & ~is_neutral, axis=1)
    is_marginal = is_neutral.any(axis=1) | ~isolated
    all_eigenvalues = in_order(np.hstack([eigenvalues, np.tile(of.other_eigenvalues, (n_points, 1))]))
    grow_all = n_unstable == all_eigenvalues.shape[1]
    kind = np.where(n_unstable == 0, "stable", np.where(grow_all, "unstable", "saddle")).astype(object)
    kind[is_marginal] = "marginal"
    kind[at.manifold_dim > 0] = "manifold"
    kind[found.is_slow] = "slow"
    n_unstable = np.where(found.is_slow, -1, n_unstable)
    n_continuous = np.full(n_points, -1)
    if of.is_eulers:  # it adds dt times the Jacobian of the differential equation to the identity
        stays = _may_be(1 + 1j * eigenvalues.imag, of, at.state, eigenvalues, error)
        n_continuous = np.where(found.is_slow, -1, np.sum((eigenvalues.real > 1) & ~stays, axis=1))
    times = mode_times(all_eigenvalues, dt)
    points: dict[str, Any] = {
        "state": of.own_state(at.state),
        "rates": of.rates(at.state),
        "outputs": of.outputs(at.state),
        "residual": at.residual,
        "error_bound": at.error_bound,
        "speed_ratio": of.speed(at.state) / found.usual_speed if found.usual_speed else np.zeros(n_points),
        "eigenvalues": all_eigenvalues,
        "time_constant": times.time_constant,
        "frequency": times.frequency,
        "n_unstable": n_unstable,
        "n_unstable_continuous": n_continuous,
        "kind": kind,
        "n_hits": at.n_hits,
        "index": at.indices,
        "manifold_dim": at.manifold_dim,
        "distance_to_kink": of.distance_to_kink(at.state),
    }
    order = np.lexsort((*np.round(points["outputs"], 6).T[::-1], n_unstable, found.is_slow))
    points = {name: values[order] for name, values in points.items()}
    points |= {
        "n_fixed_points": int(np.sum(~found.is_slow)),
        "n_slow_points": int(np.sum(found.is_slow)),
        "index_sum": int(at.indices.sum()),
        "n_unseen": found.n_unseen,
        "unseen_basin": found.unseen_basin,
        "complete": found.is_complete,
        "usual_speed": found.usual_speed,
    }
    return points


def _on_circle(eigenvalues: _Complex) -> _Complex:
    """Return the point of the unit circle next to each; 1 for moduli up to 0.5, which may be too small to divide by."""
    modulus = np.abs(eigenvalues)
    near: _Complex = np.where(modulus > 0.5, eigenvalues / np.maximum(modulus, 0.5), 1)
    return near


def _may_be(
    neutral: NDArray[Any], of: Stationary, state: _Array, eigenvalues: _Complex, error: _Array
) -> NDArray[np.bool_]:
    """Say which eigenvalues (point, mode) may be the `neutral` ones, if the fixed points are off by `error`.

    A point z is an eigenvalue of a matrix that differs by no more than the smallest singular value of J - z.
    """
    jacobian, off = of.step_jacobian_near(state, error)
    is_near = np.abs(eigenvalues - neutral) < _NEAR
    points, modes = np.nonzero(is_near)
    shifted = jacobian[points] - neutral[points, modes][:, np.newaxis, np.newaxis] * np.eye(of.n_numbers)
    is_near[points, modes] = np.linalg.svd(shifted, compute_uv=False)[:, -1] <= off[points]
    return is_near


def _memory_state(outputs: xr.DataArray, probe_trials: xr.Dataset, task: Task) -> xr.DataArray:
    """Name the memory state whose outputs (..., fixed_point, output_channel) are right."""
    named = xr.DataArray(
        state_names(outputs.transpose(..., "output_channel").values, probe_trials, task),
        dims=[dim for dim in outputs.dims if dim != "output_channel"],
    )
    return named.assign_attrs(units="", long_name="memory state whose outputs are right there")


def _labelled(
    weights: xr.Dataset, inputs: xr.DataArray, found: dict[tuple[int, int, int], dict[str, Any]]
) -> xr.Dataset:
    """Lay the points of all networks side by side, padded."""
    input_dim = inputs.dims[0]
    sizes: dict[Hashable, int] = {dim: weights.sizes.get(dim, 1) for dim in ("network", "snapshot")}
    sizes[input_dim] = inputs.sizes[input_dim]
    sizes["fixed_point"] = max((len(points["kind"]) for points in found.values()), default=0)
    sizes["unit"] = weights.sizes["unit"]
    sizes["mode"] = max(points["eigenvalues"].shape[1] for points in found.values())
    sizes["output_channel"] = weights.sizes["output_channel"]
    outer = ("network", "snapshot", input_dim)
    variables = {}
    for name, output in (_POINT | _NETWORK).items():
        dims = (*outer, "fixed_point", *output.dims) if name in _POINT else outer
        dtype = object if output.dtype is np.str_ else output.dtype
        values = np.full([sizes[dim] for dim in dims], PADDING[name], dtype)
        for at, points in found.items():
            own = points[name]
            where: tuple[Any, ...] = at if name in _NETWORK else (*at, *map(slice, np.shape(own)))
            values[where] = own
        variables[name] = (dims, values.astype(str) if dtype is object else values)
    result = describe(xr.Dataset(variables), _POINT | _NETWORK)
    missing: list[Hashable] = [dim for dim in ("network", "snapshot") if dim not in weights.dims]
    missing += [INPUT] * (input_dim == INPUT)
    result = result.isel(dict.fromkeys(missing, 0)).assign_coords(
        fixed_point=np.arange(sizes["fixed_point"]), mode=np.arange(1, sizes["mode"] + 1)
    )
    labels = {**inputs.coords, **weights.coords}
    return result.assign_coords({name: one for name, one in labels.items() if set(one.dims) <= set(result.dims)})
