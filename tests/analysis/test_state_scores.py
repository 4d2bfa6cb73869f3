import time

import numpy as np
import pytest
import xarray as xr

from biornn.analysis.performance import performance
from biornn.analysis.state_scores import state_scores
from biornn.tasks import FlipFlop
from tests.analysis.memory import DIMS, flip_flop

TASK = FlipFlop()


def test_by_hand():
    targets = xr.DataArray([[[1.0, 1.0], [1.0, -1.0]], [[0.0, -1.0], [-1.0, -1.0]]], dims=DIMS)
    outputs = xr.DataArray([[[0.9, 0.0], [0.8, -1.0]], [[0.1, -0.6], [0.0, -1.0]]], dims=DIMS)
    state = xr.DataArray([["++", "+-"], ["0-", "--"]], dims=DIMS[:2])
    window = xr.DataArray([[[False, True], [False] * 2], [[False] * 2, [False] * 2]], dims=DIMS)
    trials = xr.Dataset({"targets": targets, "memory_state": state, "response_window": window})
    result = state_scores(outputs, trials, TASK)
    assert result["settled_score"].item() == pytest.approx(6 / 7, rel=1e-15)
    assert result["score_per_channel"].values.tolist() == [3 / 4, 3 / 4]
    assert result["memory_state"].values.tolist() == ["++", "+-", "--", "0-"]
    assert result["score_per_state"].values.tolist() == [0.5, 1.0, 0.5, 1.0]
    assert result["score_per_state"].attrs["long_name"] == "accuracy per state"


def test_there_is_a_settled_score_only_where_there_are_windows():
    outputs, trials = flip_flop()
    base = {"score_per_state", "score_per_channel"}
    assert set(state_scores(outputs, trials, TASK)) == base | {"settled_score"}
    assert set(state_scores(outputs, trials.drop_vars("response_window"), TASK)) == base
    with pytest.raises(ValueError, match="trials: expected 'memory_state', found"):
        state_scores(outputs, trials.drop_vars("memory_state"), TASK)


def test_broadcasts_as_a_loop_would_whatever_the_order_of_dims():
    outputs, trials = flip_flop(n_networks=3)
    outputs = outputs.assign_coords(network=["a", "b", "c"])
    shuffled = outputs.transpose("time", "output_channel", "network", "trial")
    result = state_scores(shuffled, trials.transpose(), TASK)
    assert result["score_per_state"].dims == ("network", "memory_state")
    for network in "abc":
        one = state_scores(outputs.sel(network=network), trials, TASK)
        xr.testing.assert_allclose(result.sel(network=network), one, rtol=1e-14)  # sums in another order


def test_states_and_channels_add_up_to_the_whole():
    outputs, trials = flip_flop()
    whole, result = performance(outputs, trials, TASK)["score"], state_scores(outputs, trials, TASK)
    labels, counts = np.unique(trials["memory_state"].values.astype(str), return_counts=True)
    share = xr.DataArray(counts / counts.sum(), dims="memory_state", coords={"memory_state": labels.astype(object)})
    np.testing.assert_allclose((result["score_per_state"] * share).sum("memory_state"), whole, rtol=1e-12)
    np.testing.assert_allclose(result["score_per_channel"].mean("output_channel"), whole, rtol=1e-12)
    assert not np.allclose(result["settled_score"], whole)


def test_no_settled_sample_is_nan():
    outputs, trials = flip_flop()
    trials["response_window"] = trials["response_window"] | True
    assert np.isnan(state_scores(outputs, trials, TASK)["settled_score"]).all()


def test_trials_of_another_set_are_refused_not_intersected():
    outputs, trials = flip_flop()
    other = trials.assign_coords(time=np.arange(20.0))
    with pytest.raises(ValueError, match="targets: expected the labels of outputs"):
        state_scores(outputs.assign_coords(time=1 + np.arange(20.0)), other, TASK)


def test_a_run_of_the_published_size_is_scored_within_three_seconds():
    arguments = flip_flop(n_networks=12, n_trials=256, n_times=340)
    start = time.perf_counter()
    state_scores(*arguments, TASK)
    assert time.perf_counter() - start < 3.0  # takes 0.6 s on one core


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_a_network_with_an_output_that_is_not_finite_has_no_score(strange):
    outputs, trials = flip_flop()
    outputs[1, 0, 0, 0] = strange
    for values in state_scores(outputs, trials, TASK).values():
        assert values.isel(network=1).isnull().all()
        assert values.isel(network=0).notnull().all()
