import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from biornn.analysis.noise_robustness import input_noise_robustness, recurrent_noise_robustness
from biornn.analysis.performance import performance
from biornn.analysis.simulate import simulate
from biornn.tasks import FlipFlop
from biornn.tasks.task import describe_task
from tests.analysis.networks import network, side_by_side

NOISE = [0.0, 0.2, 0.5, 1.0]
BOTH = np.eye(2)
KINDS = pytest.mark.parametrize("robustness", [input_noise_robustness, recurrent_noise_robustness])


def relay(alpha=1.0):
    """One linear unit that becomes what it is told."""
    return network([[0.0]], [[1.0]], [[1.0]], alpha=alpha)


def flip_flop():
    return network(2 * BOTH, 3 * BOTH, BOTH, alpha=0.5, activation="hard_tanh")


def constant_trials(level=1.0, n_trials=40, n_times=500):
    values = np.full((n_trials, n_times, 1), level)
    inputs = xr.DataArray(values, dims=("trial", "time", "input_channel"))
    trials = xr.Dataset({"inputs": inputs, "targets": inputs.rename(input_channel="output_channel")})
    return trials.assign_attrs(describe_task(FlipFlop(n_bits=1)))


@KINDS
@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_a_relay_scores_as_the_normal_distribution_says(robustness, alpha):
    scores = robustness(relay(alpha), constant_trials(), NOISE, n_repeats=2)
    # The output is 1 + sd * normal. The leak averages noise on the inputs; that of the units is scaled against it.
    factor = np.sqrt(alpha / (2 - alpha)) if robustness is input_noise_robustness else 1.0
    sd = factor * np.array(NOISE[1:])
    # 20,000 independent samples or more: standard errors of 0.4 % of accuracy and of 1 % of the variance. The start
    # from 0 costs two of 500 samples at alpha 0.5.
    np.testing.assert_allclose(scores.score[1:], norm.cdf(0.5 / sd), atol=0.012)
    np.testing.assert_allclose(scores.mse[1:], sd**2, rtol=0.05, atol=0.001)


@KINDS
def test_without_noise_they_score_as_performance_does(robustness):
    trials, weights = FlipFlop(n_bits=2).trials(7, seed=0), flip_flop()
    expected = performance(simulate(weights, trials.inputs).outputs, trials)
    scores = robustness(weights, trials, NOISE).sel(noise=0)
    for name in ("score", "mse"):
        np.testing.assert_allclose(scores[name], expected[name], rtol=1e-12)  # sums in another order
        assert 0 < scores[name] < 1


@KINDS
def test_robustness_is_the_area_under_the_curve_over_its_width(robustness):
    scores = robustness(flip_flop(), FlipFlop(n_bits=2).trials(5, seed=0), NOISE)
    a = scores.score.values
    assert a[0] > a[3]
    area = 0.2 * (a[0] + a[1]) / 2 + 0.3 * (a[1] + a[2]) / 2 + 0.5 * (a[2] + a[3]) / 2
    assert scores.robustness == pytest.approx(area, rel=1e-12)


@KINDS
def test_networks_meet_the_same_noise_and_another_seed_brings_another(robustness):
    trials = FlipFlop(n_bits=2).trials(5, seed=0)
    twins = robustness(side_by_side(a=flip_flop(), b=flip_flop()), trials, NOISE, seed=4)
    assert twins.score.dims == ("network", "noise")
    xr.testing.assert_equal(twins.isel(network=0, drop=True), twins.isel(network=1, drop=True))
    alone = robustness(flip_flop(), trials.transpose(), NOISE, seed=4)
    xr.testing.assert_equal(alone, twins.isel(network=0, drop=True))
    assert robustness(flip_flop(), trials, NOISE, seed=5).score[2] != alone.score[2]


@KINDS
def test_repeats_are_independent(robustness):
    trials = constant_trials(n_trials=1, n_times=50)
    once = robustness(relay(), trials, NOISE, n_repeats=1).mse[3]
    often = robustness(relay(), trials, NOISE, n_repeats=200).mse[3]
    assert once != pytest.approx(1.0, abs=0.03)
    assert often == pytest.approx(1.0, abs=0.06)  # 10,000 samples: standard error 0.014


@KINDS
def test_activity_that_runs_away_is_wrong_and_not_left_out(robustness):
    explosive = network([[1e200]], [[1.0]], [[1.0]])
    scores = robustness(explosive, constant_trials(0.0, n_trials=4, n_times=50), [0.0, 0.1])
    assert scores.score.values.tolist()[0] == 1  # silence is what the targets say, until there is noise
    assert scores.score[1] < 0.05  # the first sample of 50 may be right
    assert np.isinf(scores.mse[1])
    assert scores.robustness == pytest.approx(scores.score.mean().item())


def test_what_ends_in_nan_is_wrong_too():
    # Two units that run away together: their difference is 0 at first, and then infinity minus infinity.
    opposed = network(1e200 * BOTH, [[1.0, 1.0]], [[1.0], [-1.0]])
    scores = input_noise_robustness(opposed, constant_trials(0.0, n_trials=4, n_times=50), [0.0, 0.1])
    assert scores.score.values.tolist() == [1, 0]
    assert scores.mse.values.tolist() == [0, np.inf]


@KINDS
@pytest.mark.parametrize("noise", [[0.1], [0.2, 0.1], [-0.1, 0.1], [0.1, 0.1], [0.0, np.nan]])
def test_noise_has_to_ascend(robustness, noise):
    with pytest.raises(ValueError, match="noise: expected two or more ascending standard deviations"):
        robustness(relay(), constant_trials(), noise)


@KINDS
def test_other_bad_arguments_are_refused(robustness):
    with pytest.raises(ValueError, match="trials: expected 'targets', found"):
        robustness(relay(), constant_trials().drop_vars("targets"))
    with pytest.raises(ValueError, match="n_repeats: expected at least 1, got 0"):
        robustness(relay(), constant_trials(), n_repeats=0)
