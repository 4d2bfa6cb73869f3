import json
from collections.abc import Callable

import numpy as np
import xarray as xr

from biornn.report.measures import FAMILIES
from biornn.report.reading import Reading
from biornn.report.section import Listing
from biornn.report.sections.differences import differences
from biornn.report.tables import Table

MakeRun = Callable[..., xr.DataTree]


def tables(run: xr.DataTree) -> list[Table]:
    section = differences(Reading(run))
    assert section is not None
    return [block for block in section.blocks if isinstance(block, Table)]


def test_differences_are_paired_by_seed_and_failures_counted(make_run: MakeRun) -> None:
    run = make_run(seeds=[0, 1, 2], status=["completed"] * 4 + ["diverged", "completed"])
    performance = tables(run)[0]
    accuracy = Reading(run).summary["accuracy"].values
    (row,) = performance.rows
    assert [column.heading for column in performance.columns][:2] == ["condition", "accuracy"]
    assert row[0].text == "dale"
    np.testing.assert_allclose(row[1].value, np.mean([accuracy[3] - accuracy[0], accuracy[5] - accuracy[2]]))
    assert [cell.text for cell in row[-2:]] == ["2", "1"]
    assert row[-1].alarm


def test_every_family_has_its_table_and_every_measure_its_column(make_run: MakeRun) -> None:
    found = tables(make_run())
    assert [table.caption for table in found] == [f"Differences from free: {family}." for family in FAMILIES]
    for table, family in zip(found, FAMILIES.values(), strict=True):
        assert [column.heading for column in table.columns][1:-2] == list(family.values())


def test_what_can_be_told_from_chance_is_said_first(make_run: MakeRun) -> None:
    blocks = differences(Reading(make_run(seeds=range(3)))).blocks
    # Its states have no spread, and so no separation: that measure is not tested.
    assert "None of the 19 differences in 8 families can be told from chance" in blocks[1]
    # 2 ** (1 - n) for one, two and three tests: below 0.05 with six, seven and seven pairs.
    assert "In 8 of the 8 families no test could have reached 0.05" in blocks[2]
    assert "at least 6 to 7 pairs." in blocks[2]
    assert "No difference can be tested" in differences(Reading(make_run(seeds=[0]))).blocks[1]
    run = make_run(seeds=range(8))
    # The trained weights of every Dale network twice as large: eight pairs, all in one direction.
    weights = run["weights"].to_dataset(inherit=False)
    is_dale = weights["condition"] == "dale"
    weights["recurrent_weights"] = weights["recurrent_weights"] * xr.where(is_dale, 4.0, 1.0)
    run["weights"].dataset = weights
    blocks = differences(Reading(run)).blocks
    (listing,) = (block for block in blocks if isinstance(block, Listing))
    assert "each of the 8 families would still show one with a probability of up to 5%" in blocks[1]
    assert not any("could have reached" in block for block in blocks if isinstance(block, str))
    radius = next(item for item in listing.items if item.startswith("spectral radius: dale +"))
    assert radius.endswith(" (p 0.023)")  # 2/2⁸, three tests in the family
    marked = next(table for table in tables(run) if table.columns[1].heading == "spectral radius").rows[0][1]
    assert marked.text.endswith("; p 0.023 *")


def crossed(make_run: MakeRun) -> xr.DataTree:
    run = make_run(conditions={name: {} for name in ("a", "b", "c", "d")})
    history = run["history"].to_dataset(inherit=False)
    dale, density = np.repeat(["none", "none", "0.8", "0.8"], 2), np.repeat(["1", "0.2", "1", "0.2"], 2)
    run["history"].dataset = history.assign_coords(
        factor_dale=("network", dale.astype(object)), factor_density=("network", density.astype(object))
    )
    return run


def test_crossed_factors_have_effects_and_an_interaction(make_run: MakeRun) -> None:
    effects = [table for table in tables(crossed(make_run)) if table.caption.startswith("Effects of the factors: ")]
    assert len(effects) == len(FAMILIES)
    for table in effects:
        assert [row[0].text for row in table.rows] == ["dale", "density", "dale:density"]


def test_what_cannot_be_paired_is_not_compared(make_run: MakeRun) -> None:
    assert differences(Reading(make_run(conditions={"only": {}}))) is None
    assert differences(Reading(make_run(seeds=[-1, 3]))) is None


def test_failures_of_the_reference_are_told_once(make_run: MakeRun) -> None:
    run = make_run(seeds=[0, 1, 2], status=["failed"] + ["completed"] * 5)
    blocks = differences(Reading(run)).blocks
    assert "Of the reference itself, 1 network failed" in blocks[1]
    assert [cell.text for cell in tables(run)[0].rows[0][-2:]] == ["2", "0"]


def test_a_measure_that_is_not_defined_is_no_failure(make_run: MakeRun) -> None:
    run = make_run()
    weights = run["weights"].to_dataset(inherit=False).copy(deep=True)
    weights["recurrent_weights"][2] = 0.0  # without weights there are no singular values to spread
    run["weights"].dataset = weights
    table = next(table for table in tables(run) if table.columns[3].heading == "entropy of the singular values")
    (row,) = table.rows
    assert row[3].text.endswith("; not defined in 1")
    assert (row[-1].text, row[-1].alarm) == ("0", False)
    assert "not defined" not in row[1].text


def test_one_gated_condition_leaves_the_comparison_of_the_others(make_run: MakeRun) -> None:
    run = make_run(conditions={"free": {}, "other": {}, "gru": {}})
    weights = run["weights"].to_dataset(inherit=False).copy(deep=True)
    is_gated = weights["condition"] == "gru"
    weights["formulation"] = xr.where(is_gated, "gru", weights["formulation"]).astype(object)
    for name in ("input_weights", "recurrent_weights", "recurrent_bias", "alpha"):
        weights[name] = weights[name].where(~is_gated)
    run["weights"].dataset = weights
    found = tables(run)
    assert len(found) == len(FAMILIES)
    spectral = next(table for table in found if table.columns[1].heading == "spectral radius")
    assert [row[0].text for row in spectral.rows] == ["other"]
    assert spectral.caption.endswith("Without gru: gated networks have no such measures.")
    assert [row[0].text for row in found[0].rows] == ["other", "gru"]


def test_gated_networks_are_not_failed_for_want_of_a_spectrum(make_run: MakeRun) -> None:
    found = tables(make_run(conditions={"one": {}, "other": {}}, formulation="gru", experiment=json.dumps({})))
    assert [table.caption.removeprefix("Differences from one: ") for table in found] == [
        "performance on held-out trials.",
        "geometry of the activity.",
        "coding of the bits.",
    ]
    assert {row[-1].text for table in found for row in table.rows} == {"0"}
