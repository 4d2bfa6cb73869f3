from collections.abc import Callable

import xarray as xr

from biornn.report.reading import Reading
from biornn.report.sections.scores import scores
from biornn.report.tables import Cell, Table


def test_a_row_per_condition_and_no_score_without_a_trained_network(make_run: Callable[..., xr.DataTree]) -> None:
    reading = Reading(make_run(status=["completed", "diverged", "failed", "failed"]))
    table, _ = (block for block in scores(reading).blocks if isinstance(block, Table))
    free, dale = table.rows
    assert free[1].value == float(reading.summary["accuracy_settled"][0])
    assert dale[1:] == (Cell("none"),) * 3


def test_accuracy_by_output_and_by_whole_state(make_run: Callable[..., xr.DataTree]) -> None:
    reading = Reading(make_run(seeds=[0]))
    _, table = (block for block in scores(reading).blocks if isinstance(block, Table))
    assert [column.heading for column in table.columns] == ["output or state", "free", "dale"]
    assert [row[0].text for row in table.rows] == ["bit 1", "bit 2", "++", "+-", "-+", "--"]
    # A network that says what the target says but for noise of sd 0.1: five standard deviations from an error.
    assert [cell.text for row in table.rows for cell in row[1:]] == ["1.000"] * 12
