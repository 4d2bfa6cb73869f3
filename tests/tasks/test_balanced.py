from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biornn.tasks.balanced import balanced, each_once

CONDITIONS = {"coherence": [4, 4, 8, 8, np.nan], "side": ["left", "right", "left", "right", "none"]}


@given(n_trials=st.integers(1, 60), seed=st.integers(0, 10))
def test_counts_of_two_conditions_differ_by_one_at_most(n_trials, seed):
    drawn = balanced(CONDITIONS, n_trials, np.random.default_rng(seed), {})
    counts = Counter(zip(np.nan_to_num(drawn["coherence"]).tolist(), drawn["side"].tolist(), strict=True))
    assert counts.total() == n_trials
    every = [counts[condition] for condition in [(4, "left"), (4, "right"), (8, "left"), (8, "right"), (0, "none")]]
    assert max(every) - min(every) <= 1


def test_a_condition_that_stands_twice_is_twice_as_frequent():
    drawn = balanced({"side": ["left", "right", "right"]}, 9, np.random.default_rng(0), {})
    assert Counter(drawn["side"].tolist()) == {"left": 3, "right": 6}


def test_order_and_what_is_left_over_are_random():
    drawn = [balanced({"side": ["left", "right"]}, 3, np.random.default_rng(seed), {})["side"] for seed in range(40)]
    assert len({tuple(one.tolist()) for one in drawn}) == 6


def test_what_is_fixed_leaves_the_rest_balanced():
    drawn = balanced(CONDITIONS, 10, np.random.default_rng(0), {"coherence": 8.0})
    assert Counter(drawn["side"].tolist()) == {"left": 5, "right": 5}
    assert set(drawn["coherence"].tolist()) == {8}


@pytest.mark.parametrize("value", [np.nan, np.float64("nan")])
def test_nan_that_conditions_have_can_be_fixed(value):
    drawn = balanced(CONDITIONS, 4, np.random.default_rng(0), {"coherence": value})
    assert np.isnan(drawn["coherence"]).all()
    assert set(drawn["side"].tolist()) == {"none"}


@pytest.mark.parametrize(
    ("fixed", "error", "message"),
    [
        ({"context": 1}, TypeError, "context: expected a coordinate of trials to fix, such as coherence, side"),
        ({"coherence": 5}, ValueError, "coherence: expected one of 4, 8, nan, got 5"),
        ({"side": "none", "coherence": 4}, ValueError, "coherence: expected one of nan, got 4"),
    ],
)
def test_what_no_condition_has_is_refused(fixed, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        balanced(CONDITIONS, 4, np.random.default_rng(0), fixed)


def test_each_condition_once_in_their_order():
    once = each_once({"coherence": [4, 4, 8, np.nan, np.nan], "side": ["left", "left", "left", "none", "none"]})
    np.testing.assert_array_equal(once["coherence"], [4, 8, np.nan])
    assert once["side"].tolist() == ["left", "left", "none"]
