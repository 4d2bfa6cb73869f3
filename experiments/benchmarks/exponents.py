"""How time and memory grow with a size: a fresh process for every point, and slopes of logarithms."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import median

from machine import child_environment, describe
from tables import row, show

_MEGABYTE = 2**20
#: A point is measured again until it took so long in all, in s, at least and at most so many times.
_ENOUGH, _FEWEST, _MOST = 1.0, 3, 20
#: Slopes at the end are those of so many points.
_END = 3

Work = Callable[[], object]


@dataclass(frozen=True)
class Sweep:
    """One size that grows while all others stay."""

    what: str
    base: str
    """What stays, for the table."""
    sizes: tuple[int, ...]
    prepare: Callable[[int], Work]
    """Size -> what is timed."""
    expected: tuple[str, str]
    """Exponents of time and of memory that theory expects."""
    least: int | None = 2
    """Size at which everything is loaded before memory is looked at; None: the work is done by child processes."""
    once: bool = False
    """Whether the work is too long for a second time."""


def measure(sweep: Sweep, size: int) -> dict[str, float]:
    """Measure one point in this process, which should be a fresh one.

    Parameters
    ----------
    sweep
        What grows.
    size
        How large it is.

    Returns
    -------
    dict
        ``seconds``: median time of the work, after a first time that does not count (frameworks trace in it);
        ``megabytes``: the largest memory while the work was done, beyond that of the process with all libraries loaded
        and a small case done (of child processes: of the largest one, in all).
    """
    if sweep.least is None:
        seconds = _timed(sweep.prepare(size))
        return {"seconds": seconds, "megabytes": _largest_child()}
    sweep.prepare(sweep.least)()
    before = _status("VmRSS")
    work = sweep.prepare(size)
    _forget_peak()
    seconds = [_timed(work)]
    if not sweep.once:
        seconds = []
        while len(seconds) < _FEWEST or (sum(seconds) < _ENOUGH and len(seconds) < _MOST):
            seconds.append(_timed(work))
    return {"seconds": median(seconds), "megabytes": _status("VmHWM") - before}


def _timed(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _status(name: str) -> float:
    """Resident memory of this process in MB: VmRSS, now, or VmHWM, its peak. As Linux tells it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / _MEGABYTE
    raise RuntimeError(f"/proc/self/status: expected a line {name}, found none; memory is measured on Linux only")


def _forget_peak() -> None:
    """Let the peak start anew: the making of initial weights needs more memory than their training."""
    Path("/proc/self/clear_refs").write_text("5")


def _largest_child() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / _MEGABYTE


def slopes(sizes: Sequence[float], costs: Sequence[float]) -> tuple[float, float]:
    """Fit exponents: slopes of log cost over log size, by least squares.

    Parameters
    ----------
    sizes, costs
        Of every point, in ascending order of size.

    Returns
    -------
    tuple of float
        Over all points, and over the last three.
    """
    return _slope(sizes, costs), _slope(sizes[-_END:], costs[-_END:])


def _slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    if min(costs) <= 0 or len(sizes) < 2:  # less memory than a page grows by nothing
        return float("nan")
    x, y = [log(size) for size in sizes], [log(cost) for cost in costs]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    products = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    return products / sum((a - x_mean) ** 2 for a in x)


def table(sweeps: Mapping[str, Sweep], found: Mapping[str, Mapping[int, Mapping[str, float]]], told: str) -> str:
    """Lay out exponents, and below them every point, as tables in Markdown.

    Parameters
    ----------
    sweeps
        Name -> what grew.
    found
        Name -> size -> what `measure` returned.
    told
        What else must be said of them.
    """
    header = ["what grows", "all else", "from … to", "s", "expected", "measured", "at the end"]
    header += ["MB", "expected", "measured", "at the end"]
    lines = [row(header), row(["---"] * 3 + ["---:"] * 8)]
    for name, points in found.items():
        sweep, sizes = sweeps[name], list(points)
        cells: list[object] = [sweep.what, sweep.base, f"{sizes[0]:,} … {sizes[-1]:,}"]
        for cost, form, expected in zip(("seconds", "megabytes"), (".2g", ".0f"), sweep.expected, strict=True):
            costs = [points[size][cost] for size in sizes]
            over_all, end = slopes(sizes, costs)
            cells += [
                f"{_short(costs[0], form)} … {_short(costs[-1], form)}",
                expected,
                f"{over_all:.2f}",
                f"{end:.2f}",
            ]
        lines.append(row(cells))
    lines += ["", told, "", row(["what grows", "size: seconds, MB"]), row(["---", "---"])]
    for name, points in found.items():
        one = [f"{size:,}: {_short(p['seconds'], '.2g')}, {p['megabytes']:.0f}" for size, p in points.items()]
        lines.append(row([sweeps[name].what, "; ".join(one)]))
    return "\n".join([*lines, ""])


def _short(value: float, form: str) -> str:
    return f"{float(format(value, form)):g}"


def main(script: str, sweeps: Mapping[str, Sweep], told: str, *packages: str) -> None:
    """Measure every point in a process of its own, and write the tables.

    Parameters
    ----------
    script
        Path of the calling script, which a point's process runs again.
    sweeps
        Name -> what grows.
    told
        What is said below the first table; the machine is added.
    *packages
        Whose versions are told.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("sweeps", nargs="*", metavar="NAME[=SIZE,SIZE…]", help=f"from {', '.join(sweeps)}; none: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="where the tables go; they are printed in any case")
    parser.add_argument("--here", action="store_true", help="measure one point in this process, and print JSON")
    options = parser.parse_args()
    wanted = _wanted(options.sweeps or list(sweeps), sweeps)
    if options.here:
        (name, (size, *_)), *_ = wanted.items()
        print(json.dumps(measure(sweeps[name], size)))
        return
    found = {
        name: {size: _in_a_child(script, name, size, options.threads) for size in sizes}
        for name, sizes in wanted.items()
    }
    threads = f"{options.threads} threads" if options.threads > 1 else "one thread"
    show(table(sweeps, found, f"{told} {threads[0].upper()}{threads[1:]}; {describe(*packages)}."), options.out)


def _wanted(words: Sequence[str], sweeps: Mapping[str, Sweep]) -> dict[str, tuple[int, ...]]:
    found = {}
    for word in words:
        name, _, sizes = word.partition("=")
        if name not in sweeps:
            raise SystemExit(f"expected one of {', '.join(sweeps)}, got {name!r}")
        found[name] = tuple(sorted(map(int, sizes.split(",")))) if sizes else sweeps[name].sizes
    return found


def _in_a_child(script: str, name: str, size: int, threads: int) -> dict[str, float]:
    command = [sys.executable, script, f"{name}={size}", "--here"]
    environment = {**child_environment(threads), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])
