from itertools import product

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from biornn.analysis.paired_statistics import paired_statistics

OPTIONS = {"n_resamples": 999, "confidence_level": 0.95, "seed": 0}


def of(differences, rounding=0.0, **options):
    array = xr.DataArray(np.asarray(differences, float), dims="seed")
    return paired_statistics(array, xr.DataArray(rounding), **(OPTIONS | options))


def test_exact_p_value_counts_all_sign_flips():
    differences = np.random.default_rng(1).normal(0.6, 1, 9)
    means = [np.mean(signs * differences) for signs in product((-1, 1), repeat=9)]
    expected = np.mean(np.abs(means) >= abs(differences.mean()) - 1e-12)
    assert of(differences)["p_value"] == expected
    assert 0 < expected < 1


def test_a_wilcoxon_test_of_ranks_is_a_sign_flip_test_of_signed_ranks():
    differences = np.random.default_rng(2).normal(0.5, 1, 10)
    ranks = stats.rankdata(np.abs(differences)) * np.sign(differences)
    expected = stats.wilcoxon(differences, method="exact").pvalue
    assert of(ranks)["p_value"] == pytest.approx(expected, rel=1e-12)  # both count whole sign flips


def test_of_many_pairs_random_sign_flips_agree_with_the_t_test():
    differences = np.random.default_rng(3).normal(0.3, 1, 40)
    p_value = float(of(differences, n_resamples=9999)["p_value"])
    t_test = stats.ttest_1samp(differences, 0).pvalue
    # Three standard errors of a share of 9,999, and 0.005 by which the two tests differ at 40 pairs.
    assert p_value == pytest.approx(t_test, abs=0.005 + 3 * np.sqrt(t_test / 9999))
    assert of(differences + 10)["p_value"] == 1 / 1000  # never 0: the data are one of the flips


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e6])
def test_ties_count_as_ties_although_sums_are_rounded(scale):
    rng = np.random.default_rng(0)
    for _ in range(20):
        thousandths = rng.integers(-4, 5, 7)  # differences of accuracies near 0.9, many sums of which are equal
        sums = [abs(np.dot(signs, thousandths)) for signs in product((-1, 1), repeat=7)]
        expected = np.mean(np.array(sums) >= abs(thousandths.sum()))  # in whole numbers, so without rounding
        differences = (0.9 + thousandths / 1000) * scale - 0.9 * scale
        assert of(differences, rounding=1e-12 * scale)["p_value"] == expected


def test_effect_size_and_mean():
    found = of([1.0, 2.0, 3.0, 6.0])
    assert found["difference"] == 3
    assert found["effect_size"] == pytest.approx(3 / np.sqrt(14 / 3))


def test_interval_is_the_bootstrap_of_the_pairs():
    differences = np.random.default_rng(4).normal(5, 2, 200)
    found = of(differences, n_resamples=9999)
    half = stats.t.ppf(0.975, 199) * differences.std(ddof=1) / np.sqrt(200)
    # At 200 normal pairs the ends of both intervals agree to a few percent of the half width.
    assert found["ci_low"] == pytest.approx(differences.mean() - half, abs=0.06 * half)
    assert found["ci_high"] == pytest.approx(differences.mean() + half, abs=0.06 * half)
    narrow = of(differences, n_resamples=9999, confidence_level=0.5)
    assert narrow["ci_high"] - narrow["ci_low"] < 0.4 * (found["ci_high"] - found["ci_low"])


@pytest.mark.parametrize("value", [0.0, 0.1 + 0.2])
def test_differences_that_do_not_vary(value):
    found = of(np.full(6, value) + 1e-17 * np.arange(6), rounding=1e-12)
    assert found["ci_low"] == found["difference"] == found["ci_high"]
    assert found["difference"] == pytest.approx(value, abs=1e-12)
    assert found["p_value"] == (1 if value == 0 else 2 / 64)
    assert np.isnan(found["effect_size"])


def test_rounding_is_no_effect():
    found = of(np.full(8, 5e-17), rounding=1e-12)
    assert found["difference"] == 0
    assert found["p_value"] == 1


def test_fewer_than_two_pairs_say_no_more_than_their_difference():
    found = of([np.nan, 3.0])
    assert found["difference"] == 3
    assert found["n_pairs"] == 1
    assert all(np.isnan(found[name]) for name in ("ci_low", "ci_high", "p_value", "effect_size"))
    found = of([np.nan, np.nan], rounding=np.nan)
    assert found["n_pairs"] == 0
    assert np.isnan(found["difference"])


def test_rows_broadcast_and_do_not_depend_on_each_other():
    rows = xr.DataArray(np.random.default_rng(5).normal(size=(3, 16)), dims=("metric", "seed"))
    together = paired_statistics(rows, xr.zeros_like(rows[:, 0]), **OPTIONS)
    xr.testing.assert_allclose(together.isel(metric=2), of(rows[2]), rtol=1e-12)
    other = paired_statistics(rows, xr.zeros_like(rows[:, 0]), **(OPTIONS | {"seed": 1}))
    assert (other["ci_low"] != together["ci_low"]).all()  # the seed matters


def test_bad_settings():
    with pytest.raises(ValueError, match="n_resamples: expected at least 99, got 10"):
        of([1.0, 2.0], n_resamples=10)
    with pytest.raises(ValueError, match="confidence_level: expected a share between 0 and 1, got 95"):
        of([1.0, 2.0], confidence_level=95)
