import json
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from biornn.report.measures import MEASURES
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Listing
from biornn.report.sections.differences import differences
from biornn.report.tables import Cell, Table
from biornn.schema import GATE_WEIGHTS

MakeRun = Callable[..., xr.DataTree]


def tables(run: xr.DataTree) -> list[Table]:
    section = differences(Reading(run))
    assert section is not None
    return [block for block in section.blocks if isinstance(block, Table)]


def row(table: Table, measure: str) -> tuple[Cell, ...]:
    return next(row for row in table.rows if row[0].text == measure)


def told(run: xr.DataTree) -> str:
    section = differences(Reading(run))
    return " ".join(block for block in section.blocks if isinstance(block, str))


@pytest.mark.usefixtures("no_robustness")
def test_differences_are_paired_by_seed_and_failures_counted(make_run: MakeRun) -> None:
    run = make_run(seeds=[0, 1, 2], status=["completed"] * 4 + ["diverged", "completed"])
    (table,) = tables(run)
    accuracy = Reading(run).summary["score"].values
    assert [column.heading for column in table.columns] == ["measure", "dale"]
    np.testing.assert_allclose(
        row(table, "accuracy")[1].value, np.mean([accuracy[3] - accuracy[0], accuracy[5] - accuracy[2]])
    )
    assert table.caption == "Differences from free: mean [95 % interval]. dale: 2 pairs, 1 failed."


def test_every_family_and_every_measure_has_a_row(make_run: MakeRun) -> None:
    (table,) = tables(make_run(has_fixed_points=True))
    expected = []
    for measure in MEASURES:
        expected += [measure.family] * (measure.family not in expected)
        # The flip-flop does not tell its trials apart, and has no catch trials.
        is_there = measure.name not in ("worst_score", "catch_score")
        expected += [measure.heading.format(score="accuracy")] * is_there
    assert [row[0].text for row in table.rows] == expected
    assert table.caption == "Differences from free: mean [95 % interval]. 2 pairs each."


@pytest.mark.nightly
def test_what_no_test_can_show_is_said_once_and_not_tabulated(make_run: MakeRun) -> None:
    run = make_run(seeds=range(3))
    # 2 ** (1 - n) for one, two and three tests: below 0.05 with six, seven and seven pairs.
    assert "With 3 pairs no test of any measure can show anything" in told(run)
    assert "It takes at least 6 to 7 pairs for a p-value below 0.05" in told(run)
    (table,) = tables(run)
    assert not any("p " in cell.text for row in table.rows for cell in row[1:])
    assert not any(isinstance(block, Picture) for block in differences(Reading(run)).blocks)
    assert "No difference can be tested" in told(make_run(seeds=[0]))


@pytest.mark.nightly
def test_what_can_be_told_from_chance_is_said_first(make_run: MakeRun) -> None:
    run = make_run(seeds=range(8))
    # The trained weights of every Dale network four times as large: eight pairs, all in one direction.
    weights = run["weights"].to_dataset(inherit=False)
    is_dale = weights["condition"] == "dale"
    weights["recurrent_weights"] = weights["recurrent_weights"] * xr.where(is_dale, 4.0, 1.0)
    run["weights"].dataset = weights
    blocks = differences(Reading(run)).blocks
    (listing,) = (block for block in blocks if isinstance(block, Listing))
    assert "each of the 8 families would still show one with a probability of up to 5%" in blocks[1]
    assert "can show anything" not in told(run)
    radius = next(entry for entry in listing.entries if entry.startswith("spectral radius: dale +"))
    assert radius.endswith(" (p 0.023)")  # 2/2⁸, three tests in the family
    (table,) = tables(run)
    assert row(table, "spectral radius")[1].text.endswith("; p 0.023 *")
    (picture,) = (block for block in blocks if isinstance(block, Picture))
    assert "dale: " in picture.alt


@pytest.mark.usefixtures("no_robustness")
def test_crossed_factors_have_effects_and_an_interaction(make_run: MakeRun) -> None:
    run = make_run(conditions={name: {} for name in ("a", "b", "c", "d")})
    history = run["history"].to_dataset(inherit=False)
    dale, density = np.repeat(["none", "none", "0.8", "0.8"], 2), np.repeat(["1", "0.2", "1", "0.2"], 2)
    run["history"].dataset = history.assign_coords(
        factor_dale=("network", dale.astype(object)), factor_density=("network", density.astype(object))
    )
    _, effects = tables(run)
    assert effects.caption.startswith("Effects of the factors: ")
    assert [column.heading for column in effects.columns] == ["measure", "dale", "density", "dale:density"]


def test_what_cannot_be_paired_is_not_compared(make_run: MakeRun) -> None:
    assert differences(Reading(make_run(conditions={"only": {}}))) is None
    assert differences(Reading(make_run(seeds=[-1, 3]))) is None


@pytest.mark.usefixtures("no_robustness")
def test_failures_of_the_reference_take_pairs_out(make_run: MakeRun) -> None:
    (table,) = tables(make_run(seeds=[0, 1, 2], status=["failed"] + ["completed"] * 5))
    assert table.caption.endswith("dale: 2 pairs, 1 failed.")


@pytest.mark.usefixtures("no_robustness")
def test_a_measure_that_is_not_defined_is_no_failure(make_run: MakeRun) -> None:
    run = make_run()
    weights = run["weights"].to_dataset(inherit=False).copy(deep=True)
    weights["recurrent_weights"][2] = 0.0  # without weights there are no singular values to spread
    run["weights"].dataset = weights
    (table,) = tables(run)
    assert row(table, "entropy of the singular values")[1].text.endswith("; not defined in 1")
    assert "not defined" not in row(table, "accuracy")[1].text


@pytest.mark.usefixtures("no_robustness")
def test_one_gated_condition_leaves_the_comparison_of_the_others(make_run: MakeRun) -> None:
    run = make_run(conditions={"free": {}, "other": {}, "gru": {}})
    weights = run["weights"].to_dataset(inherit=False).copy(deep=True)
    is_gated = weights["condition"] == "gru"
    weights["formulation"] = xr.where(is_gated, "gru", weights["formulation"]).astype(object)
    for name in ("input_weights", "recurrent_weights", "recurrent_bias", "alpha"):
        weights[name] = weights[name].where(~is_gated)
    run["weights"].dataset = weights
    (table,) = tables(run)
    assert [column.heading for column in table.columns] == ["measure", "other", "gru"]
    assert row(table, "spectral radius")[2].text == "not defined"
    assert row(table, "spectral radius")[1].value is not None
    assert row(table, "accuracy")[2].value is not None


@pytest.mark.nightly
def test_gated_networks_are_not_failed_for_want_of_a_spectrum(make_run: MakeRun) -> None:
    run = make_run(conditions={"one": {}, "other": {}}, formulation="gru", experiment=json.dumps({}))
    (table,) = tables(run)
    families = [row[0].text for row in table.rows if not any(cell.text for cell in row[1:])]
    assert families == [
        "performance on held-out trials",
        "memory beyond the trained delays",
        "robustness",
        "geometry of the activity",
        "coding of the bits",
    ]
    assert row(table, "accuracy under recurrent noise")[1].text == "–; not defined in 4"
    assert row(table, "accuracy under input noise")[1].value is not None
    assert "no such measure with what it is compared with: eigenvalues of the recurrent weights; structure" in told(run)
    run["weights"].dataset = run["weights"].to_dataset(inherit=False).drop_vars(GATE_WEIGHTS)
    assert "no such measure with what it is compared with: memory beyond the trained delays; robustness" in told(run)
