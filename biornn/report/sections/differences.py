"""Differences of the conditions from a reference, and effects of crossed factors, with intervals and tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, log2, prod

import numpy as np
import xarray as xr

from biornn import plots
from biornn.analysis import compare, factorial_effects
from biornn.report.measures import FAMILIES, comparable, measure
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Block, Listing, Section
from biornn.report.tables import Cell, Row, Table, count, table
from biornn.report.words import p_text, plural
from biornn.schema import FACTOR, text

#: A family of measures, their values, and the conditions that cannot have them.
_Comparable = tuple[str, xr.Dataset, tuple[str, ...]]

_LEVEL = 0.05
_HOW = (
    "Pairs are networks of one seed. The p-value is that of a two-sided paired permutation test, exact up to 13 pairs, "
    "corrected after Holm over all entries of a table; a star marks those below 0.05. Intervals are 95 % bootstrap "
    "intervals of the mean, not corrected, and with few pairs too narrow: trust the test. A network that failed is "
    "counted, and takes its pair out. A difference in the weights may be the constraint itself, and not what training "
    "made of it: see the spectra before and after training."
)


@dataclass(frozen=True)
class _Family:
    """Measures that are corrected together, as they were compared."""

    name: str
    result: xr.Dataset  # dims condition or effect, and metric
    without: tuple[str, ...]  # conditions that cannot have these measures

    @property
    def dim(self) -> str:
        """What the rows are: `condition`, or `effect` of factors."""
        return "effect" if "effect" in self.result.dims else "condition"

    @property
    def n_tests(self) -> int:
        return int(self.result["p_value"].notnull().sum())

    @property
    def n_pairs(self) -> int:
        return int(self.result["n_pairs"].max())

    @property
    def n_needed(self) -> int:
        """Pairs from which on a p-value can be below the level after the correction: 2 ** (1 - n) * n_tests."""
        return ceil(1 + log2(self.n_tests / _LEVEL))


def differences(reading: Reading) -> Section | None:
    """Paired differences from the reference, and effects of factors where the design crosses some.

    Parameters
    ----------
    reading
        The run.
    """
    if not _is_paired(reading):
        return None
    reference = reading.reference
    comparables = list(_comparables(reading))
    found = [
        _Family(name, compare(measures, reference), without)
        for name, measures, without in comparables
        if reference not in without and len(without) < len(reading.conditions) - 1
    ]
    blocks: list[Block] = [f"Each network is compared with that of the same seed in the condition {reference}. {_HOW}"]
    if n_failed := _n_failed(reading, reference):
        blocks.append(f"Of the reference itself, {plural(n_failed, 'network')} failed, and took as many pairs out.")
    blocks += _not_compared(comparables, found, "with what it is to be compared with")
    blocks += _findings(found)
    caption = f"Accuracy: mean of the paired differences from {reference}."
    blocks.append(_picture(reading, "differences", found[0], caption))
    blocks += [_table(reading, family, f"Differences from {reference}") for family in found]
    if _is_factorial(reading):
        blocks += _effects(reading, comparables)
    return Section("differences", "Differences between conditions", tuple(blocks))


def _effects(reading: Reading, comparables: list[_Comparable]) -> list[Block]:
    found = [
        _Family(name, factorial_effects(measures, factors=reading.factors), without)
        for name, measures, without in comparables
        if not without
    ]
    return [
        "The design crosses factors. A main effect is the difference between a level and the first level, averaged "
        "over the other factors; an interaction, such as dale:density, says by how much one factor changes the effect "
        "of the other. All are computed within each seed, from seeds of which no network failed.",
        *_not_compared(comparables, found, "in every combination of the factors"),
        *_findings(found),
        _picture(reading, "effects", found[0], "Accuracy: effects of the factors, with their interactions."),
        *(_table(reading, family, "Effects of the factors") for family in found),
    ]


def _comparables(reading: Reading) -> Iterator[_Comparable]:
    """Give each family of measures that the run has trials for, and the conditions that cannot have it."""
    measures = measure(reading)
    for name, members in FAMILIES.items():
        if any(member in measures for member in members):
            kept = comparable(reading, measures, name)
            there = set(text(kept["condition"]).values.tolist())
            yield name, kept, tuple(condition for condition in reading.conditions if condition not in there)


def _not_compared(comparables: list[_Comparable], found: list[_Family], where: str) -> list[Block]:
    names = {family.name for family in found}
    left = [name for name, _, _ in comparables if name not in names]
    if not left:
        return []
    return [f"Not compared, as networks of a gated layer have no such measure {where}: {'; '.join(left)}."]


def _is_paired(reading: Reading) -> bool:
    """Tell whether there are conditions to compare, whose seeds are known and distinct."""
    seeds = reading.history["seed"].values
    rows = set(zip(reading.condition.values.tolist(), seeds.tolist(), strict=True))
    return len(reading.conditions) > 1 and bool((seeds >= 0).all()) and len(rows) == len(seeds)


def _is_factorial(reading: Reading) -> bool:
    """Tell whether conditions are all combinations of the levels of two factors or more."""
    n_levels = [len(np.unique(text(reading.history[FACTOR + name]).values)) for name in reading.factors]
    return sum(n > 1 for n in n_levels) > 1 and prod(n_levels) == len(reading.conditions)


def _n_failed(reading: Reading, condition: str | None = None) -> int:
    """Count the networks of a condition, or of all, that hold no results."""
    lost = ~reading.trained
    return int(lost.sum() if condition is None else (lost & (reading.condition == condition)).sum())


def _lost(reading: Reading, family: _Family, name: str) -> tuple[int, int]:
    """Count the failed networks of a row's condition, and all whose failure takes a value out of the row."""
    if family.dim == "effect":
        return _n_failed(reading), _n_failed(reading)
    failed = _n_failed(reading, name)
    return failed, failed + _n_failed(reading, reading.reference)


def _findings(found: list[_Family]) -> list[Block]:
    """Say first what can be told from chance, what chance alone would show, and what could not have been found."""
    (dim,) = {family.dim for family in found}
    what, pairs = {"condition": ("difference", "pair"), "effect": ("effect", "seed")}[dim]
    told: dict[str, list[str]] = {}
    for family in found:
        for one in _entries(family):
            if float(one["p_holm"]) < _LEVEL:
                finding = f"{one[dim].item()} {_signed(float(one['difference']))} (p {p_text(float(one['p_holm']))})"
                told.setdefault(_label(str(one["metric"].item())), []).append(finding)
    n_tests, n_pairs = sum(family.n_tests for family in found), max(family.n_pairs for family in found)
    if not n_tests:
        return [f"No {what} can be tested: it takes at least two {pairs}s whose networks were all trained."]
    blocks: list[Block] = []
    if told:
        blocks += [
            f"{sum(map(len, told.values()))} of {plural(n_tests, what)} can be told from chance, each corrected within "
            f"its family of measures. Were there none at all, each of the {len(found)} families would still show one "
            f"with a probability of up to {_LEVEL:.0%}: what one family shows is a hint, to be tested on new seeds.",
            Listing(tuple(f"{measure}: {', '.join(findings)}" for measure, findings in told.items())),
        ]
    else:
        blocks.append(
            f"None of the {plural(n_tests, what)} in {plural(len(found), 'family', 'families')} can be told from "
            f"chance after the correction, with at most {plural(n_pairs, pairs)}. That does not show that there is "
            "none."
        )
    hopeless = [family for family in found if family.n_tests and family.n_pairs < family.n_needed]
    if hopeless:
        needed = sorted({family.n_needed for family in hopeless})
        blocks.append(
            f"In {len(hopeless)} of the {plural(len(found), 'family', 'families')} no test could have reached "
            f"{_LEVEL:g}, whatever the networks do: with n {pairs}s no p-value is below 1 / 2ⁿ⁻¹, before the "
            f"correction. That takes at least {' to '.join(map(str, needed[:: max(len(needed) - 1, 1)]))} {pairs}s."
        )
    return blocks


def _entries(family: _Family) -> Iterator[xr.Dataset]:
    for index in range(family.result.sizes[family.dim]):
        for metric in range(family.result.sizes["metric"]):
            yield family.result.isel({family.dim: index, "metric": metric})


def _picture(reading: Reading, name: str, family: _Family, caption: str) -> Picture:
    accuracy = family.result.sel(metric="accuracy")
    rows = [accuracy.isel({family.dim: index}) for index in range(accuracy.sizes[family.dim])]
    told = []
    for one in rows:
        label = str(one[family.dim].item())
        failed, n_lost = _lost(reading, family, label)
        lost = f", {failed} failed" if failed else ""
        told.append(f"{label}: {_cell(one, n_lost).text}, {plural(int(one['n_pairs']), 'pair')}{lost}")
    draw: Callable[..., object] = plots.comparison
    panel = one_panel(lambda ax: draw(accuracy, ax=ax), 0.9 + 0.42 * len(rows))
    return Picture(name, panel, f"{caption} {'; '.join(told)}.", caption)


def _table(reading: Reading, family: _Family, what: str) -> Table:
    metrics = text(family.result["metric"]).values.tolist()
    rows: list[Row] = []
    for index in range(family.result.sizes[family.dim]):
        row = family.result.isel({family.dim: index})
        name = str(row[family.dim].item())
        failed, n_lost = _lost(reading, family, name)
        pairs = sorted(set(row["n_pairs"].values.tolist()))
        told = Cell(" to ".join(map(str, (pairs[0], pairs[-1]) if len(pairs) > 1 else pairs)), float(pairs[0]))
        cells = [_cell(row.sel(metric=metric), n_lost) for metric in metrics]
        rows.append([name, *cells, told, count(failed, alarm=True)])
    names = ", ".join(family.without)
    without = f" Without {names}: gated networks have no such measures." if names else ""
    headings = [_label(metric) for metric in metrics]
    columns = [family.dim, *headings, "pairs" if family.dim == "condition" else "seeds", "failed"]
    return table(f"{what}: {family.name}.{without}", columns, rows)


def _cell(one: xr.Dataset, n_lost: int) -> Cell:
    """Write a difference, and how many trained networks have no such measure: those did not fail."""
    n_undefined = int(one["n_failed"]) - n_lost
    note = f"; not defined in {n_undefined}" if n_undefined > 0 else ""
    if not np.isfinite(float(one["difference"])):
        return Cell(f"–{note}")
    p_value = float(one["p_holm"])
    star = " *" if p_value < _LEVEL else ""
    return Cell(f"{_interval(one)}; p {p_text(p_value)}{star}{note}", float(one["difference"]))


def _interval(one: xr.Dataset) -> str:
    difference, low, high = (float(one[name]) for name in ("difference", "ci_low", "ci_high"))
    return _signed(difference) + (f" [{_signed(low)}, {_signed(high)}]" if np.isfinite(low) else "")


def _signed(value: float) -> str:
    """Write a difference with two digits, and a large one as a whole number."""
    return f"{value:+.2g}" if abs(value) < 100 else f"{value:+,.0f}"


def _label(measure: str) -> str:
    return next(family[measure] for family in FAMILIES.values() if measure in family)
