"""The sections of a report, made in one process or in several."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from biornn.report.reading import Reading
from biornn.report.section import Drawn, drawn
from biornn.report.sections import SECTIONS
from biornn.store import open_run

#: Properties of `Reading` that several sections use, or that take long: the longest first, so that none is left over
#: at the end for one process.
SHARED = (
    "null",
    "lesions",
    "input_noise",
    "recurrent_noise",
    "retention",
    "summary",
    "cube",
    "participation_ratio",
    "selectivity",
    "balance",
    "bulk",
    "spectrum",
    "similarity",
)


def make_sections(
    path: Path, names: Sequence[str], n_workers: int, show: Callable[[int, int], None]
) -> dict[str, Drawn | None]:
    """Make sections of the report of the run in a folder; None where the run has nothing to say about one.

    `names` are those of `SECTIONS`. With one worker all is done in this process. `show` is called with the number of
    parts that are done, and of all.
    """
    if n_workers == 1:
        reading = Reading(open_run(path))
        made = {}
        for index, name in enumerate(names, start=1):
            made[name] = _drawn(reading, name)
            show(index, len(names))
        return made
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    pool = ProcessPoolExecutor(n_workers, context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    # Where one picture is to be made again, the section computes what it needs by itself.
    shared = SHARED if len(names) == len(SECTIONS) else ()
    n_parts = len(shared) + len(names)
    try:
        computing = {pool.submit(_compute, path, name): name for name in shared}
        values = {}
        for future in as_completed(computing):
            values[computing[future]] = future.result()
            show(len(values), n_parts)
        making = {pool.submit(_make, path, name, values): name for name in names}
        found = {}
        for future in as_completed(making):
            found[making[future]] = future.result()
            show(len(shared) + len(found), n_parts)
        return found
    finally:
        pool.shutdown(cancel_futures=True)


@cache
def _reading(path: Path) -> Reading:
    """Open a run once in each worker process."""
    return Reading(open_run(path))


def _compute(path: Path, name: str) -> Any:
    with threadpool_limits(1, user_api="blas"):
        return getattr(_reading(path), name)


def _make(path: Path, name: str, values: dict[str, Any]) -> Drawn | None:
    reading = _reading(path)
    vars(reading).update(values)  # where a cached property keeps its value
    return _drawn(reading, name)


def _drawn(reading: Reading, name: str) -> Drawn | None:
    # Two threads that decompose one small matrix wait for each other: a hundred times as long on a busy machine.
    with threadpool_limits(1, user_api="blas"):
        section = SECTIONS[name](reading)
        return None if section is None else drawn(section)
