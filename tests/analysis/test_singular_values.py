import numpy as np
import pytest
import xarray as xr

from biornn.analysis.singular_values import singular_value_entropy

MATRIX = ("unit_pre", "unit_post")


def labelled(values, dims=MATRIX):
    return xr.DataArray(np.asarray(values, float), dims=dims)


def orthogonal(n_units, seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n_units, n_units)))[0]


def test_orthogonal_is_maximal_and_rank_one_is_zero():
    rng = np.random.default_rng(0)
    # Sums of 20 terms with rounding of 1e-16 each: 1e-12 leaves room.
    for weights in (np.eye(20), 3 * orthogonal(20, 1)):
        assert singular_value_entropy(labelled(weights)).item() == pytest.approx(1.0, abs=1e-12)
    rank_one = np.outer(rng.normal(size=20), rng.normal(size=20))
    # 19 singular values of about 1e-16, each with an entropy of 1e-16 * log(1e16) = 4e-15.
    assert singular_value_entropy(labelled(rank_one)).item() == pytest.approx(0.0, abs=1e-12)


def test_planted_singular_values_whatever_the_directions_and_the_scale():
    planted = np.array([4.0, 2.0, 1.0, 1.0, 0.0])
    share = planted[:4] / 8
    expected = -(share * np.log(share)).sum()
    weights = labelled(orthogonal(5, 2) @ np.diag(planted) @ orthogonal(5, 3))
    for scale in (1, 100):
        assert singular_value_entropy(scale * weights).item() == pytest.approx(expected / np.log(5), abs=1e-12)


def test_k_equal_singular_values_have_an_effective_rank_of_k():
    projection = orthogonal(10, 4)[:, :3]
    entropy = singular_value_entropy(labelled(projection @ projection.T)) * np.log(10)
    assert np.exp(entropy.item()) == pytest.approx(3.0, abs=1e-10)


def test_random_weights_have_the_entropy_of_the_quarter_circle_law():
    # Singular values of independent weights follow the quarter-circle density sqrt(4 - s²) / pi on [0, 2]; the mean
    # of -s log(s) and of s under it by a fine midpoint rule.
    grid = (np.arange(200_000) + 0.5) / 100_000
    density = np.sqrt(4 - grid**2) / np.pi / 100_000
    mean, mean_log = (density * grid).sum(), (density * grid * np.log(grid)).sum()
    n_units = 300
    expected = (np.log(n_units * mean) - mean_log / mean) / np.log(n_units)
    weights = labelled(np.random.default_rng(5).normal(size=(n_units, n_units)))
    # Singular values are rigid: their shares fluctuate by about 1 / n, and so does the entropy.
    assert singular_value_entropy(weights).item() == pytest.approx(expected, abs=3 / n_units)


def test_merely_partitioned_weights_have_less_than_unconstrained_ones():
    # What Li et al. report: the means of the rows add one large singular value.
    free = np.random.default_rng(6).normal(size=(100, 100))
    sign = np.where(np.arange(100) < 80, 1.0, -4.0)
    assert (
        singular_value_entropy(labelled(np.abs(free) * sign[:, None])) < singular_value_entropy(labelled(free)) - 0.02
    )


def test_zero_and_a_single_unit_have_no_entropy():
    for weights in (np.zeros((5, 5)), [[2.0]]):
        assert np.isnan(singular_value_entropy(labelled(weights)))


def test_broadcasts_in_any_order_and_lazily():
    values = np.random.default_rng(8).normal(size=(2, 3, 6, 6)).astype(np.float32)
    weights = xr.DataArray(values, dims=("network", "snapshot", *MATRIX), coords={"network": ["a", "b"]})
    entropy = singular_value_entropy(weights.transpose("unit_post", "network", "snapshot", "unit_pre"))
    assert entropy.dims == ("network", "snapshot")
    assert entropy.attrs == {"units": "1", "long_name": "entropy of the singular values"}
    lazy = singular_value_entropy(weights.chunk({"network": 1}))
    assert lazy.chunks is not None
    np.testing.assert_allclose(lazy.compute(), entropy, rtol=1e-12)  # LAPACK's rounding
    one = singular_value_entropy(weights.isel(network=1, snapshot=2))
    assert entropy[1, 2].item() == pytest.approx(one.item(), rel=1e-12)


def test_rectangular_weights_are_refused():
    with pytest.raises(ValueError, match="as many unit_pre as unit_post"):
        singular_value_entropy(labelled(np.ones((2, 3))))
