"""The rules of Yang et al. (2019): when what happens, which stimuli there are, and what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PERIODS = ("fixation", "stimulus_1", "delay_1", "stimulus_2", "delay_2", "go")
_OFTEN, _LATER, _GO = [200, 400, 600], [200, 400, 800, 1600], [500]
#: Angles of the rules of categories, (category, angle); categories are the halves of the ring.
_OF_CATEGORIES = np.pi * np.arange(1, 20, 2).reshape(2, 5) / 10


class Course(NamedTuple):
    """When what happens, and how much two stimuli differ."""

    times: Mapping[str, tuple[float, float] | list[int]]  # period -> shortest and longest, or all that there are, in ms
    shows: tuple[Sequence[str], Sequence[str]]  # periods in which the first stimulus is there, and the second
    fixation_stays: bool = False  # the input: until the end, and not until the response
    coherence: Sequence[float] = ()
    easy: float = 1.0  # factor of the coherence in the easy form

    def draw(self, period: str, n_trials: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw the length of a period in ms, (trial)."""
        some = self.times[period]
        return rng.choice(np.array(some, float), n_trials) if isinstance(some, list) else rng.uniform(*some, n_trials)

    def shown(self) -> list[list[bool]]:
        """Say which stimulus is there in which period, (stimulus, period)."""
        return [[period in periods for period in PERIODS] for periods in self.shows]


_EARLY = Course({"fixation": (300, 700), "stimulus_1": (500, 1500), "go": _GO}, (["stimulus_1", "go"], []))
_REACT = Course({"fixation": (500, 2500), "go": _GO}, (["go"], []), fixation_stays=True)
_DELAY = Course({"fixation": [300, 500, 700], "stimulus_1": _OFTEN, "delay_1": _LATER, "go": _GO}, (["stimulus_1"], []))
_TOGETHER = Course(
    {"fixation": (100, 400), "stimulus_1": [400, 800, 1600], "go": _GO},
    (["stimulus_1"], ["stimulus_1"]),
    coherence=(0.01, 0.02, 0.04, 0.08),
    easy=10,
)
_APART = Course(
    {
        "fixation": _OFTEN,
        "stimulus_1": _OFTEN,
        "delay_1": _LATER,
        "stimulus_2": _OFTEN,
        "delay_2": (100, 300),
        "go": _GO,
    },
    (["stimulus_1"], ["stimulus_2"]),
    coherence=(0.08, 0.16, 0.32),
    easy=2,
)
_SAMPLE = Course(
    {"fixation": _OFTEN, "stimulus_1": _OFTEN, "delay_1": _LATER, "go": _GO},
    (["stimulus_1"], ["go"]),
    fixation_stays=True,
)
_CATEGORY = _SAMPLE._replace(times={**_SAMPLE.times, "go": _OFTEN})


class Stimuli(NamedTuple):
    """What is shown in trials, and what is right; arrays (trial, ...)."""

    angle_1: NDArray[np.float64]
    angle_2: NDArray[np.float64]  # NaN: there is none
    strength: NDArray[np.float64]  # (trial, stimulus, ring)
    answer: NDArray[np.str_]

    @property
    def response(self) -> NDArray[np.float64]:
        """Where to point; NaN: nowhere."""
        opposite = (self.angle_1 + np.pi) % (2 * np.pi)
        places = {"stimulus_1": self.angle_1, "stimulus_2": self.angle_2, "opposite": opposite}
        return np.select([self.answer == name for name in places], list(places.values()), np.nan)


class Rule(NamedTuple):
    """A rule: its course, what is asked for, the rings in which two stimuli are, and those that count.

    Asked is to point to the ``same`` place, the ``opposite``, or the ``stronger`` of two; or to the second of two if
    they ``match``, or if they ``differ``.
    """

    course: Course
    asks: str
    rings: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()

    def draw(self, version: NDArray[np.int64], easy: bool, rng: np.random.Generator) -> Stimuli:
        """Draw the stimuli of trials of this rule in their versions, 0 to 3, of two bits."""
        bits = np.stack([version % 2, version // 2], axis=-1)
        if self.asks == "stronger":
            return self._two(bits == 0, easy, rng)
        return self._second(bits, rng) if self.asks in ("match", "differ") else self._one(bits, rng)

    def _one(self, bits: NDArray[np.int64], rng: np.random.Generator) -> Stimuli:
        n = len(bits)
        strength = np.zeros((n, 2, 2))
        strength[np.arange(n), 0, bits[:, 1]] = 1
        answer = np.full(n, "stimulus_1" if self.asks == "same" else "opposite")
        return Stimuli(rng.uniform(0, 2 * np.pi, n), np.full(n, np.nan), strength, answer)

    def _two(self, is_first: NDArray[np.bool_], easy: bool, rng: np.random.Generator) -> Stimuli:
        """Two stimuli, of which the first is the stronger one or not, in each ring."""
        n = len(is_first)
        one = rng.uniform(0, 2 * np.pi, n)
        other = (one + rng.uniform(0.5 * np.pi, 1.5 * np.pi, n)) % (2 * np.pi)
        mean, more = rng.uniform(0.8, 1.2, (n, 2)), rng.choice(self.course.coherence, (n, 2))
        share = np.zeros((n, 2))
        if len(self.counts) == 2:  # the same in both rings, but that each stimulus has more in one than in the other
            is_first, mean, more = (np.repeat(ring[:, :1], 2, axis=1) for ring in (is_first, mean, more))
            share = rng.uniform(0.2, 0.8, (n, 2)) * rng.choice([-1, 1], (n, 2)) / 2  # (trial, stimulus)
        more = np.where(is_first, more, -more) * (self.course.easy if easy else 1)
        strength = np.stack([mean + more, mean - more], axis=1) * (1 + share[..., np.newaxis] * [1, -1])
        strength[..., [ring for ring in (0, 1) if ring not in self.rings]] = 0
        return Stimuli(one, other, strength, np.where(is_first[:, self.counts[0]], "stimulus_1", "stimulus_2"))

    def _second(self, bits: NDArray[np.int64], rng: np.random.Generator) -> Stimuli:
        """Two stimuli of which the second matches the first or not, each in one of the rings."""
        n, match = len(bits), bits[:, 0] == 0
        if self.course is _CATEGORY:
            of_first, place = rng.integers(2, size=n), rng.integers(5, size=(2, n))
            of_second = np.where(match, of_first, 1 - of_first)
            one, other = _OF_CATEGORIES[of_first, place[0]], _OF_CATEGORIES[of_second, place[1]]
        else:
            one = rng.uniform(0, 2 * np.pi, n)
            other = np.where(match, one, (one + rng.uniform(np.pi / 9, 17 * np.pi / 9, n)) % (2 * np.pi))
        strength = np.eye(2)[np.stack([bits[:, 1], rng.integers(2, size=n)], axis=-1)]
        return Stimuli(one, other, strength, np.where(match == (self.asks == "match"), "stimulus_2", "fixation"))


_FIRST, _SECOND, _BOTH = (0,), (1,), (0, 1)
RULES = {
    "fdgo": Rule(_EARLY, "same"),
    "reactgo": Rule(_REACT, "same"),
    "delaygo": Rule(_DELAY, "same"),
    "fdanti": Rule(_EARLY, "opposite"),
    "reactanti": Rule(_REACT, "opposite"),
    "delayanti": Rule(_DELAY, "opposite"),
    "dm1": Rule(_TOGETHER, "stronger", _FIRST, _FIRST),
    "dm2": Rule(_TOGETHER, "stronger", _SECOND, _SECOND),
    "contextdm1": Rule(_TOGETHER, "stronger", _BOTH, _FIRST),
    "contextdm2": Rule(_TOGETHER, "stronger", _BOTH, _SECOND),
    "multidm": Rule(_TOGETHER, "stronger", _BOTH, _BOTH),
    "delaydm1": Rule(_APART, "stronger", _FIRST, _FIRST),
    "delaydm2": Rule(_APART, "stronger", _SECOND, _SECOND),
    "contextdelaydm1": Rule(_APART, "stronger", _BOTH, _FIRST),
    "contextdelaydm2": Rule(_APART, "stronger", _BOTH, _SECOND),
    "multidelaydm": Rule(_APART, "stronger", _BOTH, _BOTH),
    "dmsgo": Rule(_SAMPLE, "match"),
    "dmsnogo": Rule(_SAMPLE, "differ"),
    "dmcgo": Rule(_CATEGORY, "match"),
    "dmcnogo": Rule(_CATEGORY, "differ"),
}
