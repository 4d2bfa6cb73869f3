import numpy as np
import pytest
import xarray as xr

from biornn.analysis import holm


def test_hand_computed_values():
    # Ascending 0.005, 0.011, 0.02, 0.04, 0.13, times 5, 4, 3, 2, 1: 0.025, 0.044, 0.06, 0.08, 0.13.
    p = xr.DataArray([0.04, 0.005, 0.13, 0.02, 0.011], dims="condition")
    np.testing.assert_allclose(holm(p), [0.08, 0.025, 0.13, 0.06, 0.044])


def test_no_value_falls_below_a_smaller_one_and_none_exceeds_1():
    # Times 3, 2, 1: 0.06, 0.05 -> 0.06, 0.9; and 0.8 doubled is cut at 1.
    np.testing.assert_allclose(holm(xr.DataArray([0.02, 0.025, 0.9], dims="x")), [0.06, 0.06, 0.9])
    np.testing.assert_allclose(holm(xr.DataArray([0.8, 0.9], dims="x")), [1.0, 1.0])
    np.testing.assert_allclose(holm(xr.DataArray([0.01, 0.01], dims="x")), [0.02, 0.02])


def test_nan_is_no_member_of_the_family_and_all_dims_are():
    p = xr.DataArray([[0.01, np.nan], [0.04, 0.03]], dims=("condition", "metric"), coords={"metric": ["a", "b"]})
    corrected = holm(p)
    np.testing.assert_allclose(corrected, [[0.03, np.nan], [0.06, 0.06]])
    assert corrected.dims == p.dims
    assert corrected["metric"].values.tolist() == ["a", "b"]
    assert holm(xr.DataArray([np.nan], dims="x")).isnull().all()


@pytest.mark.parametrize("n_tests", [1, 7])
def test_a_false_positive_among_true_hypotheses_is_as_rare_as_promised(n_tests):
    # Independent tests: the family-wise rate is 1 - (1 - 0.05 / m)^m.
    p = np.random.default_rng(0).uniform(size=(1000, n_tests))
    rate = np.mean([float(holm(xr.DataArray(one, dims="x")).min()) <= 0.05 for one in p])
    # Three standard errors of a share of 1,000.
    assert rate == pytest.approx(1 - (1 - 0.05 / n_tests) ** n_tests, abs=3 * np.sqrt(0.05 * 0.95 / 1000))
