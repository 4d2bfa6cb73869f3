import json
from collections.abc import Callable

import numpy as np
import xarray as xr

from biornn.report.head import Fact, head
from biornn.report.reading import Reading

MakeRun = Callable[..., xr.DataTree]


def test_the_first_screen_says_what_was_compared_and_what_came_of_it(make_run: MakeRun) -> None:
    run = make_run()
    found = head(Reading(run))
    assert (
        found.compared
        == "4 networks of 6 units trained on a 2-bit flip-flop memory: 2 conditions (free, dale) × 2 seeds."
    )
    assert found.outcome == "All 4 were trained to the end; every constraint held."
    assert found.created == "2 January 2026, 03:04 UTC"
    assert found.facts == (
        Fact("networks trained", "4 of 4"),
        Fact("reached the criterion", "4 of 4"),
        Fact("constraint violations", "0"),
    )
    accuracy = Reading(run).summary["accuracy"].values[:2]
    assert dict(found.scores)["free"] == f"{accuracy.mean():.3f} [{accuracy.min():.3f}, {accuracy.max():.3f}]"


def test_a_violation_is_counted_in_every_network_and_snapshot(make_run: MakeRun) -> None:
    run = make_run()
    weights = run["weights"].to_dataset(inherit=False).copy(deep=True)
    weights["recurrent_weights"][2, 1, 0, :3] = -1.0  # of an excitatory unit
    run["weights"].dataset = weights
    found = head(Reading(run))
    assert found.outcome == "All 4 were trained to the end; 3 violations of constraints found."
    assert Fact("constraint violations", "3", alarm=True) in found.facts


def test_only_networks_with_a_criterion_can_reach_it(make_run: MakeRun) -> None:
    conditions = {"one": {}, "other": {"training.criterion": None}}
    status = ["criterion_reached", "interrupted", "completed", "completed"]
    assert (
        Fact("reached the criterion", "1 of 1") in head(Reading(make_run(conditions=conditions, status=status))).facts
    )


def test_one_network_from_elsewhere(make_run: MakeRun) -> None:
    experiment = json.dumps({"imported": {"files": []}, "task": {"n_bits": 2}})
    run = make_run(conditions={"published": {}}, seeds=[-1], status=["completed"], title=" ", experiment=experiment)
    found = head(Reading(run))
    assert found.title == "Untitled run"
    assert found.compared == "1 network of 6 units trained elsewhere on a 2-bit flip-flop memory, and imported."
    assert found.outcome == "It was trained to the end; no constraint was declared."
    assert len(found.scores) == 1
    assert np.isfinite(float(found.scores[0][1]))


def test_a_date_that_is_none_is_left_as_it_is(make_run: MakeRun) -> None:
    assert head(Reading(make_run(created="last week"))).created == "last week"
