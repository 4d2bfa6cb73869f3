import json
from collections.abc import Callable

import xarray as xr

from biornn.report.reading import Reading
from biornn.report.sections.learning import learning, learning_curves
from biornn.report.tables import Table

MakeRun = Callable[..., xr.DataTree]


def test_those_that_never_reached_the_criterion_are_counted(make_run: MakeRun) -> None:
    status = ["criterion_reached", "criterion_not_reached", "failed", "failed"]
    (table,) = (block for block in learning(Reading(make_run(status=status))).blocks if isinstance(block, Table))
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["free", "1 of 2", "100", "–"],  # half of the networks by then
        ["dale", "0 of 2", "–", "0.32"],
    ]
    assert table.columns[2].units == "updates"


def test_those_that_were_interrupted_are_left_out_and_told(make_run: MakeRun) -> None:
    status = ["criterion_reached", "criterion_reached", "criterion_reached", "interrupted"]
    (table,) = (block for block in learning(Reading(make_run(status=status))).blocks if isinstance(block, Table))
    assert [row[1].text for row in table.rows] == ["2 of 2", "1 of 1"]
    assert "Left out: 1 network whose training was interrupted" in table.caption


def test_times_to_different_criteria_are_not_compared(make_run: MakeRun) -> None:
    blocks = learning(Reading(make_run(conditions={"one": {}, "other": {"training.criterion": 0.8}}))).blocks
    assert not any(isinstance(block, Table) for block in blocks)
    assert any("(one: 0.9, other: 0.8)" in block for block in blocks if isinstance(block, str))


def test_without_a_criterion_there_is_no_time_to_it(make_run: MakeRun) -> None:
    run = make_run(experiment=json.dumps({}))
    assert not any(isinstance(block, Table) for block in learning(Reading(run)).blocks)


def test_the_curves_are_told_in_numbers(make_run: MakeRun) -> None:
    status = ["criterion_reached", "criterion_reached", "failed", "failed"]
    picture = learning_curves(Reading(make_run(status=status)))
    assert "free: median accuracy rises from 0.400 to 0.950." in picture.alt
    assert "dale: no network with a recorded accuracy." in picture.alt
    assert len(picture.draw(2).axes) == len(picture.draw(1).axes) == 2
    assert picture.draw(1).get_figwidth() < picture.draw(2).get_figwidth() / 2
