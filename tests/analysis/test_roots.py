"""Roots of maps that are known, and what is proved of them."""

import numpy as np
import pytest

from biornn.analysis.roots import Map, find_roots, prove

#: x² = 2 and xy = 1 have the roots ±(√2, 1/√2).
CURVES = Map(
    lambda x: np.stack([x[:, 0] ** 2 - 2, x[:, 0] * x[:, 1] - 1], axis=1),
    lambda x: np.stack([np.stack([2 * x[:, 0], x[:, 1]], 1), np.stack([0 * x[:, 0], x[:, 0]], 1)], 1),
)
ROOT = np.array([np.sqrt(2), np.sqrt(0.5)])


def of_one(values, derivative):
    """A map of one number."""
    return Map(values, lambda x: derivative(x)[:, :, np.newaxis])


def test_each_start_leads_to_a_root():
    starts = np.random.default_rng(0).normal(0, 3, (500, 2))
    found = find_roots(CURVES, starts)
    sign = np.sign(found.state[:, :1])
    assert not found.is_stationary.any()
    np.testing.assert_allclose(found.state, sign * ROOT, atol=1e-14)
    assert {-1, 1} == set(sign.ravel())
    assert found.residual.max() < 3e-15  # rounding


def test_a_start_leads_to_the_same_root_whatever_the_others_are():
    starts = np.random.default_rng(1).normal(0, 3, (50, 2))
    together = find_roots(CURVES, starts).state
    alone = np.concatenate([find_roots(CURVES, start[np.newaxis]).state for start in starts])
    np.testing.assert_array_equal(together, alone)


def test_starts_are_left_as_they_are():
    starts = np.ones((3, 2))
    find_roots(CURVES, starts)
    assert (starts == 1).all()


def test_a_minimum_that_is_not_zero_is_no_root():
    found = find_roots(of_one(lambda x: x**2 + 0.25, lambda x: 2 * x), np.array([[3.0], [-0.5]]))
    assert found.is_stationary.all()
    np.testing.assert_allclose(found.state, 0, atol=1e-5)
    np.testing.assert_allclose(found.residual, 0.25)


def test_a_start_gets_so_many_steps_at_most():
    parabola, start = of_one(lambda x: x**2 + 0.25, lambda x: 2 * x), np.array([[3.0]])
    few, many = find_roots(parabola, start, max_steps=3), find_roots(parabola, start)
    assert (few.is_stationary.item(), many.is_stationary.item()) == (False, True)
    assert few.residual > many.residual


def test_a_row_without_a_root_does_not_disturb_the_others():
    # exp(x) falls to 0 without end on the left; NaN stays where it is.
    found = find_roots(of_one(lambda x: np.exp(x) - 1, np.exp), np.array([[2.0], [np.nan], [-3.0]]))
    assert found.state[0, 0] == pytest.approx(0, abs=1e-15)
    assert np.isnan(found.state[1, 0])


def test_a_line_of_roots_is_reached_on_the_way():
    # x + y = 1: the nearest point of the line, with a singular matrix of derivatives.
    line = Map(lambda x: np.repeat(x.sum(axis=1, keepdims=True) - 1, 2, axis=1), lambda x: np.ones((len(x), 2, 2)))
    found = find_roots(line, np.array([[3.0, 0.0], [0.0, -5.0]]))
    np.testing.assert_allclose(found.state, [[2, -1], [3, -2]], atol=1e-9)


def test_the_proof_bounds_the_error_and_leaves_no_other_root_near():
    # x² - a² has the roots ±a; L = 2, and at x the bound is that of Newton and Kantorovich, sharp for parabolas.
    at = 1 + 10.0 ** -np.arange(1, 9)[:, np.newaxis]
    proof = prove(np.abs(at[:, 0] ** 2 - 1), 2 * at[:, :, np.newaxis], 2.0, np.full(len(at), np.inf))
    error = at[:, 0] - 1
    np.testing.assert_allclose(proof.error_bound, error, rtol=1e-7)
    np.testing.assert_allclose(proof.unique_within, at[:, 0] + 1, rtol=1e-12)  # just up to the other root


def test_nothing_is_proved_far_from_a_root_beyond_a_kink_or_where_the_derivatives_are_singular():
    residual, everywhere = np.array([1.0]), np.array([np.inf])
    steep = np.array([[[2.0]]])
    assert np.isnan(prove(residual, steep, 2.1, everywhere).error_bound)  # h = 1 / 4 * 2.1 > 1 / 2
    assert not np.isnan(prove(residual, steep, 1.9, everywhere).error_bound)
    assert np.isnan(prove(residual, steep, 0.0, np.array([0.4])).error_bound)  # 0.5 away
    singular = np.array([[[1.0, 1.0], [1.0, 1.0]]])
    for curvature in (0.0, 1.0):
        proof = prove(np.array([0.0]), singular, curvature, everywhere)
        assert np.isnan(proof.error_bound)
        assert proof.unique_within == 0


def test_a_row_ends_where_its_root_is_known():
    asked = []

    def known(state):
        asked.append(len(state))
        return np.where(np.abs(state - ROOT).max(axis=1, keepdims=True) < 0.5, ROOT, np.nan)

    starts = np.array([[3.0, 1.0], [1.3, 0.8], [-1.0, -1.0]])
    found = find_roots(CURVES, starts, known)
    np.testing.assert_array_equal(found.state[:2], [ROOT, ROOT])  # not a rounding error away
    np.testing.assert_allclose(found.state[2], -ROOT, atol=1e-14)
    assert asked[:2] == [3, 2]  # the second is there from the start


def test_more_starts_than_are_worked_on_at_once_lead_to_the_same_roots(monkeypatch):
    starts = np.random.default_rng(2).normal(0, 3, (40, 2))
    together = find_roots(CURVES, starts)
    monkeypatch.setattr("biornn.analysis.roots._MATRIX_NUMBERS", 12)  # three rows
    for all_at_once, some in zip(together, find_roots(CURVES, starts), strict=True):
        np.testing.assert_array_equal(all_at_once, some)
