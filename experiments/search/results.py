"""The results of the search, and the table of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from biornn.experiment import NetworkSpec

#: What tells a network of the search from others.
KEY = ["round", "variant", "condition", "seed"]
#: Updates to the goal are NaN where it was not reached. Seconds are those of the processor to the goal; scores those at
#: the end.
COLUMNS = [*KEY, "updates", "seconds", "accuracy", "held", "mse", "status"]
#: All on which the time of an update depends.
SHAPE = ["units", "batch", "steps", "bits", "activation", "formulation", "leaky"]


def read(path: Path, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Read results, or times of an update; none where there is no file."""
    if not path.exists():
        return pd.DataFrame(columns=list(columns))
    return pd.read_csv(path, dtype={"variant": "str"})


def shape_of(spec: NetworkSpec) -> tuple[int, int, int, int, str, str, str]:
    """Return the shape of a network and its training trials, as `SHAPE` names it."""
    network, task = spec.network, spec.training_tasks[-1][0]
    leaky = "no" if network.tau == network.dt else "yes"
    sizes = network.n_units, spec.training.batch_size, round(task.duration / task.dt), task.n_outputs
    return *sizes, network.activation, network.formulation, leaky


def table(jobs: Sequence[Any], results: pd.DataFrame, update_times: Path, protocol: NetworkSpec) -> str:
    """Lay out the rounds in Markdown, a row per variant; times are medians with the shortest and longest of a network.

    Where the score of the paper's network is the goal, whole trainings are compared with its protocol.
    """
    times = read(update_times, [*SHAPE, "round", "ms"]).groupby(SHAPE)["ms"]
    per_update = {shape: ms.to_numpy() for shape, ms in times}
    lines: list[str] = []
    for name in dict.fromkeys(job.round for job in jobs):
        of_round = [job for job in jobs if job.round == name]
        conditions = list(dict.fromkeys(job.spec.condition for job in of_round))
        seeds = sorted({job.spec.seed for job in of_round})
        header = [
            "variant",
            *conditions,
            "ms per update",
            "time to the goal (s)",
            "lowest accuracy",
            "hold all",
            "highest MSE",
        ]
        is_compared = of_round[0].goal.mse < math.inf
        header += ["whole training, of the paper's"] * is_compared
        lines += [f"**{name[:1].upper()}{name[1:]}**, seeds {' to '.join(map(str, sorted({seeds[0], seeds[-1]})))}", ""]
        lines += [_row(header), _row(["---"] + ["---:"] * (len(header) - 1))]
        for variant in dict.fromkeys(job.variant for job in of_round):
            specs = {job.spec.condition: job.spec for job in of_round if job.variant == variant}
            found = results[(results["round"] == name) & (results["variant"] == variant)]
            cells = [variant, *(_updates(found[found["condition"] == one]) for one in conditions)]
            cells += _times(specs, found, per_update) + _scores(found)
            lines.append(_row(cells + [_share(next(iter(specs.values())), protocol, per_update)] * is_compared))
        lines.append("")
    return "\n".join(lines)


def _times(specs: dict[str, NetworkSpec], found: pd.DataFrame, per_update: dict[Any, Any]) -> list[str]:
    """Time of an update, and to the goal if every network reached it."""
    shapes = {condition: shape_of(spec) for condition, spec in specs.items()}
    if found.empty or not set(shapes.values()) <= set(per_update):
        return ["—", "—"]
    own = {condition: float(pd.Series(per_update[shape]).median()) for condition, shape in shapes.items()}
    ms = " and ".join(dict.fromkeys(f"{one:.1f}" for one in own.values()))
    each = found["updates"] * found["condition"].map(own) / 1000
    return [ms, f"{each.median():.1f} [{each.min():.1f}, {each.max():.1f}]" if _reached(found).all() else "—"]


def _reached(found: pd.DataFrame) -> Any:
    return found["status"] == "reached"


def _scores(found: pd.DataFrame) -> list[str]:
    if found.empty:
        return ["—"] * 3
    if found["accuracy"].isna().any():
        return ["diverged"] * 3
    held = f"{(found['held'] == 1).sum()}/{len(found)}"
    mse = "—" if found["mse"].isna().any() else f"{found['mse'].max():.4f}"  # not kept of every network
    return [f"{found['accuracy'].min():.3f}", held, mse]


def _share(spec: NetworkSpec, protocol: NetworkSpec, per_update: dict[Any, Any]) -> str:
    """Time of all updates that a network may take, as a part of the time of all of the paper's, round by round."""
    shapes = shape_of(spec), shape_of(protocol)
    if not set(shapes) <= set(per_update):
        return "—"
    one, of_paper = (per_update[shape] for shape in shapes)
    share = float(pd.Series(one / of_paper).median()) * spec.training.max_updates / protocol.training.max_updates
    return f"1/{1 / share:.0f}"


def _updates(found: pd.DataFrame) -> str:
    """How many networks reached the goal, and after how many updates."""
    reached = found["updates"][_reached(found)]
    counts = f"{len(reached)}/{len(found)}" if len(found) else "—"
    if reached.empty:
        return counts
    low, high = reached.min(), reached.max()
    return f"{counts}: {reached.median():.0f}" + (f" [{low:.0f}, {high:.0f}]" if low < high else "")


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
