"""The work of a worker process: one network at a time."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import xarray as xr
from distributed import get_worker
from threadpoolctl import threadpool_limits

from biornn.experiment.design import NetworkSpec
from biornn.experiment.timing import Timing
from biornn.progress import Progress

# One thread per process: two networks side by side train almost twice as fast as one after the other on two threads,
# and the weights do not depend, to the bit, on where a network is trained.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
#: A worker may have several threads, but Keras keeps global state.
_ONE_AT_A_TIME = threading.Lock()


class Cancelled(RuntimeError):
    """The run that asked for this network has ended."""


def work(
    spec: NetworkSpec, topic: str, backend: str, checkpoint: str, checkpoint_seconds: float
) -> dict[str, xr.Dataset]:
    """Train and record one network in a worker process, so that the process of the run never loads Keras.

    News of its progress go to the Dask topic. The checkpoint is used if its folder exists, which a worker on another
    machine may not see. Returns the groups of a run that have the dim `network`, without it.
    """
    key = str(get_worker().get_current_task())

    def listener(progress: Progress) -> None:
        worker = get_worker()
        if not _wanted(worker, key):
            raise Cancelled(f"{spec.name}: the run was interrupted")
        worker.log_event(topic, (spec.name, asdict(progress)))

    with _keras_alone(backend):
        if not _wanted(get_worker(), key):  # while waiting for the lock
            raise Cancelled(f"{spec.name}: the run was interrupted")
        from biornn.experiment.network import run_network

        file = Path(checkpoint)
        return run_network(spec, listener, file if file.parent.is_dir() else None, checkpoint_seconds)


def measure(spec: NetworkSpec, backend: str) -> Timing:
    """Measure in a worker process the times of one network's parts."""
    start = time.perf_counter()
    with _keras_alone(backend):
        from biornn.experiment.network import time_network

        loading = time.perf_counter() - start
        return replace(time_network(spec), loading=loading)


@contextmanager
def _keras_alone(backend: str) -> Iterator[None]:
    """Load Keras and use it on one thread, one network at a time."""
    with _ONE_AT_A_TIME, threadpool_limits(1):
        os.environ.update(_ENVIRONMENT, KERAS_BACKEND=backend)  # read when Keras and TensorFlow are loaded
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns that each network traces its own graph
        with _quiet():
            import keras
        if (loaded := keras.backend.backend()) != backend:
            raise RuntimeError(f"KERAS_BACKEND: expected {backend} in the worker, got {loaded}; start the worker anew")
        _make_deterministic(backend)
        yield


def _make_deterministic(backend: str) -> None:
    """Have operations sum in a fixed order, so that a resumed run ends like an uninterrupted one (JAX does anyway)."""
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    elif backend == "torch":
        import torch

        torch.use_deterministic_algorithms(True, warn_only=True)


def _wanted(worker: object, key: str) -> bool:
    """Return whether a task has not been cancelled since it began."""
    task = worker.state.tasks.get(key)  # type: ignore[attr-defined]
    return task is not None and task.state != "cancelled"


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard what TensorFlow's libraries write to standard error when they are loaded."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
