import json
from collections.abc import Callable

import pytest
import xarray as xr

from biornn.report.reading import Reading
from biornn.report.sections.learning import learning, learning_curves
from biornn.report.tables import Table
from biornn.tasks import BooleanGate, FlipFlop

MakeRun = Callable[..., xr.DataTree]


def test_those_that_never_reached_the_criterion_are_counted(make_run: MakeRun) -> None:
    status = ["criterion_reached", "criterion_not_reached", "failed", "failed"]
    (table,) = (block for block in learning(Reading(make_run(status=status))).blocks if isinstance(block, Table))
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["free", "1 of 2", "–"],  # the median is one that never got there
        ["dale", "0 of 2", "–"],
    ]
    assert table.columns[2].units == "updates"


def test_a_p_value_is_shown_only_where_it_could_be_small(make_run: MakeRun) -> None:
    for n_seeds in (5, 6):  # 2 ** (1 - n) is 0.0625 and 0.03125
        status = ["criterion_reached"] * n_seeds + ["criterion_not_reached"] * n_seeds
        run = make_run(seeds=range(n_seeds), status=status)
        (table,) = (block for block in learning(Reading(run)).blocks if isinstance(block, Table))
        headings = [column.heading for column in table.columns]
        assert ("p (Holm)" in headings) == ("log-rank" in table.caption) == (n_seeds == 6)
    assert table.rows[1][-1].text == "0.031"


def test_those_that_were_interrupted_are_left_out_and_told(make_run: MakeRun) -> None:
    status = ["criterion_reached", "criterion_reached", "criterion_reached", "interrupted"]
    (table,) = (block for block in learning(Reading(make_run(status=status))).blocks if isinstance(block, Table))
    assert [row[1].text for row in table.rows] == ["2 of 2", "1 of 1"]
    assert "Left out: 1 network whose training was interrupted" in table.caption


def test_times_to_different_criteria_are_not_compared(make_run: MakeRun) -> None:
    blocks = learning(Reading(make_run(conditions={"one": {}, "other": {"training.criterion": 0.8}}))).blocks
    assert not any(isinstance(block, Table) for block in blocks)
    assert any(
        "(one: validation accuracy 0.9, other: validation accuracy 0.8)" in block
        for block in blocks
        if isinstance(block, str)
    )


def test_without_a_criterion_there_is_no_time_to_it(make_run: MakeRun) -> None:
    run = make_run(experiment=json.dumps({}))
    assert not any(isinstance(block, Table) for block in learning(Reading(run)).blocks)


def test_a_score_is_explained_where_the_task_does(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(make_run(seeds=[0]))
    assert learning(reading).blocks[0] == (
        "Accuracy: share of the samples (time, bit) of a trial whose output says what the target says. It is measured "
        "here on validation trials, which no network was trained on."
    )
    monkeypatch.setattr(FlipFlop.score, "__doc__", None)
    assert learning(reading).blocks[0].startswith("Accuracy is measured here on validation trials")


def test_the_criterion_stands_in_the_panel_of_what_it_is_on(make_run: MakeRun) -> None:
    run = make_run(seeds=[0], task=BooleanGate(), training={"criterion_on": "worst"})
    mean, worst, loss = learning_curves(Reading(run)).draw().axes
    assert [ax.get_ylabel() for ax in (mean, worst, loss)] == ["accuracy", "worst accuracy", "validation loss"]
    assert [[text.get_text() for text in ax.texts] for ax in (mean, worst, loss)] == [[], ["criterion 0.9"], []]


def test_the_curves_are_told_in_numbers(make_run: MakeRun) -> None:
    status = ["criterion_reached", "criterion_reached", "failed", "failed"]
    picture = learning_curves(Reading(make_run(status=status)))
    assert "free: median accuracy rises from 0.400 to 0.950." in picture.alt
    assert "dale: no network with a recorded accuracy." in picture.alt
    assert len(picture.draw().axes) == 2
