import json
from collections.abc import Callable

import xarray as xr

from biornn.report.head import Head, head
from biornn.report.reading import Reading

MakeRun = Callable[..., xr.DataTree]


def test_the_page_begins_with_what_was_compared(make_run: MakeRun) -> None:
    assert head(Reading(make_run())) == Head(
        "A planted run",
        "2 January 2026, 03:04 UTC",
        "2026-01-02T03:04:05+00:00",
        "4 networks of 6 units trained on the task flip_flop: 2 conditions (free, dale) × 2 seeds.",
    )


def test_one_network_from_elsewhere(make_run: MakeRun) -> None:
    experiment = json.dumps({"imported": {"files": []}, "task": {}})
    run = make_run(conditions={"published": {}}, seeds=[-1], status=["completed"], title=" ", experiment=experiment)
    found = head(Reading(run))
    assert found.title == "Untitled run"
    assert found.compared == "1 network of 6 units trained elsewhere on the task flip_flop, and imported."


def test_a_date_that_is_none_is_left_as_it_is(make_run: MakeRun) -> None:
    assert head(Reading(make_run(created="last week"))).created == "last week"
