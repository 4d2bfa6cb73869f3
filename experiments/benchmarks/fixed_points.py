"""Fixed points of one network: biornn, fixed-point-finder (PyTorch) and one `scipy.optimize.root` per start.

Three networks: 27 planted points among 64 and among 400 units, and a network that is trained here, the first one of
``flip_flop.yaml``. The other methods get the same starts, and then more of them; biornn draws its own. A point counts
as found if a method's point is nearer to it than a twentieth of its length plus one, and each counts once.

fixed-point-finder is not on PyPI: clone its repository (mattgolub/fixed-point-finder), install torch, scikit-learn and
scipy, and give its folder as ``--finder``.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side import Process, describe, in_turns, spread, table

DEFAULTS = {"finder": "fixed-point-finder", "starts": 256, "rounds": 3}
FLIP_FLOP = Path(__file__).parents[1] / "flip_flop.yaml"
N_THREADS = 2
GAIN, N_ROOTS = 1.6, 27
NOISE = 0.5  # of starts from recorded activity, as in the flip-flop example of fixed-point-finder
NEAR = 0.05
#: Batches after which biornn's search is stopped, to know how soon it has found as many as another method.
BATCHES = (1, 2, 3, 4, 8)
MAX_BATCHES = 20  # biornn's default
ALL_BATCHES = 200  # where these do not find all
N_LONGER = 10  # times as long as biornn takes: how long another method goes on, with more starts, to find as many
N_ALL_STARTS = 2**15  # enough for that


def plant(folder: str, n_units: int) -> None:
    """Write a network of three groups that each decide between two signs, starts, and all its fixed points."""
    from scipy.optimize import brentq

    group = np.arange(n_units) // (n_units // 3)
    same = (group[:, np.newaxis] == group) & (group < 3)
    weights = GAIN * same / (n_units // 3)
    root = brentq(lambda x: np.tanh(GAIN * x) - x, 0.5, 1, xtol=1e-15)
    known = np.array([np.append(one, 0.0)[group] for one in product((-root, 0.0, root), repeat=3)])
    n_unstable = (known[:, [0, n_units // 3, 2 * (n_units // 3)]] == 0).sum(axis=1)
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1, 1, (N_ALL_STARTS, n_units))
    n_steps = np.floor(100 ** rng.random((N_ALL_STARTS, 1)))  # from random rates, for a random time
    for done in range(100):
        starts = np.where(done < n_steps, np.tanh(starts @ weights), starts)
    alpha = np.ones(n_units)
    np.savez(
        folder, weights=weights, bias=np.zeros(n_units), alpha=alpha, starts=starts, known=known, n_unstable=n_unstable
    )


def train_one(folder: str) -> None:
    """Train the network, and write it, starts from its activity, and the points that a longer search proves."""
    import biornn as bn
    from biornn.experiment import expand, load_experiment
    from biornn.experiment.network import network_model
    from biornn.training import Stage, record_activity, train

    spec = expand(load_experiment(FLIP_FLOP, ["seeds=1"]))[0]
    *stages, (training_task, *_) = spec.training_tasks
    settings = spec.training.model_dump(exclude={"l1_weights", "l2_weights", "l2_rates", "task", "stages"})
    model = network_model(spec.task, spec.network, spec.training, spec.seed)
    train(model, spec.task, seed=0, training_task=training_task, stages=[Stage(*one) for one in stages], **settings)
    weights = bn.layers.effective_weights(model.get_layer("recurrent"))
    rates = record_activity(model, spec.task.probe())["rates"].values.reshape(-1, spec.network.n_units)
    rng = np.random.default_rng(0)
    starts = rates[rng.integers(len(rates), size=N_ALL_STARTS)]
    starts = starts + NOISE * rng.standard_normal(starts.shape)
    recurrent, bias = (weights[name].values.astype(float) for name in ("recurrent_weights", "recurrent_bias"))
    alpha = np.full(spec.network.n_units, spec.network.dt / spec.network.tau)
    found = bn.analysis.fixed_points(_dataset(recurrent, bias, alpha), n_starts=512, max_batches=100, seed=1)
    proved = found.isel(fixed_point=np.flatnonzero(np.isfinite(found.error_bound.values)))
    np.savez(
        folder,
        weights=recurrent,
        bias=bias,
        alpha=alpha,
        starts=starts,
        known=proved.state.values,
        n_unstable=proved.n_unstable.values,
    )


def _dataset(weights: np.ndarray, bias: np.ndarray, alpha: np.ndarray) -> Any:
    import xarray as xr

    n_units = len(bias)
    return xr.Dataset(
        {
            "input_weights": (("input_channel", "unit"), np.zeros((1, n_units))),
            "recurrent_weights": (("unit_pre", "unit_post"), weights),
            "recurrent_bias": ("unit", bias),
            "output_weights": (("unit", "output_channel"), np.zeros((n_units, 1))),
            "output_bias": ("output_channel", np.zeros(1)),
            "initial_state": ("unit", np.zeros(n_units)),
            "alpha": ("unit", alpha),
            "activation": ((), "tanh"),
            "formulation": ((), "rate"),
        }
    )


def biornn(file: str, n_batches: int, seed: int) -> list[Any]:
    """Search with biornn's defaults: seconds, which of the known points were found, and how many others."""
    import biornn as bn

    given = np.load(file)
    weights = _dataset(given["weights"], given["bias"], given["alpha"])
    bn.analysis.fixed_points(_dataset(np.zeros((2, 2)), np.zeros(2), np.ones(2)))  # loads the libraries
    start = time.perf_counter()
    found = bn.analysis.fixed_points(weights, max_batches=n_batches, seed=seed)
    seconds = time.perf_counter() - start
    return [seconds, *_compared(found.state.values[: int(found.n_fixed_points)], given["known"])]


def finder(file: str, folder: str, n_starts: int, n_points: int, most: float, seed: int) -> list[Any]:
    """Search with fixed-point-finder's defaults, as `_with_more` says."""
    sys.path.insert(0, folder)
    import torch
    from FixedPointFinderTorch import FixedPointFinderTorch

    given = np.load(file)
    n_units = len(given["bias"])
    rnn = torch.nn.RNN(1, n_units, batch_first=True)
    with torch.no_grad():
        rnn.weight_hh_l0[:] = torch.tensor(given["weights"].T)
        rnn.bias_hh_l0[:] = torch.tensor(given["bias"])
        rnn.weight_ih_l0[:], rnn.bias_ih_l0[:] = 0, 0

    def search(starts: np.ndarray) -> np.ndarray:
        found = FixedPointFinderTorch(rnn, random_seed=seed)
        with contextlib.redirect_stdout(io.StringIO()):
            unique, _ = found.find_fixed_points(starts.astype(np.float32), np.zeros((1, 1), np.float32))
        return np.asarray(unique.xstar)

    search(given["starts"][:2])  # loads the libraries
    return _with_more(given, search, n_starts, n_starts, n_points, most, seed)


def roots(file: str, n_starts: int, n_points: int, most: float, seed: int) -> list[Any]:
    """Call `scipy.optimize.root` with the Jacobian from each start, as `_with_more` says."""
    from scipy.optimize import root

    given = np.load(file)
    weights, bias = given["weights"], given["bias"]

    def search(starts: np.ndarray) -> np.ndarray:
        result = root(
            lambda x: np.tanh(x @ weights + bias) - x,
            starts[0],
            jac=lambda x: (weights * (1 - np.tanh(x @ weights + bias) ** 2)).T - np.eye(len(x)),
        )
        return starts[:0] if not result.success or np.linalg.norm(result.fun) >= 1e-8 else result.x[np.newaxis]

    return _with_more(given, search, 1, n_starts, n_points, most, seed)


def _with_more(
    given: Any,
    search: Callable[[np.ndarray], np.ndarray],
    n_at_once: int,
    n_first: int,
    n_points: int,
    most: float,
    seed: int,
) -> list[Any]:
    """Search from so many starts first, and then on until so many of the known points are found, or for so many s.

    Returns the seconds of the first, or until all are known, which points they found, and how many others;
    and the seconds until as many as asked for were found, infinite if they were not, with the number that was.
    """
    starts, known = given["starts"], given["known"]
    order = np.random.default_rng(seed).permutation(len(starts))
    found, n_others, seconds, until, soon = np.zeros(len(known), bool), 0, 0.0, np.inf, None
    for first in range(0, len(order), n_at_once):
        start = time.perf_counter()
        points = search(starts[order[first : first + n_at_once]])
        seconds += time.perf_counter() - start
        here, others = _compared(points, known)
        found |= here
        n_others += others
        if found.sum() >= n_points:
            until = min(until, seconds)
        if soon is None and (found.all() or first + n_at_once >= n_first):
            soon = [seconds, found.tolist(), n_others]
        if soon and (np.isfinite(until) or seconds > most):
            return [*soon, until, int(found.sum())]
    raise RuntimeError(f"expected starts for {most:.0f} s, got {len(order)}, which took {seconds:.0f} s; make more")


def _compared(states: np.ndarray, known: np.ndarray) -> tuple[list[bool], int]:
    """Say which known points have a state nearby, and how many states are near none, or near one that another has."""
    if not len(states):
        return np.zeros(len(known), bool).tolist(), 0
    apart = np.linalg.norm(states[:, np.newaxis] - known, axis=2)
    is_near = apart.min(axis=1) <= NEAR * (1 + np.linalg.norm(known[apart.argmin(axis=1)], axis=1))
    found = np.zeros(len(known), bool)
    found[apart.argmin(axis=1)[is_near]] = True
    return found.tolist(), len(states) - int(found.sum())


def parts(options: Namespace) -> list[str]:
    """Measure all methods on all networks."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "planted, 64 units": "small.npz",
            "planted, 400 units": "large.npz",
            "trained, 100 units": "trained.npz",
        }
        files = {name: str(Path(folder) / file) for name, file in files.items()}
        with Process(N_THREADS) as process:
            process.call(plant, files["planted, 64 units"], 64)
            process.call(plant, files["planted, 400 units"], 400)
            process.call(train_one, files["trained, 100 units"])
        for network, file in files.items():
            rows += _compare(network, file, options)
    columns = ["network", "method", "points", "attractors", "others", "s", "s / biornn's", "until as many as biornn"]
    return [
        table(columns, rows, n_texts=2),
        f"Medians [lowest, highest] of {options.rounds} rounds with other seeds; {N_THREADS} threads. *points* and "
        "*attractors*: those found of those known, which are, of the trained network, what biornn proves from batches "
        "of 512 starts; *others*: points of a method that are none of these, or one twice. biornn, with its defaults, "
        f"stops by itself or after {MAX_BATCHES} batches, or as many as a row says, the others after {options.starts} "
        "starts, `root` as soon as all are found. *s / biornn's*: over the time in which biornn finds as many as they "
        "do. *until as many as biornn*: with more starts, how many times biornn's time they take to find as many as "
        f"its defaults do; given up after {options.starts} starts and {N_LONGER} times, in how many rounds, with the "
        "points that they had by then. "
        f"{describe('biornn', 'scipy', 'torch')}",
    ]


def _compare(network: str, file: str, options: Namespace) -> list[list[str]]:
    n_rounds, n_unstable = options.rounds, np.load(file)["n_unstable"]
    is_stable = n_unstable == 0

    def measured(function: Any, *arguments: Any) -> Any:
        seeds = iter(range(n_rounds))

        def once() -> Any:
            with Process(N_THREADS) as process:
                return process.call(function, file, *arguments, next(seeds))

        return once

    own = in_turns({batches: measured(biornn, batches) for batches in (*BATCHES, MAX_BATCHES)}, n_rounds)
    n_points = min(sum(points) for _, points, _ in own[MAX_BATCHES])
    own_seconds = float(np.median([seconds for seconds, *_ in own[MAX_BATCHES]]))
    until = (options.starts, n_points, N_LONGER * own_seconds)
    methods = {
        "fixed-point-finder": measured(finder, str(Path(options.finder).resolve()), *until),
        "scipy.optimize.root": measured(roots, *until),
    }
    if n_points < len(is_stable):
        methods = {f"biornn, {ALL_BATCHES} batches": measured(biornn, ALL_BATCHES), **methods}
    found = {"biornn": own[MAX_BATCHES], **in_turns(methods, n_rounds)}
    rows = []
    for name, of_rounds in found.items():
        seconds, points, n_others, *longer = zip(*of_rounds, strict=True)
        counts = [sum(one) for one in points]
        stable = [int((np.array(one) & is_stable).sum()) for one in points]
        soon = [_soonest([own[batches][turn] for batches in own], count) for turn, count in enumerate(counts)]
        over = [taken / of_biornn for taken, of_biornn in zip(seconds, soon, strict=True)]
        rows.append(
            [
                network,
                name,
                f"{spread(counts, '.0f')} of {len(is_stable)}",
                f"{spread(stable, '.0f')} of {is_stable.sum()}",
                spread(n_others, ".0f"),
                spread(seconds),
                spread(over, ".0f") if longer else "",
                _until(*longer, own_seconds) if longer else "",
            ]
        )
    return rows


def _until(seconds: Sequence[float], n_found: Sequence[int], own_seconds: float) -> str:
    """Say how many times as long it took, or what was found where it was given up, and in how many rounds."""
    took = [one / own_seconds for one in seconds if np.isfinite(one)]
    if len(took) == len(seconds):
        return spread(took, ".0f")
    return f"> {N_LONGER} in {len(seconds) - len(took)} of {len(seconds)} ({spread(n_found, '.0f')})"


def _soonest(by_batches: list[Any], count: int) -> float:
    """Return the shortest time in which biornn found so many points, NaN if it never did."""
    return min((seconds for seconds, points, _ in by_batches if sum(points) >= count), default=np.nan)
