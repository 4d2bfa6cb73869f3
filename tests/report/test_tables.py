import numpy as np
import pytest
import xarray as xr

from biornn.report.tables import Cell, Column, count, number, setting, spread, table


def test_text_is_enough_where_no_more_is_needed() -> None:
    made = table("a caption", ["name", Column("time", "ms")], [["a", number(2.5)], ["b", Cell("never")]])
    assert made.columns == (Column("name"), Column("time", "ms"))
    assert made.rows[0] == (Cell("a"), Cell("2.5", 2.5))
    assert made.sortable


def test_a_single_row_is_not_sorted() -> None:
    assert not table("", ["name"], [["a"]]).sortable


def test_a_row_has_a_cell_per_column() -> None:
    with pytest.raises(ValueError, match="rows: expected 2 cells, one per column, got 1"):
        table("", ["name", "value"], [["a"]])


def test_numbers_say_what_they_sort_by() -> None:
    assert number(0.12345, ".2f") == Cell("0.12", 0.12345)
    assert number(np.nan) == number(np.inf) == Cell("–")
    assert count(1200) == Cell("1,200", 1200.0)
    assert [count(0, alarm=True).alarm, count(1, alarm=True).alarm] == [False, True]


def test_a_condition_sorts_by_its_median() -> None:
    values = xr.DataArray([0.1, 0.9, 0.2, np.nan], dims="network")
    assert spread(values, ".1f") == Cell("0.2 [0.1, 0.9]", 0.2)
    assert spread(values[3:], ".1f") == Cell("–")
    assert spread(values[:0], ".1f") == Cell("none")


def test_a_setting_that_is_too_long_for_a_cell_is_counted() -> None:
    mask = [[int(row != column) for column in range(10)] for row in range(10)]
    assert setting(mask).text == "10 × 10 numbers, 90.0% of them 1"
    assert setting(list(range(20))).text == "20 numbers"
    assert setting([1, 2]).text == "[1, 2]"
