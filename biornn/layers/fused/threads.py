"""Threads of the steps: one for each part of a large batch, or one more for what the recurrence does not need."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import Any

from biornn.blas import blas_libraries

#: Multiplications of a step below which nothing is gained: from a thread for each part of the batch, and from one more
#: thread.
_SMALL_STEP = 2**21
_SMALLEST_STEP = 2**18
#: Arrays that work in the other thread alternates between: one is filled while the others are read.
N_BUFFERS = 3


def choose_n_parts(n_trials: int, n_units: int) -> int:
    """Choose the number of parts of a batch, each with a thread of its own: as many as BLAS would use.

    The products of a part use one thread. Several threads of BLAS would wait for each other, busily, at every step: if
    another process needs one of the cores, a step takes many times as long.
    """
    if n_trials * n_units**2 < _SMALL_STEP:
        return 1
    return max(1, min(_BLAS.n_threads(), n_trials))


def for_parts(work: Callable[[int, slice], None], n_trials: int, n_parts: int) -> None:
    """Call a function for each part of a batch, in parallel."""
    length = max(1, -(-n_trials // n_parts))
    parts = [slice(min(start, n_trials), min(start + length, n_trials)) for start in range(0, n_parts * length, length)]
    with _BLAS.single_threaded():
        if n_parts == 1:
            work(0, slice(0, n_trials))
        else:
            list(_pool(n_parts).map(work, range(n_parts), parts))


@contextmanager
def beside(has_thread: bool) -> Iterator[Callable[..., None]]:
    """Yield a function that calls another one in a second thread, in order, while the steps go on.

    It returns when fewer than `N_BUFFERS` calls are unfinished; none is at the end of the context. Without a second
    thread it calls at once.
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
    """Whether there is a second thread, and steps of a size that gains from it."""
    return _SMALLEST_STEP <= n_trials * n_units**2 < _SMALL_STEP and _BLAS.n_threads() > 1


class _Blas:
    """The number of threads of the BLAS libraries, which all layers of the process share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_users = 0
        self._n_threads = 1
        self._limit: Any = None

    def n_threads(self) -> int:
        """Return the number of threads of a product while no layer runs."""
        with self._lock:
            return self._n_threads if self._n_users else _found_threads()

    @contextmanager
    def single_threaded(self) -> Iterator[None]:
        """Limit each product to one thread, until the last layer is done."""
        with self._lock:
            if not self._n_users:
                _free_control()
                self._n_threads, self._limit = _found_threads(), blas_libraries().limit(limits=1)
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
    return max((library["num_threads"] for library in blas_libraries().info()), default=1)


def _free_control() -> None:
    """Let any thread set the number of threads: recent threadpoolctl ignores all but the first that did.

    A framework runs each update in any of its threads.
    """
    for library in blas_libraries().lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


@cache
def _pool(n_threads: int) -> ThreadPoolExecutor:
    """Threads that are kept for the next call."""
    return ThreadPoolExecutor(n_threads, "biornn")


def _after_fork() -> None:
    """Reset the threads in a forked process, which has none of its parent's."""
    global _BLAS
    _pool.cache_clear()
    _BLAS = _Blas()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
