import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

from biornn.analysis.random_matrix_theory import (
    _edge_of_gaussian,
    _modulus_of_share,
    bulk_and_outliers,
    predicted_spectrum,
)
from biornn.analysis.spectrum import eigenspectrum

MATRIX = ("unit_pre", "unit_post")
FRACTION = 0.8


def labelled(values, **coords):
    values = np.asarray(values)
    return xr.DataArray(values, dims=("network", *MATRIX)[-values.ndim :], coords=coords)


def types_of(n_units):
    n_excitatory = round(FRACTION * n_units)
    names = ["excitatory"] * n_excitatory + ["inhibitory"] * (n_units - n_excitatory)
    return xr.DataArray(np.array(names, object), dims="unit")


def dale(n_units, means, sds, seed, n_networks=1):
    """Rows of two types; `means` and `sds` in units of 1 / sqrt(n_units)."""
    rng = np.random.default_rng(seed)
    inhibitory = (types_of(n_units) == "inhibitory").values[:, np.newaxis]
    noise = rng.standard_normal((n_networks, n_units, n_units))
    return np.where(inhibitory, means[1] + sds[1] * noise, means[0] + sds[0] * noise) / np.sqrt(n_units)


def balanced(weights):
    """Take from each weight its column's share, so that what a unit receives sums to zero: Rajan & Abbott's M and J."""
    return weights - weights.mean(axis=-2, keepdims=True)


def test_moments_by_hand_count_absent_synapses_and_go_by_rows():
    weights = labelled([[1.0, 3.0, 0.0, 0.0], [0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0], [-4.0, 0.0, 0.0, -4.0]])
    cell_type = xr.DataArray(["excitatory"] * 3 + ["inhibitory"], dims="unit")
    prediction = predicted_spectrum(weights, cell_type)
    # Excitatory rows: mean 8 / 12, mean square 18 / 12; the inhibitory one: mean -2, mean square 8.
    variances = 18 / 12 - (8 / 12) ** 2, 8 - 4
    assert prediction["bulk_radius"].item() == pytest.approx(np.sqrt(3 * variances[0] + variances[1]), rel=1e-12)
    assert prediction["outlier"].item() == pytest.approx(3 * 8 / 12 - 2, rel=1e-12)
    one_type = predicted_spectrum(weights)
    assert one_type["bulk_radius"].item() == pytest.approx(2 * weights.values.std(), rel=1e-12)
    assert one_type["outlier"].item() == pytest.approx(4 * weights.values.mean(), rel=1e-12)
    # By columns it would be something else: the dims decide, not the positions.
    xr.testing.assert_allclose(predicted_spectrum(weights.transpose(), cell_type), prediction)
    wrong = predicted_spectrum(weights.rename(unit_pre="unit_post", unit_post="unit_pre"), cell_type)
    assert abs(wrong["bulk_radius"] - prediction["bulk_radius"]) > 0.05


def test_edge_is_kostlans_law_at_one_and_two_units():
    # One unit: the squared modulus is exponential, P(> r²) = exp(-r²).
    assert _edge_of_gaussian(1) == pytest.approx(np.sqrt(-np.log(0.01)), rel=1e-6)
    # Two, of variance 1/2 each: 1 - (1 - e^-x)(1 - e^-x (1 + x)) with x = 2 r².
    x = 2 * _edge_of_gaussian(2) ** 2
    assert 1 - (1 - np.exp(-x)) * (1 - np.exp(-x) * (1 + x)) == pytest.approx(0.01, rel=1e-6)
    # Many: 1, from above, about as Rider & Sinclair's sqrt(log(n) / 4n).
    edges = [_edge_of_gaussian(n_units) for n_units in (10, 100, 1000)]
    assert edges == sorted(edges, reverse=True)
    assert edges[-1] - 1 == pytest.approx(np.sqrt(np.log(1000) / 4000), rel=0.2)  # the next order is log log n


def gaussian(seed, n_networks, n_units=64):
    return np.random.default_rng(seed).standard_normal((n_networks, n_units, n_units))


#: Random weights of 64 or 400 units: how to draw them, whether they are of two types, how many, and the rate of
#: matrices with an outlier, measured over 5,000 (of 400 units: 300), where 0.01 is asked for. Real matrices have real
#: eigenvalues on top of the pairs, sparse ones heavier tails than Gaussian ones.
RANDOM = {
    "gaussian": (lambda n: gaussian(0, n), False, 300, 0.024),
    "half of the synapses": (lambda n: gaussian(0, n) * (gaussian(1, n) > 0), False, 300, 0.029),
    "two variances": (lambda n: dale(64, (0, 0), (1, 4), 1, n), True, 300, 0.030),
    "every unit balanced": (lambda n: balanced(dale(64, (1, -4), (1, 4), 2, n)), True, 300, 0.039),
    "gaussian of 400 units": (lambda n: gaussian(3, n, 400), False, 4, 0.02),
}


@pytest.mark.parametrize(
    "name",
    ["half of the synapses", "every unit balanced", "gaussian of 400 units"]
    + [pytest.param(name, marks=pytest.mark.nightly) for name in ("gaussian", "two variances")],
)
def test_random_weights_have_almost_no_outlier(name):
    draw, has_types, n_networks, measured_rate = RANDOM[name]
    cell_type = types_of(64) if has_types else None
    found = bulk_and_outliers(labelled(draw(n_networks)), cell_type)
    with_outlier = (found["n_outliers"] > 0).sum().item()
    assert with_outlier <= binom.ppf(0.999, n_networks, measured_rate)
    np.testing.assert_array_equal(found["n_outliers"] > 0, found["largest_outlier"].notnull())
    # Measured over as many at 64 units: within 0.032 of 1 on average, with an sd of 0.046 from matrix to matrix.
    # (Balance of every unit makes two of 64 eigenvalues zero, which shifts the median.)
    assert (found["measured_bulk_radius"] / found["bulk_radius"]).mean().item() == pytest.approx(1.0, abs=0.045)


def test_share_of_a_uniform_disk_is_the_square_of_the_radius():
    for share in (0.1, 0.5, 0.9):
        assert _modulus_of_share(np.full(10, 0.4), share) == pytest.approx(np.sqrt(4.0 * share), rel=1e-9)
    assert _modulus_of_share(np.array([1.0, 0, 0, 0]), 0.5) == 0.0  # rank one: three of four eigenvalues are zero
    # A quarter of the rows is silent: three quarters of the eigenvalues fill a disk of R² = 3 (v = 1), F from 1/4 on:
    # 3 / (r² + 4 (1 - F)) = 1.
    assert _modulus_of_share(np.array([1.0, 1, 1, 0]), 0.5) == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
def test_two_variances_make_the_bulk_denser_in_the_middle(share):
    n_units, sds = 400, (1.0, 4.0)
    weights = dale(n_units, (0, 0), sds, seed=3)[0]
    variance = np.where(types_of(n_units) == "excitatory", sds[0], sds[1]) ** 2 / n_units
    within = np.abs(np.linalg.eigvals(weights)) < _modulus_of_share(variance, share)
    # A binomial count would have an sd of 0.025 at most; repulsion makes it stiffer. Uniform density is off by 0.1.
    assert within.mean() == pytest.approx(share, abs=0.03)
    if share < 0.9:
        uniform = np.sqrt(share * variance.sum())
        assert _modulus_of_share(variance, share) < 0.9 * uniform


def test_unbalanced_dale_network_has_its_outlier_where_predicted():
    n_units = 400
    weights = labelled(dale(n_units, (0.5, -1.0), (1.0, 1.0), seed=4)[0])
    prediction, found = predicted_spectrum(weights, types_of(n_units)), bulk_and_outliers(weights, types_of(n_units))
    # 400 * (0.8 * 0.5 - 0.2 * 1) / 20 = 4; the sum of 160,000 weights of sd 1 / 20 over 400 has an sd of 0.05.
    assert prediction["outlier"].item() == pytest.approx(4.0, abs=0.15)
    assert prediction["bulk_radius"].item() == pytest.approx(1.0, rel=0.01)  # of 160,000 weights: 0.2 %
    assert found["n_outliers"].item() == 1
    # The next order of the outlier is u J v / λ, with an sd of |μ| R / λ = 0.63 / 4.
    assert found["largest_outlier"].item() == pytest.approx(prediction["outlier"].item(), abs=0.5)
    # Taken for one type, the means of the two would be variance.
    assert predicted_spectrum(weights)["bulk_radius"] > 1.1


def test_balance_on_average_lets_eigenvalues_stray_and_balance_of_every_unit_does_not():
    weights = dale(200, (2.0, -8.0), (1.0, 1.0), seed=5, n_networks=10)
    cell_type = types_of(200)
    stray = bulk_and_outliers(labelled(weights), cell_type)
    assert (abs(stray["outlier"]) < 1).all()
    assert (stray["n_outliers"] >= 1).all()
    inside = bulk_and_outliers(labelled(balanced(weights)), cell_type)
    np.testing.assert_allclose(inside["outlier"], 0, atol=1e-10)
    assert inside["n_outliers"].sum() <= 1  # ten matrices at a false-alarm rate below 5 %


@pytest.mark.parametrize("n_units", [64, 200])
@pytest.mark.parametrize("planted", [-2.0, 1.5])
def test_planted_outlier_is_found_where_it_was_planted(n_units, planted):
    rng = np.random.default_rng(6)
    direction = rng.standard_normal(n_units)
    direction /= np.linalg.norm(direction)
    random = rng.standard_normal((n_units, n_units)) / np.sqrt(n_units)
    found = bulk_and_outliers(labelled(random + planted * np.outer(direction, direction)))
    assert found["n_outliers"].item() == 1
    # The outlier strays by u' J u ~ 1 / sqrt(n), and by as much again for every further order / λ.
    assert found["largest_outlier"].item() == pytest.approx(planted, abs=3 / np.sqrt(n_units))


def test_pair_counts_as_two():
    n_units = 100
    rng = np.random.default_rng(7)
    first, second = np.linalg.qr(rng.standard_normal((n_units, 2)))[0].T
    rotation = 3 * (np.outer(first, second) - np.outer(second, first))
    found = bulk_and_outliers(labelled(rotation + rng.standard_normal((n_units, n_units)) / np.sqrt(n_units)))
    assert found["n_outliers"].item() == 2
    assert found["largest_outlier"].item() == pytest.approx(3j, abs=0.5)  # positive imaginary part first; 3 R / sqrt(n)


def test_diverged_and_failed_networks_are_nan_and_leave_their_neighbour_alone():
    weights = labelled(dale(20, (1, -4), (1, 1), seed=8, n_networks=3))
    weights[0, 3, 4] = np.inf
    cell_type = xr.concat([types_of(20)] * 3, "network")
    cell_type[1] = ""
    for function in (predicted_spectrum, bulk_and_outliers):
        result = function(weights, cell_type)
        assert all(np.isnan(array[:2]).all() for array in result.data_vars.values())
        xr.testing.assert_allclose(result.isel(network=2), function(weights[2], types_of(20)))
    assert np.isfinite(result["n_outliers"][2])


def test_zero_weights_have_a_bulk_of_no_radius_and_no_outlier():
    found = bulk_and_outliers(labelled(np.zeros((3, 3))))
    assert (found["bulk_radius"].item(), found["edge"].item(), found["n_outliers"].item()) == (0.0, 0.0, 0)


def test_broadcasts_in_any_order_and_lazily():
    weights = labelled(dale(12, (1, -4), (1, 1), seed=9, n_networks=6).astype(np.float32))
    weights = weights.coarsen(network=3).construct(network=("network", "snapshot")).assign_coords(network=["a", "b"])
    cell_type = xr.concat([types_of(12), types_of(12)[::-1].copy()], "network")
    cell_type = cell_type.assign_coords(network=["a", "b"])
    found = bulk_and_outliers(weights.transpose("unit_post", "snapshot", "network", "unit_pre"), cell_type)
    assert all(set(array.dims) == {"network", "snapshot"} for array in found.data_vars.values())
    lazy = bulk_and_outliers(weights.chunk({"network": 1}), cell_type)
    assert lazy["n_outliers"].chunks is not None
    xr.testing.assert_allclose(lazy.compute().transpose(*found["edge"].dims), found)
    for network in range(2):
        one = bulk_and_outliers(weights.isel(network=network, snapshot=1), cell_type.isel(network=network))
        xr.testing.assert_allclose(one, found.isel(network=network, snapshot=1))
    assert found["n_outliers"].attrs["long_name"] == "eigenvalues beyond the edge of the bulk"


def test_eigenvalues_beyond_the_edge_are_those_counted():
    weights = labelled(dale(64, (2, -8), (1, 1), seed=10, n_networks=5))
    found = bulk_and_outliers(weights, types_of(64))
    moduli = abs(eigenspectrum(weights))
    np.testing.assert_array_equal((moduli > found["edge"]).sum("mode"), found["n_outliers"])
    np.testing.assert_allclose(abs(found["largest_outlier"]), moduli.isel(mode=0).where(found["n_outliers"] > 0))
