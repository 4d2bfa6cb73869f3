import numpy as np
import pytest
import xarray as xr

from biornn.tasks.periods import (
    by_period,
    draw_steps,
    in_steps,
    mean_between,
    periods,
    truncated_exponential,
)


@pytest.mark.parametrize(("dt", "expected"), [(1, [0, 15, 30]), (10, [0, 2, 3]), (20, [0, 1, 2])])
def test_times_are_the_nearest_number_of_steps(dt, expected):
    assert in_steps([0, 15, 30], dt).tolist() == expected


def test_periods_follow_each_other_and_end_in_padding():
    assert periods(6, 2, [1, 3], 1).tolist() == [[0, 0, 1, 2, 3, 3], [0, 0, 1, 1, 1, 2]]
    assert periods(4, 0, [2], 9).tolist() == [[1, 1, 2, 2]]


def test_each_time_has_what_its_period_has():
    period = np.array([[0, 0, 1, 2], [1, 1, 1, 2]])
    values = np.float32([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    assert by_period(values, period).tolist() == [[[1, 2], [1, 2], [3, 4], [0, 0]], [[7, 8]] * 3 + [[0, 0]]]
    assert by_period(values[:1], period).tolist() == [[[1, 2], [1, 2], [3, 4], [0, 0]], [[3, 4]] * 3 + [[0, 0]]]
    assert by_period(values, period).dtype == np.float32


def test_lengths_are_drawn_evenly_in_steps_or_fixed():
    drawn = draw_steps("delay", 50, 95, 20, 3000, np.random.default_rng(0))  # 2.5 steps are 3, 4.75 are 5
    counts = np.bincount(drawn)[3:]
    assert counts.sum() == 3000
    np.testing.assert_allclose(counts, 1000, atol=4 * np.sqrt(3000 * 2 / 9))  # four standard deviations of a count
    assert draw_steps("delay", 50, 95, 20, 2, np.random.default_rng(0), fixed=80).tolist() == [4, 4]
    for time, n_steps in ((50, 3), (95, 5), (100, 5)):  # both ends, and what the longest trials are labelled with
        assert draw_steps("delay", 50, 95, 20, 1, np.random.default_rng(0), fixed=time).tolist() == [n_steps]
    for time in (49, 101, np.nan):
        with pytest.raises(ValueError, match=rf"^delay: expected from 50 to 95 ms, got {time}"):
            draw_steps("delay", 50, 95, 20, 2, np.random.default_rng(0), fixed=time)


def test_quantiles_are_those_of_an_exponential_law_between_the_limits():
    share = np.array([0, 0.3, 1])
    times = truncated_exponential(share, 330, 80, 1500)
    np.testing.assert_allclose(times[[0, 2]], [80, 1500])
    # P(time <= t) = (1 - exp(-(t - 80) / 330)) / (1 - exp(-1420 / 330))
    np.testing.assert_allclose(np.expm1(-(times - 80) / 330) / np.expm1(-1420 / 330), share, atol=1e-12)
    np.testing.assert_allclose(truncated_exponential(0.5, 330, 80, 80), 80)
    for mean in (1, 35):  # it as good as ends before the longest
        times = truncated_exponential(np.linspace(0, 1, 5), mean, 80, 1500)
        np.testing.assert_allclose(times[:-1], 80 - mean * np.log(np.linspace(1, 0, 5)[:-1]))
        assert 80 < times[-1] <= 1500


def test_mean_between_two_steps_of_each_trial():
    outputs = xr.DataArray(np.arange(12.0).reshape(2, 6, 1), dims=("trial", "time", "output_channel"))
    first, end = xr.DataArray([0, 3], dims="trial"), xr.DataArray([2, 6], dims="trial")
    mean = mean_between(xr.concat([outputs, -outputs], dim="network"), first, end)
    assert mean.transpose("network", "trial", "output_channel").values[..., 0].tolist() == [[0.5, 10], [-0.5, -10]]


def test_means_are_those_of_the_trials_with_the_same_label():
    values = np.arange(12.0).reshape(2, 6, 1)
    outputs = xr.DataArray(values, {"trial": [7, 8]}, ("trial", "time", "output_channel"))
    first, end = (xr.DataArray(steps, {"trial": [8, 7]}, ("trial",)) for steps in ([3, 0], [6, 2]))
    assert mean_between(outputs, first, end).sel(trial=[7, 8]).values[:, 0].tolist() == [0.5, 10]
    one = {"trial": 0}
    assert mean_between(outputs.sel(trial=8), first.isel(one), end.isel(one)).values.tolist() == [10]
