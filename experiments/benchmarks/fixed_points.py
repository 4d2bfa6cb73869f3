"""Fixed points of one network: biornn, fixed-point-finder (PyTorch) and one `scipy.optimize.root` per start.

Three networks: 27 planted points among 64 and among 400 units, and a network that is trained here, the first one of
``flip_flop.yaml``. The other methods get the same starts; biornn draws its own. A point counts as found if a method's
point is nearer to it than a twentieth of its length plus one, and each counts once.

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
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side import Process, describe, in_turns, spread, table

DEFAULTS = {"finder": "fixed-point-finder", "starts": 256, "rounds": 2}
FLIP_FLOP = Path(__file__).parents[1] / "flip_flop.yaml"
N_THREADS = 2
GAIN, N_ROOTS = 1.6, 27
NOISE = 0.5  # of starts from recorded activity, as in the flip-flop example of fixed-point-finder
NEAR = 0.05
#: Batches after which biornn's search is stopped, to know how soon it has found as many as another method.
BATCHES = (1, 2, 4, 8, 20)


def plant(folder: str, n_units: int, n_starts: int) -> None:
    """Write a network of three groups that each decide between two signs, starts, and all its fixed points."""
    from scipy.optimize import brentq

    group = np.arange(n_units) // (n_units // 3)
    same = (group[:, np.newaxis] == group) & (group < 3)
    weights = GAIN * same / (n_units // 3)
    root = brentq(lambda x: np.tanh(GAIN * x) - x, 0.5, 1, xtol=1e-15)
    known = np.array([np.append(one, 0.0)[group] for one in product((-root, 0.0, root), repeat=3)])
    n_unstable = (known[:, [0, n_units // 3, 2 * (n_units // 3)]] == 0).sum(axis=1)
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1, 1, (n_starts, n_units))
    n_steps = np.floor(100 ** rng.random((n_starts, 1)))  # from random rates, for a random time
    for done in range(100):
        starts = np.where(done < n_steps, np.tanh(starts @ weights), starts)
    alpha = np.ones(n_units)
    np.savez(
        folder, weights=weights, bias=np.zeros(n_units), alpha=alpha, starts=starts, known=known, n_unstable=n_unstable
    )


def train_one(folder: str, n_starts: int) -> None:
    """Train the network, and write it, starts from its activity, and the points that a long search proves."""
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
    starts = rates[rng.integers(len(rates), size=n_starts)]
    starts = starts + NOISE * rng.standard_normal(starts.shape)
    recurrent, bias = (weights[name].values.astype(float) for name in ("recurrent_weights", "recurrent_bias"))
    alpha = np.full(spec.network.n_units, spec.network.dt / spec.network.tau)
    found = bn.analysis.fixed_points(_dataset(recurrent, bias, alpha), n_starts=512, max_batches=20, seed=1)
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
    weights, search = (
        _dataset(given["weights"], given["bias"], given["alpha"]),
        bn.analysis.fixed_points,
    )  # which imports it
    start = time.perf_counter()
    found = search(weights, max_batches=n_batches, seed=seed)
    seconds = time.perf_counter() - start
    return [seconds, *_compared(found.state.values[: int(found.n_fixed_points)], given["known"])]


def finder(file: str, folder: str, seed: int) -> list[Any]:
    """Search with fixed-point-finder's defaults."""
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
    starts = given["starts"][np.random.default_rng(seed).permutation(len(given["starts"]))].astype(np.float32)
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        unique, _ = FixedPointFinderTorch(rnn, random_seed=seed).find_fixed_points(starts, np.zeros((1, 1), np.float32))
    seconds = time.perf_counter() - start
    return [seconds, *_compared(unique.xstar, given["known"])]


def roots(file: str, seed: int) -> list[Any]:
    """Call `scipy.optimize.root` with the Jacobian from each start, until all known points are found."""
    from scipy.optimize import root

    given = np.load(file)
    weights, bias, known = given["weights"], given["bias"], given["known"]
    found, seconds, others = np.zeros(len(known), bool), [0.0], 0
    last = 0.0
    for state in given["starts"][np.random.default_rng(seed).permutation(len(given["starts"]))]:
        start = time.perf_counter()
        result = root(
            lambda x: np.tanh(x @ weights + bias) - x,
            state,
            jac=lambda x: (weights * (1 - np.tanh(x @ weights + bias) ** 2)).T - np.eye(len(x)),
        )
        seconds.append(seconds[-1] + time.perf_counter() - start)
        is_one = result.success and np.linalg.norm(result.fun) < 1e-8
        here, other = _compared(result.x[np.newaxis] if is_one else known[:0], known)
        if (np.array(here) & ~found).any():
            last = seconds[-1]
        found |= here
        others += other
        if found.all():
            break
    return [last if found.all() else seconds[-1], found.tolist(), others]


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
            process.call(plant, files["planted, 64 units"], 64, options.starts)
            process.call(plant, files["planted, 400 units"], 400, options.starts)
            process.call(train_one, files["trained, 100 units"], options.starts)
        for network, file in files.items():
            rows += _compare(network, file, str(Path(options.finder).resolve()), options.rounds)
    return [
        table(["network", "method", "points", "attractors", "others", "s", "s / biornn's"], rows, n_texts=2),
        f"Medians [lowest, highest] of {options.rounds} rounds with other seeds; {N_THREADS} threads. *points* and "
        "*attractors*: those found of those known, which are, of the trained network, what biornn proves with 20 "
        "batches of 512 starts; *others*: points of a method that are none of these, or one twice. biornn stops by "
        f"itself, the others after {options.starts} starts, `root` as soon as all are found. *s / biornn's*: over the "
        f"time in which biornn finds as many. {describe('biornn', 'scipy', 'torch')}",
    ]


def _compare(network: str, file: str, folder: str, n_rounds: int) -> list[list[str]]:
    methods = {"biornn": [biornn, 20], "fixed-point-finder": [finder, folder], "scipy.optimize.root": [roots]}
    n_unstable = np.load(file)["n_unstable"]
    is_stable = n_unstable == 0

    def measured(function: Any, *arguments: Any) -> Any:
        seeds = iter(range(n_rounds))

        def once() -> Any:
            with Process(N_THREADS) as process:
                return process.call(function, file, *arguments, next(seeds))

        return once

    cases = {name: measured(function, *arguments) for name, (function, *arguments) in methods.items()}
    cases |= {batches: measured(biornn, batches) for batches in BATCHES}
    found = in_turns(cases, n_rounds)
    rows = []
    for name in methods:
        seconds, points, others = zip(*found[name], strict=True)
        counts = [sum(one) for one in points]
        stable = [int((np.array(one) & is_stable).sum()) for one in points]
        soon = [_soonest([found[batches][turn] for batches in BATCHES], count) for turn, count in enumerate(counts)]
        over = [taken / own for taken, own in zip(seconds, soon, strict=True)]
        rows.append(
            [
                network,
                name,
                f"{spread(counts, '.0f')} of {len(is_stable)}",
                f"{spread(stable, '.0f')} of {is_stable.sum()}",
                spread(others, ".0f"),
                spread(seconds),
                "" if name == "biornn" else spread(over, ".0f"),
            ]
        )
    return rows


def _soonest(by_batches: list[Any], count: int) -> float:
    """Return the shortest time in which biornn found so many points, NaN if it never did."""
    return min((seconds for seconds, points, _ in by_batches if sum(points) >= count), default=np.nan)
