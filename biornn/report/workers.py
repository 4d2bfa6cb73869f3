"""The sections of a report, made in one process or in several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import Any

from biornn.blas import one_blas_thread
from biornn.processes import worker_pool
from biornn.report.reading import Reading
from biornn.report.section import Drawn, drawn
from biornn.report.sections import SECTIONS
from biornn.store import open_run

#: Properties of `Reading` that several sections use, or that take long: the longest first, so that none is left over
#: at the end for one process.
SHARED = (
    "lesions",
    "null",
    "recurrent_noise",
    "input_noise",
    "retention",
    "participation_ratio",
    "summary",
    "scores",
    "state_scores",
    "described",
    "cube",
    "selectivity",
    "balance",
    "bulk",
    "spectrum",
    "similarity",
)
#: Sections that take long to draw, for the same reason the longest first.
_LONG = ("activity", "spectra", "connectivity", "robustness", "cubes", "selectivity", "answer", "learning", "balance")
_FEW = 2


def make_sections(
    path: Path, reading: Reading, names: Sequence[str], n_workers: int, show: Callable[[int, int], None]
) -> dict[str, Drawn | None]:
    """Make sections of the report of the run in a folder; None where the run has nothing to say about one.

    `names` are those of `SECTIONS`. With one worker all is done in this process; what several have computed for all
    sections is in `reading` afterwards. `show` is called with the number of
    parts that are done, and of all.
    """
    if n_workers == 1:
        made = {}
        for index, name in enumerate(names, start=1):
            made[name] = _drawn(reading, name)
            show(index, len(names))
        return made
    values = {name: value for name, value in vars(reading).items() if name in SHARED}
    # A few sections compute what they need by themselves.
    shared = [name for name in SHARED if name not in values] if len(names) > _FEW else []
    n_parts = len(shared) + len(names)
    try:
        with worker_pool(n_workers, "biornn.report.preloaded") as pool:
            computing = {pool.submit(_compute, path, name): name for name in shared}
            for n_done, future in enumerate(as_completed(computing), start=1):
                if future.exception() is None:  # a run that has no such value, which its section knows
                    values[computing[future]] = future.result()
                show(n_done, n_parts)
            vars(reading).update(values)  # where a cached property keeps its value
            longest_first = [*(name for name in _LONG if name in names), *(name for name in names if name not in _LONG)]
            making = {pool.submit(_make, path, name, values): name for name in longest_first}
            found = {}
            for future in as_completed(making):
                found[making[future]] = future.result()
                show(len(shared) + len(found), n_parts)
            return found
    except BrokenProcessPool:
        raise RuntimeError(
            f"{path}: expected the workers of the report to go on, but one was killed (out of memory?); "
            "`biornn report RUN --workers 1` takes the least memory"
        ) from None


@cache
def _reading(path: Path) -> Reading:
    """Open a run once in each worker process."""
    return Reading(open_run(path))


def _compute(path: Path, name: str) -> Any:
    with one_blas_thread():
        return getattr(_reading(path), name)


def _make(path: Path, name: str, values: dict[str, Any]) -> Drawn | None:
    reading = _reading(path)
    vars(reading).update(values)
    return _drawn(reading, name)


def _drawn(reading: Reading, name: str) -> Drawn | None:
    # Two threads that decompose one small matrix wait for each other: a hundred times as long on a busy machine.
    with one_blas_thread():
        section = SECTIONS[name](reading)
        return None if section is None else drawn(section)
