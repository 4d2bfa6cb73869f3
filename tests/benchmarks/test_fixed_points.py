"""Methods that look for fixed points are compared on points that are known."""

from collections.abc import Callable
from pathlib import Path

import fixed_points
import numpy as np
import pytest


def test_planted_points_are_found_and_counted(tmp_path: Path) -> None:
    file = str(tmp_path / "planted.npz")
    fixed_points.plant(file, 7)
    given = np.load(file)
    np.testing.assert_allclose(np.tanh(given["known"] @ given["weights"]), given["known"], atol=1e-12)
    assert np.bincount(given["n_unstable"]).tolist() == [8, 12, 6, 1]
    seconds, found, others = fixed_points.biornn(file, 20, 0)
    assert (sum(found), others) == (27, 0)
    assert seconds > 0
    _, found, others, until_all, n_found = fixed_points.roots(file, 40, 27, 60.0, 0)
    assert 8 < sum(found) <= 27
    assert others == 0
    assert 0 < until_all < 60
    assert n_found == 27
    *_, until_more, n_found = fixed_points.roots(file, 40, 28, 0.0, 0)  # more than there are, and no time for it
    assert until_more == np.inf
    assert 8 < n_found <= 27


def test_a_method_goes_on_until_it_has_as_many_as_asked_for() -> None:
    known = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    given = {"starts": known[[0, 0, 0, 0]], "known": known}

    def one_by_one(*answers: int) -> Callable[[np.ndarray], np.ndarray]:
        each = iter(answers)
        return lambda _: known[[next(each)]]

    search = one_by_one(0, 0, 1, 0)
    first, found, others, until, n_found = fixed_points._with_more(given, search, 1, 2, 2, 60.0, 0)
    assert (found, others, n_found) == ([True, False, False], 0, 2)
    assert first < until < 60
    for n_points, least in ((3, 1), (1, 1)):  # never found, and found at once
        *_, until, n_found = fixed_points._with_more(given, one_by_one(0, 2, 1), 1, 1, n_points, 0.0, 0)
        assert np.isfinite(until) == (n_points == least)
        assert n_found == 1
    first, found, _, until, _ = fixed_points._with_more(given, one_by_one(0, 1, 2), 1, 4, 3, 60.0, 0)
    assert first == until  # all are known before the first four starts are used
    assert found == [True] * 3
    with pytest.raises(RuntimeError, match=r"expected starts for 60 s, got 4"):
        fixed_points._with_more(given, lambda _: known[:1], 1, 2, 2, 60.0, 0)
    assert fixed_points._until([2.0, 4.0], [27, 27], 2.0) == "2 [1, 2]"
    assert fixed_points._until([2.0, np.inf], [27, 25], 2.0) == "> 10 in 1 of 2 (26 [25, 27])"


def test_each_known_point_counts_once() -> None:
    known = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    states = np.array([[0.0, 0.01], [0.01, 0.0], [1.0, 0.02], [3.0, 3.0]])
    assert fixed_points._compared(states, known) == ([True, True, False], 2)
    assert fixed_points._compared(states[:0], known) == ([False] * 3, 0)


def test_the_soonest_search_with_as_many_points() -> None:
    searches = [[1.0, [True, False], 0], [3.0, [True, True], 0], [2.5, [True, True], 0]]
    assert fixed_points._soonest(searches, 1) == 1.0
    assert fixed_points._soonest(searches, 2) == 2.5
    assert np.isnan(fixed_points._soonest(searches, 3))
