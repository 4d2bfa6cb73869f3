"""Worker processes that are quick to start, leave Ctrl-C to their parent, and end with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from threading import Thread


def worker_pool(n_workers: int, preloaded: str) -> ProcessPoolExecutor:
    """Make a pool of processes that are copied from one which has imported the module of this name."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preloaded])
    return ProcessPoolExecutor(n_workers, context, _begin)


def _begin() -> None:
    """Leave Ctrl-C to the parent process, and end when it ends, also if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=follow, daemon=True).start()
