"""The time of one training step on a GPU, with Keras on JAX and on PyTorch, which must both see it.

A row per kind of network and a column per size: ms, and ratios.
"""

from __future__ import annotations

from argparse import Namespace

from side_by_side import alone, describe, ratios, spread, table
from updates import FLOAT32, KINDS, N_STEPS, SHORTEST_TURN, TF32, time_updates

DEFAULTS = {"rounds": 3, "updates": 3, "sizes": [(100, 64), (400, 64), (1000, 64), (4000, 64)]}
_KERAS = ["SimpleRNN", "unconstrained", "constrained", "masked"]
_OTHERS = "PyTorch alone"
#: Name -> the settings of its process, and its kinds of networks. The framework's loop makes the steps of all.
PROCESSES = {
    "JAX": ({"threads": None, "backend": "jax"}, _KERAS),
    "JAX in TF32": (
        {"threads": None, "backend": "jax", "JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32"}, ["constrained"],
    ),
    "PyTorch": ({"threads": None, "backend": "torch"}, _KERAS),
    _OTHERS: ({"threads": None}, ["cuDNN", FLOAT32, TF32]),
}  # fmt: skip
FLOORS = {"JAX": FLOAT32, "JAX in TF32": TF32, "PyTorch": FLOAT32}


def gpu() -> str:
    """Return the name of the GPU of this process; nothing where JAX or PyTorch sees none."""
    import jax
    import torch

    sees_one = jax.default_backend() == "gpu" and torch.cuda.is_available()
    return torch.cuda.get_device_name() if sees_one else ""


def laid_out(found: dict[tuple[int, int], dict[tuple[str, str], list[float]]]) -> str:
    """Lay out the times: size -> process and kind -> s of an update, one value a round."""
    rows = []
    for name, (_, kinds) in PROCESSES.items():
        before = "" if name == _OTHERS else f"{name}: "
        for kind in kinds:
            times = [spread([1e3 * one for one in at_size[name, kind]], ".1f") for at_size in found.values()]
            rows.append([before + KINDS[kind].title, *(f"{one} ms" for one in times)])
    for name, floor in FLOORS.items():
        others = [(name, kind) for kind in ("unconstrained", "masked") if kind in PROCESSES[name][1]]
        for other in [*others, (_OTHERS, floor)]:
            title = f"*{name}: {KINDS['constrained'].title}, over {KINDS[other[1]].title.removeprefix('biornn, ')}*"
            rows.append([title, *(ratios(times[name, "constrained"], times[other]) for times in found.values())])
    return table(["", *(f"{n_units} units, {n_trials} trials" for n_units, n_trials in found)], rows)


def parts(options: Namespace) -> list[str]:
    """Measure all sizes."""
    name = alone(gpu, threads=None)
    if not name:
        raise SystemExit("gpu_times: expected a GPU that JAX and PyTorch see, got none; install both for its CUDA")
    found = {size: time_updates(PROCESSES, size, options.rounds, options.updates) for size in options.sizes}
    return [
        laid_out(found),
        f"One update on {N_STEPS} steps with Adam on one {name}; median [lowest, highest] of {options.rounds} rounds, "
        f"each the median of {options.updates} updates, or of as many as take {SHORTEST_TURN} s; in italics: as a "
        "multiple of another row in the same round. Constrained: Dale's law (80/20), half of the synapses, no "
        f"self-connections. {describe('biornn', 'keras', 'jax', 'torch')}",
    ]
