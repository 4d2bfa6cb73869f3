"""The workers that train networks: processes of this machine, or those of a Dask scheduler."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster
from rich.console import Console

from biornn._version import __version__
from biornn.errors import in_one_line

#: Run first in every process of this machine. Ctrl-C in a terminal reaches all of them, but the run ends them itself.
#: They exit at once: unloading TensorFlow takes seconds.
_PRELOAD = """
import atexit, os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
atexit.register(os._exit, 0)
"""
#: Dask has every process return freed memory at once. Requesting it again at each update is as slow as some products.
#: And it watches every process for its dashboard, which nobody opens: stacks every 10 ms, counters of the machine every
#: 500 ms. Updates took a tenth longer.
_SETTINGS = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10 minutes",
}
_SECONDS_TO_CONNECT = 10
_SECONDS_FOR_FIRST_WORKER = 600  # the first one may wait in the queue of a cluster


@contextmanager
def connect(scheduler: str | None = None, n_workers: int = 1, console: Console | None = None) -> Iterator[Client]:
    """Connect to a running scheduler, or start single-threaded processes on this machine until the context ends.

    OSError if nothing answers at the address of the scheduler, such as ``tcp://10.0.0.1:8786``. RuntimeError if no
    worker comes, or the workers have another version of biornn or none. `console` shows that no worker has come yet.
    """
    if scheduler is not None:
        with _connect_to(scheduler, console) as client:
            yield client
        return
    with (
        dask.config.set(_SETTINGS),
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # any free port; without it a fixed one, and a warning if it is taken
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            preload=[_PRELOAD],
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@contextmanager
def _connect_to(scheduler: str, console: Console | None) -> Iterator[Client]:
    try:
        # As Dask's default client it would also get all other computations.
        client = Client(scheduler, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OSError(
            f"scheduler: expected a running Dask scheduler at {scheduler}, got: {in_one_line(error)}; "
            "start one with `dask scheduler`"
        ) from None
    with client:
        if console is not None and not client.scheduler_info()["workers"]:
            console.print(f"waiting for a worker of {scheduler}", highlight=False, soft_wrap=True)
        try:
            client.wait_for_workers(1, timeout=_SECONDS_FOR_FIRST_WORKER)
        except TimeoutError:
            raise RuntimeError(
                f"scheduler: expected at least one worker within {_SECONDS_FOR_FIRST_WORKER} s, got none; "
                f"start them with `dask worker {scheduler} --nthreads 1`"
            ) from None
        _check_versions(client)
        yield client


def _check_versions(client: Client) -> None:
    for worker, found in client.run(_version, on_error="return").items():
        if found != __version__:
            got = f"{type(found).__name__}: {found}" if isinstance(found, Exception) else found
            raise RuntimeError(
                f"scheduler: expected biornn {__version__} on every worker, got {got} on {worker}; install it there"
            )


def _version() -> str:
    from biornn._version import __version__

    return __version__
