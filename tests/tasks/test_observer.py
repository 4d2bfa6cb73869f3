import numpy as np
import pytest

from biornn.tasks.observer import ideal_observer, noise_sd


def test_noise_of_a_sum_over_a_time_does_not_depend_on_dt():
    # 800 ms: as many samples, each with the variance 2 σ² τ / dt, times dt²
    variances = [(800 / dt) * noise_sd(0.1, 100, dt) ** 2 * dt**2 for dt in (1, 10, 20)]
    np.testing.assert_allclose(variances, 2 * 0.1**2 * 100 * 800)
    np.testing.assert_allclose(noise_sd([0.1, 0.3], 100, 20), [noise_sd(0.1, 100, 20), 3 * noise_sd(0.1, 100, 20)])


@pytest.mark.parametrize("dt", [10, 20])
def test_summing_the_difference_of_simulated_inputs_is_right_as_often_as_said(dt):
    rng, n = np.random.default_rng(0), 20_000
    noise = noise_sd(0.1, 100, dt) * rng.standard_normal((n, 800 // dt, 2))
    summed = (0.064 + noise[..., 0] - noise[..., 1]).sum(axis=1)
    expected = ideal_observer(0.064, 800, 0.1, 100)
    assert (summed > 0).mean() == pytest.approx(expected, abs=4 * np.sqrt(0.25 / n))  # standard errors


def test_limits():
    assert ideal_observer([-1.0, 0.0, 1.0], 100, 0, 100).tolist() == [0, 0.5, 1]
    assert ideal_observer(0.5, 0, 0.1, 100) == 0.5
    one, other = ideal_observer([0.02, -0.02], 300, 0.1, 100)
    assert one + other == pytest.approx(1)
