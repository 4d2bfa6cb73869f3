"""Small worlds: the ring at one end, a random mask at the other, and the laws in between."""

import numpy as np
import pytest

from biornn.connectivity import Connectivity, small_world
from biornn.connectivity.small_world import draw_small_world

kinds = pytest.mark.parametrize("directed", [True, False])


def clustering(mask):
    """Mean over units of the share of pairs of neighbours that are connected, in a symmetric mask."""
    links = mask.astype(float)
    degree = links.sum(axis=0)
    return np.mean((links @ links @ links).diagonal() / (degree * (degree - 1)))


def without_labels(*args, **settings):
    return small_world(*args, **settings).values


@kinds
@pytest.mark.parametrize("k", [2, 4, 10, 20])
def test_without_moves_it_is_the_ring_with_its_clustering(k, directed):
    mask = without_labels(100, k, 0.0, directed=directed)
    distance = np.abs(np.subtract.outer(np.arange(100), np.arange(100)))
    np.testing.assert_array_equal(mask, (np.minimum(distance, 100 - distance) <= k // 2) & (distance > 0))
    # The closed form of Watts & Strogatz; rounding of a mean of 100 numbers.
    assert clustering(mask) == pytest.approx(3 * (k - 2) / (4 * (k - 1)), abs=1e-12)


@pytest.mark.parametrize("p", [0.1, 0.3])
def test_clustering_falls_with_the_cube_of_what_stays(p):
    found = np.mean([clustering(without_labels(1000, 10, p, directed=False, seed=seed)) for seed in range(5)])
    # Barrat & Weigt (2000, Eur. Phys. J. B 13, 547), whose terms of 1/n are left out: 0.01 at a degree of 10. Theirs is
    # a ratio of means over units, this the mean of ratios; over degrees of this spread that differs by about 2 %.
    assert found == pytest.approx(2 / 3 * (1 - p) ** 3, rel=0.03, abs=0.01)


@pytest.mark.parametrize("p", [0.2, 1.0])
def test_degrees_of_an_undirected_one_have_their_mean_and_variance(p):
    mask = without_labels(2000, 10, p, directed=False, seed=3)
    np.testing.assert_array_equal(mask, mask.T)
    degree = mask.sum(axis=0)
    assert degree.mean() == 10
    assert degree.min() >= 5  # each unit keeps its own end of five pairs
    # Barrat & Weigt: binomial (5, 1 - p) of the ring, and Poisson (5 p). A sample variance of 2,000 values has a
    # relative error of sqrt(2 / 2000) = 0.03, times 4.5.
    assert degree.var() == pytest.approx(5 * p * (1 - p) + 5 * p, rel=0.15)


@pytest.mark.parametrize("p", [0.2, 1.0])
def test_a_directed_one_keeps_every_out_degree_and_moves_its_share(p):
    mask = without_labels(2000, 10, p, seed=4)
    assert (mask.sum(axis=1) == 10).all()
    ring = without_labels(2000, 10, 0.0)
    off_ring = (mask & ~ring).sum()
    # 20,000 synapses move with probability p; 10 of 2,000 targets are on the ring (0.5 % of these); 4.5 deviations.
    assert abs(off_ring - p * 20_000) < 4.5 * np.sqrt(20_000 * p * (1 - p)) + 0.01 * p * 20_000
    if p == 1.0:  # then targets are drawn at random: in-degrees are binomial; relative error as above
        assert mask.sum(axis=0).var() == pytest.approx(10 * (1 - 10 / 1999), rel=0.15)


@kinds
@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("n_units", "k"), [(3, 2), (7, 6), (8, 6), (50, 4)])
def test_no_unit_reaches_itself_and_none_is_reached_twice(n_units, k, p, directed):
    mask = draw_small_world(np.random.default_rng(0), n_units, k, p, directed)
    assert not mask.diagonal().any()
    assert mask.sum() == n_units * k


@kinds
def test_the_seed_decides_and_what_moves_is_nested(directed):
    first, again, other = (without_labels(60, 6, 0.3, directed=directed, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    ring = without_labels(60, 6, 0.0)
    more = without_labels(60, 6, 0.6, directed=directed, seed=1)
    stays_longer = ring & more & ~first
    assert stays_longer.sum() <= 0.05 * ring.sum()  # those that moved away, and others that moved there


def test_it_is_labelled_and_a_mask_to_give():
    mask = small_world(4, 2, 0.5, unit_names=list("dcba"), seed=1)
    assert mask.dims == ("unit_pre", "unit_post")
    wiring = Connectivity(4, mask=mask)
    assert wiring.unit_names.tolist() == list("dcba")
    np.testing.assert_array_equal(wiring.recurrent_mask, mask)
    assert not small_world(4, 2, 0.5).coords


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 3}, "k: expected an even number of neighbours, less than n_units=9, got 3"),
        ({"k": 10}, "k: expected an even number of neighbours, less than n_units=9, got 10"),
        ({"k": 0}, "k: expected an integer of at least 2, got 0"),
        ({"k": 2.0}, "k: expected an integer of at least 2, got 2.0"),
        ({"p": 1.1}, r"p: expected a number in \[0, 1\], got 1.1"),
        ({"p": float("nan")}, r"p: expected a number in \[0, 1\], got nan"),
        ({"directed": "no"}, "directed: expected true or false, got 'no'"),
        ({"n_units": 0}, "n_units: expected an integer of at least 1, got 0"),
        ({"seed": -1}, "seed: expected an integer of at least 0, got -1"),
    ],
)
def test_impossible_ones_are_refused(settings, message):
    with pytest.raises((ValueError, TypeError), match=f"^{message}"):
        small_world(**{"n_units": 9, "k": 2, "p": 0.1, **settings})
