"""Random masks: densities, in-degrees, and what two masks of one seed share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn.connectivity.masks import RULES, erdos_renyi, fixed_in_degree

rules = pytest.mark.parametrize("rule", RULES)


def everything(n_pre, n_post=None):
    return np.ones((n_pre, n_post or n_pre), bool)


def without_autapses(n_units):
    return ~np.eye(n_units, dtype=bool)


@pytest.mark.parametrize("density", [0.05, 0.5, 0.9])
def test_erdos_renyi_density_is_binomial(density):
    mask = erdos_renyi(np.random.default_rng(0), everything(200), density)
    # Counts are binomial: 4.5 standard deviations are passed by 7 seeds in a million.
    assert abs(mask.sum() - density * mask.size) < 4.5 * np.sqrt(mask.size * density * (1 - density))
    # Independent synapses: in- and out-degrees are binomial too, of variance n d (1 - d). A sample variance of 200
    # values has a relative error of sqrt(2 / 200) = 0.1, times 4.5 (and a fixed in-degree would have no variance).
    for axis in (0, 1):
        assert mask.sum(axis=axis).var() == pytest.approx(200 * density * (1 - density), rel=0.45)


@given(n_units=st.integers(1, 30), density=st.floats(0, 1), autapses=st.booleans(), seed=st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_fixed_in_degree_is_exact_in_every_column(n_units, density, autapses, seed):
    allowed = everything(n_units) if autapses else without_autapses(n_units)
    mask = fixed_in_degree(np.random.default_rng(seed), allowed, density)
    n_allowed = n_units - (not autapses)
    in_degree = set(mask.sum(axis=0).tolist())
    assert len(in_degree) == 1
    assert abs(in_degree.pop() - density * n_allowed) <= 0.5
    assert not (mask & ~allowed).any()


def test_fixed_in_degree_is_a_share_of_what_each_column_allows():
    allowed = np.arange(10)[:, np.newaxis] < np.array([0, 1, 5, 10])  # columns that allow 0, 1, 5 and 10
    mask = fixed_in_degree(np.random.default_rng(1), allowed, 0.5)
    assert mask.sum(axis=0).tolist() == [0, 1, 3, 5]  # halves are rounded up
    assert not (mask & ~allowed).any()


def test_fixed_in_degree_chooses_every_synapse_equally_often():
    rng = np.random.default_rng(2)
    count = sum(fixed_in_degree(rng, everything(6, 40), 1 / 3).astype(int).sum(axis=1) for _ in range(50))
    # Each of the 6 is chosen in a third of 2,000 columns: standard deviation sqrt(2000 * 2 / 9) = 21, times 4.5.
    np.testing.assert_allclose(count, 2000 / 3, atol=95)


@rules
@pytest.mark.parametrize(("density", "expected"), [(0.0, False), (1.0, True)])
def test_density_zero_is_empty_and_one_is_all_that_is_allowed(rule, density, expected):
    allowed = without_autapses(20)
    mask = RULES[rule](np.random.default_rng(3), allowed, density)
    np.testing.assert_array_equal(mask, allowed & expected)


@rules
def test_rectangular_masks_keep_their_orientation(rule):
    mask = RULES[rule](np.random.default_rng(4), everything(3, 500), 2 / 3)
    assert mask.shape == (3, 500)
    if rule == "fixed_in_degree":
        assert (mask.sum(axis=0) == 2).all()


@rules
def test_the_seed_decides(rule):
    first, again, other = (RULES[rule](np.random.default_rng(seed), everything(20), 0.5) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_erdos_renyi_draw_does_not_depend_on_what_is_allowed():
    full, sparse = (
        erdos_renyi(np.random.default_rng(7), allowed, 0.5) for allowed in (everything(50), without_autapses(50))
    )
    np.testing.assert_array_equal(full & without_autapses(50), sparse)
    assert full.diagonal().any()


def test_erdos_renyi_masks_of_one_seed_are_nested_in_density():
    thin, thick = (erdos_renyi(np.random.default_rng(8), everything(50), density) for density in (0.2, 0.6))
    assert (thin <= thick).all()
