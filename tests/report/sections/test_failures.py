from collections.abc import Callable

import xarray as xr

from biornn.report.reading import Reading
from biornn.report.sections.failures import failures

MakeRun = Callable[..., xr.DataTree]


def test_none_is_said_to_be_none(make_run: MakeRun) -> None:
    assert failures(Reading(make_run())).blocks == ("None: all 4 networks were trained.",)
    assert failures(Reading(make_run(conditions={"a": {}}, seeds=[0]))).blocks == ("None.",)


def test_each_is_named_with_its_cause_or_that_none_is_known(make_run: MakeRun) -> None:
    status = ["criterion_not_reached", "completed", "diverged", "failed"]
    for failure, causes in (
        (None, ["not recorded"] * 2),
        (["", "", "", "KeyError: 'x'"], ["not recorded", "KeyError: 'x'"]),
    ):
        told, table, short = failures(Reading(make_run(status=status, failure=failure))).blocks
        assert str(told).startswith("2 of 4 networks failed, diverged or were interrupted.")
        assert [[cell.text for cell in row] for row in table.rows] == [
            ["dale-s00", "dale", "diverged", "7", causes[0]],
            ["dale-s01", "dale", "failed", "7", causes[1]],
        ]
        assert short == "Trained to the last update without reaching the criterion: free-s00."
