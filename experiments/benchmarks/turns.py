"""Processes that hold networks and update them when it is their turn: at any time only one of them is busy.

A framework and a number of threads need a process of their own, since BLAS and framework take their threads when they
are loaded. Every turn starts with a rest, since threads spin for a while after the last update, those of OpenBLAS for a
tenth of a second, those of PyTorch for some milliseconds; then a process that waits takes nothing from the others.
(``OMP_WAIT_POLICY=passive`` would stop PyTorch's, but makes it several times slower with two threads.)
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from statistics import median
from types import TracebackType
from typing import Any

from machine import child_environment
from updates import FRAMEWORKS, Update

_REST = 0.2  # s
SHORTEST_TURN = 0.3  # s; small networks make as many updates as take that, for something else disturbs some of them
_N_WARM = 2  # the first update of a network traces or allocates


class Worker:
    """A process with the networks of one framework; use it as a context.

    Parameters
    ----------
    framework
        One of `updates.FRAMEWORKS`.
    n_units, n_trials
        Size of the networks and of the batch.
    threads
        Number of threads of the processor; None to have the GPU.
    backend
        Of Keras.
    variables
        Of its environment, beside those that all have.

    Attributes
    ----------
    kinds
        Its kinds of networks.
    """

    def __init__(
        self,
        framework: str,
        n_units: int,
        n_trials: int,
        threads: int | None,
        backend: str = "tensorflow",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, framework, str(n_units), str(n_trials)], text=True, bufsize=1,
            env={**child_environment(threads, backend), **(variables or {})},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.kinds: list[str] = self._answer()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def time(self, kind: str, n_updates: int) -> float:
        """Let it make updates of a network, and return their median time in s.

        Parameters
        ----------
        kind
            One of its `kinds`.
        n_updates
            Number of updates that count, at least: they take `SHORTEST_TURN`. One more goes ahead of them.
        """
        time.sleep(_REST)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([kind, n_updates]) + "\n")
        return float(self._answer())

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._end()
            raise RuntimeError(f"{self._process.args}: expected an answer, got exit code {self._process.returncode}")
        return json.loads(line)

    def _end(self) -> None:
        with self._process:  # closes what the process reads from, so that it ends, and waits for that
            pass


def timed(update: Update) -> float:
    """Return how long an update took, in s."""
    start = time.perf_counter()
    update()
    return time.perf_counter() - start


def _serve(framework: str, n_units: int, n_trials: int) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a framework prints must not look like an answer
    _, make = FRAMEWORKS[framework]
    updates = make(n_units, n_trials)
    print(json.dumps(list(updates)), file=answers)
    warm = set()
    for line in sys.stdin:
        kind, n_updates = json.loads(line)
        if kind not in warm:
            warm.add(kind)
            for _ in range(_N_WARM):
                updates[kind]()
        first = timed(updates[kind])  # brings caches and threads back
        n_updates = max(n_updates, math.ceil(SHORTEST_TURN / first))
        print(median(timed(updates[kind]) for _ in range(n_updates)), file=answers)


if __name__ == "__main__":
    _serve(sys.argv[1], *map(int, sys.argv[2:]))
