import numpy as np
import pytest
import xarray as xr

from biornn.tasks.two_choices import TwoChoices


class Sides(TwoChoices):
    """A trial of each side and a catch trial: fixation of one step, stimulus of two or one, decision of three."""

    n_inputs, dt, decision, grace = 1, 10.0, 30.0, 10.0

    def three(self):
        period = np.array([[0, 1, 1, 2, 2, 2], [0, 1, 2, 2, 2, 3], [0, 1, 1, 2, 2, 2]])
        correct = np.array([[True, False], [False, True], [False, False]])
        arrays = self._with_targets(np.ones((3, 6, 1), np.float32), period, correct)
        return self.labelled(arrays, [6, 5, 6], correct_choice=["left", "right", "none"])


@pytest.fixture
def trials():
    return Sides().three()


def test_targets_and_loss_weight_by_hand(trials):
    low, high = np.float32(0.2), np.float32(1)
    left, right = (trials["targets"].sel(output_channel=side) for side in ("left", "right"))
    assert left.values.tolist() == [[low] * 3 + [high] * 3, [low] * 5 + [0], [low] * 6]
    assert right.values.tolist() == [[low] * 6, [low] * 2 + [high] * 3 + [0], [low] * 6]
    assert trials["loss_weight"][..., 0].values.tolist() == [[1, 0, 0, 1, 1, 1], [1, 0, 1, 1, 1, 0], [1] * 6]
    xr.testing.assert_equal(
        trials["loss_weight"][..., 1].drop_vars("output_channel"),
        trials["loss_weight"][..., 0].drop_vars("output_channel"),
    )
    assert trials["inputs"][..., 0].values.tolist() == [[1] * 6, [1] * 5 + [0], [1] * 6]


def test_the_last_two_steps_of_each_trial_make_the_choice(trials):
    outputs = xr.zeros_like(trials["targets"])
    outputs[0, 4, 0] = outputs[1, 3, 1] = outputs[2, 5, 0] = 1.0
    outputs[0, 3, 1] = outputs[1, 5, 0] = 9.0  # within the grace time, and in the padding
    assert Sides().choice(outputs, trials).values.tolist() == ["left", "right", "left"]
    np.testing.assert_array_equal(Sides().score(outputs, trials), [1, 1, np.nan])
    np.testing.assert_array_equal(Sides().catch_score(outputs, trials), [np.nan, np.nan, 1])  # a mean of 0.5 is low
    np.testing.assert_array_equal(Sides().catch_score(outputs * 1.3, trials), [np.nan, np.nan, 0])


def test_equal_outputs_choose_left_and_infinite_ones_nothing(trials):
    assert Sides().choice(trials["targets"] * 0, trials).values.tolist() == ["left"] * 3
    assert Sides().choice(trials["targets"] * np.nan, trials).values.tolist() == [""] * 3
