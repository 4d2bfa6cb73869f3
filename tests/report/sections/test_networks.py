from collections.abc import Callable

import xarray as xr

from biornn.report.reading import Reading
from biornn.report.sections.networks import networks


def test_a_row_per_network_whatever_became_of_it(make_run: Callable[..., xr.DataTree]) -> None:
    reading = Reading(make_run(seeds=[-1, 4], status=["completed", "diverged", "failed", "completed"]))
    _, failures, table = networks(reading).blocks
    assert [[cell.text for cell in row] for row in failures.rows] == [
        ["free-s04", "diverged", "7", "not recorded"],
        ["dale-s-1", "failed", "7", "not recorded"],
    ]
    assert [row[0].text for row in table.rows] == list(reading.networks)
    assert [row[2].text for row in table.rows] == ["not known", "4", "not known", "4"]
    assert [row[3].alarm for row in table.rows] == [False, True, True, False]
    assert table.rows[2][4].text == "–"
    assert table.rows[3][4].value == float(reading.summary["score"][3])
