import time

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn.analysis.performance import is_right, performance

DIMS = ("trial", "time", "output_channel")


def one_channel(values, **coords):
    """One trial of one channel."""
    return xr.DataArray(np.asarray(values, float).reshape(1, -1, 1), dims=DIMS, coords=coords)


def flip_flop(n_networks=2, n_trials=3, n_times=20, seed=0):
    """Random targets, outputs near enough to be mostly right, states of two bits, windows."""
    rng = np.random.default_rng(seed)
    targets = xr.DataArray(
        rng.integers(-1, 2, (n_trials, n_times, 2)).astype(float), dims=DIMS, coords={"output_channel": ["a", "b"]}
    )
    noise = xr.DataArray(rng.normal(0, 0.4, (n_networks, *targets.shape)), dims=("network", *DIMS))
    outputs = (targets + noise).transpose("network", *DIMS)
    signs = np.array(["-", "0", "+"], dtype=object)[targets.values.astype(int) + 1]
    state = xr.DataArray(signs[..., 0] + signs[..., 1], dims=DIMS[:2])
    window = xr.DataArray(rng.random(targets.shape) < 0.3, dims=DIMS)
    return outputs, targets, state, window


@pytest.mark.parametrize(
    ("target", "output", "right"),
    [
        (1, 0.51, True), (1, 0.5, False), (1, 3.0, True), (1, -0.9, False),
        (-1, -0.51, True), (-1, -0.5, False), (-1, 0.9, False),
        (0, 0.5, True), (0, -0.5, True), (0, 0.0, True), (0, 0.51, False), (0, -0.51, False),
    ],
)  # fmt: skip
def test_boundary_of_a_right_answer(target, output, right):
    assert performance(one_channel([output]), one_channel([target]))["accuracy"].item() == right


def test_by_hand():
    targets = xr.DataArray([[[1.0, 1.0], [1.0, -1.0]], [[0.0, -1.0], [-1.0, -1.0]]], dims=DIMS)
    outputs = xr.DataArray([[[0.9, 0.0], [0.8, -1.0]], [[0.1, -0.6], [0.0, -1.0]]], dims=DIMS)
    state = xr.DataArray([["++", "+-"], ["0-", "--"]], dims=DIMS[:2])
    window = xr.DataArray([[[False, True], [False] * 2], [[False] * 2, [False] * 2]], dims=DIMS)
    result = performance(outputs, targets, state, window)
    assert result["accuracy"].item() == 6 / 8
    assert result["accuracy_settled"].item() == pytest.approx(6 / 7, rel=1e-15)
    assert result["accuracy_per_bit"].values.tolist() == [3 / 4, 3 / 4]
    assert result["memory_state"].values.tolist() == ["++", "+-", "--", "0-"]
    assert result["accuracy_per_state"].values.tolist() == [0.5, 1.0, 0.5, 1.0]
    # Squares: bit 1: .01 .04 .01 1; bit 2: 1 0 .16 0. Sums of decimals: only rounding is left.
    np.testing.assert_allclose(result["mse_per_bit"], [1.06 / 4, 1.16 / 4], rtol=1e-12)
    np.testing.assert_allclose(result["mse_per_state"], [0.505, 0.02, 0.5, 0.085], rtol=1e-12)
    assert result["mse"].item() == pytest.approx(2.22 / 8, rel=1e-12)


def test_optional_scores_are_there_only_where_they_can_be():
    outputs, targets, state, window = flip_flop()
    base = {"mse", "accuracy", "mse_per_bit", "accuracy_per_bit"}
    assert set(performance(outputs, targets)) == base
    assert set(performance(outputs, targets, state)) == base | {"mse_per_state", "accuracy_per_state"}
    assert set(performance(outputs, targets, response_window=window)) == base | {"accuracy_settled"}


def test_broadcasts_as_a_loop_would_whatever_the_order_of_dims():
    outputs, targets, state, window = flip_flop(n_networks=3)
    outputs = outputs.assign_coords(network=["a", "b", "c"])
    shuffled = outputs.transpose("time", "output_channel", "network", "trial")
    result = performance(shuffled, targets.transpose(), state.transpose(), window.transpose())
    assert result["mse_per_state"].dims == ("network", "memory_state")
    assert result["accuracy_per_bit"].dims == ("network", "output_channel")
    for network in "abc":
        one = performance(outputs.sel(network=network), targets, state, window)
        xr.testing.assert_allclose(result.sel(network=network), one, rtol=1e-14)  # sums in another order


def test_states_and_bits_add_up_to_the_whole():
    outputs, targets, state, window = flip_flop()
    result = performance(outputs, targets, state, window)
    labels, counts = np.unique(state.values.astype(str), return_counts=True)
    share = xr.DataArray(counts / counts.sum(), dims="memory_state", coords={"memory_state": labels.astype(object)})
    for name in ("mse", "accuracy"):
        np.testing.assert_allclose((result[f"{name}_per_state"] * share).sum("memory_state"), result[name], rtol=1e-12)
        np.testing.assert_allclose(result[f"{name}_per_bit"].mean("output_channel"), result[name], rtol=1e-12)
    assert not np.allclose(result["accuracy_settled"], result["accuracy"])


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 0.49), st.integers(0, 100))
def test_errors_within_half_a_unit_are_never_wrong(size, seed):
    _, targets, _, _ = flip_flop(seed=seed)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], targets.shape)
    result = performance(targets + size * sign, targets)
    assert result["accuracy"].item() == 1.0
    # Targets and sizes are added with an error of 1e-16, which squaring multiplies by twice the size.
    assert result["mse"].item() == pytest.approx(size**2, rel=1e-9, abs=1e-20)


def test_no_settled_sample_is_nan():
    outputs, targets, _, window = flip_flop()
    assert np.isnan(performance(outputs, targets, response_window=window | True)["accuracy_settled"]).all()


def test_single_precision_scores_as_double_does():
    outputs, targets, state, window = flip_flop(n_trials=20)
    single = performance(outputs.astype(np.float32), targets.astype(np.float32), state, window)
    # Outputs are rounded to 6e-8 of their size; the sums are in double precision.
    xr.testing.assert_allclose(single, performance(outputs, targets, state, window), rtol=1e-6)
    assert single["mse"].dtype == np.float64


def test_trials_of_another_set_are_refused_not_intersected():
    outputs, targets = one_channel([1, 1], time=[0.0, 1.0]), one_channel([1, 1], time=[1.0, 2.0])
    with pytest.raises(ValueError, match="targets: expected the labels of outputs"):
        performance(outputs, targets)
    with pytest.raises(ValueError, match="memory_state: expected the labels of outputs"):
        performance(outputs, outputs, memory_state=xr.DataArray([["+"]], dims=("trial", "time")))
    with pytest.raises(ValueError, match="'output_channel' is missing"):
        performance(outputs, outputs.isel(output_channel=0, drop=True))


def test_a_run_of_the_published_size_is_scored_within_two_seconds():
    arguments = flip_flop(n_networks=12, n_trials=256, n_times=340)
    start = time.perf_counter()
    performance(*arguments)
    assert time.perf_counter() - start < 2.0  # takes 0.3 s on one core


def test_an_output_that_is_not_finite_is_never_right():
    outputs = xr.DataArray([np.nan, np.nan, np.inf, -np.inf, 1.0], dims="time")
    targets = xr.DataArray([0.0, 1.0, 1.0, -1.0, 1.0], dims="time")
    assert is_right(outputs, targets).values.tolist() == [False, False, False, False, True]
