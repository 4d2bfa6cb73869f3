"""Angular velocities against the closed forms of filtered noise."""

import numpy as np
import pytest

from biornn.tasks.angular_velocity import AngularVelocity, share_near


def test_spread_and_correlation_are_those_of_filtered_noise():
    velocity = AngularVelocity(sd=2.5, tau=90, dt=20).draw(np.ones((4000, 60), bool), np.random.default_rng(0))
    late = velocity[:, 40:].astype(float)  # 800 ms after the start, 0.0001 of the beginning is left
    # Of 4,000 independent trials, a standard deviation is known to 1.1 %, and a correlation to 0.016.
    np.testing.assert_allclose(late.std(axis=0), 2.5, rtol=0.05)
    assert np.corrcoef(late[:, 0], late[:, 5])[0, 1] == pytest.approx(np.exp(-100 / 90), abs=0.065)
    assert abs(late.mean()) < 4 * 2.5 / np.sqrt(4000)


def test_velocity_is_zero_where_a_trial_does_not_turn_and_begins_there_again():
    turns = np.ones((2000, 30), bool)
    turns[:, 10:20] = False
    velocity = AngularVelocity(sd=1, tau=90, dt=20).draw(turns, np.random.default_rng(0))
    assert (velocity[:, 10:20] == 0).all()
    first = np.sqrt(1 - np.exp(-2 * 20 / 90))  # spread of the first step, 0.6 of that in the long run
    np.testing.assert_allclose([velocity[:, 0].std(), velocity[:, 20].std()], first, rtol=0.07)  # four standard errors
    assert abs(np.corrcoef(velocity[:, 9], velocity[:, 20])[0, 1]) < 4 / np.sqrt(2000)


@pytest.mark.parametrize(("tau", "dt"), [(90, 20), (90, 5), (1, 20)])
def test_variance_of_the_turn_is_that_of_drawn_ones(tau, dt):
    velocity = AngularVelocity(sd=2.5, tau=tau, dt=dt)
    drawn = velocity.draw(np.ones((5000, 50), bool), np.random.default_rng(0)).cumsum(axis=1, dtype=float) * dt / 1000
    expected = velocity.variance_of_turn(50)
    assert expected[0] == 0
    np.testing.assert_allclose(drawn.var(axis=0), expected[1:], rtol=4 * np.sqrt(2 / 5000))  # standard errors


def test_variance_of_the_turn_does_not_depend_on_the_step():
    fine, coarse = (AngularVelocity(2.5, 90, dt).variance_of_turn(3000 // dt)[-1] for dt in (1, 10))
    assert coarse == pytest.approx(fine, rel=0.02)  # the step is a ninth of the time constant
    # In the long run, an integral of filtered noise spreads by 2 σ² τ T: here with what the start at 0 takes away.
    assert fine == pytest.approx(2 * 2.5**2 * 0.09 * (3 - 1.5 * 0.09), rel=0.02)


def test_share_near_the_start_in_limit_cases():
    assert share_near(np.array([0.0]), 0.3).tolist() == [1]
    np.testing.assert_allclose(share_near(np.array([1e3, 1e8]), 0.3), 0.3 / np.pi)  # uniform on the ring
    np.testing.assert_allclose(share_near(np.array([0.0, 2.0, 50.0]), np.pi), 1)  # anywhere
    np.testing.assert_allclose(share_near(np.array([0.01]), 0.1), 0.6827, atol=1e-4)  # one standard deviation


def test_share_near_the_start_is_that_of_normal_turns():
    turns = np.sqrt(3.0) * np.random.default_rng(0).standard_normal(20_000)
    near = abs((turns + np.pi) % (2 * np.pi) - np.pi) <= 0.5
    assert near.mean() == pytest.approx(share_near(np.array(3.0), 0.5), abs=4 * 0.5 / np.sqrt(20_000))
