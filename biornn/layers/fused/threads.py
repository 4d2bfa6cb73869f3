"""Threads of the steps: parts of a large batch side by side, or what no step waits for beside the steps."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

#: Multiplications of a step below which nothing is gained: from a thread for each part of the batch, and from one for
#: what no step waits for.
_SMALL_STEP = 2**21
_SMALLEST_STEP = 2**18
#: Arrays that work beside the steps may take turns with: one is filled while the others are read.
N_BUFFERS = 3


def choose_n_parts(n_trials: int, n_units: int) -> int:
    """Choose the number of parts of a batch, each of which has a thread: as many as BLAS would take.

    Each part's products take one thread. Threads of BLAS would wait for each other actively, at every step: on a
    machine where something else takes one of the cores, that makes a step many times as long.
    """
    if n_trials * n_units**2 < _SMALL_STEP:
        return 1
    return max(1, min(_BLAS.n_threads(), n_trials))


def for_parts(work: Callable[[int, slice], None], n_trials: int, n_parts: int) -> None:
    """Do some work for each part of a batch, side by side."""
    length = max(1, -(-n_trials // n_parts))
    parts = [slice(min(start, n_trials), min(start + length, n_trials)) for start in range(0, n_parts * length, length)]
    with _BLAS.single_threaded():
        if n_parts == 1:
            work(0, slice(0, n_trials))
        else:
            list(_pool(n_parts).map(work, range(n_parts), parts))


@contextmanager
def beside(has_thread: bool) -> Iterator[Callable[..., None]]:
    """Give a function that does some work in another thread, while the steps go on.

    What it is given is done in its order; when it returns, less than `N_BUFFERS` of that are not done yet, and none are
    at the end of the context. Without a thread it does everything at once.
    """
    if not has_thread:
        yield lambda work, *arguments: work(*arguments)
        return
    pool, under_way = _pool(1), deque[Future[None]]()

    def submit(work: Callable[..., None], *arguments: Any) -> None:
        under_way.append(pool.submit(work, *arguments))
        if len(under_way) == N_BUFFERS:
            under_way.popleft().result()

    try:
        yield submit
    finally:
        wait(under_way)
    for future in under_way:
        future.result()


def has_spare_thread(n_trials: int, n_units: int) -> bool:
    """Tell whether a thread for what no step waits for is there, and worth its while."""
    return _SMALLEST_STEP <= n_trials * n_units**2 < _SMALL_STEP and _BLAS.n_threads() > 1


class _Blas:
    """The libraries of products, whose threads are those of the process: several layers may run at once in it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_users = 0
        self._n_threads = 1
        self._limit: Any = None

    def n_threads(self) -> int:
        """Return the number of threads that products have where no layer runs."""
        with self._lock:
            return self._n_threads if self._n_users else _found_threads()

    @contextmanager
    def single_threaded(self) -> Iterator[None]:
        """Give each product one thread, until the last layer is done."""
        with self._lock:
            if not self._n_users:
                _free_control()
                self._n_threads, self._limit = _found_threads(), _libraries().limit(limits=1)
            self._n_users += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_users -= 1
                if not self._n_users:
                    _free_control()
                    self._limit.restore_original_limits()
                    _free_control()


_BLAS = _Blas()


def _found_threads() -> int:
    return max((library["num_threads"] for library in _libraries().info()), default=1)


def _free_control() -> None:
    """Let any thread set the number of threads: recent threadpoolctl lets only the first that did (others do nothing).

    A framework makes each update in whichever of its threads is free.
    """
    for library in _libraries().lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


@cache
def _pool(n_threads: int) -> ThreadPoolExecutor:
    """Threads that stay."""
    return ThreadPoolExecutor(n_threads, "biornn")


@cache
def _libraries() -> ThreadpoolController:
    """Find the libraries that have threads, once: it takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")


def _after_fork() -> None:
    """Begin anew in a process that has none of the threads of the one that it is a copy of."""
    global _BLAS
    _pool.cache_clear()
    _BLAS = _Blas()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
