"""Differences of the conditions from a reference, and effects of crossed factors, with intervals and tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import prod

import numpy as np
import xarray as xr

from biornn import plots
from biornn.analysis import compare, factorial_effects
from biornn.report.measures import FAMILIES, comparable, measure
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Block, Listing, Section
from biornn.report.tables import Cell, Row, Table, count, table
from biornn.report.words import p_text
from biornn.schema import text

_LEVEL = 0.05
_USUAL_REFERENCE = "unconstrained"
_HOW = (
    "Pairs are networks of one seed. The p-value is that of a two-sided paired permutation test, exact up to 13 pairs, "
    "corrected after Holm over all entries of a table; a star marks those below 0.05. Intervals are 95 % bootstrap "
    "intervals of the mean, not corrected, and with few pairs too narrow: trust the test. With n pairs no p-value is "
    "below 1 / 2ⁿ⁻¹ before the correction: five pairs never reach 0.05. A network that failed is counted, and takes "
    "its pair out."
)


def differences(reading: Reading) -> Section | None:
    """Paired differences from the reference, and effects of factors where the design crosses some.

    Parameters
    ----------
    reading
        The run.
    """
    if not _is_paired(reading):
        return None
    reference = reference_of(reading)
    measures = measure(reading)
    found = dict(_results(reading, measures, partial(compare, reference=reference)))
    blocks: list[Block] = [f"Each network is compared with that of the same seed in the condition {reference}. {_HOW}"]
    blocks += _findings(found, "condition")
    first = next(iter(found.values()))
    blocks.append(_picture("differences", first, f"Accuracy: mean of the paired differences from {reference}."))
    blocks += [_table(result, f"Differences from {reference}: {family}.") for family, result in found.items()]
    if _is_factorial(reading):
        blocks += _effects(reading, measures)
    return Section("differences", "Differences between conditions", tuple(blocks))


def reference_of(reading: Reading) -> str:
    """Name the condition that others are compared with: `unconstrained`, or else the first.

    Parameters
    ----------
    reading
        The run.
    """
    return _USUAL_REFERENCE if _USUAL_REFERENCE in reading.conditions else reading.conditions[0]


def _effects(reading: Reading, measures: xr.Dataset) -> list[Block]:
    found = dict(_results(reading, measures, factorial_effects))
    return [
        "The design crosses factors. A main effect is the difference between a level and the first level, averaged "
        "over the other factors; an interaction, such as dale:density, says by how much one factor changes the effect "
        "of the other. All are computed within each seed, from seeds of which no network failed.",
        *_findings(found, "effect"),
        _picture("effects", next(iter(found.values())), "Accuracy: effects of the factors, with their interactions."),
        *(_table(result, f"Effects of the factors: {family}.") for family, result in found.items()),
    ]


def _results(
    reading: Reading, measures: xr.Dataset, analyse: Callable[[xr.Dataset], xr.Dataset]
) -> Iterator[tuple[str, xr.Dataset]]:
    """Analyse each family by itself; one that a condition cannot have is left out."""
    for family, names in FAMILIES.items():
        if any(name in measures for name in names):
            kept = comparable(reading, measures, family)
            if set(text(kept["condition"]).values.tolist()) == set(reading.conditions):
                yield family, analyse(kept)


def _is_paired(reading: Reading) -> bool:
    """Tell whether there are conditions to compare, whose seeds are known and distinct."""
    seeds = reading.history["seed"].values
    rows = set(zip(reading.condition.values.tolist(), seeds.tolist(), strict=True))
    return len(reading.conditions) > 1 and bool((seeds >= 0).all()) and len(rows) == len(seeds)


def _is_factorial(reading: Reading) -> bool:
    """Tell whether conditions are all combinations of the levels of two factors or more."""
    names = [name for name in reading.history.coords if str(name).startswith("factor_")]
    n_levels = [len(np.unique(text(reading.history[name]).values)) for name in names]
    return sum(n > 1 for n in n_levels) > 1 and prod(n_levels) == len(reading.conditions)


def _findings(found: dict[str, xr.Dataset], dim: str) -> list[Block]:
    """Say first what can be told from chance, and how little that may be."""
    told = []
    for result in found.values():
        for one in _entries(result, dim):
            if float(one["p_holm"]) < _LEVEL:
                label = _label(str(one["metric"].item()))
                told.append(f"{one[dim].item()}: {label} {_interval(one)}, p {p_text(float(one['p_holm']))}")
    n_tests = sum(int(result["p_value"].notnull().sum()) for result in found.values())
    n_pairs = max(int(result["n_pairs"].max()) for result in found.values())
    what = {"condition": "differences", "effect": "effects"}[dim]
    if not told:
        return [
            f"None of the {n_tests} {what} in {len(found)} families can be told from chance after the correction, "
            f"with at most {n_pairs} pairs. That does not show that there are none."
        ]
    return [
        f"{len(told)} of {n_tests} {what} can be told from chance, each corrected within its family of measures:",
        Listing(tuple(told)),
    ]


def _entries(result: xr.Dataset, dim: str) -> Iterator[xr.Dataset]:
    for index in range(result.sizes[dim]):
        for metric in range(result.sizes["metric"]):
            yield result.isel({dim: index, "metric": metric})


def _picture(name: str, result: xr.Dataset, caption: str) -> Picture:
    accuracy = result.sel(metric="accuracy")
    (dim,) = accuracy["difference"].dims
    rows = [accuracy.isel({dim: index}) for index in range(accuracy.sizes[dim])]
    told = [f"{one[dim].item()}: {_cell(one).text}, {int(one['n_pairs'])} pairs" for one in rows]
    draw: Callable[..., object] = plots.comparison
    panel = one_panel(lambda ax: draw(accuracy, ax=ax), 0.9 + 0.42 * len(rows))
    return Picture(name, panel, f"{caption} {'; '.join(told)}.", caption)


def _table(result: xr.Dataset, caption: str) -> Table:
    dim = "effect" if "effect" in result.dims else "condition"
    metrics = text(result["metric"]).values.tolist()
    rows: list[Row] = []
    for index in range(result.sizes[dim]):
        row = result.isel({dim: index})
        cells = [_cell(row.sel(metric=metric)) for metric in metrics]
        pairs = sorted(set(row["n_pairs"].values.tolist()))
        failed = int(row["n_failed"].max())
        told = Cell(" to ".join(map(str, (pairs[0], pairs[-1]) if len(pairs) > 1 else pairs)), float(pairs[0]))
        rows.append([str(row[dim].item()), *cells, told, count(failed, alarm=True)])
    headings = [_label(metric) for metric in metrics]
    return table(caption, [dim, *headings, "pairs" if dim == "condition" else "seeds", "failed"], rows)


def _cell(one: xr.Dataset) -> Cell:
    if not np.isfinite(float(one["difference"])):
        return Cell("–")
    p_value = float(one["p_holm"])
    star = " *" if p_value < _LEVEL else ""
    return Cell(f"{_interval(one)}; p {p_text(p_value)}{star}", float(one["difference"]))


def _interval(one: xr.Dataset) -> str:
    difference, low, high = (float(one[name]) for name in ("difference", "ci_low", "ci_high"))
    return _signed(difference) + (f" [{_signed(low)}, {_signed(high)}]" if np.isfinite(low) else "")


def _signed(value: float) -> str:
    """Write a difference with two digits, and a large one as a whole number."""
    return f"{value:+.2g}" if abs(value) < 100 else f"{value:+,.0f}"


def _label(measure: str) -> str:
    return next(family[measure] for family in FAMILIES.values() if measure in family)
