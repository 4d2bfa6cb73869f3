"""How time and memory grow with a size: a fresh process for every point, and slopes of logarithms."""

from __future__ import annotations

import resource
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from side_by_side import alone, describe, seconds, table

_MEGABYTE = 2**20
#: A point is measured again until it took so long in all, in s, at least and at most so many times.
_ENOUGH, _FEWEST, _MOST = 1.0, 3, 20
#: Slopes at the end are those of so many points.
_END = 3

Work = Callable[[], object]


class Sweep(NamedTuple):
    """One size that grows while all others, `base`, stay.

    `prepare` makes what is timed at a size; `expected` are the exponents of time and of memory in theory. `least` is
    the size at which everything is loaded before memory is looked at; None: the work is done by child processes. `once`
    says that the work is too long for a second time.
    """

    what: str
    base: str
    prepare: Callable[[int], Work]
    expected: tuple[str, str]
    least: int | None = 2
    once: bool = False


def measure(script: str, name: str, size: int) -> tuple[float, float]:
    """Measure one point of a script's ``SWEEPS`` in this process, which should be a fresh one: seconds and megabytes.

    The median time of the work after a first time that does not count (frameworks trace in it), and the largest memory
    while it was done, beyond that of the process with all libraries loaded and a small case done (of child processes:
    of the largest one, in all).
    """
    sweep = import_module(script).SWEEPS[name]
    if sweep.least is None:
        return seconds(sweep.prepare(size)), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / _MEGABYTE
    sweep.prepare(sweep.least)()
    before = _status("VmRSS")
    work = sweep.prepare(size)
    Path("/proc/self/clear_refs").write_text("5")  # making initial weights needs more memory than training does
    first, times = seconds(work), []
    while not sweep.once and (len(times) < _FEWEST or (sum(times) < _ENOUGH and len(times) < _MOST)):
        times.append(seconds(work))
    return median(times or [first]), _status("VmHWM") - before


def _status(name: str) -> float:
    """Resident memory of this process in MB, as Linux counts it: VmRSS, now, or VmHWM, its peak."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024 / _MEGABYTE


def slopes(sizes: Sequence[float], costs: Sequence[float]) -> tuple[float, float]:
    """Return exponents, slopes of log cost over log size by least squares: over all points, and over the last three."""
    return _slope(sizes, costs), _slope(sizes[-_END:], costs[-_END:])


def _slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    if min(costs) <= 0 or len(sizes) < 2:  # less memory than a page grows by nothing
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def laid_out(sweeps: Mapping[str, Sweep], found: Mapping[str, Mapping[int, tuple[float, float]]]) -> tuple[str, str]:
    """Lay out exponents, and every point, as two tables in Markdown: name -> size -> what `measure` returned."""
    rows, points = [], []
    for name, costs_at in found.items():
        sweep, sizes = sweeps[name], list(costs_at)
        cells: list[str] = [sweep.what, sweep.base, f"{sizes[0]:,} … {sizes[-1]:,}"]
        shown: list[list[str]] = []
        for costs, form, expected in zip(
            zip(*costs_at.values(), strict=True), (".2g", ".0f"), sweep.expected, strict=True
        ):
            shown.append([f"{float(format(cost, form)):g}" for cost in costs])
            slope, at_the_end = slopes(sizes, costs)
            cells += [f"{shown[-1][0]} … {shown[-1][-1]}", expected, f"{slope:.2f}", f"{at_the_end:.2f}"]
        rows.append(cells)
        points.append([sweep.what, "; ".join(f"{n:,}: {s}, {mb}" for n, s, mb in zip(sizes, *shown, strict=True))])
    compared = "expected", "measured", "at the end"
    header = ["what grows", "all else", "from … to", "s", *compared, "MB", *compared]
    return table(header, rows, n_texts=3), table(["what grows", "size: seconds, MB"], points, n_texts=2)


def parts(
    script: str, sweeps: Mapping[str, Sweep], said: str, packages: Sequence[str], options: Namespace
) -> list[str]:
    """Measure every point of a script in a process of its own; what is said goes below the first table."""
    found: dict[str, dict[int, tuple[float, float]]] = {}
    for word in options.sweeps:
        name, _, sizes = word.partition("=")
        if name not in sweeps:
            raise SystemExit(f"expected one of {', '.join(sweeps)}, got {name!r}")
        found[name] = {int(n): alone(measure, script, name, int(n), threads=options.threads) for n in sizes.split(",")}
    threads = f"{options.threads} threads" if options.threads > 1 else "One thread"
    exponents, points = laid_out(sweeps, found)
    return [exponents, f"{said} {threads}; {describe(*packages)}", points]
