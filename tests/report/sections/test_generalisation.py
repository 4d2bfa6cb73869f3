"""What a report says of other settings, where they were evaluated."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.sections.generalisation import generalisation
from biornn.report.tables import Table
from biornn.tasks import GoNoGo

MakeRun = Callable[..., xr.DataTree]


def evaluated(run: xr.DataTree, score: object, has_conditions: bool = True) -> xr.DataTree:
    """Add planted scores (network, evaluation) to a run, of a task that has trial conditions or has none."""
    values = np.array(score, float)
    labels = {
        "evaluation": ["own settings", *(f"delay={number}" for number in range(1, values.shape[1]))],
        "n_trials": ("evaluation", np.full(values.shape[1], 64)),
    }
    dims = ("network", "evaluation")
    found = xr.Dataset({"score": (dims, values), "worst_score": (dims, values - 0.1)}, labels)
    if has_conditions:
        found["score_per_condition"] = found["score"].expand_dims(trial_condition=["stimulus=go"])
    run["evaluations"] = xr.DataTree(found.assign_coords(network=run["history"]["network"]))
    return run


def test_a_run_without_evaluations_has_no_such_section(make_run: MakeRun) -> None:
    assert generalisation(Reading(make_run(task=GoNoGo()))) is None


def test_scores_changes_and_differences_by_hand(make_run: MakeRun) -> None:
    free, dale = [[0.9, 0.8], [0.8, 0.6], [0.9, 0.9]], [[0.9, 0.5], [0.8, 0.5], [0.9, 0.5]]
    run = evaluated(make_run(task=GoNoGo(), seeds=(0, 1, 2)), [*free, *dale])
    section = generalisation(Reading(run))
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert [column.heading for column in table.columns][2:] == ["accuracy", "worst accuracy", "change", "less free"]
    rows = [[cell.text for cell in row] for row in table.rows]
    assert [row[:3] for row in rows] == [
        ["own settings", "free", "0.900 [0.800, 0.900]"],
        ["own settings", "dale", "0.900 [0.800, 0.900]"],
        ["delay=1", "free", "0.800 [0.600, 0.900]"],
        ["delay=1", "dale", "0.500"],
    ]
    assert rows[2][4].startswith("-0.100 [")
    assert rows[3][4].startswith("-0.367 [")
    assert rows[3][5].startswith("-0.267 [")
    assert rows[0][4] == rows[2][5] == ""
    assert "p " not in rows[3][5]  # of three pairs none can be below 0.25
    picture = next(block for block in section.blocks if isinstance(block, Picture))
    assert "delay=1, dale: 0.50" in picture.alt
    picture.draw()


def test_p_values_stand_where_pairs_are_enough(make_run: MakeRun) -> None:
    run = evaluated(make_run(task=GoNoGo(), seeds=range(8)), 8 * [[0.9, 0.8]] + 8 * [[0.9, 0.5]])
    section = generalisation(Reading(run))
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert table.rows[3][5].text.endswith("; p 0.016")  # 2 / 2**8, of two tests


def test_without_trial_conditions_there_is_no_worst_of_them(make_run: MakeRun) -> None:
    section = generalisation(Reading(evaluated(make_run(task=GoNoGo(), seeds=(0,)), [[0.9, 0.8]] * 2, False)))
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert [column.heading for column in table.columns][2:4] == ["accuracy", "change"]


def test_networks_that_were_not_trained_do_not_count(make_run: MakeRun) -> None:
    run = make_run(task=GoNoGo(), status=["completed", "failed", "completed", "completed"])
    section = generalisation(Reading(evaluated(run, [[0.9, 0.8], [0.0, 0.0], [0.7, 0.6], [0.7, 0.6]])))
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert table.rows[0][2].text == "0.900"
