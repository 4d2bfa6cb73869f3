"""Confusion matrices by hand, and of the answers of tasks."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import confusion
from biornn.tasks import DelayedMatch, MemoryProAnti, RingIntegration


def words(values):
    return xr.DataArray(np.array(values), dims=("network", "trial")[-np.ndim(values) :])


def test_shares_by_hand():
    correct = words(["go", "go", "go", "no-go"])
    found = confusion(words([["go", "go", "no-go", "no-go"], ["", "", "", ""], ["other", "", "go", "go"]]), correct)
    assert found["correct_choice"].values.tolist() == ["go", "no-go"]
    assert found["choice"].values.tolist() == ["go", "no-go", "other", "no choice"]
    assert found["n_trials"].values.tolist() == [3, 1]
    np.testing.assert_allclose(found["share"][0], [[2 / 3, 1 / 3, 0, 0], [0, 1, 0, 0]])
    assert found["share"][1].isnull().all()  # it never chooses
    np.testing.assert_allclose(found["share"][2], [[1 / 3, 0, 1 / 3, 1 / 3], [1, 0, 0, 0]])
    np.testing.assert_allclose(found["share"].sum("choice")[[0, 2]], 1)


def test_numbers_are_sorted_as_numbers():
    found = confusion(words(["90", "180", "45"]), words(["90", "180", "5"]))
    assert found["correct_choice"].values.tolist() == ["5", "90", "180"]
    assert found["choice"].values.tolist() == ["5", "90", "180", "45"]


def test_planted_confusions_are_found():
    rng = np.random.default_rng(0)
    planted = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
    correct = np.repeat([0, 1, 2], 4000)
    chosen = [rng.choice(3, p=planted[one]) for one in correct]
    found = confusion(words(np.array(list("abc"))[chosen]), words(np.array(list("abc"))[correct]))
    # Four standard errors of a share of 4,000.
    np.testing.assert_allclose(found["share"], planted, atol=4 * 0.5 / np.sqrt(4000))


@pytest.mark.parametrize("turn", [0, 1, 4])
def test_who_points_further_by_some_sectors_is_off_the_diagonal_by_as_many(turn):
    task = MemoryProAnti(n_directions=8)
    trials = task.trials(64, seed=0)
    outputs = trials["targets"].copy(deep=True)
    angle = trials["response_angle"] + turn * np.pi / 4
    response = trials["period"] == "response"
    for channel, value in (("sin", np.sin(angle)), ("cos", np.cos(angle))):
        outputs.loc[{"output_channel": channel}] = value.where(response, 0)
    matrix = confusion(task.pointed(outputs, trials), task.pointed(trials["targets"], trials))["share"]
    np.testing.assert_array_equal(matrix, np.roll(np.eye(8), turn, axis=1))


def test_who_keeps_fixation_points_nowhere():
    task = MemoryProAnti()
    trials = task.trials(16, seed=0)
    assert (task.pointed(xr.ones_like(trials["targets"]), trials) == "").all()
    assert (task.pointed(trials["targets"] * np.nan, trials) == "").all()


def test_the_end_of_a_turn_is_where_start_and_turn_say():
    task = RingIntegration(duration=1000, n_directions=4)
    trials = task.trials(40, seed=0)
    end = np.rad2deg(trials["start_angle"] + trials["turn"])
    expected = (np.round(end / 90).astype(int) % 4 * 90).astype(str)
    assert (task.pointed(trials["targets"], trials) == expected).all()


def test_who_always_answers_match_is_right_where_it_is():
    task = DelayedMatch()
    trials = task.trials(32, seed=0)
    outputs = xr.zeros_like(trials["targets"])
    outputs.loc[{"output_channel": "match"}] = 1
    matrix = confusion(task.choice(outputs, trials), trials["correct_choice"])
    assert matrix["share"].sel(choice="match").values.tolist() == [1, 1]
    assert matrix["share"].sel(choice="non-match").values.tolist() == [0, 0]


def test_trials_that_differ_are_named():
    with pytest.raises(ValueError, match=r"^choice: expected the trials of correct_choice, got others"):
        confusion(words(["a"]), words(["a", "b"]))
