"""A whole experiment: its networks in parallel processes, gathered in one store."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import xarray as xr
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, as_completed, get_worker
from rich.console import Console

from biornn.experiment.config import Experiment
from biornn.experiment.design import NetworkSpec, expand, network_index
from biornn.experiment.progress import ProgressDisplay
from biornn.progress import Progress
from biornn.schema import variable_attrs
from biornn.store import RunWriter, check_output, open_run, run_attrs
from biornn.tasks.seeds import generator

_TOPIC = "biornn-progress"
# One thread a process: two networks side by side train almost twice as fast as one after the other on two threads.
_WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def run_experiment(
    experiment: Experiment,
    out: str | os.PathLike[str],
    *,
    n_workers: int | None = None,
    overwrite: bool = False,
    console: Console | None = None,
) -> xr.DataTree:
    """Train and record every network of an experiment, in separate processes, and gather the run.

    Parameters
    ----------
    experiment
        What `load_experiment` gives.
    out
        Run folder to make.
    n_workers
        Networks at a time; None: as many as there are cores.
    overwrite
        Whether a run that is already there is replaced, once the new one is complete.
    console
        Where progress is shown; None: standard error.

    Returns
    -------
    xarray.DataTree
        The run, opened from `out`. A network whose training failed is there with the status ``failed``.

    Raises
    ------
    FileExistsError
        If `out` exists and is not to be overwritten, or is no run.
    OSError
        If it cannot be written.
    RuntimeError
        If every network failed.
    """
    folder = Path(out)
    check_output(folder, overwrite)
    specs = expand(experiment)
    trials = {
        "trials": variable_attrs(
            "trials", experiment.task.sample(experiment.recording.n_trials, generator("recording", 0))
        ),
        "probe_trials": variable_attrs("probe_trials", experiment.task.probe()),
    }
    attrs = run_attrs(
        experiment.title,
        experiment.model_dump_json(),
        **{"keras backend": os.environ.get("KERAS_BACKEND", "tensorflow")},
    )
    writer = RunWriter(folder, network_index(experiment), attrs, trials, overwrite=overwrite)
    n_workers = min(n_workers or CPU_COUNT, len(specs))
    console = console or Console(stderr=True)
    with _workers(n_workers) as client, ProgressDisplay(len(specs), console) as display:
        client.subscribe_topic(_TOPIC, lambda event: _show(display, event[1]))
        shared = client.scatter(trials, broadcast=True)
        futures = {
            client.submit(_work, spec, shared, key=spec.name, pure=False, priority=-index): spec
            for index, spec in enumerate(specs)
        }
        n_written = 0
        for future in as_completed(futures):
            spec = futures[future]
            error = future.exception()
            if error is None:
                result = future.result()
                writer.write_network(spec.name, result)
                n_written += 1
                display.finished(spec.name, _outcome(result["history"]))
            else:
                display.finished(spec.name, f"failed: {type(error).__name__}: {' '.join(str(error).split())}")
            future.release()
    if not n_written:
        writer.discard()
        raise RuntimeError(f"{folder}: expected at least one network to be trained, but all {len(specs)} failed")
    writer.finish()
    return open_run(folder)


@contextmanager
def _workers(n_workers: int) -> Iterator[Client]:
    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # any free port; without it a fixed one, and a warning if it is taken
            memory_limit=0,
            env=_WORKER_ENVIRONMENT,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _work(spec: NetworkSpec, trials: dict[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Run one network in a worker process; the parent process never loads Keras."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # each network traces its own graph, and that is meant
    with _quiet():
        from biornn.experiment.network import run_network

    def listener(progress: Progress) -> None:
        get_worker().log_event(_TOPIC, {"network": spec.name, "progress": asdict(progress)})

    return run_network(spec, trials, listener)


def _show(display: ProgressDisplay, news: dict[str, Any]) -> None:
    display.update(news["network"], Progress(**news["progress"]))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep off the screen what TensorFlow's libraries write to standard error when they are loaded."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _outcome(history: xr.Dataset) -> str:
    status = str(history["status"].values).replace("_", " ")
    accuracy = float(history["accuracy"].isel(epoch=-1))
    return f"{status} after {int(history['steps_trained'])} updates, validation accuracy {accuracy:.3f}"
