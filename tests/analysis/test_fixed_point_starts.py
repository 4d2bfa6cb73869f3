"""Where a search for fixed points starts."""

import numpy as np
import pytest

from biornn.analysis.fixed_point_starts import draw_starts, in_steps, rates_in_box
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


def test_a_batch_has_as_many_starts_as_asked_for():
    network = equation(1.6 * np.eye(3), "tanh")
    given, known = np.full((5, 3), 0.5), np.zeros((1, 3))
    for own in (None, given):
        for points in (known, known[:0]):
            for n_starts in (1, 2, 7, 128):
                starts = draw_starts(network, own, points, n_starts, np.random.default_rng(0), is_first=True)
                assert starts.shape == (n_starts, 3)
                assert np.isfinite(starts).all()


def test_time_constants_are_counted_in_steps():
    assert in_steps(equation([[0.0]], alpha=0.1), 30, 2000) == 300
    assert in_steps(equation([[0.0]], alpha=1e-9), 30, 2000) == 2000
