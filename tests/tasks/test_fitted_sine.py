"""Sines that are found again, and signals that are none."""

import numpy as np
import pytest

from biornn.tasks.fitted_sine import fitted_sine

DT = 20.0


def sine(frequency, amplitude, phase, n_steps=200, constant=0.0):
    time = np.arange(n_steps) * DT / 1000
    return constant + amplitude * np.sin(2 * np.pi * frequency * time + phase)


@pytest.mark.parametrize("frequency", [0.3, 0.5, 1.25, 1.3333, 7.0, 24.0])
@pytest.mark.parametrize("phase", [0.0, 1.0, 2.5])
def test_frequency_and_amplitude_of_a_sine_are_found(frequency, phase):
    found = fitted_sine(sine(frequency, 0.9, phase, constant=0.3)[np.newaxis], np.array([200]), DT)
    np.testing.assert_allclose(np.ravel(found), [frequency, 0.9], rtol=1e-6)  # where squares are flat, half the digits


def test_what_is_after_the_end_does_not_count():
    signal = np.stack([sine(1.0, 1.0, 0.0), sine(2.0, 0.5, 1.0)])
    signal[0, 120:] = 5.0
    frequency, amplitude = fitted_sine(signal, np.array([120, 200]), DT)
    np.testing.assert_allclose(frequency, [1, 2], rtol=1e-6)
    np.testing.assert_allclose(amplitude, [1, 0.5], rtol=1e-6)


def test_noise_moves_the_frequency_as_far_as_its_variance_says():
    rng = np.random.default_rng(0)
    signal = sine(1.25, 0.9, 0.4) + rng.normal(0, 0.3, (400, 200))
    frequency, _ = fitted_sine(signal, np.full(400, 200), DT)
    # Cramér and Rao: var(ω) = 24 σ² / (A² N³ dt²) for a sine of unknown phase and amplitude (Rife & Boorstyn 1974).
    sd = np.sqrt(24 * 0.3**2 / (0.9**2 * 200**3 * 0.02**2)) / (2 * np.pi)
    assert frequency.mean() == pytest.approx(1.25, abs=4 * sd / 20)
    assert frequency.std() == pytest.approx(sd, rel=0.2)  # four standard errors of a deviation of 400: 0.14


def test_a_constant_has_no_frequency_and_what_is_not_finite_has_nothing():
    signal = np.stack([np.full(50, 0.7), np.where(np.arange(50) == 3, np.nan, 1.0), sine(1.0, 1.0, 0.0, 50)])
    frequency, amplitude = fitted_sine(signal, np.array([50, 50, 3]), DT)
    assert np.isnan(frequency).all()
    np.testing.assert_array_equal(amplitude, [0.0, np.nan, np.nan])
