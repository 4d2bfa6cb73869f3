"""Timing side by side, for all tables of this folder: what is compared takes turns, in processes of its own.

BLAS and the frameworks take their number of threads when they are loaded, so every number of threads needs a `Process`.
Each table is a script here, which declares its cases and measures them `in_turns`; all_tables.py makes it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any, Self

#: A processor named by hand makes numpy's BLAS use another one's kernels, which may be half as fast as its own; the
#: frameworks choose theirs themselves, so a comparison would not be fair.
_NAMED_BY_HAND = "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"
_THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"
#: s before each turn: threads spin after their last product, those of OpenBLAS for a tenth of a second.
#: (``OMP_WAIT_POLICY=passive`` would stop PyTorch's, but makes it several times slower with two threads.)
_REST = 0.2


def environment(threads: int | None, backend: str = "tensorflow") -> dict[str, str]:
    """Return the environment of a process that is timed, with a backend of Keras.

    BLAS and the framework, which then sees no GPU, have so many threads; None: all, and the GPU.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _NAMED_BY_HAND}
    kept |= {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if threads is None:
        return {**kept, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # JAX takes only what it needs of the GPU
    return {**kept, **dict.fromkeys(_THREADS, str(threads)), "CUDA_VISIBLE_DEVICES": ""}


class Process:
    """A fresh Python process that calls functions of these scripts; a context that ends it.

    Threads and backend are as for `environment`; `variables` are others of its environment.
    """

    def __init__(self, threads: int | None = 1, backend: str = "tensorflow", **variables: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], env={**environment(threads, backend), **variables}, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with self._process:  # closes its input, at which it ends
            pass

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of a script of this folder in the process; arguments and result go as JSON.

        A RuntimeError if it raises, with its traceback, or if the process ends.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        module = Path(function.__code__.co_filename).stem
        print(json.dumps([module, function.__name__, arguments]), file=self._process.stdin)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{function.__name__}: expected an answer, got exit code {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]


def alone(function: Callable[..., Any], *arguments: Any, threads: int | None = 1) -> Any:
    """Call a function in a fresh process, as `Process.call` does."""
    with Process(threads) as process:
        return process.call(function, *arguments)


def seconds(function: Callable[[], object]) -> float:
    """Return how long a call takes, in s."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def timed(
    function: Callable[..., Any], spans: list[float], clock: Callable[[], float] = time.perf_counter
) -> Callable[..., Any]:
    """Return a function that does the same, and adds how long each call took, in s, to a list."""

    def spanned(*arguments: Any, **settings: Any) -> Any:
        start = clock()
        result = function(*arguments, **settings)
        spans.append(clock() - start)
        return result

    return spanned


def in_turns(cases: Mapping[Any, Callable[[], Any]], n_rounds: int) -> dict[Any, list[Any]]:
    """Measure each case once a round, one after the other, so that other work of the machine slows all of them.

    Returns case -> what was measured, one value a round.
    """
    found: dict[Any, list[Any]] = {case: [] for case in cases}
    for _ in range(n_rounds):
        for case, measure in cases.items():
            time.sleep(_REST)
            found[case].append(measure())
    return found


def table(header: Sequence[object], rows: Iterable[Sequence[object]], n_texts: int = 1) -> str:
    """Lay out a table in Markdown; its columns after the first `n_texts` hold numbers, and are aligned to the right."""
    line = ["---"] * n_texts + ["---:"] * (len(header) - n_texts)
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in (header, line, *rows))


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Write values of several rounds as median [lowest, highest]."""
    middle, low, high = (format(value, form) for value in (median(values), min(values), max(values)))
    return f"{middle} [{low}, {high}]"


def ratios(values: Sequence[float], reference: Sequence[float]) -> str:
    """Write the ratios of the values of each round as median [lowest, highest]."""
    return spread([value / base for value, base in zip(values, reference, strict=True)])


def speed_ups(header: str, times: Mapping[str, Mapping[int, Sequence[float]]]) -> str:
    """Lay out times in s with one worker and with two, and the ratio: row -> number of workers -> a time a round."""
    rows = [
        [name, *(f"{spread(found[n], '.1f')} s" for n in (1, 2)), ratios(found[1], found[2])]
        for name, found in times.items()
    ]
    return table([header, "1 worker", "2 workers", "speed-up"], rows)


def version_of(package: str) -> str | None:
    """Return the version of a distribution, None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def describe(*packages: str) -> str:
    """Name processor, Python, versions of packages, and the kernels that numpy's BLAS takes, in one line."""
    versions = ", ".join(f"{name} {version_of(name) or '(not installed)'}" for name in (*packages, "numpy"))
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = f"{os.cpu_count()} cores of {models[0] if models else platform.processor()}"
    return f"{processor}, Python {platform.python_version()}, {versions} ({alone(kernels)})."


def kernels() -> str:
    """Name the kernels of numpy's BLAS in this process."""
    import numpy as np  # noqa: F401
    import threadpoolctl

    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(f"{one['internal_api']} {one['version']} with {one['architecture']} kernels" for one in pools)


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a framework prints must not look like an answer
    for line in sys.stdin:
        module, name, arguments = json.loads(line)
        try:
            answer = {"value": getattr(import_module(module), name)(*arguments)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    _serve()
