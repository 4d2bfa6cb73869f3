"""Psychometric fits against planted curves, closed forms and the cases in which there is no curve."""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr, xlogy

import biornn as bn
from biornn.analysis import psychometric, psychometric_curve, psychometrics
from tests.tasks.choices import choosing

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
    p = lapse + (1 - 2 * lapse) * ndtr((fit["stimulus"].values - bias) / sigma)
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


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(1, 4))])
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
    assert fit["proportion"].sel(stimulus=4).item() == 0.8
    bias, sigma, lapse = (fit[name].item() for name in PARAMETERS)
    curve = psychometric_curve(fit, [bias, bias + sigma])
    np.testing.assert_allclose(curve, [0.5, lapse + (1 - 2 * lapse) * ndtr(1)], rtol=1e-12)
    assert fit["bias"].attrs["units"] == fit["stimulus"].attrs["units"] == "%"


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
    curve = psychometric_curve(fit, fit["stimulus"])
    np.testing.assert_allclose(curve, task.ideal_score(fit["stimulus"]), atol=0.02)


def planted_choices(trials, weights, seed=0):
    """Outputs that choose the second output by a weighted sum of coordinates, and standard normal noise."""
    noise = np.random.default_rng(seed).normal(0, 1, trials.sizes["trial"])
    decision = sum(weight * trials[name].fillna(0) for name, weight in weights.items())
    return choosing(trials, decision.drop_vars("trial") + xr.DataArray(noise, dims="trial") > 0)


def test_under_context_the_relevant_curve_is_steep_and_the_irrelevant_one_flat():
    task = bn.tasks.ContextDecision()
    trials = task.trials(73 * 40, seed=0)
    outputs = planted_choices(trials, {"signed_coherence": 1 / 3})
    fits = psychometrics(task.choice(outputs, trials), trials)
    relevant = {"motion, context motion", "colour, context colour"}
    assert {name for name, fit in fits.items() if fit["status"] == "fitted"} >= relevant
    for name, fit in fits.items():
        if name in relevant:
            assert fit["sigma"].item() == pytest.approx(3, rel=0.2)  # about four standard errors, by simulation
        else:  # no rising curve, or one that hardly rises over the 20 % between the ends
            assert fit["status"].item() == "flat" or fit["sigma"].item() > 50
            np.testing.assert_allclose(fit["proportion"], 0.5, atol=4 * 0.5 / np.sqrt(240))
    ideal = task.graded["colour, context motion"].ideal
    assert ideal(np.array([-10.0, 10.0])).tolist() == [0.5, 0.5]


def test_who_ignores_the_context_is_as_steep_in_both():
    task = bn.tasks.ContextDecision()
    trials = task.trials(73 * 40, seed=0)
    outputs = planted_choices(trials, {"motion_coherence": 1 / 3})
    fits = psychometrics(task.choice(outputs, trials), trials)
    for context in ("motion", "colour"):
        assert fits[f"motion, context {context}"]["sigma"].item() == pytest.approx(3, rel=0.2)
        assert fits[f"colour, context {context}"]["status"].item() == "flat" or (
            fits[f"colour, context {context}"]["sigma"].item() > 50
        )


def test_two_senses_are_steeper_than_one_as_their_ideal_observer_is():
    task = bn.tasks.MultisensoryIntegration(n_catch=0)
    trials = task.trials(24 * 400, seed=0)
    sigma = {name: task.ideal_sigma(name) for name in ("visual", "auditory", "both")}
    noise = np.random.default_rng(0).normal(0, 1, trials.sizes["trial"])
    spread = np.array([sigma[name] for name in trials["modality"].values.tolist()])
    is_high = trials["frequency"] - task.boundary + xr.DataArray(spread * noise, dims="trial") > 0
    fits = psychometrics(task.choice(choosing(trials, is_high), trials), trials)
    assert list(fits) == ["visual", "auditory", "both"]
    for name, fit in fits.items():
        assert fit["bias"].item() == pytest.approx(12.5, abs=0.15)  # four standard errors, by simulation
        assert fit["sigma"].item() == pytest.approx(sigma[name], rel=0.12)
        levels = fit["stimulus"].values
        np.testing.assert_allclose(task.graded[name].ideal(levels), ndtr((levels - 12.5) / sigma[name]), rtol=1e-12)
        assert fit["stimulus"].attrs == {"units": "Hz", "long_name": "frequency"}


def test_parametric_memory_by_the_difference_of_the_frequencies():
    pairs = tuple((20.0 + one, 20.0) for one in (1.0, 2.0, 4.0, 8.0))
    task = bn.tasks.ParametricMemory(pairs=pairs, shortest_delay=100, longest_delay=200, n_catch=0)
    trials = task.trials(8 * 500, seed=0)
    noise = xr.DataArray(np.random.default_rng(0).normal(0, 3, trials.sizes["trial"]), dims="trial")
    is_second = trials["difference"].drop_vars("trial") + noise < 0
    fit = psychometrics(task.choice(choosing(trials, is_second), trials), trials)["difference"]
    assert fit["stimulus"].values.tolist() == [-8, -4, -2, -1, 1, 2, 4, 8]
    assert fit.attrs["positive"] == "first"
    assert fit["sigma"].item() == pytest.approx(3, rel=0.15)
    np.testing.assert_allclose(task.graded["difference"].ideal(np.array([-4.0, 4.0])).sum(), 1)
    assert task.graded["difference"].ideal(np.array([4.0])) == pytest.approx(task.ideal_score(24.0, 20.0))


def test_pairs_of_one_difference_have_no_curve():
    task = bn.tasks.ParametricMemory()
    trials = task.trials(40, seed=0)
    assert psychometrics(task.choice(trials["targets"], trials), trials) == {}
    assert psychometrics(trials["difference"], trials, bn.tasks.GoNoGo()) == {}  # no such choice at all


def test_clicks_by_their_difference():
    task = bn.tasks.ClickAccumulation()
    trials = task.trials(4000, seed=0)
    noise = xr.DataArray(np.random.default_rng(0).normal(0, 5, trials.sizes["trial"]), dims="trial")
    is_right = trials["difference"].drop_vars("trial") + noise - 1 > 0
    fit = psychometrics(task.choice(choosing(trials, is_right), trials), trials)["clicks"]
    assert fit["sigma"].item() == pytest.approx(5, rel=0.15)
    assert fit["bias"].item() == pytest.approx(1, abs=0.6)


def test_a_coordinate_that_is_missing_is_named():
    task = bn.tasks.ContextDecision()
    trials = task.trials(80, seed=0)
    with pytest.raises(ValueError, match=r"^trials: expected the coordinate 'context' of context_decision, found none"):
        psychometrics(task.choice(trials["targets"], trials), trials.drop_vars("context"))


def test_arguments_that_do_not_go_together_are_named():
    x, chosen = with_counts([5] * 10)
    words = xr.where(chosen, "right", "left")
    with pytest.raises(ValueError, match=r"^positive: expected the text of the positive choice, got None"):
        psychometric(x, words)
    with pytest.raises(ValueError, match=r"^positive: expected None, as the choices are no text, got 'right'"):
        psychometric(x, chosen, positive="right")
    with pytest.raises(ValueError, match=r"^choice: expected 0, 1 or NaN, got 2"):
        psychometric(x, chosen.astype(int) * 2)
    with pytest.raises(ValueError, match=r"^choice: expected the trials of stimulus, got others"):
        psychometric(x, chosen[:5])
    with pytest.raises(ValueError, match=r"^choice: expected the dims \['trial'\]"):
        psychometric(x, chosen.rename(trial="time"))
