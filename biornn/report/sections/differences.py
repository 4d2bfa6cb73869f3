"""The differences between conditions, with their tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

import biornn as bn
from biornn.report.measures import LEVEL, Family
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Block, Listing, Section
from biornn.report.tables import Cell, Row, Table, table
from biornn.report.words import p_text, plural
from biornn.schema import text

_TESTED = (
    "The p-value is that of a two-sided paired permutation test, exact up to 13 pairs, corrected after Holm over all "
    "entries of a family of measures; a star marks those below 0.05."
)
_INTERVALS = (
    "Intervals are 95 % bootstrap intervals of the mean, not corrected, and with few pairs too narrow. A network that "
    "failed is counted, and takes its pair out. A difference in the weights may be the constraint itself, and not "
    "what training made of it: see the spectra before and after training."
)


def differences(reading: Reading) -> Section | None:
    """Compare each condition with the reference, and give the effects of factors where the design crosses some."""
    if not reading.is_paired:
        return None
    reference = reading.reference
    blocks: list[Block] = [f"Each network is compared with the network of the same seed in the condition {reference}."]
    blocks += _compared(reading, reading.differences, f"Differences from {reference}", "with what it is compared with")
    if reading.is_factorial:
        blocks.append(
            "The design crosses factors. A main effect is the difference between a level and the first level, averaged "
            "over the other factors; an interaction, such as dale:density, is how much one factor changes the effect "
            "of the other. All are computed within each seed, from seeds of which no network failed."
        )
        blocks += _compared(reading, reading.effects, "Effects of the factors", "in every combination of the factors")
    return Section("differences", "Differences between conditions", tuple(blocks))


def _compared(reading: Reading, families: Sequence[Family], caption: str, where: str) -> Iterator[Block]:
    names = {family.name for family in families}
    if left := [name for name, _, _ in reading.families if name not in names]:
        yield f"Not compared, as networks of a gated layer have no such measure {where}: {'; '.join(left)}."
    if not families:
        return
    yield from _findings(reading, families)
    yield " ".join([_TESTED] * any(family.is_testable for family in families) + [_INTERVALS])
    if families[0].is_testable:
        yield _picture(reading, families[0], caption)
    yield _table(reading, families, caption)


def _findings(reading: Reading, families: Sequence[Family]) -> Iterator[Block]:
    """Say first what can be told from chance, what chance alone would show, and what could not have been found."""
    what, pairs = {"condition": ("difference", "pair"), "effect": ("effect", "seed")}[families[0].dim]
    n_pairs = max(family.n_pairs for family in families)
    if not any(family.n_tests for family in families):
        yield f"No {what} can be tested: it takes at least two {pairs}s whose networks were all trained."
        return
    testable = [family for family in families if family.is_testable]
    hopeless = [family for family in families if not family.is_testable]
    if testable:
        found: dict[str, list[str]] = {}
        for family in testable:
            for one in _entries(family):
                if float(one["p_holm"]) < LEVEL:
                    finding = f"{one[family.dim].item()} {_interval(one)} (p {p_text(float(one['p_holm']))})"
                    found.setdefault(reading.labels[str(one["metric"].item())], []).append(finding)
        n_tests = sum(family.n_tests for family in testable)
        if found:
            yield (
                f"{sum(map(len, found.values()))} of {plural(n_tests, what)} can be told from chance, each corrected "
                f"within its family of measures. If there were none at all, each of the {len(testable)} families would "
                f"still show one with a probability of up to {LEVEL:.0%}: what one family shows is a hint, to be "
                "tested on new seeds."
            )
            yield Listing(tuple(f"{measure}: {', '.join(findings)}" for measure, findings in found.items()))
        else:
            yield (
                f"None of the {plural(n_tests, what)} in {plural(len(testable), 'family', 'families')} can be told "
                f"from chance after the correction, with at most {plural(n_pairs, pairs)}. That does not show that "
                "there is none."
            )
    if hopeless:
        needed = sorted({family.n_needed for family in hopeless})
        which = "any measure" if not testable else "; ".join(family.name for family in hopeless)
        yield (
            f"With {plural(n_pairs, pairs)} no test of {which} can show anything, whatever the networks do: with n "
            f"{pairs}s no p-value is below 1 / 2ⁿ⁻¹, before the correction. It takes at least "
            f"{' to '.join(map(str, needed[:: max(len(needed) - 1, 1)]))} {pairs}s for a p-value below {LEVEL:g}; so "
            "p-values are left out here."
        )


def _entries(family: Family) -> Iterator[xr.Dataset]:
    for index in range(family.result.sizes[family.dim]):
        for metric in range(family.result.sizes["metric"]):
            yield family.result.isel({family.dim: index, "metric": metric})


def _n_failed(reading: Reading, family: Family, name: str) -> int:
    """Count the failed networks that take values out of a condition's, or an effect's, comparison."""
    lost = ~reading.trained
    if family.dim == "condition":
        lost = lost & reading.condition.isin([name, reading.reference])
    return int(lost.sum())


def _picture(reading: Reading, family: Family, caption: str) -> Picture:
    score = family.result.sel(metric="score").assign_coords(metric=reading.score_name)
    told = [
        f"{one[family.dim].item()}: {_cell(one, 0, True).text}"
        for one in (score.isel({family.dim: index}) for index in range(score.sizes[family.dim]))
    ]
    panel = one_panel(lambda ax: bn.plots.comparison(score, ax=ax), 0.9 + 0.42 * len(told))
    name = "differences" if family.dim == "condition" else "effects"
    caption = f"{caption}: {reading.score_name} on held-out trials."
    return Picture(name, panel, f"{caption} {'; '.join(told)}.", caption)


def _table(reading: Reading, families: Sequence[Family], caption: str) -> Table:
    """Make one table of all families: a row per measure, a column per condition or effect."""
    dim = families[0].dim
    names = list(dict.fromkeys(name for family in families for name in text(family.result[dim]).values.tolist()))
    rows: list[Row] = []
    for family in families:
        rows.append([Cell(family.name), *[""] * len(names)])
        for metric in text(family.result["metric"]).values.tolist():
            cells = []
            for name in names:
                if name in family.without:
                    cells.append(Cell("not defined"))
                else:
                    one = family.result.sel({dim: name, "metric": metric})
                    cells.append(_cell(one, _n_failed(reading, family, name), family.is_testable))
            rows.append([reading.labels[metric], *cells])
    first = families[0]
    pairs = {name: int(first.result["n_pairs"].sel({dim: name}).max()) for name in names}
    what = "pair" if dim == "condition" else "seed"
    if len(set(pairs.values())) == 1 and reading.trained.all():
        counted = f"{plural(next(iter(pairs.values())), what)} each"
    else:
        counted = "; ".join(
            f"{name}: {plural(n_pairs, what)}, {_n_failed(reading, first, name)} failed"
            for name, n_pairs in pairs.items()
        )
    return table(f"{caption}: mean [95 % interval]. {counted}.", ["measure", *names], rows, sortable=False)


def _cell(one: xr.Dataset, n_lost: int, with_p: bool) -> Cell:
    """Write a difference, and how many trained networks have no such measure."""
    n_undefined = int(one["n_failed"]) - n_lost
    note = f"; not defined in {n_undefined}" if n_undefined > 0 else ""
    if not np.isfinite(float(one["difference"])):
        return Cell(f"–{note}")
    p_value = float(one["p_holm"])
    p = f"; p {p_text(p_value)}{' *' * (p_value < LEVEL)}" if with_p else ""
    return Cell(f"{_interval(one)}{p}{note}", float(one["difference"]))


def _interval(one: xr.Dataset) -> str:
    difference, low, high = (float(one[name]) for name in ("difference", "ci_low", "ci_high"))
    return _signed(difference) + (f" [{_signed(low)}, {_signed(high)}]" if np.isfinite(low) else "")


def _signed(value: float) -> str:
    """Write a difference with two digits, and a large one as a whole number."""
    return f"{value:+.2g}" if abs(value) < 100 else f"{value:+,.0f}"
