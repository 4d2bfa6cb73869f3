import tracemalloc

import numpy as np
import pytest
import xarray as xr
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA, TruncatedSVD

from biornn.analysis.population import participation_ratio, principal_components, singular_components

BOTH = [principal_components, singular_components]


def planted(variances, n_units=20, mean=0.0, noise=0.0, seed=0):
    """Activity (trial, time, unit) with exactly these variances along orthonormal directions, and the directions."""
    rng = np.random.default_rng(seed)
    n_trials, n_times, rank = 8, 50, len(variances)
    latent = rng.normal(size=(n_trials * n_times, rank))
    latent = np.linalg.qr(latent - latent.mean(axis=0))[0] * np.sqrt(n_trials * n_times)
    directions = np.linalg.qr(rng.normal(size=(n_units, rank)))[0]
    samples = latent * np.sqrt(variances) @ directions.T + mean + noise * rng.normal(size=(len(latent), n_units))
    rates = xr.DataArray(
        samples.reshape(n_trials, n_times, n_units),
        dims=("trial", "time", "unit"),
        coords={"time": np.arange(n_times, dtype=float), "unit": np.arange(n_units)},
    )
    return rates, directions


def test_planted_subspace_and_shares_are_recovered():
    rates, directions = planted([6.0, 3.0, 1.0], mean=2.0)
    result = principal_components(rates)
    # Planted exactly (orthogonal latents, no noise): only rounding, of the square root type for angles, is left.
    assert np.max(subspace_angles(result["loadings"].values, directions)) < 1e-6
    np.testing.assert_allclose(result["explained_variance_ratio"], [0.6, 0.3, 0.1], atol=1e-12)
    np.testing.assert_allclose(result["scores"].var(["trial", "time"]), [6.0, 3.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(result["mean"], 2.0, atol=1e-12)


def test_planted_subspace_survives_noise():
    rates, directions = planted([6.0, 3.0, 1.0], noise=0.1)
    loadings = principal_components(rates)["loadings"].values
    # First order: each of 17 noise directions adds an angle of sd 0.1 / sqrt(400 * 1) to the weakest component: 0.02.
    angle = np.max(subspace_angles(loadings, directions))
    assert 1e-4 < angle < 0.06


def test_scores_and_loadings_give_the_activity_back():
    rates, _ = planted([6.0, 3.0, 1.0], mean=2.0)
    pca, svd = (function(rates) for function in BOTH)
    restored = (pca["scores"] * pca["loadings"]).sum("component") + pca["mean"]
    np.testing.assert_allclose(restored, rates, atol=1e-10)  # rank 3 and a mean: complete but for rounding
    restored = (svd["scores"] * svd["loadings"]).sum("component")
    assert np.abs(restored - rates).max() > 0.01  # without centring the mean takes a direction: rank 4


def test_svd_sees_a_planted_mean_that_pca_takes_away():
    rates, _ = planted([1.0, 0.5], mean=3.0)
    offset = np.ones(20) / np.sqrt(20)
    svd, pca = singular_components(rates, 1), principal_components(rates, 1)
    # Sum of squares: 20 * 9 from the mean and 1.5 from the variance; the first direction is the mean's but for about
    # (1 / 180) * overlap.
    assert abs(svd["loadings"].values[:, 0] @ offset) > 0.9999
    assert svd["explained_variance_ratio"].item() == pytest.approx(180 / 181.5, abs=1.5 / 181.5)
    assert abs(pca["loadings"].values[:, 0] @ offset) < 0.9
    assert pca["explained_variance_ratio"].item() == pytest.approx(1 / 1.5, rel=1e-10)
    assert svd["scores"].mean().item() == pytest.approx(3 * np.sqrt(20), rel=1e-3)


def test_agrees_with_scikit_learn():
    rates = xr.DataArray(np.random.default_rng(1).normal(1.0, 1.0, (4, 30, 6)), dims=("trial", "time", "unit"))
    samples = rates.values.reshape(-1, 6)
    full = PCA(6, svd_solver="full").fit(samples)
    pca = principal_components(rates, 6)
    np.testing.assert_allclose(pca["explained_variance_ratio"], full.explained_variance_ratio_, rtol=1e-10)
    np.testing.assert_allclose(np.abs(pca["loadings"].values.T), np.abs(full.components_), atol=1e-9)
    truncated = TruncatedSVD(3, algorithm="arpack").fit(samples)
    svd = singular_components(rates, 3)
    np.testing.assert_allclose(np.abs(svd["loadings"].values.T), np.abs(truncated.components_), atol=1e-9)
    share = truncated.singular_values_**2 / (samples**2).sum()
    np.testing.assert_allclose(svd["explained_variance_ratio"], share, rtol=1e-10)


@pytest.mark.parametrize("function", BOTH)
def test_all_components_share_out_everything_and_are_orthonormal(function):
    rates, _ = planted(np.arange(20, 0, -1.0), mean=0.5)
    result = function(rates, 20)
    assert result["component"].values.tolist() == list(range(1, 21))
    assert result["explained_variance_ratio"].sum().item() == pytest.approx(1.0, rel=1e-12)
    assert np.all(np.diff(result["explained_variance_ratio"]) < 0)
    loadings = result["loadings"].values
    np.testing.assert_allclose(loadings.T @ loadings, np.eye(20), atol=1e-12)


@pytest.mark.parametrize("function", BOTH)
def test_sign_is_fixed_by_the_largest_loading(function):
    rates, _ = planted([6.0, 3.0, 1.0])
    result = function(rates)
    largest = np.abs(result["loadings"]).argmax("unit")
    assert (result["loadings"].isel(unit=largest) > 0).all()
    # Turning the activity over turns the scores over and leaves the directions.
    turned = function(-rates)
    np.testing.assert_allclose(turned["loadings"], result["loadings"], atol=1e-9)
    np.testing.assert_allclose(turned["scores"], -result["scores"], atol=1e-9)


@pytest.mark.parametrize("function", BOTH)
def test_dims_coords_and_units(function):
    rates, _ = planted([2.0, 1.0])
    rates.attrs["units"] = "Hz"
    rates["time"].attrs["units"] = "ms"
    result = function(rates.transpose("unit", "time", "trial"), 2)
    assert result["scores"].dims == ("trial", "time", "component")
    assert result["loadings"].dims == ("unit", "component")
    assert result["time"].attrs["units"] == "ms"
    assert result["scores"].attrs["units"] == result["mean"].attrs["units"] == "Hz"
    assert result["loadings"].attrs["units"] == "1"
    xr.testing.assert_equal(result["unit"], rates["unit"])


@pytest.mark.parametrize("function", [*BOTH, participation_ratio])
def test_broadcasts_over_network_and_snapshot_as_a_loop_would(function):
    values = np.random.default_rng(2).normal(size=(2, 3, 4, 10, 5)).astype(np.float32)
    rates = xr.DataArray(values, dims=("network", "snapshot", "trial", "time", "unit"), coords={"network": ["a", "b"]})
    result = function(rates)
    assert result["network"].values.tolist() == ["a", "b"]
    for network in range(2):
        for snapshot in range(3):
            one = {"network": network, "snapshot": snapshot}
            xr.testing.assert_equal(result.isel(one), function(rates.isel(one)))


@pytest.mark.parametrize("function", [*BOTH, participation_ratio])
def test_trials_end_to_end_are_the_same_samples(function):
    rates, _ = planted([6.0, 3.0, 1.0], mean=1.0)
    joined = xr.DataArray(rates.values.reshape(-1, 20), dims=("time", "unit"))
    one, other = function(rates), function(joined)
    if isinstance(one, xr.Dataset):
        assert other["scores"].dims == ("time", "component")
        np.testing.assert_array_equal(one["scores"].values.reshape(-1, 3), other["scores"])
    else:
        assert one.item() == other.item()


def test_activity_that_never_changes_has_no_components_but_a_mean():
    rates = xr.DataArray(np.full((2, 7, 3), 0.1), dims=("trial", "time", "unit"))
    result = principal_components(rates, 2)
    assert np.isnan(result["explained_variance_ratio"]).all()
    np.testing.assert_array_equal(result["mean"], 0.1)
    assert np.isnan(participation_ratio(rates))
    # About zero it has one direction, which all of it lies on.
    assert singular_components(rates, 2)["explained_variance_ratio"].values == pytest.approx([1.0, 0.0], abs=1e-12)
    assert np.isnan(singular_components(0 * rates, 2)["explained_variance_ratio"]).all()


@pytest.mark.parametrize("n_dims", [1, 4, 12])
def test_participation_ratio_of_isotropic_activity_is_its_dimension(n_dims):
    exact, _ = planted(np.ones(n_dims))
    assert participation_ratio(exact).item() == pytest.approx(n_dims, rel=1e-10)
    rng = np.random.default_rng(4)
    samples = xr.DataArray(rng.normal(size=(20_000, n_dims)), dims=("time", "unit"))
    # Sampling lowers it by the factor 1 / (1 + n_dims / n_samples): 0.06 % at 12.
    assert participation_ratio(samples).item() == pytest.approx(n_dims, rel=2e-3)


def test_participation_ratio_by_hand():
    rates, _ = planted([6.0, 3.0, 1.0], mean=5.0)
    assert participation_ratio(rates).item() == pytest.approx(100 / 46, rel=1e-10)
    assert participation_ratio(3 * rates + 1).item() == pytest.approx(100 / 46, rel=1e-10)


@pytest.mark.parametrize("function", BOTH)
def test_lazy_rates_give_the_same(function):
    rates = xr.concat([planted([3.0, 2.0, 1.0], seed=seed)[0] for seed in (1, 2)], "network")
    lazy = function(rates.chunk({"network": 1}))
    assert lazy["scores"].chunks is not None
    xr.testing.assert_equal(lazy.compute(), function(rates))
    assert participation_ratio(rates.chunk({"network": 1})).compute().equals(participation_ratio(rates))


@pytest.mark.parametrize("function", [*BOTH, participation_ratio])
def test_samples_are_held_once_in_double_precision(function):
    rates = np.random.default_rng(0).standard_normal((1000, 40, 50), np.float32)
    labelled, before = xr.DataArray(rates, dims=("trial", "time", "unit")), rates.copy()
    tracemalloc.start()
    function(labelled)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * rates.nbytes  # twice that of single precision, and a share for masks and scores
    np.testing.assert_array_equal(rates, before)


@pytest.mark.parametrize("function", BOTH)
@pytest.mark.parametrize("n_components", [0, 5])
def test_too_many_or_too_few_components_are_refused(function, n_components):
    rates = xr.DataArray(np.zeros((2, 2, 9)), dims=("trial", "time", "unit"))
    with pytest.raises(ValueError, match=f"expected 1 to 4 for 4 samples of 9 units, got {n_components}"):
        function(rates, n_components)


@pytest.mark.parametrize("function", [*BOTH, participation_ratio])
def test_missing_dim_is_refused(function):
    with pytest.raises(ValueError, match="'unit' is missing"):
        function(xr.DataArray(np.zeros((2, 3)), dims=("time", "neuron")))
