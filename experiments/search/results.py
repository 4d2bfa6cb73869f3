"""What came of the search: its lines in a file, and the table of them."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from update_times import Shape, Times, read_times

from biornn.experiment import NetworkSpec


@dataclass(frozen=True)
class Result:
    """What came of a network.

    `updates` to the goal are NaN where it was not reached; an update on shorter trials counts as the share of one that
    it takes. `seconds` are those to the goal, as the clock of a busy machine had them. `accuracy` and `mse` are those
    at the end, on held-out trials.
    """

    round: str
    variant: str
    condition: str
    seed: int
    updates: float
    seconds: float
    accuracy: float
    mse: float
    status: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What tells a network from others."""
        return self.round, self.variant, self.condition, self.seed


def read(path: Path) -> list[Result]:
    """Read results; none where there is no file.

    Parameters
    ----------
    path
        What the search wrote.
    """
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds: dict[str, Callable[[str], Any]] = {"seed": int}
    kinds |= dict.fromkeys(("updates", "seconds", "accuracy", "mse"), float)
    return [Result(**{name: kinds.get(name, str)(value) for name, value in row.items()}) for row in rows]


def table(jobs: Sequence[Any], results: Sequence[Result], update_times: Path, protocol: NetworkSpec) -> str:
    """Lay out the rounds in Markdown, a row per variant; times are medians with the shortest and longest of a network.

    Parameters
    ----------
    jobs
        The networks that were to be trained: `round`, `variant`, `spec`, `goal`.
    results
        What came of them.
    update_times
        File of the times of an update.
    protocol
        Network of the paper, with whose time that of the whole training is compared where its score is the goal.
    """
    times, found = read_times(update_times), {one.key: one for one in results}
    lines: list[str] = []
    for name in dict.fromkeys(job.round for job in jobs):
        of_round = [job for job in jobs if job.round == name]
        conditions = list(dict.fromkeys(job.spec.condition for job in of_round))
        header = ["variant", *conditions, "ms per update", "time to the goal (s)", "lowest accuracy", "highest MSE"]
        is_compared = of_round[0].goal.mse < math.inf
        header += ["whole training, of the paper's"] * is_compared
        lines += [f"**{name[:1].upper()}{name[1:]}**, seeds {_seeds([job.spec.seed for job in of_round])}", ""]
        lines += [_row(header), _row(["---"] + ["---:"] * (len(header) - 1))]
        for variant in dict.fromkeys(job.variant for job in of_round):
            specs = [job.spec for job in of_round if job.variant == variant]
            of_variant = [one for one in found.values() if (one.round, one.variant) == (name, variant)]
            cells = [variant, *(_updates([one for one in of_variant if one.condition == c]) for c in conditions)]
            cells += _times(specs, of_variant, times) + _scores(of_variant)
            lines.append(_row(cells + [_share(specs[0], protocol, times)] * is_compared))
        lines.append("")
    return "\n".join(lines)


def _times(specs: Sequence[NetworkSpec], results: Sequence[Result], times: Times) -> list[str]:
    """Time of an update, and to the goal if every network reached it."""
    own = {spec.condition: median(times.get(Shape.of(spec), [math.nan])) for spec in specs}
    if not results or any(map(math.isnan, own.values())):
        return ["—", "—"]
    per_update = " and ".join(dict.fromkeys(f"{one:.1f}" for one in own.values()))
    if any(one.status != "reached" for one in results):
        return [per_update, "—"]
    each = [one.updates * own[one.condition] / 1000 for one in results]
    return [per_update, f"{median(each):.1f} [{min(each):.1f}, {max(each):.1f}]"]


def _scores(results: Sequence[Result]) -> list[str]:
    if not results:
        return ["—", "—"]
    if any(math.isnan(one.mse) for one in results):
        return ["diverged", "diverged"]
    return [f"{min(one.accuracy for one in results):.3f}", f"{max(one.mse for one in results):.4f}"]


def _share(spec: NetworkSpec, protocol: NetworkSpec, times: Times) -> str:
    """Time of all updates that a network may take, as a part of the time of all of the paper's, round by round."""
    shapes = Shape.of(spec), Shape.of(protocol)
    if not set(shapes) <= set(times):
        return "—"
    updates = spec.training.max_updates / protocol.training.max_updates
    shares = [updates * one / of_paper for one, of_paper in zip(*(times[shape] for shape in shapes), strict=True)]
    return f"1/{1 / median(shares):.0f}"


def _updates(results: Sequence[Result]) -> str:
    """How many networks reached the goal, and after how many updates."""
    reached = [one.updates for one in results if one.status == "reached"]
    counts = f"{len(reached)}/{len(results)}" if results else "—"
    if not reached:
        return counts
    middle, low, high = median(reached), min(reached), max(reached)
    return f"{counts}: {middle:.0f}" + (f" [{low:.0f}, {high:.0f}]" if low < high else "")


def _seeds(seeds: Sequence[int]) -> str:
    first, last = min(seeds), max(seeds)
    return str(first) if first == last else f"{first} to {last}"


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
