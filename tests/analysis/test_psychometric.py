"""Psychometric fits against planted curves, closed forms and the cases in which there is no curve."""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr, xlogy

import biornn as bn
from biornn.analysis import psychometric, psychometric_curve

LEVELS = np.array([-16, -8, -4, -2, -1, 1, 2, 4, 8, 16.0])
PARAMETERS = ("bias", "sigma", "lapse")


def evidence(n_each, levels=LEVELS):
    return xr.DataArray(np.repeat(levels, n_each), dims="trial", attrs={"units": "%"})


def planted(n_each, bias, sigma, lapse, n_networks=1, seed=0):
    x = evidence(n_each)
    p = lapse + (1 - 2 * lapse) * ndtr((x.values - bias) / sigma)
    chosen = np.random.default_rng(seed).random((n_networks, x.size)) < p
    return x, xr.DataArray(chosen, dims=("network", "trial"), coords={"network": [f"n{i}" for i in range(n_networks)]})


def with_counts(n_positive, n_each=10, levels=LEVELS):
    """Choices of which so many at each level are positive."""
    chosen = np.arange(n_each) < np.array(n_positive)[:, np.newaxis]
    return evidence(n_each, levels), xr.DataArray(chosen.ravel(), dims="trial")


def log_likelihood(fit, bias, sigma, lapse):
    n, k = fit["n_trials"].values, fit["n_positive"].values
    p = lapse + (1 - 2 * lapse) * ndtr((fit["signed_coherence"].values - bias) / sigma)
    return (xlogy(k, p) + xlogy(n - k, 1 - p)).sum(-1)


@pytest.mark.parametrize(("bias", "sigma", "lapse"), [(0, 4, 0), (1, 3, 0.05), (-2, 8, 0.02), (0, 1.5, 0.1)])
def test_planted_parameters_are_found(bias, sigma, lapse):
    fit = psychometric(*planted(20_000, bias, sigma, lapse))
    assert fit["status"].item() == "fitted"
    # Standard errors from simulation are at most 0.03 for μ and σ of 8, and 0.001 for λ.
    assert fit["bias"].item() == pytest.approx(bias, abs=0.12)
    assert fit["sigma"].item() == pytest.approx(sigma, rel=0.04)
    assert fit["lapse"].item() == pytest.approx(lapse, abs=0.005)


def test_exact_proportions_give_the_exact_curve():
    # The likelihood of counts in proportion to a curve is highest at this curve itself.
    levels, n_each = np.array([-3.0, -1.0, 0.0, 2.0, 5.0]), 20_000
    n_positive = np.rint(n_each * (0.03 + 0.94 * ndtr((levels - 0.5) / 2)))
    fit = psychometric(*with_counts(n_positive, n_each, levels))
    # Counts are rounded to one in 20,000.
    np.testing.assert_allclose([fit[name].item() for name in PARAMETERS], [0.5, 2, 0.03], atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_curve_is_likelier(seed):
    fit = psychometric(*planted(30, 0.5, 4, 0.04, seed=seed)).isel(network=0)
    found = log_likelihood(fit, *(fit[name].item() for name in PARAMETERS))
    others = itertools.product(np.linspace(-4, 4, 21), np.geomspace(0.5, 20, 40), np.linspace(0, 0.1, 11))
    assert max(log_likelihood(fit, *other) for other in others) <= found + 1e-6  # rounding of sums of logarithms


def test_counts_and_the_curve_by_hand():
    x, chosen = with_counts([0, 1, 2, 4, 4, 6, 7, 8, 10, 10])
    fit = psychometric(x, chosen)
    assert fit["n_trials"].values.tolist() == [10] * 10
    assert fit["n_positive"].values.tolist() == [0, 1, 2, 4, 4, 6, 7, 8, 10, 10]
    assert fit["proportion"].sel(signed_coherence=4).item() == 0.8
    bias, sigma, lapse = (fit[name].item() for name in PARAMETERS)
    curve = psychometric_curve(fit, [bias, bias + sigma])
    np.testing.assert_allclose(curve, [0.5, lapse + (1 - 2 * lapse) * ndtr(1)], rtol=1e-12)
    assert fit["bias"].attrs["units"] == fit["signed_coherence"].attrs["units"] == "%"


@pytest.mark.parametrize(
    ("n_positive", "status"),
    [
        ([0, 0, 0, 0, 0, 10, 10, 10, 10, 10], "separated"),
        ([0, 0, 0, 0, 3, 10, 10, 10, 10, 10], "separated"),  # one mixed level: the curve may be as steep as it likes
        ([10] * 10, "separated"),
        ([0] * 10, "separated"),
        ([0, 0, 1, 0, 0, 10, 10, 10, 9, 10], "steep"),  # a step with two lapses
        ([5] * 10, "flat"),
        ([10, 10, 9, 8, 6, 4, 2, 1, 0, 0], "flat"),  # the wrong way round
        ([0, 0, 1, 2, 4, 6, 8, 9, 10, 10], "fitted"),
    ],
)
def test_where_there_is_no_curve_the_parameters_are_nan_and_a_word_says_why(n_positive, status):
    fit = psychometric(*with_counts(n_positive))
    assert fit["status"].item() == status
    assert [bool(np.isnan(fit[name])) for name in PARAMETERS] == [status != "fitted"] * 3
    assert np.isnan(psychometric_curve(fit, [0.0])).item() == (status != "fitted")


@pytest.mark.parametrize("levels", [[4.0], [-4.0, 4.0]])
def test_two_levels_do_not_determine_three_parameters(levels):
    fit = psychometric(*with_counts([4] * len(levels), levels=np.array(levels)))
    assert fit["status"].item() == "too few levels"


def test_each_network_has_the_fit_of_its_own_trials():
    x, chosen = planted(50, 1, 4, 0.02, n_networks=3)
    chosen[1] = True
    fit = psychometric(x, chosen.expand_dims(snapshot=2))
    assert fit["bias"].dims == ("snapshot", "network")
    assert fit["status"].isel(snapshot=0).values.tolist() == ["fitted", "separated", "fitted"]
    for index in (0, 2):
        xr.testing.assert_allclose(fit.isel(snapshot=1, network=index), psychometric(x, chosen[index]))


def test_intervals_over_networks_cover_the_planted_curve_and_do_not_shrink_with_trials():
    # Networks differ: their biases have the standard deviation 2. What is said of the mean depends on their number.
    rng = np.random.default_rng(0)
    biases = rng.normal(0, 2, 12)
    for n_each in (100, 400):
        fits = [psychometric(*planted(n_each, bias, 4, 0, seed=seed)) for seed, bias in enumerate(biases)]
        found = xr.concat([fit["bias"] for fit in fits], dim="network")
        error = found.std("network", ddof=1) / np.sqrt(12)
        assert error.item() == pytest.approx(biases.std(ddof=1) / np.sqrt(12), rel=0.1)
        assert abs(found.mean().item()) < 2.8 * error  # t with 11 degrees of freedom: 1 in 60


def test_text_and_numbers_and_trials_without_a_choice_or_evidence():
    x, chosen = with_counts([0, 1, 2, 4, 4, 6, 7, 8, 10, 10])
    reference = psychometric(x, chosen)
    words = xr.where(chosen, "right", "left")
    text_fit = psychometric(x, words, positive="right")
    assert text_fit.attrs["positive"] == "right"
    xr.testing.assert_equal(text_fit, reference)
    xr.testing.assert_equal(psychometric(x, chosen.astype(float)), reference)
    more = xr.concat([x, xr.DataArray([np.nan, 1.0], dims="trial")], dim="trial")
    missing = xr.concat([words, xr.DataArray(["right", ""], dims="trial")], dim="trial")
    xr.testing.assert_equal(psychometric(more, missing, positive="right"), reference)
    stored = words.astype(object)
    xr.testing.assert_equal(psychometric(x, stored, positive="right"), reference)
    diverged = psychometric(x, chosen.astype(float) * np.nan)
    assert diverged["status"].item() == "too few levels"
    assert diverged["proportion"].isnull().all()


def test_the_ideal_observer_of_the_perceptual_decision_has_the_curve_of_its_closed_form():
    task = bn.tasks.PerceptualDecision(n_catch=0)
    trials = task.trials(20_000, seed=0)
    summed = trials["inputs"].where(trials["period"] == "stimulus", 0).sum("time")
    difference = summed.sel(input_channel="right") - summed.sel(input_channel="left")
    fit = psychometric(trials["signed_coherence"], difference > 0)
    # Φ(c / σ) with σ = 2 · 0.1 · sqrt(100) / (0.032 sqrt(800)) = 2.21; no bias, no lapses. Errors by simulation: 0.03.
    assert fit["sigma"].item() == pytest.approx(2.2097, abs=0.12)
    assert fit["bias"].item() == pytest.approx(0, abs=0.12)
    curve = psychometric_curve(fit, fit["signed_coherence"])
    np.testing.assert_allclose(curve, task.ideal_score(fit["signed_coherence"]), atol=0.02)


def test_arguments_that_do_not_go_together_are_named():
    x, chosen = with_counts([5] * 10)
    words = xr.where(chosen, "right", "left")
    with pytest.raises(ValueError, match=r"^positive: expected the text of the positive choice, got None"):
        psychometric(x, words)
    with pytest.raises(ValueError, match=r"^positive: expected None, as the choices are no text, got 'right'"):
        psychometric(x, chosen, positive="right")
    with pytest.raises(ValueError, match=r"^choice: expected 0, 1 or NaN, got 2"):
        psychometric(x, chosen.astype(int) * 2)
    with pytest.raises(ValueError, match=r"^choice: expected the trials of signed_coherence, got others"):
        psychometric(x, chosen[:5])
    with pytest.raises(ValueError, match=r"^choice: expected the dims \['trial'\]"):
        psychometric(x, chosen.rename(trial="time"))
