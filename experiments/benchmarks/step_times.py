"""Time one training step, side by side: python experiments/benchmarks/step_times.py.

Each number of threads has a process of its own, since BLAS and framework take theirs when they are loaded. In it all
networks of a size take turns, so that whatever else the machine does slows them all; a ratio is of neighbours in time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

N_STEPS, N_CHANNELS = 340, 3
SIZES = ((64, 32), (100, 64), (400, 128), (1000, 64))
#: Trained in this process with arrays of these columns; the first is what all are compared with.
REFERENCE = "keras.layers.SimpleRNN"
COLUMNS = {
    "unconstrained": "biornn, unconstrained",
    "constrained": "biornn, constrained",
    "leaky": "the same, with a leak",
    "scan": "the same as constrained, in the framework's loop",
    "masked in every step": "Keras cell that masks in every step",
    "floor": "products alone (numpy)",
}


def measure(sizes: Sequence[tuple[int, int]], n_rounds: int, n_updates: int) -> list[dict[str, object]]:
    """Time a training step of every kind of network, in this process.

    Parameters
    ----------
    sizes
        Units and trials of a batch.
    n_rounds
        Rounds in which all kinds take turns.
    n_updates
        Updates of each kind in a round; its time is their median.

    Returns
    -------
    list of dict
        For each size ``units``, ``batch``, ``backend``, and ``seconds``: kind -> one time per round.
    """
    import keras

    found = []
    for n_units, n_trials in sizes:
        keras.utils.clear_session()
        updates = _updates(n_units, n_trials)
        seconds: dict[str, list[float]] = {kind: [] for kind in updates}
        for update in updates.values():
            for _ in range(2):  # the first one traces
                update()
        for _ in range(n_rounds):
            for kind, update in updates.items():
                seconds[kind].append(median(_timed(update) for _ in range(n_updates)))
        found.append({"units": n_units, "batch": n_trials, "backend": keras.backend.backend(), "seconds": seconds})
    return found


def _timed(update: Callable[[], object]) -> float:
    start = time.perf_counter()
    update()
    return time.perf_counter() - start


def _updates(n_units: int, n_trials: int) -> dict[str, Callable[[], object]]:
    """Kind of network -> one update of it on the same arrays."""
    import keras
    import numpy as np

    import biornn as bn

    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(n_trials, N_STEPS, N_CHANNELS)).astype("float32")
    targets = generator.normal(size=(n_trials, N_STEPS, N_CHANNELS)).astype("float32")
    wiring = bn.Connectivity(n_units, excitatory_fraction=0.8, density=0.5, autapses=False, seed=0)

    def layer(connectivity: bn.Connectivity, **settings: object) -> keras.layers.Layer:
        return bn.layers.ConstrainedRNN(connectivity, return_sequences=True, **settings)

    free = bn.Connectivity(n_units, seed=0)
    layers = {
        REFERENCE: keras.layers.SimpleRNN(n_units, return_sequences=True),
        "unconstrained": layer(free),
        "constrained": layer(wiring),
        "leaky": layer(wiring, tau=5.0),
        "scan": layer(wiring, implementation="scan"),
        # A cell of its own computes its effective weights where most codes of labs do.
        "masked in every step": keras.layers.RNN(bn.layers.ConstrainedRNNCell(wiring), return_sequences=True),
    }

    def update_of(recurrent: keras.layers.Layer, readout: keras.layers.Layer) -> Callable[[], object]:
        model = keras.Sequential([keras.Input((None, N_CHANNELS)), recurrent, readout])
        optimizer = keras.optimizers.Adam(1e-4, global_clipnorm=1.0)
        model.compile(optimizer, "mse", jit_compile=keras.backend.backend() == "jax")
        return lambda: float(model.train_on_batch(inputs, targets))

    updates = {kind: update_of(one, keras.layers.Dense(N_CHANNELS)) for kind, one in layers.items()}
    rates = generator.normal(size=(n_trials, n_units)).astype("float32")
    every = generator.normal(size=(n_trials * N_STEPS, n_units)).astype("float32")
    weights = generator.normal(size=(n_units, n_units)).astype("float32")
    product = np.empty_like(rates)

    def products() -> object:
        """Multiply as often as one update must: forward and back once a step, and once for the weights."""
        for _ in range(2 * N_STEPS):
            np.matmul(rates, weights, out=product)
        return every.T @ every

    return {**updates, "floor": products}


def table(found: Sequence[dict[str, object]], n_rounds: int) -> str:
    """Lay out measurements as a table in Markdown: ratios to the reference, median [lowest, highest] round.

    Parameters
    ----------
    found
        What `measure` returned for each number of threads, with ``threads``.
    n_rounds
        Rounds.
    """
    header = ["threads", "units", "batch", f"`{REFERENCE}` (ms)", *COLUMNS.values()]
    lines = [_row(header), _row(["---"] * 3 + ["---:"] * (len(header) - 3))]
    for one in found:
        seconds: dict[str, list[float]] = one["seconds"]  # type: ignore[assignment]
        reference = seconds[REFERENCE]
        cells = [_ratios(seconds[kind], reference) for kind in COLUMNS]
        lines.append(_row([one["threads"], one["units"], one["batch"], f"{1e3 * median(reference):.1f}", *cells]))
    told = (
        f"One update on {N_STEPS} steps with Adam, as a multiple of the reference in the same round; median [lowest, "
        f"highest] of {n_rounds} rounds. Constrained: Dale's law (80/20), half of the synapses, no self-connections. "
        f"Backend {found[0]['backend']}; {_machine()}."
    )
    return "\n".join([*lines, "", told, ""])


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _ratios(seconds: Sequence[float], reference: Sequence[float]) -> str:
    ratios = [second / base for second, base in zip(seconds, reference, strict=True)]
    return f"{median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"


def _machine() -> str:
    import importlib.metadata

    names = "biornn", "keras", "tensorflow", "numpy"
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    models = [line for line in _cpu_lines() if line.startswith("model name")]
    model = models[0].split(":", 1)[1].strip() if models else platform.processor()
    return f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, {versions}"


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def main() -> None:
    """Measure with every number of threads, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=5, help="updates of each network in a round")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--sizes", nargs="+", default=[f"{n},{b}" for n, b in SIZES], metavar="UNITS,BATCH")
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    parser.add_argument("--here", action="store_true", help="measure in this process, and print JSON")
    options = parser.parse_args()
    sizes = [(int(n_units), int(n_trials)) for n_units, _, n_trials in (size.partition(",") for size in options.sizes)]
    if options.here:
        print(json.dumps(measure(sizes, options.rounds, options.updates)))
        return
    found = []
    for threads in options.threads:
        count = str(threads)
        environment = {"OMP_NUM_THREADS": count, "TF_NUM_INTRAOP_THREADS": count, "TF_NUM_INTEROP_THREADS": count}
        words = ["--rounds", options.rounds, "--updates", options.updates, "--sizes", *options.sizes, "--here"]
        done = subprocess.run(
            [sys.executable, __file__, *map(str, words)], env={**os.environ, **environment}, check=True,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        found += [{**one, "threads": threads} for one in json.loads(done.stdout.splitlines()[-1])]
    text = table(found, options.rounds)
    print(text)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text)


if __name__ == "__main__":
    main()
