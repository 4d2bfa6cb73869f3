import json
from collections.abc import Callable

import numpy as np
import xarray as xr

from biornn.report.measures import FAMILIES
from biornn.report.reading import Reading
from biornn.report.section import Listing
from biornn.report.sections.differences import differences, reference_of
from biornn.report.tables import Table

MakeRun = Callable[..., xr.DataTree]


def tables(run: xr.DataTree) -> list[Table]:
    section = differences(Reading(run))
    assert section is not None
    return [block for block in section.blocks if isinstance(block, Table)]


def test_the_reference_is_the_unconstrained_condition_or_the_first(make_run: MakeRun) -> None:
    assert reference_of(Reading(make_run())) == "free"
    assert reference_of(Reading(make_run(conditions={"dale": {}, "unconstrained": {}}))) == "unconstrained"


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
    assert "None of the 20 differences in 8 families can be told from chance" in blocks[1]
    run = make_run(seeds=range(8))
    # The trained weights of every Dale network twice as large: eight pairs, all in one direction.
    weights = run["weights"].to_dataset(inherit=False)
    is_dale = weights["condition"] == "dale"
    weights["recurrent_weights"] = weights["recurrent_weights"] * xr.where(is_dale, 4.0, 1.0)
    run["weights"].dataset = weights
    blocks = differences(Reading(run)).blocks
    (listing,) = (block for block in blocks if isinstance(block, Listing))
    radius = next(item for item in listing.items if item.startswith("dale: spectral radius +"))
    assert radius.endswith("p 0.023")  # 2/2⁸, three tests in the family
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


def test_gated_networks_are_not_failed_for_want_of_a_spectrum(make_run: MakeRun) -> None:
    found = tables(make_run(conditions={"one": {}, "other": {}}, formulation="gru", experiment=json.dumps({})))
    assert [table.caption.removeprefix("Differences from one: ") for table in found] == [
        "performance on held-out trials.",
        "geometry of the activity.",
        "coding of the bits.",
    ]
    assert {row[-1].text for table in found for row in table.rows} == {"0"}
