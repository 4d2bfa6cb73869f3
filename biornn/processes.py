"""Worker processes that are quick to start, leave Ctrl-C to their parent, and end with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from threading import Thread


@contextmanager
def worker_pool(n_workers: int, preloaded: str) -> Iterator[ProcessPoolExecutor]:
    """Make a pool of processes that are copied from one which has imported the module of this name.

    They are ended at once where the context ends with an error, such as Ctrl-C.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preloaded])
    pool = ProcessPoolExecutor(n_workers, context, _begin)
    try:
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):  # public from Python 3.14 on, as terminate_workers
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _begin() -> None:
    """Leave Ctrl-C to the parent process, and end when it ends, also if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=follow, daemon=True).start()
