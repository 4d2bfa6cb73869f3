"""The law of the noise against the normal law, where it is added, and that no sample depends on another."""

import numpy as np
import pytest
import scipy

from biornn.tasks.input_noise import _N_AT_ONCE, _values, add_noise


def noise(n_trials, n_times, n_channels, sd=1.0, seed=0, within=True, bits=np.random.PCG64):
    inputs = np.zeros((n_trials, n_times, n_channels), np.float32)
    add_noise(inputs, np.broadcast_to(within, inputs.shape[:2]), sd, np.random.Generator(bits(seed)))
    return inputs


def test_moments_and_distribution_of_the_values_are_those_of_the_normal_law():
    values = _values().astype(float)
    # Odd ones vanish by symmetry, to the rounding of values up to 4.4 in single precision; even ones: 1, 3, 15.
    assert [np.mean(values**power) for power in (1, 3, 5)] == pytest.approx([0, 0, 0], abs=1e-6)
    assert np.mean(values**2) == pytest.approx(1, abs=2e-6)
    assert np.mean(values**4) == pytest.approx(3, abs=2e-4)
    assert np.mean(values**6) == pytest.approx(15, abs=1e-2)
    assert 4.3 < values.max() < 4.4
    # Each lies within its part of the law: the shares of smaller values differ by less than a part.
    middle = (np.arange(len(values)) + 0.5) / len(values)
    assert abs(scipy.special.ndtr(values) - middle).max() < 0.5 / len(values)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937])  # raw numbers of 64 and of 32 bits
def test_all_values_are_as_frequent_and_sd_is_their_factor(bits):
    drawn = noise(64, 1024, 16, sd=0.5, bits=bits)
    counts = np.bincount(np.searchsorted(_values() * np.float32(0.5), drawn.ravel()), minlength=2**16)
    # χ² of 16 expected draws each: its mean is the number of values less 1, its standard deviation √2 of that's root.
    assert ((counts - 16) ** 2 / 16).sum() == pytest.approx(2**16 - 1, abs=5 * np.sqrt(2 * 2**16))


def test_samples_do_not_depend_on_one_another():
    """Also not on the one before in another channel, and not from one portion that is drawn at once to the next."""
    flat = noise(8, _N_AT_ONCE // 4, 3).ravel().astype(float)
    for lag in (1, 2, 3, 4, 5, 8, 64, _N_AT_ONCE - 2, _N_AT_ONCE):
        one, other = flat[:-lag], flat[lag:]
        for first, second in ((one, other), (one**2 - 1, other**2 - 1)):
            spread = np.std(first) * np.std(second) / np.sqrt(len(first))
            assert np.mean(first * second) == pytest.approx(0, abs=5 * spread), lag


@pytest.mark.parametrize("n_channels", [1, 5, _N_AT_ONCE + 1])
def test_it_is_added_within_trials_to_what_is_there(n_channels):
    within = np.arange(7) < np.array([7, 3, 7, 1])[:, np.newaxis]
    drawn = noise(4, 7, n_channels, seed=3, within=within)
    np.testing.assert_array_equal((drawn != 0).any(axis=-1), within)
    inputs = np.full_like(drawn, 2)
    add_noise(inputs, within, 1.0, np.random.default_rng(3))
    np.testing.assert_array_equal(inputs, drawn + 2)


def test_padding_changes_no_number():
    """Trials within longer arrays get what they get alone."""
    within = np.arange(9) < np.array([4, 4, 4])[:, np.newaxis]
    np.testing.assert_array_equal(noise(3, 9, 2, within=within)[:, :4], noise(3, 4, 2))


@pytest.mark.parametrize("change", [np.asfortranarray, lambda inputs: inputs[..., ::2]])
def test_arrays_that_would_be_copied_are_refused(change):
    inputs = change(np.zeros((2, 3, 4), np.float32))
    with pytest.raises(ValueError, match=r"^inputs: expected a C-contiguous array, to which noise can be added in pl"):
        add_noise(inputs, np.ones((2, 3), bool), 1.0, np.random.default_rng(0))
