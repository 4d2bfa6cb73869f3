"""The answer: what the constraints did, in three sentences, one table and one figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

import biornn as bn
from biornn.report.measures import LEVEL
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Block, Listing, Section
from biornn.report.summary import median_and_range
from biornn.report.tables import Cell, Column, Row, Table, count, spread, table
from biornn.report.words import p_text, plural
from biornn.schema import TRAINED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Differences that are named; all are in the section on differences.
_MOST_FOUND, _MOST_APART = 3, 2
_WEIGHTS_DIFFER = "A difference in the weights may be the constraint itself."


def answer(reading: Reading) -> Section:
    """Say what was reached, how conditions differ, and whether the constraints held."""
    told = [measure.tell(reading) for measure in reading.entries if measure.tell]
    last = " ".join([*filter(None, told), _held(reading)])
    sentences = [_reached(reading), *_compared(reading), last]
    blocks: list[Block] = [Listing(tuple(sentences)), _table(reading)]
    if reading.trained.any():
        blocks.append(_picture(reading))
    return Section("answer", "The answer", tuple(blocks))


def _reached(reading: Reading) -> str:
    """Count the networks that reached the criterion or were trained, by condition where not all did."""
    counted = reading.status != "interrupted"
    if all(criterion is None for criterion in reading.criteria.values()):
        what, reached = "trained to the end", reading.trained
    else:
        with_criterion = [name for name, criterion in reading.criteria.items() if criterion is not None]
        counted &= reading.condition.isin(with_criterion)
        criteria = {one.words(reading.score_name) for one in reading.criteria.values() if one is not None}
        what = f"reached the criterion ({' or '.join(sorted(criteria))})"
        reached = reading.status == "criterion_reached"
    n_reached, n_counted = int((reached & counted).sum()), int(counted.sum())
    if n_counted == 0:
        told = "No network was trained"
    elif n_counted == 1:
        told = f"The network {'' if n_reached else 'was not ' if what.startswith('trained') else 'has not '}{what}"
    elif n_reached == n_counted:
        which = "" if n_counted == len(reading.networks) or what.startswith("trained") else " that count"
        told = f"All {n_counted} networks{which} {'were ' * what.startswith('trained')}{what}"
    else:
        each = [
            f"{name} {int((reached & counted & of).sum())} of {int((counted & of).sum())}"
            for name in reading.conditions
            if (counted & (of := reading.condition == name)).any()
        ]
        told = f"{n_reached} of {n_counted} networks {'were ' * what.startswith('trained')}{what}: {', '.join(each)}"
    lost = [status for status in dict.fromkeys(reading.status.values.tolist()) if status not in TRAINED]
    counts = [f"{int((reading.status == status).sum())} {status.replace('_', ' ')}" for status in lost]
    return f"{told}{'; ' * bool(counts)}{', '.join(counts)}."


def _compared(reading: Reading) -> Iterator[str]:
    """Say how conditions differ from the reference: by tests where these can show anything, or by their ranges."""
    if not reading.differences:
        return
    found = [
        (float(one["p_holm"]), f"{reading.labels[str(one['metric'].item())]} ({one['condition'].item()})", one)
        for family in reading.differences
        for at in range(family.result.sizes["condition"])
        for metric in range(family.result.sizes["metric"])
        if float((one := family.result.isel(condition=at, metric=metric))["p_holm"]) < LEVEL
    ]
    reference = reading.reference
    if found:
        first = sorted(found, key=lambda one: one[0])[:_MOST_FOUND]
        named = "; ".join(f"{name} {float(one['difference']):+.2g}, p {p_text(p)}" for p, name, one in first)
        more = len(found) - len(first)
        yield f"Told from chance, against {reference}: {named}{f'; and {more} more' * bool(more)}. {_WEIGHTS_DIFFER}"
        return
    if any(family.is_testable for family in reading.differences):
        told = f"No difference from {reference} can be told from chance"
    else:
        n_pairs = max(family.n_pairs for family in reading.differences)
        needed = min(family.n_needed for family in reading.differences)
        pairs = plural(n_pairs, "pair")
        told = f"With {pairs} of networks no paired test can tell a difference from chance: it takes {needed} or more"
    apart = _apart(reading)
    if not apart:
        yield f"{told}; in no measure of what networks do are all of a condition apart from all of {reference}."
        return
    yield (
        f"{told}. A hint, and no test, are measures in which all networks of a condition lie on one side of all "
        f"{reference} ones. The clearest, at most {_MOST_APART} for each condition: {'; '.join(apart)}."
    )


def _apart(reading: Reading) -> list[str]:
    """Name for each condition the measures whose range is furthest from that of the reference, in units of the ranges.

    Only ranges that do not overlap count, and no measure of the recurrent weights: there the constraint itself shows.
    """
    names = [measure.name for measure in reading.entries if measure.made_from != "weights"]
    measures = {name: reading.measures[name].values for name in names}
    members = {condition: (reading.condition == condition).values for condition in reading.conditions}
    told = []
    for condition in reading.conditions:
        apart: list[tuple[float, str]] = []
        for name, values in measures.items():
            one, other = (values[members[which] & np.isfinite(values)] for which in (condition, reading.reference))
            if condition != reading.reference and min(one.size, other.size) > 1:
                above, below = one.min() - other.max(), other.min() - one.max()
                extent = max(np.ptp(one), np.ptp(other))
                if max(above, below) > 0:
                    words = f"{'higher' if above > 0 else 'lower'} {reading.labels[name]}"
                    apart.append((max(above, below) / extent if extent else np.inf, words))
        if apart:
            first = [words for _, words in sorted(apart, reverse=True)[:_MOST_APART]]
            told.append(f"{condition}: {', '.join(first)}")
    return told


def _held(reading: Reading) -> str:
    """Say whether the declared constraints held."""
    if reading.n_violations:
        return f"{plural(reading.n_violations, 'violation')} of constraints found."
    checked = reading.constrained.values()
    if not checked:
        return "No constraint was declared."
    if not any(checked):
        return "The constraints could not be checked: no network with a constraint has recorded weights."
    which = "Every declared constraint" if all(checked) else "Every declared constraint that could be checked"
    return f"{which} held at every recorded moment of training."


def _table(reading: Reading) -> Table:
    has_criterion = _updates(reading).heading.endswith("criterion")
    shown = [measure for measure in reading.entries if measure.form]
    columns: list[Column | str] = ["condition", "trained"]
    columns += ["reached the criterion"] * has_criterion
    columns += [reading.labels[measure.name] for measure in shown]
    columns += [_updates(reading), "spectral radius after training", "violations"]
    rows: list[Row] = []
    for name in reading.conditions:
        of = reading.condition == name
        trained, reached = int((reading.trained & of).sum()), int(((reading.status == "criterion_reached") & of).sum())
        row: Row = [name, _share(trained, int(of.sum()))]
        if has_criterion:
            n_counted = int((of & (reading.status != "interrupted")).sum())
            row.append("–" if reading.criteria[name] is None or not n_counted else _share(reached, n_counted))
        row += [spread(reading.members(reading.measures[one.name], name), one.form) for one in shown]
        row += [
            spread(reading.summary["updates"].isel(network=np.flatnonzero(of)), ",.0f"),
            spread(reading.members(reading.summary["spectral_radius_after"], name), ".2f"),
            count(reading.summary["violations"].values[of.values].sum(), alarm=True),
        ]
        rows.append(row)
    return table("Median [min, max] over the trained networks of a condition, on held-out trials.", columns, rows)


def _updates(reading: Reading) -> Column:
    """Name the column of `updates`: to the criterion, where there is one."""
    has_criterion = any(criterion is not None for criterion in reading.criteria.values())
    return Column("updates to the criterion" if has_criterion else "updates of training")


def _share(n: int, of: int) -> Cell:
    return Cell(f"{n} of {of}", n / of, alarm=n < of)


def _picture(reading: Reading) -> Picture:
    shown = {_in_two_lines(reading.labels[one.name]): reading.measures[one.name] for one in reading.entries if one.form}
    shown[_in_two_lines(_updates(reading).heading)] = reading.summary["updates"]
    shown["spectral radius\nafter training"] = reading.summary["spectral_radius_after"]
    shown = {name: values.where(reading.trained) for name, values in shown.items() if values.notnull().any()}

    def draw() -> Figure:
        from biornn.plots.style import PAGE_WIDTH, open_panels, set_text_sizes

        n, height = len(shown), 1.1 + 0.22 * len(reading.conditions)
        figure, axes = open_panels(n, n, PAGE_WIDTH / n, height, sharey=True)
        for ax, (name, values) in zip(axes, shown.items(), strict=True):
            bn.plots.by_condition(_labelled(reading, values), ax=ax)
            set_text_sizes(ax)
            ax.set_xlabel(name)
            if name.startswith("share"):
                ax.set_xlim(-0.08, 1.08)
        return figure

    told = [f"{' '.join(name.split())}: {', '.join(_medians(reading, values))}" for name, values in shown.items()]
    return Picture(
        "answer",
        draw,
        f"Every trained network as a dot, by condition. Medians with ranges: {'; '.join(told)}.",
        "Every dot is a trained network, every bar the median of a condition; thin lines join networks of one seed.",
    )


def _in_two_lines(words: str) -> str:
    """Break a heading near its middle, so that it fits below a panel."""
    breaks = [at for at, letter in enumerate(words) if letter == " "]
    at = min(breaks, key=lambda one: abs(2 * one - len(words)), default=len(words))
    return words if len(words) < 12 else f"{words[:at]}\n{words[at + 1 :]}"


def _medians(reading: Reading, values: xr.DataArray) -> list[str]:
    return [f"{name} {median_and_range(reading.members(values, name), '.3g')}" for name in reading.conditions]


def _labelled(reading: Reading, values: xr.DataArray) -> xr.DataArray:
    return values.drop_vars(set(values.coords) - {"network"}).assign_coords(
        condition=reading.condition.variable, seed=reading.history["seed"].variable
    )
