import time

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn.analysis.performance import performance
from biornn.tasks import BooleanGate, FlipFlop
from tests.analysis.memory import DIMS, flip_flop, one_channel

TASK = FlipFlop()


@pytest.mark.parametrize(
    ("target", "output", "right"),
    [
        (1, 0.51, True), (1, 0.5, False), (1, 3.0, True), (1, -0.9, False),
        (-1, -0.51, True), (-1, -0.5, False), (-1, 0.9, False),
        (0, 0.5, True), (0, -0.5, True), (0, 0.0, True), (0, 0.51, False), (0, -0.51, False),
    ],
)  # fmt: skip
def test_boundary_of_a_right_answer(target, output, right):
    trials = xr.Dataset({"targets": one_channel([target])})
    assert performance(one_channel([output]), trials, TASK)["score"].item() == right


def test_by_hand():
    targets = xr.DataArray([[[1.0, 1.0], [1.0, -1.0]], [[0.0, -1.0], [-1.0, -1.0]]], dims=DIMS)
    outputs = xr.DataArray([[[0.9, 0.0], [0.8, -1.0]], [[0.1, -0.6], [0.0, -1.0]]], dims=DIMS)
    result = performance(outputs, xr.Dataset({"targets": targets}), TASK)
    assert result["score"].item() == result["worst_score"].item() == 6 / 8
    # Squares: bit 1: .01 .04 .01 1; bit 2: 1 0 .16 0. Sums of decimals: only rounding is left.
    np.testing.assert_allclose(result["mse_per_channel"], [1.06 / 4, 1.16 / 4], rtol=1e-12)
    assert result["mse"].item() == pytest.approx(2.22 / 8, rel=1e-12)
    weight = xr.DataArray([[[1.0, 0.0], [2.0, 0.0]], [[0.0, 3.0], [0.0, 0.0]]], dims=DIMS)
    weighted = performance(outputs, xr.Dataset({"targets": targets, "loss_weight": weight}), TASK)
    np.testing.assert_allclose(weighted["mse_per_channel"], [(0.01 + 2 * 0.04) / 3, 0.16], rtol=1e-12)
    assert weighted["mse"].item() == pytest.approx((0.01 + 2 * 0.04 + 3 * 0.16) / 6, rel=1e-12)
    assert weighted["score"] == result["score"]


def test_scores_are_named_after_that_of_the_task():
    outputs, trials = flip_flop()
    result = performance(outputs, trials, TASK)
    assert set(result) == {"score", "worst_score", "mse", "mse_per_channel"}  # its trials are not told apart
    assert (result["score"].attrs["long_name"], result["worst_score"].attrs["long_name"]) == (
        "accuracy",
        "worst accuracy",
    )
    assert result["mse_per_channel"].attrs["long_name"] == "mean squared error per channel"


def test_the_worst_condition_counts_alone():
    trials = BooleanGate("and").trials(40, seed=0)
    outputs = trials["targets"].where(trials["pattern"] != "11", 0.0)  # low, and that is wrong
    result = performance(outputs, trials)  # by the task that the trials name
    assert result["score"].item() == 0.75
    assert result["worst_score"].item() == 0
    assert result["score_per_condition"].to_series().to_dict() == {
        "pattern=00": 1,
        "pattern=01": 1,
        "pattern=10": 1,
        "pattern=11": 0,
    }


def test_broadcasts_as_a_loop_would_whatever_the_order_of_dims():
    outputs, trials = flip_flop(n_networks=3)
    outputs = outputs.assign_coords(network=["a", "b", "c"])
    shuffled = outputs.transpose("time", "output_channel", "network", "trial")
    result = performance(shuffled, trials.transpose(), TASK)
    assert result["mse_per_channel"].dims == ("network", "output_channel")
    for network in "abc":
        one = performance(outputs.sel(network=network), trials, TASK)
        xr.testing.assert_allclose(result.sel(network=network), one, rtol=1e-14)  # sums in another order


def test_channels_add_up_to_the_whole():
    outputs, trials = flip_flop()
    result = performance(outputs, trials, TASK)
    np.testing.assert_allclose(result["mse_per_channel"].mean("output_channel"), result["mse"], rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 0.49), st.integers(0, 100))
def test_errors_within_half_a_unit_are_never_wrong(size, seed):
    _, trials = flip_flop(seed=seed)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], trials["targets"].shape)
    result = performance(trials["targets"] + size * sign, trials, TASK)
    assert result["score"].item() == 1.0
    # Targets and sizes are added with an error of 1e-16, which squaring multiplies by twice the size.
    assert result["mse"].item() == pytest.approx(size**2, rel=1e-9, abs=1e-20)


def test_single_precision_scores_as_double_does():
    outputs, trials = flip_flop(n_trials=20)
    single = trials.assign(targets=trials["targets"].astype(np.float32))
    found = performance(outputs.astype(np.float32), single, TASK)
    # Outputs are rounded to 6e-8 of their size; the sums are in double precision.
    xr.testing.assert_allclose(found, performance(outputs, trials, TASK), rtol=1e-6)
    assert found["mse"].dtype == np.float64


def test_trials_of_another_set_are_refused_not_intersected():
    outputs = one_channel([1, 1], time=[0.0, 1.0])
    trials = xr.Dataset({"targets": one_channel([1, 1], time=[1.0, 2.0])})
    with pytest.raises(ValueError, match="targets: expected the labels of outputs"):
        performance(outputs, trials, TASK)
    with pytest.raises(ValueError, match="'output_channel' is missing"):
        performance(outputs, trials.isel(output_channel=0, drop=True), TASK)
    with pytest.raises(ValueError, match="trials: expected the attribute 'task' of labelled trials, found none"):
        performance(trials["targets"], trials)


def test_a_run_of_the_published_size_is_scored_within_two_seconds():
    arguments = flip_flop(n_networks=12, n_trials=256, n_times=340)
    start = time.perf_counter()
    performance(*arguments, TASK)
    assert time.perf_counter() - start < 2.0  # takes 0.3 s on one core


def test_the_worst_trial_condition_has_a_name():
    task = BooleanGate("xor")
    trials = task.trials(40, seed=0)
    right = trials["targets"].expand_dims(network=3).copy(deep=True)
    is_11 = (trials["pattern"] == "11").values
    right[0, is_11] = 1.0  # a network that is wrong where both inputs have a pulse
    right[1, ~is_11] = 1.0  # one that is right there, and in the two that are high
    right[2] = np.nan
    found = performance(right, trials)
    assert found["worst_condition"].values.tolist() == ["pattern=11", "pattern=00", ""]
    assert found["worst_score"].values.tolist()[:2] == [0, 0]
    assert "worst_condition" not in performance(*flip_flop(), TASK)  # it has no conditions


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_a_network_with_an_output_that_is_not_finite_has_no_score(strange):
    outputs, trials = flip_flop()
    outputs[1, 0, 0, 0] = strange
    result = performance(outputs, trials, TASK)
    for values in result.values():
        assert values.isel(network=1).isnull().all()
        assert values.isel(network=0).notnull().all()
