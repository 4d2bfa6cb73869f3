"""Running an experiment: its networks in parallel processes, gathered in one store."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr
from dask.system import CPU_COUNT
from distributed import Client, Future, KilledWorker, as_completed
from rich.console import Console

from biornn.errors import in_one_line, named
from biornn.experiment.backend import chosen_backend
from biornn.experiment.cluster import connect
from biornn.experiment.design import NetworkSpec, expand, network_index
from biornn.experiment.experiment import Experiment
from biornn.experiment.matching import unmatched
from biornn.experiment.progress import ProgressDisplay
from biornn.experiment.worker import work
from biornn.output import LossyStream
from biornn.progress import Progress
from biornn.schema import is_trained
from biornn.store import RunWriter, check_output, finished_run, open_run, run_attrs

#: Errors of the machine, which a second attempt may not meet. (Others would come again: the seed determines a network.
#: Dask itself starts a network again that lost its worker.)
_TRANSIENT = (OSError, MemoryError)
_ATTEMPTS = 2


class Interrupted(KeyboardInterrupt):
    """The run was interrupted; the message says what is kept and where, and `advice` how to resume."""

    def __init__(self, message: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class BrokenOffError(RuntimeError):
    """The run ended early; the message says why, and what is kept and where, and `advice` how to resume."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


def run_experiment(
    experiment: Experiment,
    out: str | os.PathLike[str],
    *,
    n_workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    checkpoint_seconds: float = 10.0,
    console: Console | None = None,
    on_last: Callable[[], None] = lambda: None,
) -> xr.DataTree:
    """Train and record every network of an experiment, in separate processes, and gather the run.

    Parameters
    ----------
    experiment
        What `load_experiment` gives.
    out
        Run folder.
    n_workers
        Number of networks trained at the same time on this machine; None: as many as there are cores.
    scheduler
        Address of a running Dask scheduler, such as ``tcp://10.0.0.1:8786``, whose workers train the networks; None:
        processes of this machine. The weights of a network do not depend on where it is trained.
    overwrite
        Whether a run that is already there is replaced, once the new one is complete.
    resume
        Whether an unfinished run is resumed: finished networks are kept, others continue from their last checkpoint,
        and the result equals that of an uninterrupted run, to the bit on the same machine with the same versions. If
        there is no unfinished run, a new one begins.
    checkpoint_seconds
        Shortest time between two checkpoints of a network, in s; each is written after a validation.
    console
        Where progress is shown; None: standard error. Lines that cannot be written are dropped.
    on_last
        Called once when fewer networks are left than are trained at the same time, so that a core is free.

    Returns
    -------
    xarray.DataTree
        The run, opened from `out`. A network without results has the status ``diverged``, ``failed`` or
        ``interrupted``, and the reason.

    Raises
    ------
    FileExistsError
        If `out` exists and is not to be overwritten, is no run, or is being written by another process.
    OSError
        If it cannot be written, or the scheduler does not answer.
    ValueError
        If ``KERAS_BACKEND`` is no backend of Keras, or the run to resume has another experiment.
    RuntimeError
        If that backend is not installed, every network failed, or the run ended early (a `BrokenOffError`).
    Interrupted
        After Ctrl-C: finished networks are kept.
    """
    folder = Path(out)
    if experiment.start is not None and Path(experiment.start.run).absolute() == folder.absolute():
        raise ValueError(
            f"out: expected another folder than {folder}, the run whose networks these go on from; choose one"
        )
    if not resume:
        check_output(folder, overwrite)
    specs = expand(experiment)
    backend, version = chosen_backend()
    attrs = run_attrs(experiment.title, experiment.model_dump_json(), **{"keras backend": backend, backend: version})
    attrs["unmatched"] = json.dumps(unmatched(experiment))
    if resume and (run := finished_run(folder, attrs)) is not None:
        return run
    console = console or Console(stderr=True)
    console.file = LossyStream(console.file)  # type: ignore[assignment, arg-type]
    trials = specs[0].trials()
    writer = RunWriter(folder, network_index(experiment), attrs, trials, overwrite=overwrite, resume=resume)
    jobs = _Jobs([spec for spec in specs if spec.name not in writer.done], backend, checkpoint_seconds)
    for note in [f"{len(writer.done)} of {len(specs)} networks are done"] * bool(writer.done) + writer.notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)
    try:
        if jobs.specs:
            n_at_once = min(n_workers or CPU_COUNT, len(jobs.specs))
            with (
                connect(scheduler, n_at_once, console) as client,
                ProgressDisplay(len(jobs.specs), console) as display,
            ):
                for n_left in jobs.gather(client, writer, display):
                    if n_left == n_at_once - 1:
                        on_last()
    except KeyboardInterrupt:
        kept, advice = _keep(writer, jobs, "the run was interrupted before it was trained")
        raise Interrupted(kept, advice) from None
    except Exception as error:
        if not (writer.is_gone() or writer.done or writer.journal.has_begun_training()):
            writer.discard()
            raise
        kept, advice = _keep(writer, jobs, f"the run broke off before: {named(error)}")
        raise BrokenOffError(f"{named(error)}; {kept}", advice) from error
    if not writer.done:
        message = (
            f"{folder}: expected at least one network to be trained, but all {len(specs)} failed; "
            f"{specs[0].name}: {jobs.failed[specs[0].name]}"
        )
        if not writer.journal.has_begun_training():
            writer.discard()
            raise BrokenOffError(message)
        writer.leave()
        raise BrokenOffError(message, "their checkpoints are kept, go on with --resume")
    return open_run(writer.finish())


def _keep(writer: RunWriter, jobs: _Jobs, reason: str) -> tuple[str, str]:
    """Finish a run that ended early, with the reason in the rows that are missing; return what is kept, and advice."""
    if writer.is_gone():
        writer.discard()
        return "the run was deleted while it was made, nothing is kept", "start it anew"
    if not writer.done:
        if writer.journal.has_begun_training():
            writer.leave()
            return f"no network was done, {writer.journal.folder} says how far they were", "go on with --resume"
        writer.discard()
        return "no network was done, nothing is kept", ""
    for spec in jobs.specs:
        if spec.name not in {*writer.done, *jobs.failed}:
            writer.note_missing(spec.name, "interrupted", reason)
    n_done = len(writer.done)
    try:
        place = writer.finish(keep_old=True)
    except Exception as error:  # a full disk, or a store that somebody changed
        writer.leave()
        reason = in_one_line(error)
        return f"{n_done} networks were done, but the run cannot be finished, got: {reason}", "go on with --resume"
    kept = f"{n_done} of {n_done + len(writer.missing)} networks are kept in {place}"
    return kept, f"go on with --resume --out {place}"


@dataclass
class _Jobs:
    """The networks of an experiment as tasks of a Dask client, and the errors of those that failed."""

    specs: list[NetworkSpec]
    backend: str
    checkpoint_seconds: float
    failed: dict[str, str] = field(default_factory=dict)

    def gather(self, client: Client, writer: RunWriter, display: ProgressDisplay) -> Iterator[int]:
        """Submit all networks, and write each when its result arrives; yield how many are left."""
        token = uuid.uuid4().hex  # keeps the tasks of two experiments on one scheduler apart
        topic = f"biornn-{token}"
        client.subscribe_topic(topic, lambda event: display.update(event[1][0], Progress(**event[1][1])))
        futures = {
            client.submit(
                work,
                spec,
                topic,
                self.backend,
                str(writer.journal.checkpoint(spec.name).absolute()),
                self.checkpoint_seconds,
                key=f"{spec.name}-{token}",
                priority=-index,
            ): spec
            for index, spec in enumerate(self.specs)
        }
        try:
            for n_done, future in enumerate(_completed(client, futures), start=1):
                self._take(future, futures[future], writer, display)
                yield len(futures) - n_done
        finally:
            # A network that is still being trained stops at its next report of progress.
            client.cancel(list(futures), force=True)

    def _take(self, future: Future, spec: NetworkSpec, writer: RunWriter, display: ProgressDisplay) -> None:
        error = future.exception()
        if error is None:
            result = future.result()
            writer.write_network(spec.name, result)
            display.finished(spec.name, _outcome(result["history"]))
        else:
            self.failed[spec.name] = _reason(error)
            writer.note_missing(spec.name, "failed", self.failed[spec.name])
            display.finished(spec.name, f"failed: {self.failed[spec.name]}")
        future.release()


def _completed(client: Client, futures: Iterable[Future]) -> Iterator[Future]:
    """Yield finished futures, after a second attempt for those whose error may not come again."""
    attempts = dict.fromkeys(futures, 1)
    completed = as_completed(attempts, loop=client.loop)
    for future in completed:
        if isinstance(future.exception(), _TRANSIENT) and attempts[future] < _ATTEMPTS:
            attempts[future] += 1
            future.retry()
            completed.add(future)
        else:
            yield future


def _reason(error: BaseException) -> str:
    if isinstance(error, KilledWorker):
        return f"its worker was lost {error.allowed_failures + 1} times (killed, or out of memory?)"
    return named(error)


def _outcome(history: xr.Dataset) -> str:
    status = str(history["status"].values).replace("_", " ")
    trained, reached = int(history["updates_trained"]), history["updates_to_criterion"].fillna(np.inf).item()
    words = f"{status} after {min(trained, reached):.0f} updates"
    if reached < trained:  # where it takes several validations
        words += f" of {trained}"
    if not is_trained(history["status"]):
        return f"{words}: {history['failure'].values}"
    score = history["score"].isel(snapshot=-1)
    words += f", validation {score.attrs['score_name']} {float(score):.3f}"
    return f"{words}, held {float(history['held'][-1]):.0%}" if "held" in history else words
