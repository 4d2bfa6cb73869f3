"""Tables of a report: numbers that sort as numbers, and text that says them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from biornn.analysis import pooled
from biornn.report.reading import Reading
from biornn.report.summary import median_and_range

_MOST_ENTRIES = 12  # of a setting that is a list: more are counted, and not shown


@dataclass(frozen=True)
class Cell:
    """One cell: its text; the number by which it sorts, if it has one; and whether something went wrong."""

    text: str
    value: float | None = None
    alarm: bool = False


@dataclass(frozen=True)
class Column:
    """The heading of one column, and its units."""

    heading: str
    units: str = ""


@dataclass(frozen=True)
class Table:
    """One table; the first column names the rows, each of which has a cell per column."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sortable: bool = True
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"rows: expected {len(self.columns)} cells, one per column, got {len(row)}")


#: A row of `table`; a text is a cell without a number.
Row = list[Cell | str]


def table(
    caption: str, columns: Sequence[Column | str], rows: Sequence[Sequence[Cell | str]], sortable: bool = True
) -> Table:
    """Make a table, of bare texts where no more is needed; a single row is never sorted."""
    return Table(
        caption,
        tuple(Column(column) if isinstance(column, str) else column for column in columns),
        tuple(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in row) for row in rows),
        sortable and len(rows) > 1,
    )


def condition_table(reading: Reading, caption: str, columns: Iterable[tuple[str, xr.DataArray, str]]) -> Table:
    """Make a table of medians with ranges over the trained networks of each condition.

    Each column is a heading, a number per network, and the format of a number.
    """
    columns = list(columns)
    rows: list[Row] = [
        [condition, *(spread(reading.members(values, condition), form) for _, values, form in columns)]
        for condition in reading.conditions
    ]
    return table(caption, ["condition", *(heading for heading, _, _ in columns)], rows)


def number(value: float | xr.DataArray, form: str = "g") -> Cell:
    """Make a cell of one number; one that is not finite is a dash."""
    value = float(value)
    return Cell(f"{value:{form}}", value) if isfinite(value) else Cell("–")


def count(n: float, alarm: bool = False) -> Cell:
    """Make a cell of a whole number; `alarm` says whether any at all is a sign that something went wrong."""
    return Cell(f"{int(n):,}", float(n), alarm and bool(n))


def spread(values: xr.DataArray, form: str) -> Cell:
    """Make a cell of the median and the range of networks, NaN where one has no value; it sorts by the median."""
    known = values.values[~np.isnan(values.values.astype(float))]
    return Cell(median_and_range(values, form), float(np.median(known)) if known.size else None)


def interval(values: xr.DataArray, form: str) -> Cell:
    """Make a cell of the mean of networks and its interval, whose unit is the network; it sorts by the mean."""
    found = pooled(values.drop_vars("condition", errors="ignore")).isel(condition=0)
    mean, low, high = (float(found[name]) for name in ("mean", "ci_low", "ci_high"))
    text = f"{mean:{form}}" if isfinite(mean) else "–"
    return Cell(text + f" [{low:{form}}, {high:{form}}]" * isfinite(low), mean if isfinite(mean) else None)


def _size(values: list[Any]) -> str:
    """Say how large a list is that is too long for a cell, such as a mask; empty for one that is short."""
    rows = [row for row in values if isinstance(row, list)]
    if len(rows) == len(values) > 0 and len({len(row) for row in rows}) == 1:
        entries = [entry for row in rows for entry in row]
        if len(entries) > _MOST_ENTRIES:
            are_binary = all(entry in (0, 1) for entry in entries)
            share = f", {sum(map(bool, entries)) / len(entries):.1%} of them 1" if are_binary else ""
            return f"{len(rows)} × {len(rows[0])} numbers{share}"
    return f"{len(values)} numbers" if len(values) > _MOST_ENTRIES else ""


def setting(value: Any) -> Cell:
    """Make a cell of a setting, as an experiment records it."""
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int | float):
        return number(value)
    if value is None:
        return Cell("none")
    if isinstance(value, list) and (size := _size(value)):
        return Cell(size)
    return Cell(value.replace("_", " ") if isinstance(value, str) else json.dumps(value))
