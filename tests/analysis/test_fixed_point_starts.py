"""Where a search for fixed points starts."""

import numpy as np
import pytest

from biornn.analysis.fixed_point_starts import draw_between, draw_starts, in_steps, possible_rates, rates_in_box
from biornn.analysis.stationary_low_rank import in_few_numbers
from tests.analysis.networks import equation


@pytest.mark.parametrize(("activation", "low", "high"), [("tanh", -1, 1), ("sigmoid", 0, 1), ("relu", 0, np.inf)])
def test_the_box_reaches_from_the_lowest_rate_to_the_highest(activation, low, high):
    rates = rates_in_box(equation(np.eye(3), activation), 2000, np.random.default_rng(0))
    assert rates.shape == (2000, 3)
    assert (rates >= low).all()
    assert (rates <= high).all()
    if np.isfinite(high):  # of 6000 uniform numbers none is in a hundredth of the interval with probability e^-60
        width = (high - low) / 100
        assert rates.min() < low + width
        assert rates.max() > high - width


@pytest.mark.parametrize(("activation", "low", "high"), [("tanh", -1, 1), ("sigmoid", 0, 1), ("relu", 0, np.inf)])
def test_of_low_rank_every_second_start_has_sums_that_the_box_has_not(activation, low, high):
    left, right = np.random.default_rng(0).normal(size=(2, 1000, 2))
    of = in_few_numbers(equation(left @ right.T / 1000, activation))
    rates = possible_rates(of, 4000, np.random.default_rng(1))
    assert rates.shape == (4000, 1000)
    assert (rates >= low).all()
    assert (rates <= high).all()
    rates = rates / rates.max(axis=1, initial=1.0, keepdims=True)  # of relu, in units of the largest
    sums = (rates - rates.mean(axis=1, keepdims=True)) @ of.directions
    lengths = np.linalg.norm(sums, axis=1)
    width = 1.0 if activation == "tanh" else 0.5
    assert lengths[1::2].max() < 0.2 * width * np.sqrt(1000)
    # The largest sum in a direction is that of its corner: of Gaussian weights sqrt(2 / pi) of the length of all rates.
    assert 0.7 * width * np.sqrt(1000) < lengths[::2].max() < 0.85 * width * np.sqrt(1000)
    angles = np.arctan2(sums[::2, 1], sums[::2, 0])
    assert np.histogram(angles, 8, (-np.pi, np.pi))[0].min() > 180  # 250 in each, if all directions are as frequent
    full = equation(np.eye(5))
    one, other = (draw(full, 9, np.random.default_rng(2)) for draw in (possible_rates, rates_in_box))
    np.testing.assert_array_equal(one, other)


def test_a_batch_has_as_many_starts_as_asked_for():
    network = equation(1.6 * np.eye(3), "tanh")
    for own in (None, np.full((5, 3), 0.5)):
        for n_starts in (0, 1, 2, 7, 128):
            starts = draw_starts(network, own, n_starts, np.random.default_rng(0), is_first=True)
            assert starts.shape == (n_starts, 3)
            assert np.isfinite(starts).all()
            recorded = 0 if own is None else (n_starts + 1) // 2
            assert (starts[:recorded] == 0.5).all()


def test_starts_between_known_points_lie_on_and_beyond_their_edges_and_near_those_that_few_starts_led_to():
    corners = np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]])
    rng = np.random.default_rng(0)
    assert draw_between(corners[:0], np.zeros(0, int), 8, rng).shape == (0, 3)
    for n_starts in (0, 1, 7):
        assert draw_between(corners[:1], np.array([4]), n_starts, rng).shape == (n_starts, 3)
    starts = draw_between(corners, np.array([1, 1, 1]), 3000, rng)
    at_fourth = np.linalg.norm(starts - [-1, -1, 0], axis=1) < 0.1
    # Half of the starts, of which the three are all different in 6 of 27, the corner in 2; most have little noise.
    assert 0.5 * 2 / 27 * 0.4 < at_fourth.mean() < 0.5 * 2 / 27
    rare = draw_between(corners, np.array([0, 1000, 1000]), 3000, rng)
    np.testing.assert_allclose(np.median(rare, axis=0), corners[0], atol=0.01)


def test_time_constants_are_counted_in_steps():
    assert in_steps(equation([[0.0]], alpha=0.1), 30, 2000) == 300
    assert in_steps(equation([[0.0]], alpha=1e-9), 30, 2000) == 2000
