"""Kinds of delayed matches: which trials there are, what they show, and what those score who take a shortcut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biornn.scalars import check_number
from biornn.tasks.in_periods import OfTrials
from biornn.tasks.rings import directions

_MOST_TESTS = 6  # of which there are 2 * 4**5 sequences


@dataclass(frozen=True)
class OneItem:
    """A sample and a test; the other kinds override what they have otherwise. All directions are in degrees.

    Parameters
    ----------
    category
        Whether directions match that are in the same half of the ring, and not only those that are the same.
    n_directions
        Number of directions, an even one.
    max_tests
        Largest number of tests of a trial in ABBA.

    Raises
    ------
    ValueError
        If there are not enough directions, or too many tests.
    """

    category: bool
    n_directions: int
    max_tests: int

    times: ClassVar[Mapping[str, float]] = {"sample": 500.0, "delay": 1000.0, "test": 500.0}  # of the source, in ms
    trial_conditions: ClassVar[tuple[str, ...]] = ("sample_direction", "match")
    n_cue: ClassVar[int] = 0  # input units that say which field counts
    _tests: ClassVar[tuple[str, ...]] = ("",)
    chance: ClassVar[float] = 0.5  # score of who always answers `match`

    def __post_init__(self) -> None:
        """Check the numbers."""
        n_other = self.n_directions // 2 if self.category else self.n_directions - 1  # that do not match a sample
        if self.n_directions % 2 or n_other < len(self.tests):
            expected = f"an even number, and {len(self.tests)} directions that do not match a sample"
            raise ValueError(f"n_directions: expected {expected}, got {self.n_directions}")
        check_number("max_tests", self.max_tests, f"at most {_MOST_TESTS}", maximum=_MOST_TESTS)

    @property
    def tests(self) -> tuple[str, ...]:
        """Tests of the longest trial, by what the names of their coordinates end with."""
        return self._tests or tuple(f"_{number + 1}" for number in range(self.max_tests))

    def channels(self, units: list[str]) -> list[str]:
        """Name the input channels."""
        return units

    def conditions(self) -> dict[str, list[Any]]:
        """List the conditions: coordinate -> its value in each. One that stands there twice is twice as frequent."""
        sample, match = zip(*product(directions(self.n_directions), (True, False)), strict=True)
        return {
            "sample_direction": list(sample),
            "match": list(match),
            "correct_choice": _answers([one] for one in match),
        }

    def items(self, of_trials: OfTrials) -> NDArray[np.int64]:
        """Say what each test shows, (trial, test): 0 what matches, 1, 2, … what does not; below 0 there is no test."""
        return np.stack([1 - of_trials[f"match{test}"] for test in self.tests], axis=1)

    def draw(self, of_trials: OfTrials, rng: np.random.Generator) -> OfTrials:
        """Draw the directions that the conditions leave open: coordinate -> (trial)."""
        sample = of_trials["sample_direction"] if "sample_direction" in of_trials else self._any(of_trials, rng)
        tests = self._picked(self.items(of_trials), sample, rng).T
        names = (f"test_direction{test}" for test in self.tests)
        return {"sample_direction": sample} | dict(zip(names, tests, strict=True))

    def shown(self, of_trials: OfTrials) -> NDArray[np.float64]:
        """Give the directions of sample and tests, (trial, 1 + test, field)."""
        tests = [of_trials[f"test_direction{test}"] for test in self.tests]
        return np.stack([of_trials["sample_direction"], *tests], axis=1)[..., np.newaxis]

    def cues(self, of_trials: OfTrials) -> NDArray[np.bool_]:
        """Say which units of the cue are active for each test, (trial, test, unit)."""
        return np.zeros((len(of_trials["correct_choice"]), len(self.tests), 0), bool)

    def shortcuts(self) -> dict[str, float]:
        """Give the scores of who says ``match`` always, and of a category only where directions are the same."""
        return {"always match": self.chance} | self._by_direction(0.5)

    def _by_direction(self, share: float) -> dict[str, float]:
        """Score of who compares directions; in a share of the trials something matches."""
        return {"compares directions": 1 - share + share * 2 / self.n_directions} if self.category else {}

    def _any(self, of_trials: OfTrials, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.integers(self.n_directions, size=len(of_trials["correct_choice"])) * 360 / self.n_directions

    def _picked(
        self, items: NDArray[np.int64], sample: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Draw the directions of items, (trial, test); different items that do not match have different ones."""
        n, half = self.n_directions, self.n_directions // 2
        first = np.round(sample * n / 360).astype(int)[:, np.newaxis]
        if self.category:
            first = first // half * half
            matching = first + rng.integers(half, size=first.shape)
            others = first + half + rng.random((len(first), half)).argsort(axis=1)
        else:
            matching, others = first, first + 1 + rng.random((len(first), n - 1)).argsort(axis=1)
        picked = np.take_along_axis(np.hstack([matching, others]), np.maximum(items, 0), axis=1)
        return np.where(items < 0, np.nan, picked % n * 360 / n)


class TwoItems(OneItem):
    """Two samples in two fields, and twice a test in each, of which one counts by a cue; the other is random."""

    trial_conditions = "cue_1", "match_1", "cue_2", "match_2"
    n_cue = 6
    _tests = "_1", "_2"
    chance = 0.25

    def channels(self, units: list[str]) -> list[str]:
        """Name the units of each field, and those of the cue."""
        fields = [f"field_{field}_{unit}" for field in (1, 2) for unit in units]
        return [*fields, *(f"cue_{number + 1}" for number in range(self.n_cue))]

    def conditions(self) -> dict[str, list[Any]]:
        """List each pair of cued fields and matches."""
        rows = list(product((1, 2), (True, False), (1, 2), (True, False)))
        listed = dict(zip(self.trial_conditions, map(list, zip(*rows, strict=True)), strict=True))
        return listed | {"correct_choice": _answers((row[1], row[3]) for row in rows)}

    def draw(self, of_trials: OfTrials, rng: np.random.Generator) -> OfTrials:
        """Draw the samples, the tests that count, and the others."""
        samples = np.stack([self._any(of_trials, rng) for _ in range(2)], axis=1)
        found = {"sample_direction_1": samples[:, 0], "sample_direction_2": samples[:, 1]}
        for items, test in zip(self.items(of_trials).T, self.tests, strict=True):
            cued = samples[np.arange(len(samples)), of_trials[f"cue{test}"] - 1]
            found[f"test_direction{test}"] = self._picked(items[:, np.newaxis], cued, rng)[:, 0]
            found[f"other_direction{test}"] = self._any(of_trials, rng)
        return found

    def shown(self, of_trials: OfTrials) -> NDArray[np.float64]:
        """Give the directions of sample and tests in each field."""
        shown = [[of_trials["sample_direction_1"], of_trials["sample_direction_2"]]]
        for test in self.tests:
            cue, cued, other = (of_trials[f"{name}{test}"] for name in ("cue", "test_direction", "other_direction"))
            shown.append([np.where(cue == field, cued, other) for field in (1, 2)])
        return np.moveaxis(np.array(shown), 2, 0)

    def cues(self, of_trials: OfTrials) -> NDArray[np.bool_]:
        """Every second unit is active for the first field, and the others for the second."""
        cue = np.stack([of_trials[f"cue{test}"] for test in self.tests], axis=1)
        return cue[..., np.newaxis] == 1 + np.arange(self.n_cue) % 2

    def shortcuts(self) -> dict[str, float]:
        """Give the scores of who ignores the cue, too; both answers must be right."""
        by_chance = 0.5 if self.category else 1 / self.n_directions  # the test that does not count matches as often
        of_test = {"sees one field": 3 / 4, "match in either field": 1 - by_chance / 2, **self._by_direction(0.5)}
        return {"always match": self.chance} | {name: score**2 for name, score in of_test.items()}


class Abba(OneItem):
    """A sample, A, and tests until one matches; one that does not may come again."""

    times: ClassVar[Mapping[str, float]] = {"sample": 400.0, "delay": 400.0, "test": 400.0}
    trial_conditions = ("sequence",)
    _tests = ()

    def conditions(self) -> dict[str, list[Any]]:
        """List the sequences."""
        rows = sequences(self.max_tests)
        answers = _answers([item == "A" for item in row[1:]] for row in rows)
        return {"sequence": rows, "n_tests": [len(row) - 1 for row in rows], "correct_choice": answers}

    def items(self, of_trials: OfTrials) -> NDArray[np.int64]:
        """Say which letter of the sequence each test is."""
        letters = of_trials["sequence"].view(np.uint32).reshape(len(of_trials["sequence"]), -1)
        return letters[:, 1:].astype(int) - ord("A")

    def shortcuts(self) -> dict[str, float]:
        """Give the scores of who remembers what was shown, but not what was the sample, too."""
        tests = [row[1:] for row in sequences(self.max_tests)]
        if self.category:
            return {"always match": self.chance} | self._by_direction(float(np.mean(["A" in row for row in tests])))
        repeats = [any(one == other for one, other in pairwise(row)) for row in tests]
        late = [len(row) > 1 and row[-1] == "A" for row in tests]  # a match that is not the first test
        return {
            "always match": self.chance,
            "match to any repeat": 1 - float(np.mean(repeats)),
            "compares with the last": 1 - float(np.mean(np.logical_or(repeats, late))),
        }


def sequences(max_tests: int) -> list[str]:
    """List sequences of a sample, A, and its tests, each as often as it is frequent.

    A test matches with a probability of 1/2, and is then the last; after one that does not, the next that does not is
    the same with a probability of 1/2, and else one that was not shown before.

    Examples
    --------
    >>> sequences(2)
    ['AA', 'AA', 'AA', 'AA', 'ABA', 'ABA', 'ABB', 'ABC']
    """
    found = []
    for tests, *others in product("AB", *[("match", "match", "same", "new")] * (max_tests - 1)):
        for test in others:
            if tests[-1] != "A":
                tests += {"match": "A", "same": tests[-1], "new": chr(ord(max(tests)) + 1)}[test]
        found.append("A" + tests)
    return found


def _answers(rows: Iterable[Iterable[bool]]) -> list[str]:
    return [", ".join("match" if one else "non-match" for one in row) for row in rows]


KINDS: Mapping[str, type[OneItem]] = {"one_item": OneItem, "two_items": TwoItems, "abba": Abba}
