"""Kinds of delayed matches against sequences and probabilities by hand."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from biornn.tasks.match_kinds import KINDS, Abba, OneItem, TwoItems, sequences


def test_sequences_have_the_probabilities_of_the_source():
    counts = Counter(sequences(3))
    shares = {name: Fraction(count, counts.total()) for name, count in counts.items()}
    half = Fraction(1, 2)
    # Each test matches with 1/2; of tests that do not and follow one that does not, half repeat it.
    assert shares == {
        "AA": half,
        "ABA": half**2,
        **dict.fromkeys(["ABBA", "ABCA"], half**4),
        **dict.fromkeys(["ABBB", "ABBC", "ABCC", "ABCD"], half**5),
    }
    assert Counter(sequences(1)) == {"AA": 1, "AB": 1}


@pytest.mark.parametrize("max_tests", [1, 2, 3, 4])
def test_half_of_the_tests_match_and_half_of_those_after_one_that_does_not_repeat_it(max_tests):
    tests = [row[1:] for row in sequences(max_tests)]
    shown = [test for row in tests for test in row]
    assert np.mean([test == "A" for test in shown]) == 0.5
    after = [(one, other) for row in tests for one, other in pairwise(row) if other != "A"]
    assert not after or np.mean([one == other for one, other in after]) == 0.5
    assert all("A" not in row[:-1] for row in tests)


def test_conditions_by_hand():
    one = OneItem(False, 2, 3).conditions()
    assert one == {
        "sample_direction": [0, 0, 180, 180],
        "match": [True, False, True, False],
        "correct_choice": ["match", "non-match", "match", "non-match"],
    }
    two = TwoItems(False, 8, 3).conditions()
    assert [two[name][5] for name in two] == [1, False, 1, False, "non-match, non-match"]
    assert len(set(zip(*two.values(), strict=True))) == 16
    abba = Abba(False, 8, 3).conditions()
    row = abba["sequence"].index("ABBA")
    assert (abba["n_tests"][row], abba["correct_choice"][row]) == (3, "non-match, non-match, match")


@pytest.mark.parametrize("category", [False, True])
def test_drawn_directions_match_or_not_as_the_items_say(category):
    kind = Abba(category, 8, 3)
    sequence = np.array(["AA", "ABA", "ABBA", "ABCA", "ABBC", "ABCD"]).repeat(200)
    of_trials = {"sequence": sequence, "correct_choice": sequence}
    drawn = kind.draw(of_trials, np.random.default_rng(0))
    sample = drawn["sample_direction"]
    for trial, letters in enumerate(sequence.tolist()):
        tests = [drawn[f"test_direction_{number}"][trial] for number in (1, 2, 3)]
        assert np.isnan(tests[len(letters) - 1 :]).all()
        shown = dict(zip(letters[1:], tests, strict=False))
        assert [shown[letter] for letter in letters[1:]] == tests[: len(letters) - 1]  # one letter, one direction
        assert len(set(shown.values())) == len(shown)
        for letter, test in shown.items():
            same = test // 180 == sample[trial] // 180 if category else test == sample[trial]
            assert same == (letter == "A")


def test_all_directions_are_drawn_alike():
    match = np.array([True, False]).repeat(4000)
    sample = np.full(8000, 90.0)
    for category, matching, others in [(False, [90], {0, 45, 135, 180, 225, 270, 315}), (True, [0, 45, 90, 135], None)]:
        kind = OneItem(category, 8, 3)
        of_trials = {"match": match, "sample_direction": sample, "correct_choice": match}
        tests = kind.draw(of_trials, np.random.default_rng(0))["test_direction"]
        others = others or {180, 225, 270, 315}
        for drawn, expected in ((tests[:4000], matching), (tests[4000:], others)):
            counts = Counter(drawn.tolist())
            assert set(counts) == set(expected)
            share = 1 / len(expected)
            # Four standard deviations of a count.
            assert max(abs(count - 4000 * share) for count in counts.values()) <= 4 * np.sqrt(4000 * share)


def test_shortcuts_by_hand():
    assert OneItem(False, 8, 3).shortcuts() == {"always match": 1 / 2}
    assert OneItem(True, 8, 3).shortcuts() == {"always match": 1 / 2, "compares directions": 5 / 8}
    assert TwoItems(False, 8, 3).shortcuts() == pytest.approx(
        {"always match": 1 / 4, "sees one field": 9 / 16, "match in either field": (15 / 16) ** 2}
    )
    assert Abba(False, 8, 3).shortcuts() == {
        "always match": 1 / 2,
        "match to any repeat": 1 - 1 / 16 - 3 / 32,  # wrong in ABBA, ABBB, ABBC, ABCC
        "compares with the last": 1 / 2 + 1 / 32,  # right in AA and ABCD
    }


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((False, 7, 1), "n_directions: expected an even number, and [12] directions that do not match .*, got 7"),
        ((True, 0, 1), "n_directions: expected an even number, and [12] directions that do not match .*, got 0"),
        ((False, 8, 7), "max_tests: expected at most 6, got 7"),
    ],
)
def test_impossible_numbers_are_named_in_one_line(kind, settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        kind(*settings)
