import numpy as np
import pytest
import xarray as xr
from scipy.stats import kstest

from biornn.analysis.matched_null import compare_with_null, matched_random_weights
from biornn.analysis.random_matrix_theory import bulk_and_outliers, predicted_spectrum
from biornn.analysis.singular_values import singular_value_entropy
from biornn.analysis.spectrum import eigenspectrum, nonnormality, spectral_radius

MATRIX = ("unit_pre", "unit_post")
N_UNITS = 20
TYPES = xr.DataArray(np.array(["excitatory"] * 16 + ["inhibitory"] * 4, object), dims="unit")
ROWS = [slice(0, 16), slice(16, 20)]


def labelled(values):
    values = np.asarray(values)
    return xr.DataArray(values, dims=("network", *MATRIX)[-values.ndim :])


def constrained(seed):
    """Dale's law, half of the synapses, no autapses, all weights different."""
    rng = np.random.default_rng(seed)
    mask = (rng.random((N_UNITS, N_UNITS)) < 0.5) & ~np.eye(N_UNITS, dtype=bool)
    weights = np.abs(rng.standard_normal((N_UNITS, N_UNITS))) * np.where(np.arange(N_UNITS) < 16, 1.0, -4.0)[:, None]
    return labelled(weights * mask), labelled(mask)


def everywhere(weights):
    return xr.ones_like(weights, bool)


def test_mask_signs_and_weights_of_each_type_are_preserved_exactly():
    weights, mask = constrained(0)
    draws = matched_random_weights(weights, mask, TYPES, n_draws=20, seed=1)
    assert draws.dims == ("draw", *MATRIX)
    assert draws["draw"].values.tolist() == list(range(20))
    assert ((draws != 0) == mask).all()
    assert (np.sign(draws) == np.sign(weights)).all()
    for rows in ROWS:
        for draw in draws.values:
            assert sorted(draw[rows].ravel()) == sorted(weights.values[rows].ravel())
    # Each draw is another, and a weight goes anywhere: one of 190 stays in place by chance.
    assert len({draw.tobytes() for draw in draws.values}) == 20
    assert ((draws == weights) & mask).sum("draw").max() <= 5
    # The first allowed synapse of an excitatory unit gets the largest weight as often as any other.
    xr.testing.assert_allclose(
        predicted_spectrum(draws, TYPES), predicted_spectrum(weights, TYPES).expand_dims(draw=draws["draw"])
    )


def test_every_synapse_gets_every_weight_equally_often():
    weights, mask = labelled(np.arange(1.0, 10.0).reshape(3, 3)), labelled(~np.eye(3, dtype=bool))
    draws = matched_random_weights(weights * mask, mask, n_draws=1000, seed=2)
    values = [2.0, 3, 4, 6, 7, 8]
    shares = [(draws == value).mean("draw").values[mask.values] for value in values]
    # An sd of sqrt(1/6 * 5/6 / 1000) = 0.012; four of them for 36 shares.
    np.testing.assert_allclose(shares, 1 / 6, atol=0.047)


def test_unconstrained_weights_go_to_all_allowed_synapses_and_others_stay():
    weights = labelled(np.arange(1.0, 17.0).reshape(4, 4))
    mask = labelled(np.tri(4, dtype=bool))
    draws = matched_random_weights(weights, mask, n_draws=50, seed=3)
    np.testing.assert_array_equal(draws.where(~mask), weights.where(~mask).expand_dims(draw=50))
    assert (draws.isel(unit_pre=0, unit_post=0) > 4).any()  # from another row
    assert (draws.sum(MATRIX) == weights.sum()).all()


def test_balance_of_every_unit_is_kept_where_asked_for():
    weights, mask = constrained(4)
    draws = matched_random_weights(weights, mask, TYPES, n_draws=10, seed=5, keep_balance=True)
    assert ((draws != 0) == mask).all()
    for rows in ROWS:
        for draw in draws.values:
            np.testing.assert_array_equal(np.sort(draw[rows], axis=0), np.sort(weights.values[rows], axis=0))
    assert len({draw.tobytes() for draw in draws.values}) == 10
    free = matched_random_weights(weights, mask, TYPES, n_draws=10, seed=5)
    assert abs(free.sum("unit_pre") - weights.sum("unit_pre")).min("draw").max() > 0.1


def test_a_draw_depends_on_seed_number_and_weights_alone():
    weights, mask = (xr.concat([constrained(6)[part], constrained(7)[part]], "network") for part in (0, 1))
    draws = matched_random_weights(weights, mask, TYPES, n_draws=3, seed=8)
    alone = matched_random_weights(weights[1], mask[1], TYPES, n_draws=2, seed=8)
    np.testing.assert_array_equal(draws[:2, 1], alone)
    lazy = matched_random_weights(weights.chunk({"network": 1}), mask, TYPES, n_draws=3, seed=8)
    assert lazy.chunks is not None
    np.testing.assert_array_equal(lazy.compute(), draws)
    turned = matched_random_weights(
        weights.transpose("unit_post", "network", "unit_pre"), mask, TYPES, n_draws=3, seed=8
    )
    np.testing.assert_array_equal(turned, draws)
    assert (matched_random_weights(weights, mask, TYPES, n_draws=3, seed=9) != draws).any()
    single = matched_random_weights(weights.astype(np.float32), mask, TYPES, n_draws=3, seed=8)
    np.testing.assert_array_equal(single, draws.astype(np.float32))


@pytest.mark.parametrize("keep_balance", [pytest.param(False, marks=pytest.mark.nightly), True])
def test_weights_that_are_random_have_a_uniform_p_value_and_a_standard_z(keep_balance):
    weights = labelled(np.random.default_rng(10).standard_normal((300, 8, 8)))
    compared = compare_with_null(
        spectral_radius, weights, everywhere(weights), n_draws=39, seed=11, keep_balance=keep_balance
    )
    # The p-values are the 20 multiples of 1 / 20: their distribution is within 1 / 20 of the continuous one.
    assert set((compared["p_value"].values * 20).round(9)) <= set(range(1, 21))
    assert kstest(compared["p_value"].values - 1 / 40, "uniform").statistic < 1 / 40 + 1.63 / np.sqrt(300)  # at 1 %
    # z: mean 0 and sd about 1, each with an sd of some 1 / sqrt(300); four of them.
    assert abs(compared["z"].mean()) < 0.25
    assert compared["z"].std().item() == pytest.approx(1.0, abs=0.25)


def test_weights_drawn_under_the_constraint_are_not_found_out():
    networks = [constrained(seed) for seed in range(60)]
    weights, mask = (xr.concat([one[part] for one in networks], "network") for part in (0, 1))
    compared = compare_with_null(singular_value_entropy, weights, mask, TYPES, n_draws=19, seed=12)
    # A p-value of 0.1, the smallest, in 10 % of the networks: at most 14 of 60 in 99.9 % of such sets.
    assert (compared["p_value"] <= 0.1).sum() <= 14
    assert abs(compared["z"].mean()) < 0.6  # sd 1.1 / sqrt(60) = 0.14; four of them


def test_planted_structure_is_found():
    weights, mask = constrained(13)
    # An assembly: eight excitatory units that excite each other strongly, a block of rank one under Dale's law.
    assembly = np.arange(N_UNITS) < 8
    planted = weights.copy(data=weights * np.where(np.outer(assembly, assembly), 5, 1))
    # Inhibition answers to the assembly, so that the spectral radius tells nothing of it; the directions do.
    assert compare_with_null(singular_value_entropy, weights, mask, TYPES, n_draws=99, seed=14)["p_value"] > 0.02
    found = compare_with_null(singular_value_entropy, planted, mask, TYPES, n_draws=99, seed=14)
    assert found["z"] < -3
    assert found["p_value"].item() == pytest.approx(0.02)  # the smallest


@pytest.mark.nightly
def test_planted_rank_one_has_an_outlier_that_the_null_has_not():
    rng = np.random.default_rng(15)
    direction = rng.standard_normal(64) / 8
    weights = labelled(rng.standard_normal((64, 64)) / 8 + 3 * np.outer(direction, direction))

    def n_outliers(of):
        return bulk_and_outliers(of)["n_outliers"]

    found = compare_with_null(n_outliers, weights, everywhere(weights), n_draws=99, seed=16)
    assert found["observed"] == 1
    assert found["null_mean"] < 0.1  # a false alarm in 2 to 3 of 100, seldom of a pair
    assert found["p_value"] <= 0.1
    assert compare_with_null(spectral_radius, weights, everywhere(weights), n_draws=99, seed=16)["z"] > 10
    three = np.linalg.qr(rng.standard_normal((64, 3)))[0]
    low_rank = labelled(rng.standard_normal((64, 64)) / 8 + 3 * three @ three.T)
    assert compare_with_null(singular_value_entropy, low_rank, everywhere(low_rank), n_draws=99, seed=16)["z"] < -6


def test_by_hand_with_ties_and_a_null_that_does_not_vary():
    weights = labelled([[1.0, 2.0], [3.0, 4.0]])

    def first(of):
        return of.isel(unit_pre=0, unit_post=0, drop=True)

    draws = first(matched_random_weights(weights, everywhere(weights), n_draws=9, seed=17)).values
    compared = compare_with_null(first, weights, everywhere(weights), n_draws=9, seed=17)
    assert compared["observed"] == 1
    assert compared["null_mean"] == draws.mean()
    assert compared["null_sd"].item() == pytest.approx(draws.std(ddof=1), rel=1e-12)
    assert compared["z"].item() == pytest.approx((1 - draws.mean()) / draws.std(ddof=1), rel=1e-12)
    assert compared["p_value"].item() == pytest.approx(min(1.0, 2 * (1 + (draws == 1).sum()) / 10), rel=1e-12)

    # The norm is the same for all, but for rounding: nothing to be told by it.
    random = labelled(np.random.default_rng(18).standard_normal((6, 6)))
    same = compare_with_null(lambda of: (of**2).sum(MATRIX), random, everywhere(random), n_draws=19, seed=19)
    assert np.isnan(same["z"])
    assert same["p_value"] == 1


def test_several_statistics_of_the_same_draws_are_those_of_each_alone():
    weights, mask = constrained(25)
    apart = {"radius": spectral_radius, "departure": nonnormality}

    def together(of):
        return xr.Dataset({name: statistic(of) for name, statistic in apart.items()}).to_array("statistic")

    options = {"n_draws": 9, "seed": 26}
    found = compare_with_null(together, weights, mask, TYPES, **options)
    for name, statistic in apart.items():
        alone = compare_with_null(statistic, weights, mask, TYPES, **options)
        xr.testing.assert_allclose(found.sel(statistic=name, drop=True), alone)


def test_diverged_and_failed_networks_stay_nan_and_leave_their_neighbour_alone():
    one, its_mask = constrained(20)
    weights, mask = one.expand_dims(network=3).copy(), its_mask.expand_dims(network=3)
    weights[0, 2, 3] = np.nan
    cell_type = TYPES.expand_dims(network=3).copy()
    cell_type[1] = ""
    for keep_balance in (False, True):
        options = {"n_draws": 9, "seed": 21, "keep_balance": keep_balance}
        draws = matched_random_weights(weights, mask, cell_type, **options)
        assert np.isnan(draws[:, :2]).all()
        np.testing.assert_array_equal(draws[:, 2], matched_random_weights(one, its_mask, TYPES, **options))
        compared = compare_with_null(nonnormality, weights, mask, cell_type, **options)
        assert np.isnan(compared["null_mean"][:2]).all()
        assert np.isnan(compared["z"][:2]).all()
        assert np.isnan(compared["p_value"][:2]).all()
        alone = compare_with_null(nonnormality, one, its_mask, TYPES, **options)
        xr.testing.assert_allclose(compared.isel(network=2), alone)


def test_compares_each_network_and_snapshot_lazily_too():
    values = np.random.default_rng(22).standard_normal((2, 3, 6, 6))
    weights = xr.DataArray(values, dims=("network", "snapshot", *MATRIX), coords={"network": ["a", "b"]})
    mask = everywhere(weights.isel(snapshot=0))
    compared = compare_with_null(spectral_radius, weights, mask, n_draws=5, seed=23)
    assert all(array.dims == ("network", "snapshot") for array in compared.data_vars.values())
    assert compared["network"].values.tolist() == ["a", "b"]
    assert compared["z"].attrs["units"] == "1"
    lazy = compare_with_null(spectral_radius, weights.chunk({"network": 1}), mask, n_draws=5, seed=23)
    xr.testing.assert_allclose(lazy.compute(), compared)


def test_bad_input_is_refused_in_one_line():
    weights, mask = constrained(24)
    with pytest.raises(ValueError, match="n_draws: expected at least 1, got 0"):
        matched_random_weights(weights, mask, TYPES, n_draws=0, seed=0)
    with pytest.raises(ValueError, match="recurrent_mask: expected the networks and units of recurrent_weights"):
        matched_random_weights(weights, mask.isel(unit_pre=slice(5)), TYPES, n_draws=1, seed=0)
    with pytest.raises(ValueError, match=r"statistic: expected real numbers, got complex ones"):
        compare_with_null(lambda of: eigenspectrum(of)[0], weights, mask, n_draws=1, seed=0)
    with pytest.raises(ValueError, match=r"statistic: expected one number .* got values along 'unit_post'"):
        compare_with_null(lambda of: of.sum("unit_pre"), weights, mask, n_draws=1, seed=0)
