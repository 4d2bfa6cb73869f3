"""Tables of a report: numbers that sort as numbers, and text that says them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from biornn.report.summary import median_and_range

_MOST_ENTRIES = 12  # of a setting that is a list: more are counted, and not shown


@dataclass(frozen=True)
class Cell:
    """One cell.

    Parameters
    ----------
    text
        What it says.
    value
        The number by which it sorts; None where it is text, or has none.
    alarm
        Whether it says that something went wrong.
    """

    text: str
    value: float | None = None
    alarm: bool = False


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    heading
        What it holds.
    units
        In which units; empty for none.
    """

    heading: str
    units: str = ""


@dataclass(frozen=True)
class Table:
    """One table; the first column names the rows.

    Parameters
    ----------
    caption
        What it shows, in words.
    columns
        Its header.
    rows
        A cell per column each.
    sortable
        Whether sorting its rows makes sense.

    Raises
    ------
    ValueError
        If a row has not one cell per column.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sortable: bool = True
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"rows: expected {len(self.columns)} cells, one per column, got {len(row)}")

    def is_numeric(self, column: int) -> bool:
        """Tell whether a column holds numbers.

        Parameters
        ----------
        column
            Its position.
        """
        return any(row[column].value is not None for row in self.rows)


#: A row of `table`; bare text is a cell that says it.
Row = list[Cell | str]


def table(
    caption: str, columns: Sequence[Column | str], rows: Sequence[Sequence[Cell | str]], sortable: bool = True
) -> Table:
    """Make a table from bare text where no more is needed.

    Parameters
    ----------
    caption
        What it shows.
    columns
        Columns, or their headings.
    rows
        Cells, or their texts.
    sortable
        Whether sorting its rows makes sense; a single row is never sorted.
    """
    return Table(
        caption,
        tuple(Column(column) if isinstance(column, str) else column for column in columns),
        tuple(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in row) for row in rows),
        sortable and len(rows) > 1,
    )


def number(value: float, form: str = "g", alarm: bool = False) -> Cell:
    """Make a cell of one number; one that is not finite is a dash.

    Parameters
    ----------
    value
        The number.
    form
        How it is written.
    alarm
        Whether it says that something went wrong.
    """
    value = float(value)
    return Cell(f"{value:{form}}", value, alarm) if isfinite(value) else Cell("–")


def count(n: float, alarm: bool = False) -> Cell:
    """Make a cell of a whole number.

    Parameters
    ----------
    n
        The number.
    alarm
        Whether any at all says that something went wrong.
    """
    return Cell(f"{int(n):,}", float(n), alarm and bool(n))


def spread(values: xr.DataArray, form: str) -> Cell:
    """Make a cell of the median and the range of a condition's networks; it sorts by the median.

    Parameters
    ----------
    values
        A number per network, NaN where there is none.
    form
        How a number is written.
    """
    known = values.values[~np.isnan(values.values.astype(float))]
    return Cell(median_and_range(values, form), float(np.median(known)) if known.size else None)


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
    """Make a cell of a setting of an experiment.

    Parameters
    ----------
    value
        As the experiment records it.
    """
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int | float):
        return number(value)
    if value is None:
        return Cell("none")
    if isinstance(value, list) and (size := _size(value)):
        return Cell(size)
    return Cell(value.replace("_", " ") if isinstance(value, str) else json.dumps(value))
