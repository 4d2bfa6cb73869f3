import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn.analysis.random_matrix_theory import bulk_and_outliers
from biornn.analysis.spectrum import eigenspectrum, nonnormality, spectral_radius

MATRIX = ("unit_pre", "unit_post")


def labelled(values, dims=MATRIX, **coords):
    return xr.DataArray(np.asarray(values, float), dims=dims, coords=coords)


def gaussian(n_units, gain, seed):
    return labelled(np.random.default_rng(seed).normal(0, gain / np.sqrt(n_units), (n_units, n_units)))


def same_set(first, second, tolerance):
    """Every value of either has a neighbour in the other (order-free, so that a flipped tie does no harm)."""
    distance = np.abs(np.asarray(first)[:, None] - np.asarray(second))
    return distance.min(axis=0).max() < tolerance and distance.min(axis=1).max() < tolerance


@pytest.mark.parametrize("gain", [0.5, 1.5])
def test_circular_law(gain):
    n_units = 400
    spectrum = eigenspectrum(gaussian(n_units, gain, seed=1))
    # The edge fluctuates by about g * sqrt(log(n) / n) / 2 = 6 % at n = 400; twice that.
    assert spectral_radius(gaussian(n_units, gain, seed=1)).item() == pytest.approx(gain, rel=0.12)
    # Uniform in the disc: the share within radius q * g is q². Repulsion makes counts stiffer than the binomial,
    # whose standard deviation is at most 0.5 / sqrt(400) = 0.025; twice that.
    for q in (0.3, 0.5, 0.7, 0.9):
        assert np.mean(np.abs(spectrum) < q * gain).item() == pytest.approx(q**2, abs=0.05)
    # As many in each quadrant's direction: the mean of a uniform disc is its centre, sd of the mean g / (2 * 20).
    assert abs(spectrum.values.mean()) < 0.1 * gain


def test_rotation_with_known_angles_is_sorted_pair_by_pair():
    weights = np.zeros((5, 5))
    for first, (modulus, angle) in zip((0, 2), ((0.5, 0.3), (0.9, 2.0)), strict=True):
        cosine, sine = modulus * np.cos(angle), modulus * np.sin(angle)
        weights[first : first + 2, first : first + 2] = [[cosine, sine], [-sine, cosine]]
    weights[4, 4] = -0.7
    expected = [0.9 * np.exp(2j), 0.9 * np.exp(-2j), -0.7, 0.5 * np.exp(0.3j), 0.5 * np.exp(-0.3j)]
    spectrum = eigenspectrum(labelled(weights))
    assert spectrum.dtype == np.complex128
    assert spectrum["mode"].values.tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(spectrum, expected, atol=1e-14)  # a few roundings of numbers below 1


def test_ties_of_the_modulus_go_to_the_larger_real_part_despite_rounding():
    # A cyclic shift: the eight eighth roots of one, all of modulus 1 up to rounding.
    shift = np.roll(np.eye(8), 1, axis=1)
    expected = np.exp(2j * np.pi * np.array([0, 1, -1, 2, -2, 3, -3, 4]) / 8)
    np.testing.assert_allclose(eigenspectrum(labelled(shift)), expected, atol=1e-13)


def test_equal_pairs_stay_pairs():
    rotation = np.array([[0.0, 1.0], [-1.0, 0.0]])
    weights = np.kron(np.eye(3), rotation)
    assert eigenspectrum(labelled(weights)).values.tolist() == [1j, -1j] * 3


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12))
def test_permuting_the_units_leaves_spectrum_and_nonnormality_alone(seed, n_units):
    weights = gaussian(n_units, 1.0, seed)
    order = np.random.default_rng(seed + 1).permutation(n_units)
    permuted = weights.isel(unit_pre=order, unit_post=order)
    # An eigenvalue's rounding error grows with its condition number; 1e-7 leaves a factor of 1e9.
    assert same_set(eigenspectrum(weights), eigenspectrum(permuted), 1e-7)
    assert nonnormality(permuted).item() == pytest.approx(nonnormality(weights).item(), abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_sorted_pairs_and_trace(seed, n_units):
    weights = gaussian(n_units, 1.0, seed)
    values = eigenspectrum(weights).values
    assert np.all(np.diff(np.abs(values)) <= 1e-9 * np.abs(values[0]))  # ties are judged to ten digits
    assert np.sum(values).real == pytest.approx(np.trace(weights), abs=1e-10)
    complex_values = values[values.imag != 0]
    np.testing.assert_array_equal(complex_values[0::2], complex_values[1::2].conj())
    assert np.all(complex_values[0::2].imag > 0)


def test_orientation_does_not_matter_for_a_spectrum_but_dims_decide_not_positions():
    weights = gaussian(6, 1.0, seed=2)
    xr.testing.assert_equal(eigenspectrum(weights), eigenspectrum(weights.transpose("unit_post", "unit_pre")))


def test_normal_matrices_have_no_departure():
    rng = np.random.default_rng(3)
    square = rng.normal(size=(20, 20))
    orthogonal = np.linalg.qr(square)[0]
    for normal in (square + square.T, square - square.T, orthogonal, np.eye(20)):
        # Rounding of the difference of two squares: sqrt(20 * 2e-16), with room.
        assert nonnormality(labelled(normal)).item() < 1e-6


def test_departure_by_hand():
    # Schur form [[a, b], [0, d]]: the departure is |b|, whatever a and d.
    weights = labelled([[3.0, 4.0], [0.0, -1.0]])
    assert nonnormality(weights).item() == pytest.approx(4.0 / np.sqrt(9 + 16 + 1), rel=1e-12)
    # Jordan block of size n and eigenvalue c: n - 1 ones above the diagonal.
    jordan = labelled(0.5 * np.eye(4) + np.eye(4, k=1))
    # Its eigenvalues are exact (the matrix is triangular), so only the last digits may differ.
    assert nonnormality(jordan).item() == pytest.approx(np.sqrt(3 / (3 + 4 * 0.25)), rel=1e-12)


def test_departure_of_extremes():
    assert nonnormality(labelled(np.zeros((3, 3)))).item() == 0.0
    assert nonnormality(labelled(np.eye(3, k=1))).item() == 1.0
    scaled = gaussian(5, 1.0, seed=4)
    assert nonnormality(7 * scaled).item() == pytest.approx(nonnormality(scaled).item(), rel=1e-10)


@pytest.mark.parametrize("function", [eigenspectrum, spectral_radius, nonnormality])
def test_broadcasts_over_network_and_snapshot_as_a_loop_would(function):
    values = np.random.default_rng(5).normal(size=(2, 3, 6, 6)).astype(np.float32)
    weights = xr.DataArray(values, dims=("network", "snapshot", *MATRIX), coords={"network": ["a", "b"]})
    result = function(weights.transpose("unit_post", "network", "snapshot", "unit_pre"))
    assert result.dims[:2] == ("network", "snapshot")
    assert result["network"].values.tolist() == ["a", "b"]
    for network in range(2):
        for snapshot in range(3):
            one = function(weights.isel(network=network, snapshot=snapshot))
            np.testing.assert_array_equal(result.isel(network=network, snapshot=snapshot), one)


@pytest.mark.parametrize("function", [eigenspectrum, spectral_radius, nonnormality])
def test_lazy_weights_give_the_same(function):
    weights = xr.DataArray(np.random.default_rng(7).normal(size=(2, 4, 4)), dims=("network", *MATRIX))
    lazy = function(weights.chunk({"network": 1}))
    assert lazy.chunks is not None
    np.testing.assert_array_equal(lazy.compute(), function(weights))


@pytest.mark.parametrize("function", [eigenspectrum, spectral_radius, nonnormality])
def test_wrong_dims_are_refused_in_one_line(function):
    with pytest.raises(ValueError, match="'unit_pre' is missing"):
        function(labelled(np.eye(2), dims=("unit", "unit_post")))
    with pytest.raises(ValueError, match="as many unit_pre as unit_post, got 2 and 3"):
        function(labelled(np.zeros((2, 3))))


def test_eigenvalues_that_are_known_are_not_computed_again(monkeypatch):
    weights = gaussian(12, 1.0, seed=4)
    known, expected, outliers = eigenspectrum(weights), nonnormality(weights), bulk_and_outliers(weights)
    monkeypatch.delattr(np.linalg, "eigvals")
    assert nonnormality(weights, eigenvalues=known).item() == expected.item()
    xr.testing.assert_identical(bulk_and_outliers(weights, eigenvalues=known), outliers)
    for function in (nonnormality, bulk_and_outliers):
        with pytest.raises(ValueError, match=r"eigenvalues: expected the dims \['mode'.*'mode' is missing"):
            function(weights, eigenvalues=weights)
