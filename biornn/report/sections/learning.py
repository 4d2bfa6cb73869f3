"""How the networks learned, and when they reached the criterion."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

import biornn as bn
from biornn.analysis import time_to_criterion
from biornn.report.measures import LEVEL
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.summary import Criterion
from biornn.report.tables import Cell, Column, Row, number, table
from biornn.report.words import p_text, plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning(reading: Reading) -> Section:
    """Learning curves, and updates to the criterion."""
    blocks: list[Block] = [
        f"{reading.score_name.capitalize()}{_what_is_scored(reading)} is measured here on validation trials, which no "
        "network was trained on.",
        learning_curves(reading),
    ]
    blocks += _time_to_criterion(reading)
    return Section("learning", "How the networks learned", tuple(blocks))


def _what_is_scored(reading: Reading) -> str:
    """Take the first sentences of what the task says of its score."""
    told = inspect.cleandoc(type(reading.task).score.__doc__ or "")
    first = " ".join(told.split("\n\n")[0].split()).replace("`", "")
    return f": {first[:1].lower()}{first[1:]} It" * bool(first)


def learning_curves(reading: Reading) -> Picture:
    """Score and validation loss over updates, a line per condition; where there are several, also the worst score."""
    criterion = _shared_criterion(reading)
    metrics = ["score", *["worst_score"] * reading.has("trial_conditions"), "val_loss"]

    def draw() -> Figure:
        from matplotlib.ticker import LogLocator, NullLocator

        from biornn.plots.panels import share_legend
        from biornn.plots.style import MEDIUM, PAGE_WIDTH, fitted, open_panels, set_text_sizes

        figure, axes = open_panels(len(metrics), len(metrics), PAGE_WIDTH / len(metrics), 3.1)
        for metric, ax in zip(metrics, axes, strict=True):
            stop = criterion.score if criterion is not None and criterion.variable == metric else None
            bn.plots.learning_curves(reading.history, metric, stop, ax=ax)
            set_text_sizes(ax)
        loss = axes[-1]
        loss.set_yscale("log")
        loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        loss.yaxis.set_major_formatter("{x:g}")
        loss.yaxis.set_minor_locator(NullLocator())
        figure.suptitle(fitted(loss.get_legend().get_title().get_text(), figure, MEDIUM), fontsize=MEDIUM)
        share_legend(figure)
        return figure

    told = [_tell(reading, condition) for condition in reading.conditions]
    return Picture(
        "learning_curves",
        draw,
        f"{reading.score_name.capitalize()} and validation loss against optimizer updates, a line per condition. "
        f"{' '.join(told)}",
        f"{reading.score_name.capitalize()} and loss on the validation trials during training. A line is the median of "
        "a condition's networks, its band reaches from the lowest to the highest. A network that reached its criterion "
        "keeps its last value. Networks that were not trained to the end are left out.",
    )


def _shared_criterion(reading: Reading) -> Criterion | None:
    """Return the criterion of all conditions; None where they have none, or not the same."""
    criteria = set(reading.criteria.values())
    return criteria.pop() if len(criteria) == 1 else None


def _tell(reading: Reading, condition: str) -> str:
    name, score = reading.score_name, reading.members(reading.history["score"], condition)
    known = score.isel(snapshot=np.flatnonzero(score.notnull().any("network")))
    if not known.size:
        return f"{condition}: no network with a recorded {name}."
    medians = known.median("network")
    first, last = float(medians[0]), float(medians[-1])
    if known.sizes["snapshot"] == 1:
        return f"{condition}: median {name} {last:.3f}."
    verb = "rises" if last > first else "goes"
    return f"{condition}: median {name} {verb} from {first:.3f} to {last:.3f}."


def _time_to_criterion(reading: Reading) -> list[Block]:
    if len(set(reading.criteria.values())) > 1:
        words = {name: one and one.words(reading.score_name) for name, one in reading.criteria.items()}
        each = (f"{name}: {told or 'none'}" for name, told in words.items())
        return [
            f"Conditions were trained to different criteria ({', '.join(each)}): times to them are not compared, and "
            "networks that were trained for longer are better for that alone."
        ]
    criterion = _shared_criterion(reading)
    if criterion is None:
        return []
    reference = reading.reference
    result = time_to_criterion(reading.history.assign_coords(condition=reading.condition), reference)
    # As for all paired tests: where no result could be told from chance, no p-value is shown.
    n_tests = int(result["p_value"].notnull().sum())
    is_testable = n_tests > 0 and n_tests * 2.0 ** (1 - int(result["n_pairs"].max())) < LEVEL
    rows: list[Row] = []
    told = []
    for index, condition in enumerate(reading.conditions):
        one = result.isel(condition=index)
        n_reached, n_networks = int(one["n_reached"]), int(one["n_networks"])
        share = n_reached / n_networks if n_networks else None
        rows.append(
            [
                condition,
                Cell(f"{n_reached} of {n_networks}", share),
                number(float(one["median_updates"]), ",.0f"),
                *([p_text(float(one["p_holm"]))] if is_testable else []),
            ]
        )
        told.append(f"{condition}: {n_reached} of {n_networks}")
    picture = Picture(
        "time_to_criterion",
        one_panel(lambda ax: bn.plots.time_to_criterion(result, ax=ax), 2.8),
        f"Share of the networks that have reached the criterion over optimizer updates, by condition. By the end: "
        f"{'; '.join(told)}.",
        "Share of all networks, failed ones among them, that have held the criterion: "
        f"{criterion.words(reading.score_name)} (one minus the Kaplan-Meier estimate).",
    )
    header: list[Column | str] = ["condition", "reached it", Column("median time", "updates")]
    header += ["p (Holm)"] * is_testable
    caption = (
        f"Time to the criterion, {criterion.words(reading.score_name)}. Networks that never got "
        "there, failed ones among them, count as not there at the end of the planned training. Where the criterion has "
        "to hold at several validations in a row, the time is that of the first of them, and training ends at the last."
    )
    if is_testable:
        caption += f" p: permutation test of the log-rank scores of pairs of one seed, against {reference}."
    if n_interrupted := int(result["n_interrupted"].sum()):
        caption += f" Left out: {plural(n_interrupted, 'network')} whose training was interrupted from outside."
    return [picture, table(caption, header, rows)]
