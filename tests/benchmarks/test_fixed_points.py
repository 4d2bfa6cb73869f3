"""Methods that look for fixed points are compared on points that are known."""

from pathlib import Path

import fixed_points
import numpy as np


def test_planted_points_are_found_and_counted(tmp_path: Path) -> None:
    file = str(tmp_path / "planted.npz")
    fixed_points.plant(file, 7, 40)
    given = np.load(file)
    np.testing.assert_allclose(np.tanh(given["known"] @ given["weights"]), given["known"], atol=1e-12)
    assert np.bincount(given["n_unstable"]).tolist() == [8, 12, 6, 1]
    seconds, found, others = fixed_points.biornn(file, 20, 0)
    assert (sum(found), others) == (27, 0)
    assert seconds > 0
    _, found, others = fixed_points.roots(file, 0)
    assert 8 < sum(found) <= 27
    assert others == 0


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
