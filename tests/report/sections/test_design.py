import json
from collections.abc import Callable

import xarray as xr

from biornn.report.reading import Reading
from biornn.report.section import Listing
from biornn.report.sections.design import design
from biornn.report.tables import Table

MakeRun = Callable[..., xr.DataTree]


def tables(run: xr.DataTree) -> list[Table]:
    return [block for block in design(Reading(run)).blocks if isinstance(block, Table)]


def rows(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_the_design_is_conditions_times_seeds_and_what_they_change(make_run: MakeRun) -> None:
    run = make_run()
    assert (
        design(Reading(run)).blocks[0] == "2 conditions × 2 seeds (0, 1): 4 networks. Conditions are matched by seed."
    )
    conditions = tables(run)[0]
    assert [column.heading for column in conditions.columns] == ["condition", "excitatory fraction", "networks"]
    assert rows(conditions) == [["free", "none", "2"], ["dale", "0.5", "2"]]


def test_a_training_setting_may_differ_too(make_run: MakeRun) -> None:
    run = make_run(conditions={"slow": {"training.learning_rate": 0.001}, "fast": {}})
    assert rows(tables(run)[0]) == [["slow", "0.001", "2"], ["fast", "0.01", "2"]]


def test_factors_stand_in_place_of_changes(make_run: MakeRun) -> None:
    run = make_run()
    history = run["history"].to_dataset(inherit=False)
    run["history"].dataset = history.assign_coords(factor_dale=("network", ["none", "none", "0.5", "0.5"]))
    conditions = tables(run)[0]
    assert [column.heading for column in conditions.columns] == ["condition", "dale", "networks"]
    assert rows(conditions) == [["free", "none", "2"], ["dale", "0.5", "2"]]


def test_what_could_not_be_matched_is_listed(make_run: MakeRun) -> None:
    told = json.dumps({"free": [], "dale": ["has fewer free weights"]})
    blocks = design(Reading(make_run(unmatched=told))).blocks
    assert Listing(("dale: has fewer free weights",)) in blocks
    assert any("was matched" in str(block) for block in design(Reading(make_run(unmatched="{}"))).blocks)


def test_one_condition_needs_no_table_of_conditions(make_run: MakeRun) -> None:
    assert len(tables(make_run(conditions={"only": {}}))) == 0
