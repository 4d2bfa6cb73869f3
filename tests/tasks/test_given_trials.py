"""Trials that were given as arrays: their score, and what cannot be done with them."""

import numpy as np
import pytest
import xarray as xr

from biornn.tasks import task_of
from biornn.tasks.given_trials import GivenTrials
from biornn.tasks.scores import score_trials
from biornn.tasks.trials import complete

TASK = GivenTrials(["velocity"], ["x", "y"], dt=2.0)


def given_trials(n_trials=5, n_times=7, seed=0):
    rng = np.random.default_rng(seed)
    dims = {"inputs": ("trial", "time", "input_channel"), "targets": ("trial", "time", "output_channel")}
    arrays = {"inputs": rng.normal(size=(n_trials, n_times, 1)), "targets": rng.normal(3, 2, (n_trials, n_times, 2))}
    return complete(TASK, xr.Dataset({name: (dims[name], array) for name, array in arrays.items()}), "trials")


def test_the_score_is_the_explained_variance():
    trials = given_trials()
    targets = trials["targets"]
    mean, variance = targets.mean(["trial", "time"]), float(targets.var(["trial", "time"]).mean())
    assert (score_trials(TASK, targets, trials) == 1).all()
    # An error of the same size everywhere, and half of the deviation, which leaves a quarter of its square in all.
    np.testing.assert_allclose(score_trials(TASK, targets + 0.5, trials), 1 - 0.25 / variance, rtol=1e-5)
    half = score_trials(TASK, (targets + mean) / 2, trials)
    np.testing.assert_allclose(half.mean(), 0.75, rtol=1e-5)
    expected = 1 - ((targets - mean) ** 2).mean(["time", "output_channel"]) / (4 * variance)
    np.testing.assert_allclose(half, expected, rtol=1e-5)
    assert (score_trials(TASK, targets + 100, trials) == 0).all()  # and no less


def test_trials_at_the_mean_count_like_others():
    """Half of the targets are 0, which is the mean: their own variance is rounding, and does not decide."""
    trials = given_trials(8)
    rng = np.random.default_rng(0)
    trials["targets"][:4] = 0
    trials["targets"][6:] = -trials["targets"][4:6].values
    outputs = trials["targets"] + rng.normal(0, 0.01, trials["targets"].shape)
    assert (score_trials(TASK, outputs, trials) > 0.999).all()


def test_samples_without_weight_do_not_count():
    trials = given_trials()
    trials["loss_weight"][:, :3] = 0
    outputs = trials["targets"].copy(deep=True)
    outputs[:, :3] += 5
    assert (score_trials(TASK, outputs, trials) == 1).all()
    # Nor do they for mean and variance: these are of the others.
    later, half = trials.isel(time=slice(3, None)), trials["targets"] * 0.5
    expected = score_trials(TASK, half.isel(time=slice(3, None)), later)
    np.testing.assert_allclose(score_trials(TASK, half, trials), expected, rtol=1e-6)
    # A channel without any weight leaves the other's score.
    trials["loss_weight"][..., 1] = 0
    outputs = trials["targets"] + xr.DataArray([0.0, 9.0], dims="output_channel")
    assert (score_trials(TASK, outputs, trials) == 1).all()


def test_targets_that_do_not_vary_are_not_scored():
    trials = given_trials(2)
    trials["targets"][:] = [0.1, 0.7]
    assert np.isnan(score_trials(TASK, trials["targets"], trials)).all()


def test_the_task_is_made_again_from_the_trials():
    again = task_of(given_trials())
    assert again == TASK
    assert (again.n_inputs, again.n_outputs, again.dt) == (1, 2, 2.0)


def test_no_trials_are_drawn():
    with pytest.raises(ValueError, match="expected one that draws trials"):
        TASK.trials(3, seed=0)
    with pytest.raises(ValueError, match="expected one that draws trials"):
        TASK.arrays(3, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dt": 0}, "dt: expected a time step above 0 ms, got 0"),
        ({"input_channels": []}, "input_channels: expected at least one name"),
        ({"output_channels": ["x", "x"]}, r"output_channels: .* distinct, got \['x', 'x'\]"),
    ],
)
def test_settings_that_are_impossible_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GivenTrials(**settings)
