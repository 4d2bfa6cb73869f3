from collections.abc import Callable

import xarray as xr

from biornn.report.reading import Reading
from biornn.report.sections.settings import settings
from biornn.report.tables import Table


def test_properties_are_split_into_what_is_shared_and_what_differs(make_run: Callable[..., xr.DataTree]) -> None:
    tables = [block for block in settings(Reading(make_run())).blocks if isinstance(block, Table)]
    shared, differing, task = ([[cell.text for cell in row] for row in table.rows] for table in tables)
    assert ["activation", "tanh"] in shared
    assert ["constraints", "none", "Dale's law"] in differing
    assert task[:3] == [["name", "flip flop"], ["n bits", "2"], ["duration", "300"]]
    assert not any(table.sortable for table in tables)


def test_a_condition_without_weights_is_named(make_run: Callable[..., xr.DataTree]) -> None:
    run = make_run(status=["completed", "completed", "failed", "failed"])
    assert "No network of dale has weights to describe." in settings(Reading(run)).blocks
