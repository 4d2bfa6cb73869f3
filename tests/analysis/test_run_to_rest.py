"""When a network that is left alone stands still."""

import numpy as np

from biornn.analysis.run_to_rest import FAR, run_to_rest
from tests.analysis.networks import equation


def test_it_stops_where_the_speed_is_small_enough_and_not_sooner():
    # x halves in each step: the speed at x is x / 2, at 2^-25, the first time that it is asked, 2^-26.
    halves = equation([[0.5]])
    state, stands_still = run_to_rest(halves, np.array([[1.0], [2.0]]), 2.0**-26, 1000)
    assert stands_still.all()
    np.testing.assert_array_equal(state, [[2.0**-25], [2.0**-49]])


def test_what_never_stands_still_goes_on_to_the_last_step_or_out_of_bounds():
    turns = equation([[0.0, 1.0], [-1.0, 0.0]])
    state, stands_still = run_to_rest(turns, np.array([[1.0, 0.0]]), 1e-6, 50)
    assert not stands_still.any()
    np.testing.assert_array_equal(state, [[-1.0, 0.0]])  # after 50 quarters of a turn
    grows = equation([[10.0]])
    start = np.array([[1.0], [0.0], [np.nan], [1e300]])
    state, stands_still = run_to_rest(grows, start, 1e-6, 10_000)
    assert stands_still.tolist() == [False, True, False, False]
    assert state[0, 0] > FAR
    np.testing.assert_array_equal(start, [[1.0], [0.0], [np.nan], [1e300]])  # left as they are


def test_no_states_and_no_steps():
    assert run_to_rest(equation([[0.5]]), np.empty((0, 1)), 1e-6, 100)[0].shape == (0, 1)
    assert not run_to_rest(equation([[0.5]]), np.zeros((1, 1)), 1e-6, 0)[1].any()
