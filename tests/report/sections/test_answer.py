"""The first screen: what was reached comes first, by condition; then how conditions differ; then the constraints."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import xarray as xr

from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.sections.answer import answer
from biornn.report.tables import Cell
from biornn.tasks import BooleanGate

MakeRun = Callable[..., xr.DataTree]


def sentences(section: Section) -> tuple[str, ...]:
    return section.blocks[0].entries


def with_larger_weights(run: xr.DataTree) -> xr.DataTree:
    """Make the trained weights of every Dale network four times as large."""
    weights = run["weights"].to_dataset(inherit=False)
    weights["recurrent_weights"] = weights["recurrent_weights"] * xr.where(weights["condition"] == "dale", 4.0, 1.0)
    run["weights"].dataset = weights
    return run


@pytest.mark.usefixtures("no_robustness")
@pytest.mark.parametrize(
    ("status", "told"),
    [
        pytest.param(
            ["criterion_reached"] * 4,
            "All 4 networks reached the criterion (validation accuracy 0.9).",
            marks=pytest.mark.nightly,
        ),
        (
            ["criterion_reached"] * 2 + ["criterion_not_reached"] * 2,
            "2 of 4 networks reached the criterion (validation accuracy 0.9): free 2 of 2, dale 0 of 2.",
        ),
        (
            ["criterion_reached", "interrupted", "diverged", "failed"],
            "1 of 3 networks reached the criterion (validation accuracy 0.9): free 1 of 1, dale 0 of 2; "
            "1 interrupted, 1 diverged, 1 failed.",
        ),
        (["interrupted"] * 4, "No network was trained; 4 interrupted."),
    ],
)
def test_what_was_reached_comes_first_by_condition(make_run: MakeRun, status: Sequence[str], told: str) -> None:
    assert sentences(answer(Reading(make_run(status=status))))[0] == told


@pytest.mark.usefixtures("no_robustness")
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {
                "conditions": {"a": {}, "b": {"training.criterion": None}},
                "status": ["criterion_reached"] * 2 + ["completed"] * 2,
            },
            "All 2 networks that count reached the criterion (validation accuracy 0.9).",
        ),
        (
            {"conditions": {"a": {"training.criterion": None}}, "status": ["completed", "diverged"]},
            "1 of 2 networks were trained to the end: a 1 of 2; 1 diverged.",
        ),
        ({"conditions": {"a": {}}, "seeds": [0]}, "The network reached the criterion (validation accuracy 0.9)."),
    ],
)
def test_only_networks_with_a_criterion_can_reach_it(make_run: MakeRun, settings: Mapping[str, Any], told: str) -> None:
    assert sentences(answer(Reading(make_run(**settings))))[0] == told


@pytest.mark.usefixtures("no_robustness")
def test_a_criterion_on_the_worst_trial_condition_is_told(make_run: MakeRun) -> None:
    section = answer(Reading(make_run(seeds=[0], task=BooleanGate(), training={"criterion_on": "worst"})))
    told = "All 2 networks reached the criterion (validation accuracy 0.9 in the worst trial condition)."
    assert sentences(section)[0] == told
    assert [column.heading for column in section.blocks[1].columns][3:5] == [
        "accuracy",
        "worst accuracy of a trial condition",
    ]


@pytest.mark.nightly
def test_differences_that_no_test_can_show_are_told_by_their_ranges(make_run: MakeRun) -> None:
    run = with_larger_weights(make_run(seeds=range(3)))
    _, compared, _ = sentences(answer(Reading(run)))
    assert compared.startswith("With 3 pairs of networks no paired test can tell a difference from chance: it takes 6 ")
    assert "spectral radius" not in compared  # that is the constraint itself, and not what networks do
    outputs = run["activity"].to_dataset(inherit=False)
    outputs["outputs"] = outputs["outputs"] * xr.where(outputs["condition"] == "dale", 0.1, 1.0)
    run["activity"].dataset = outputs
    _, compared, _ = sentences(answer(Reading(run)))
    assert "A hint, and no test, are measures in which all networks of a condition lie on one side of all " in compared
    assert "for each condition: dale: " in compared
    assert "lower accuracy" in compared


@pytest.mark.usefixtures("no_robustness")
def test_differences_that_are_told_from_chance_are_named(make_run: MakeRun) -> None:
    _, compared, _ = sentences(answer(Reading(with_larger_weights(make_run(seeds=range(8))))))
    assert compared.startswith("Told from chance, against free: ")
    assert "(dale) +" in compared
    assert ", p 0.023" in compared  # 2/2⁸, three tests in the family
    assert compared.endswith("A difference in the weights may be the constraint itself.")


@pytest.mark.usefixtures("no_robustness")
def test_one_condition_is_compared_with_nothing(make_run: MakeRun) -> None:
    assert len(sentences(answer(Reading(make_run(conditions={"only": {}}))))) == 2


@pytest.mark.nightly
def test_violations_are_counted_in_every_network_and_snapshot(make_run: MakeRun) -> None:
    run = make_run()
    assert sentences(answer(Reading(run)))[-1].endswith(
        "Every declared constraint held at every recorded moment of training."
    )
    weights = run["weights"].to_dataset(inherit=False).copy(deep=True)
    weights["recurrent_weights"][2, 1, 0, :3] = -1.0  # of an excitatory unit
    run["weights"].dataset = weights
    section = answer(Reading(run))
    assert sentences(section)[-1].endswith("3 violations of constraints found.")
    assert section.blocks[1].rows[1][-1] == Cell("3", 3.0, alarm=True)
    assert "No constraint was declared." in sentences(answer(Reading(make_run(conditions={"free": {}}))))[-1]
    unchecked = answer(Reading(make_run(status=["failed"] * 4)))
    assert "could not be checked" in sentences(unchecked)[-1]
    assert len(unchecked.blocks) == 2  # and no picture


def test_memory_is_told_beside_accuracy(reading: Reading) -> None:
    told = sentences(answer(reading))[-1]
    shares = reading.retention["held"]
    medians = [float(reading.members(shares, name).median()) for name in ("free", "dale")]
    if medians[0] == medians[1]:
        assert told.startswith("Without input, the median network keeps ")
    else:
        assert told.startswith("States that the median network keeps for 5 s without input: ")
        assert f"free {medians[0]:.0%}, dale {medians[1]:.0%}" in told


@pytest.mark.usefixtures("no_robustness")
def test_the_table_counts_by_condition_and_a_time_without_an_end_is_never(make_run: MakeRun) -> None:
    status = ["criterion_reached", "criterion_not_reached", "criterion_not_reached", "diverged"]
    reading = Reading(make_run(status=status))
    table = answer(reading).blocks[1]
    assert [column.heading for column in table.columns] == [
        "condition",
        "trained",
        "reached the criterion",
        "accuracy",
        "share of states held for 5 s",
        "updates to the criterion",
        "spectral radius after training",
        "violations",
    ]
    free, dale = table.rows
    assert free[1:3] == (Cell("2 of 2", 1.0), Cell("1 of 2", 0.5, alarm=True))
    assert dale[1:3] == (Cell("1 of 2", 0.5, alarm=True), Cell("0 of 2", 0.0, alarm=True))
    assert free[3].value == float(np.median(reading.summary["score"][:2]))
    assert (free[5].text, dale[5].text) == ("never [100, never]", "never")
