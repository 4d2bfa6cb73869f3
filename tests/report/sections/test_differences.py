import json
from collections.abc import Callable

import numpy as np
import xarray as xr

from biornn.report.reading import Reading
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
    (table,) = tables(run)
    accuracy = Reading(run).summary["accuracy"].values
    first = table.rows[0]
    assert [cell.text for cell in first[:2]] == ["dale", "accuracy"]
    np.testing.assert_allclose(first[2].value, np.mean([accuracy[3] - accuracy[0], accuracy[5] - accuracy[2]]))
    assert [cell.text for cell in first[-2:]] == ["2", "1"]
    assert first[-1].alarm
    assert len(table.rows) == 4  # metrics


def test_crossed_factors_have_effects_and_an_interaction(make_run: MakeRun) -> None:
    run = make_run(conditions={name: {} for name in ("a", "b", "c", "d")})
    history = run["history"].to_dataset(inherit=False)
    dale, density = np.repeat(["none", "none", "0.8", "0.8"], 2), np.repeat(["1", "0.2", "1", "0.2"], 2)
    run["history"].dataset = history.assign_coords(
        factor_dale=("network", dale.astype(object)), factor_density=("network", density.astype(object))
    )
    _, effects = tables(run)
    assert [row[0].text for row in effects.rows[:3]] == ["dale", "density", "dale:density"]


def test_what_cannot_be_paired_is_not_compared(make_run: MakeRun) -> None:
    assert differences(Reading(make_run(conditions={"only": {}}))) is None
    assert differences(Reading(make_run(seeds=[-1, 3]))) is None


def test_gated_networks_are_not_failed_for_want_of_a_spectrum(make_run: MakeRun) -> None:
    run = make_run(conditions={"one": {}, "other": {}}, formulation="gru", experiment=json.dumps({}))
    (table,) = tables(run)
    assert [row[1].text for row in table.rows] == [
        "accuracy",
        "accuracy outside of response windows",
        "mean squared error",
    ]
    assert {row[-1].text for row in table.rows} == {"0"}
