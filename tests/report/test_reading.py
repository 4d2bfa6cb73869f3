from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from biornn.report.reading import Reading
from biornn.tasks import FlipFlop, GoNoGo, Mixture, Task
from tests.report.conftest import planted_run

MakeRun = Callable[..., xr.DataTree]


def test_a_condition_is_shown_by_its_first_trained_network(make_run: MakeRun) -> None:
    reading = Reading(make_run(status=["diverged", "completed", "completed", "completed"]))
    assert reading.shown == {"free": "free-s01", "dale": "dale-s00"}
    assert reading.shown_ungated == ["free-s01", "dale-s00"]


def test_a_condition_without_a_trained_network_is_not_shown(make_run: MakeRun) -> None:
    reading = Reading(make_run(status=["diverged", "failed", "failed", "completed"]))
    assert reading.shown == {"dale": "dale-s01"}
    assert reading.checked.any("snapshot").values.tolist() == [False, False, False, True]
    assert reading.members(reading.history["seed"], "dale").values.tolist() == [1]
    assert not reading.members(reading.history["seed"], "free").size


def test_gated_networks_have_no_weights_to_show(make_run: MakeRun) -> None:
    reading = Reading(make_run(conditions={"lstm": {}}, formulation="lstm"))
    assert reading.shown == {"lstm": "lstm-s00"}
    assert reading.shown_ungated == []
    assert not reading.checked.any()


def test_what_is_asked_twice_is_computed_once(make_run: MakeRun) -> None:
    reading = Reading(make_run())
    assert reading.summary is reading.summary
    assert reading.n_violations == 0
    assert np.isfinite(reading.spectrum).all()


def test_a_constraint_is_checked_where_a_network_has_weights(make_run: MakeRun) -> None:
    assert Reading(make_run()).constrained == {"dale": True}
    assert Reading(make_run(status=["completed", "failed", "diverged", "completed"])).constrained == {"dale": True}
    assert Reading(make_run(status=["completed", "completed", "diverged", "diverged"])).constrained == {"dale": False}
    assert Reading(make_run(status=["failed"] * 4)).constrained == {"free": False, "dale": False}
    assert Reading(make_run(conditions={"free": {}})).constrained == {}


@pytest.mark.parametrize(
    ("task", "n_trials"),
    [
        (GoNoGo(), 64),
        (Mixture({"go": {"name": "go_no_go"}, "decision": {"name": "perceptual_decision"}}), 64),
        (FlipFlop(n_bits=2, duration=300.0, n_pulses=3), 8),
    ],
)
def test_what_is_right_or_wrong_as_a_whole_is_run_again_on_more_trials(task: Task, n_trials: int) -> None:
    run = planted_run(task=task, n_trials=128)
    silent = run["activity"]["time"] > run["activity"]["time"].values[-1] / 2
    run["activity"]["outputs"] = run["activity"]["outputs"].where(~silent, 0.0)
    assert Reading(run).few_trials.sizes["trial"] == n_trials
