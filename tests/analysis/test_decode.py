"""Decoding in time against the closed form of the best decoder, and of codes that stay and that change."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr

from biornn.analysis import decode

N, N_TIMES, N_UNITS = 400, 8, 6
SIDE = np.tile([-1.0, 1.0], N // 2)
LABEL = xr.DataArray(np.where(SIDE > 0, "right", "left"), dims="trial")


def coded(direction, size=1.0, seed=0, label=SIDE):
    """Rates with noise of 1, whose mean is ± size / 2 along a direction (time, unit) for the two labels."""
    noise = np.random.default_rng(seed).standard_normal((N, N_TIMES, N_UNITS))
    signal = 0.5 * size * label[:, np.newaxis, np.newaxis] * direction
    time = ("time", np.arange(N_TIMES) * 20.0, {"units": "ms"})
    return xr.DataArray(noise + signal, {"time": time}, ("trial", "time", "unit"))


def along(*units):
    """A direction that is the given unit at each time; None: no signal."""
    return np.array([np.zeros(N_UNITS) if one is None else np.eye(N_UNITS)[one] for one in units])


@pytest.mark.parametrize("size", [1.0, 2.0, 4.0])
def test_a_code_is_decoded_as_often_as_the_best_decoder_does(size):
    found = decode(coded(along(*[0] * N_TIMES), size), LABEL, n_bins=N_TIMES)
    # Four standard errors of a share of 400, times, learned from 320 trials, a loss of half a percent.
    np.testing.assert_allclose(found["decoded"], ndtr(size / 2), atol=4 * 0.5 / np.sqrt(N) + 0.005)
    assert found["chance"].item() == 0.5
    assert found["n_trials"].item() == N
    assert found["test_time"].values.tolist() == (np.arange(N_TIMES) * 20.0).tolist()


def test_samples_of_a_bin_are_averaged():
    found = decode(coded(along(*[0] * N_TIMES), 1.0), LABEL, n_bins=2)
    # Noise of four independent samples: d' is twice as large.
    np.testing.assert_allclose(found["decoded"], ndtr(1.0), atol=4 * 0.5 / np.sqrt(N))
    assert found["train_time"].values.tolist() == [30.0, 110.0]


def test_a_code_that_stays_is_decoded_at_all_times_and_one_that_turns_on_the_diagonal_only():
    stays = decode(coded(along(*[2] * N_TIMES), 4.0), LABEL, n_bins=N_TIMES)["score"]
    assert (stays > 0.93).all()  # Φ(2) = 0.977, four standard errors
    turns = decode(coded(along(*[0] * 4, *[1] * 4), 4.0), LABEL, n_bins=N_TIMES)["score"]
    assert (turns[:4, :4] > 0.93).all()
    assert (turns[4:, 4:] > 0.93).all()
    for elsewhere in (turns[:4, 4:], turns[4:, :4]):
        np.testing.assert_allclose(elsewhere, 0.5, atol=5 * 0.5 / np.sqrt(N))  # of 16 shares
    flips = decode(coded(along(*[0] * 4, *[0] * 4) * np.repeat([1, -1], 4)[:, np.newaxis], 4.0), LABEL, n_bins=N_TIMES)
    assert (flips["score"][:4, 4:] < 0.07).all()


def test_nothing_is_decoded_before_it_is_there_and_held_out_trials_are_not_learned():
    found = decode(coded(along(*[None] * 4, *[0] * 4), 4.0, seed=3), LABEL, n_bins=N_TIMES)
    np.testing.assert_allclose(found["decoded"][:4], 0.5, atol=4 * 0.5 / np.sqrt(N))
    assert (found["decoded"][4:] > 0.93).all()
    # As many units as trials fit any labels of the trials that they are fitted to.
    wide = xr.DataArray(np.random.default_rng(0).standard_normal((80, 1, 80)), dims=("trial", "time", "unit"))
    share = decode(wide, LABEL[:80], n_bins=1)["decoded"].item()
    assert share == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(80))


def test_labels_of_different_frequency_do_not_raise_the_score_of_who_knows_nothing():
    rare = xr.DataArray(np.where(np.arange(N) % 10 == 0, "a", "b"), dims="trial")
    found = decode(coded(along(*[None] * N_TIMES)), rare, n_bins=4)
    np.testing.assert_allclose(found["decoded"], 0.5, atol=4 * 0.5 / np.sqrt(40))  # of 40 rare ones, mostly


def test_each_network_has_its_own_labels_and_one_that_is_not_finite_has_no_score():
    rates = xr.concat(
        [coded(along(*[0] * N_TIMES), 4.0), coded(along(*[0] * N_TIMES), 4.0, seed=1, label=-SIDE)], "network"
    )
    rates = xr.concat([rates, rates[:1] * np.nan], "network").assign_coords(condition=("network", list("abc")))
    labels = xr.DataArray(np.stack([SIDE, -SIDE, SIDE]), dims=("network", "trial"))
    found = decode(rates, labels, n_bins=2)
    assert (found["decoded"][:2] > 0.93).all()
    assert found["decoded"][2].isnull().all()
    assert found["score"].dims == ("network", "train_time", "test_time")
    assert found["condition"].values.tolist() == list("abc")


def test_trials_without_a_label_are_left_out_and_few_or_one_label_are_no_score():
    gaps = LABEL.where(np.arange(N) % 4 > 1, "")
    found = decode(coded(along(*[0] * N_TIMES), 4.0), gaps, n_bins=1)
    assert found["n_trials"].item() == N / 2
    assert found["decoded"].item() > 0.93
    assert decode(coded(along(*[0] * N_TIMES)), LABEL.where(LABEL == "left", ""), n_bins=1)["decoded"].isnull().all()
    few = xr.DataArray(np.where(np.arange(N) < 3, 1.0, 2.0), dims="trial")
    assert decode(coded(along(*[0] * N_TIMES)), few, n_bins=1)["decoded"].isnull().all()
    silent = decode(0 * coded(along(*[0] * N_TIMES)), LABEL, n_bins=1)
    assert silent["decoded"].item() == 0.5


def test_what_does_not_fit_is_named():
    rates = coded(along(*[0] * N_TIMES))
    with pytest.raises(ValueError, match=r"^n_bins: expected at most the 8 times of the rates, got 9"):
        decode(rates, LABEL, n_bins=9)
    with pytest.raises(ValueError, match=r"^label: expected the trials of rates, got others"):
        decode(rates, LABEL[:5])
    with pytest.raises(ValueError, match=r"^n_folds: expected an integer of at least 2, got 1"):
        decode(rates, LABEL, n_folds=1)
