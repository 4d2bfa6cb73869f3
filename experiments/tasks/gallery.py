"""Train the experiments of this folder, and write docs/gallery/: python experiments/tasks/gallery.py [TASK…].

TASK is the name of an experiment file here, without `.yaml`; without any, all are trained, which takes 40 minutes.
Each has its run in DIR/TASK, and one that is there already goes on where it was: what is finished is not trained again.
The gallery shows the tasks that are named: a table with a row per condition, and for each a picture of one trial.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from PIL import Image

import biornn as bn
from biornn import cli, plots
from biornn.plots.panels import share_legend
from biornn.plots.style import PAGE_WIDTH, open_figure, set_text_sizes
from biornn.report.pictures import png
from biornn.report.reading import Reading
from biornn.report.sections.behaviour import most_often_worst
from biornn.report.summary import median_and_range
from biornn.report.words import plural

FOLDER = Path(__file__).parent
PAGES = FOLDER.parents[1] / "docs" / "gallery"
COLUMNS = ("task", "condition", "criterion", "reached it", "updates", "time (s)", "score", "worst score")
_MOST_CHANNELS = 8  # inputs, and outputs, of a picture; where there are more, evenly spaced ones are shown
_HEIGHT = 3.1  # inches
_N_COLOURS = 32  # of a PNG, which is then a fourth as large


def trained(task: str, folder: Path, n_workers: int | None) -> Reading:
    """Train what is not finished of the experiment of a task, as `biornn run --resume` does, and read the run."""
    words = ["run", str(FOLDER / f"{task}.yaml"), "--out", str(folder), "--resume", "--no-report"]
    status = cli.main(words if n_workers is None else [*words, "--workers", str(n_workers)])
    if status > 1:  # 1: networks failed, which the table says
        raise SystemExit(status)
    return Reading(bn.open_run(folder))


def rows(task: str, reading: Reading) -> list[list[str]]:
    """Make the cells of `COLUMNS` for each condition: medians [lowest, highest] over its trained networks."""
    return [[f"[{task}](#{task})", condition, *_cells(reading, condition)] for condition in reading.conditions]


def _cells(reading: Reading, condition: str) -> list[str]:
    criterion = reading.criteria[condition]
    all_seeds = reading.summary.isel(network=np.flatnonzero(reading.condition == condition))
    of_trained = {name: reading.members(values, condition) for name, values in reading.summary.items()}
    told = "none"
    if criterion is not None:
        is_plain = criterion.score is not None and criterion.held is None
        told = f"{criterion.score:g}, {criterion.on}" if is_plain else criterion.words(reading.score_name)
    worst = "–"
    if "worst_score" in of_trained:
        where, n_worst = most_often_worst(reading, condition)
        named = f" at {where} ({n_worst} of {of_trained['score'].size})" if where else ""
        worst = median_and_range(of_trained["worst_score"], ".3f") + named
    return [
        told,
        _reached(all_seeds),
        median_and_range(all_seeds["updates"], ",.0f") if criterion is not None else "–",
        median_and_range(reading.members(reading.history["wall_time"], condition), ",.0f", spread=False),
        median_and_range(of_trained["score"], ".3f"),
        worst,
    ]


def _reached(networks: xr.Dataset) -> str:
    """Say how many networks reached their criterion, and the seeds of those that did not."""
    if networks["reached"].isnull().all():
        return "–"
    others = [str(seed) for seed in networks["seed"].values[networks["reached"].values == 0]]
    told = f"{int(networks['reached'].sum())} of {networks.sizes['network']}"
    return told + f", not seed{'s' * (len(others) > 1)} {', '.join(others)}" * bool(others)


def shown(reading: Reading) -> str | None:
    """Choose the network of the picture: of the last condition that has any, the first that reached its criterion."""
    if not reading.trained.any():
        return None
    *_, last = reading.shown
    reached = reading.members(reading.summary["reached"], last)
    return str(reached["network"].values[np.argmax(reached.values == 1)])


def _every(n_channels: int) -> int:
    return -(-n_channels // _MOST_CHANNELS)


def picture(reading: Reading, network: str) -> Figure:
    """Draw the first trial that is scored and has a target that changes; on the right, channels with an output."""
    target = reading.few_trials["targets"]
    changes = (target.max("time") > target.min("time")).any("output_channel")
    trial = reading.few_trials.isel(trial=int(changes.argmax("trial")))
    outputs = reading.run["activity"].to_dataset()["outputs"].sel(network=network, trial=trial["trial"])
    drawn = {dim: slice(None, None, _every(trial.sizes[dim])) for dim in ("input_channel", "output_channel")}
    drawn["time"] = slice(int(trial["n_steps"]))
    trial, outputs = trial.isel(drawn), outputs.isel(drawn, missing_dims="ignore")
    inputs, both = (trial[dim].values.tolist() for dim in ("input_channel", "output_channel"))
    names = list(dict.fromkeys([*inputs, *both]))
    columns = [column for column in ([name for name in inputs if name not in both], both) if column]
    figure, axes = open_figure(PAGE_WIDTH, _HEIGHT), {}
    for place, column in zip(figure.add_gridspec(1, len(columns)), columns, strict=True):
        panels = place.subgridspec(len(column), 1).subplots(sharex=True, sharey=True, squeeze=False).ravel()
        panels[-1].set_xlabel("time (ms)")
        axes |= zip(column, panels, strict=True)
    for ax in plots.trial(trial, outputs, axes=[axes[name] for name in names]):
        set_text_sizes(ax)
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))  # or the noise of a constant input would fill its panel
        ax.yaxis.label.set(rotation=0, horizontalalignment="right", verticalalignment="center")
    share_legend(figure)
    return figure


def section(task: str, reading: Reading, network: str | None) -> str:
    """Write the part of a task: its name, the title of its experiment, the picture, and the source of the task."""
    *_, references = inspect.cleandoc(type(reading.task).__doc__ or "").partition("References\n----------\n")
    parts = [f"## {task}", f"{reading.run.attrs['title']}."]
    if network is not None:
        score = float(reading.summary["score"].sel(network=network))
        parts.append(f"![Inputs, targets and outputs of a network in one trial]({task}.png)")
        channels = {"inputs": reading.task.n_inputs, "outputs": reading.task.n_outputs}
        few = " and ".join(f"one in {_every(n)} of the {name}" for name, n in channels.items() if _every(n) > 1)
        trial = f"A held-out trial ({few})" if few else "A held-out trial"
        parts.append(f"*{trial}, and the outputs of {network} ({reading.score_name} {score:.3f}).*")
    if source := " ".join(references.partition("\n\n")[0].split()):
        parts.append(f"Source: {source}")
    return "\n\n".join(parts)


def main(words: Sequence[str] | None = None) -> None:
    """Train what is asked for, write the table, the parts and the pictures, and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", metavar="TASK")
    parser.add_argument("--runs", type=Path, metavar="DIR", default=Path("runs/tasks"), help="default: %(default)s")
    parser.add_argument("--workers", type=int, metavar="N", help="networks at a time (default: number of cores)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="of the gallery (all tasks: docs/gallery)")
    options = parser.parse_args(words)
    known = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    if unknown := [task for task in options.tasks if task not in known]:
        parser.error(f"TASK: expected some of {', '.join(known)}, got {', '.join(unknown)}")
    if options.tasks and options.out is None:
        parser.error("--out: expected a folder, as docs/gallery is that of all tasks, got none")
    out = options.out or PAGES
    asked = [task for task in known if task in (options.tasks or known)]
    readings = {task: trained(task, options.runs / task, options.workers) for task in asked}
    out.mkdir(parents=True, exist_ok=True)
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(row for task, one in readings.items() for row in rows(task, one))]
    seconds = xr.concat([one.history["wall_time"] for one in readings.values()], "network", coords="minimal")
    told = f"Training of the {plural(seconds.size, 'network')}: {float(seconds.sum()) / 3600:.1f} h, added up."
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    (out / "table.md").write_text(f"{table}\n\n{told}\n", encoding="utf-8")
    parts = []
    for task, reading in readings.items():
        if (network := shown(reading)) is not None:
            drawn = Image.open(BytesIO(png(picture(reading, network)))).convert("RGB")
            drawn.quantize(_N_COLOURS).save(out / f"{task}.png", optimize=True)
        parts.append(section(task, reading, network))
    (out / "sections.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"{out}: {plural(len(readings), 'task')}")


if __name__ == "__main__":
    main()
