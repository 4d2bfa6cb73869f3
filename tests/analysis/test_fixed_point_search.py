"""What a search takes for found already."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from biornn.analysis.fixed_point_search import _Known, search
from biornn.analysis.fixed_point_starts import draw_between
from biornn.analysis.roots import Candidates, Proof, find_roots
from tests.analysis.networks import equation


@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_from_states_near_a_known_point_newtons_method_leads_to_it(formulation):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(6, 6))
    weights += 2 * np.eye(6)
    of = equation(weights, "tanh", formulation=formulation)
    known = _Known(of)
    assert np.isnan(known.near(np.zeros((1, 6)))).all()
    known.add(find_roots(of.map, rng.normal(size=(200, 6))))
    assert len(known.state) > 8
    n_near = 0
    for distance in 10.0 ** np.arange(-8, 0):
        aside = rng.normal(size=known.state.shape)
        states = known.state + distance * aside / np.linalg.norm(aside, axis=1, keepdims=True)
        near = known.near(states)
        is_near = np.isfinite(near).all(axis=1)
        np.testing.assert_array_equal(near[is_near], known.state[is_near])
        np.testing.assert_allclose(find_roots(of.map, states[is_near]).state, near[is_near], atol=1e-12)
        n_near += is_near.sum()
    assert n_near > 3 * len(known.state)
    assert n_near < 8 * len(known.state)


def test_threads_that_share_a_search_find_the_same_in_the_same_order(monkeypatch):
    monkeypatch.setattr("biornn.analysis.roots.rows_at_once", lambda n: 5)  # so that there are parts to share
    of = equation(np.random.default_rng(0).normal(size=(6, 6)) + 2 * np.eye(6), "tanh")
    alone = search(of, None, 32, 4, 0.01, 0)
    n_blocks = []
    with ThreadPoolExecutor(3) as pool:

        def map_blocks(function, blocks):
            n_blocks.append(len(blocks))
            return pool.map(function, blocks)

        shared = search(of, None, 32, 4, 0.01, 0, map_blocks)
    assert max(n_blocks) == 5  # of 24 starts between known points
    assert len(alone.points.state) > 8
    assert (alone.n_unseen, alone.is_complete) == (shared.n_unseen, shared.is_complete)
    for one, other in zip(alone.points, shared.points, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_search_goes_on_until_three_batches_and_a_fifth_of_them_found_nothing_new(monkeypatch):
    n_known = []  # before each batch

    def recorded(known, n_hits, n_starts, rng):
        n_known.append(len(known))
        return draw_between(known, n_hits, n_starts, rng)

    monkeypatch.setattr("biornn.analysis.fixed_point_search.draw_between", recorded)
    monkeypatch.setattr(_Known, "seem_complete", True)
    of = equation(1.6 * np.eye(5), "tanh")  # 243 points
    found = search(of, None, 4, 1000, 0.01, 0)
    n_known.append(len(found.points.state))
    is_new = np.diff(n_known) > 0
    n_quiet = np.array([np.argmax([*is_new[: end + 1][::-1], True]) for end in range(len(is_new))])
    is_enough = n_quiet >= np.maximum(3, np.arange(1, len(is_new) + 1) / 5)
    assert is_enough.tolist() == [False] * (len(is_new) - 1) + [True]
    assert n_quiet[-1] > 3
    assert found.is_complete
    assert not search(of, None, 4, len(is_new) - 1, 0.01, 0).is_complete


def test_roots_that_may_be_one_are_one():
    """The balls in which they are proved to be meet; of three in a row, the outer two are two."""
    of = SimpleNamespace(
        n_numbers=1,
        apart=lambda state, points: np.abs(state - points.T),
        prove=lambda state, residual: Proof(np.full(len(state), 0.6e-3), np.full(len(state), 1e-9)),
        index=lambda state: np.ones(len(state), int),
    )
    known = _Known(of)

    def add(*states):
        state = np.array(states)[:, np.newaxis]
        known.add(Candidates(state, np.zeros(len(state)), np.zeros(len(state), bool)))
        return sorted(known.state[:, 0])

    assert add(0.0, 1e-3, 2e-3, 10.0) == [0.0, 2e-3, 10.0]
    assert add(10.001, 20.0) == [0.0, 2e-3, 10.0, 20.0]


def test_a_quarter_of_the_starts_look_for_slow_points_once_points_are_known(monkeypatch):
    n_starts = []

    def recorded(of, starts, known=None, max_steps=60, map_blocks=map):
        n_starts.append((len(starts), max_steps))
        return find_roots(of, starts, known, max_steps, map_blocks)

    monkeypatch.setattr("biornn.analysis.fixed_point_search.find_roots", recorded)
    search(equation([[1.6]], "tanh"), None, 32, 1, 0.01, 0)
    assert n_starts[-2:] == [(8, 60), (24, 20)]
