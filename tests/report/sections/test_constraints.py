from collections.abc import Callable

import xarray as xr

from biornn.report.reading import Reading
from biornn.report.sections.constraints import constraints

MakeRun = Callable[..., xr.DataTree]


def rows(run: xr.DataTree) -> list[list[str]]:
    (table,) = (block for block in constraints(Reading(run)).blocks if not isinstance(block, str))
    return [[cell.text for cell in row] for row in table.rows]


def test_each_condition_is_checked_at_every_snapshot(make_run: MakeRun) -> None:
    run = make_run()
    assert (
        constraints(Reading(run)).blocks[0]
        == "Every declared constraint held: no violation in 4 networks, checked at 3 snapshots each."
    )
    assert rows(run) == [
        ["free", "none", "2 of 2", "3", "0", "0", "0", "0", "of both signs"],
        ["dale", "Dale's law", "2 of 2", "3", "0", "0", "0", "0", "of both signs"],
    ]


def test_planted_violations_are_counted_by_kind(make_run: MakeRun) -> None:
    run = make_run()
    weights = run["weights"].to_dataset(inherit=False).copy(deep=True)
    weights["recurrent_mask"][2, 0, 0] = False  # an autapse at each of three snapshots
    weights["recurrent_mask"][2, 0, 1] = False
    weights["recurrent_weights"][3, 2, 0, 1] = -1.0  # of an excitatory unit, at one snapshot
    run["weights"].dataset = weights
    assert rows(run)[1][4:7] == ["1", "3", "3"]
    assert constraints(Reading(run)).blocks[0] == (
        "7 violations of declared constraints in 4 networks, checked at 3 snapshots each."
    )


def test_what_has_no_weights_is_not_said_to_hold(make_run: MakeRun) -> None:
    run = make_run(status=["completed", "completed", "failed", "diverged"])
    verdict, unchecked, _ = constraints(Reading(run)).blocks
    assert "2 networks, checked at 3 snapshots each" in verdict
    assert unchecked == "Failed, diverged, or of a gated layer, and so not checked: dale-s00, dale-s01."
    assert rows(run)[1][2:4] == ["0 of 2", "0"]
    run = make_run(status=["failed"] * 4)
    assert constraints(Reading(run)).blocks[0] == "There are no recurrent weights to check."
