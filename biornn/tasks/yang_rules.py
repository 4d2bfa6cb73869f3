"""The rules of Yang et al. (2019): when what happens, which stimuli there are, and what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PERIODS = ("fixation", "stimulus_1", "delay_1", "stimulus_2", "delay_2", "go")
_OFTEN, _LATER, _GO = [200, 400, 600], [200, 400, 800, 1600], [500]
_N_PARTS = 12  # equal parts of the trials, in each of which a time, or a coherence, is one of those that are listed
#: Angles of the rules of categories, (category, angle); categories are the halves of the ring.
_OF_CATEGORIES = np.pi * np.arange(1, 20, 2).reshape(2, 5) / 10


class Course(NamedTuple):
    """When what happens, and how much two stimuli differ."""

    times: Mapping[str, tuple[float, float] | list[int]]  # period -> shortest and longest, or all that there are, in ms
    shows: tuple[Sequence[str], Sequence[str]]  # periods in which the first stimulus is there, and the second
    fixation_stays: bool = False  # the input: until the end, and not until the response
    coherence: Sequence[float] = (0,)
    easy: float = 1.0  # factor of the coherence in the easy form


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


class Rule(NamedTuple):
    """A rule: its course, what is asked for, the rings in which two stimuli are, and those that count.

    Asked is to point to the ``same`` place, the ``opposite``, or the ``stronger`` of two; or to the second of two if
    they ``match``, or if they ``differ``.
    """

    course: Course
    asks: str
    rings: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()


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


def _in_parts(some: Sequence[Any]) -> list[Any]:
    return [*some] * (_N_PARTS // len(some))


#: What each rule has, as arrays (rule, ...), which those of trials are taken from.
OF_RULES: Mapping[str, NDArray[Any]] = {
    name: np.array([what(rule) for rule in RULES.values()])
    for name, what in {
        "asks": lambda rule: rule.asks,
        "shows": lambda rule: [[period in some for period in PERIODS] for some in rule.course.shows],
        "fixation_stays": lambda rule: rule.course.fixation_stays,
        "is_of_categories": lambda rule: rule.course is _CATEGORY,
        "coherence": lambda rule: _in_parts(rule.course.coherence),
        "easy": lambda rule: [1, rule.course.easy],
        "rings": lambda rule: [ring in rule.rings for ring in _BOTH],
        "counts": lambda rule: [ring in rule.counts for ring in _BOTH],
    }.items()
}


class Stimuli(NamedTuple):
    """What is shown in trials, and what is right; arrays (trial, ...)."""

    angle_1: NDArray[np.float64]
    angle_2: NDArray[np.float64]  # NaN: there is none
    response: NDArray[np.float64]  # where to point; NaN: nowhere
    strength: NDArray[np.float64]  # (trial, stimulus, ring)
    answer: NDArray[np.str_]


def numbers_of(names: NDArray[np.str_]) -> NDArray[np.int64]:
    """Give the numbers of rules, which are their places in `RULES`."""
    return (names[:, np.newaxis] == np.array(list(RULES))).argmax(axis=1)


def draw_times(number: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the lengths of periods in ms, (trial, period)."""
    share = _N_PARTS * rng.random((len(number), len(PERIODS)))
    part = share.astype(int)
    shortest, longest = np.moveaxis(times()[number[:, np.newaxis], range(len(PERIODS)), part], -1, 0)
    return shortest + (share - part) * (longest - shortest)


@cache
def times() -> NDArray[np.float64]:
    """Give the shortest and the longest time in ms in each of equal parts of the trials, (rule, period, part, 2)."""
    found = np.zeros((len(RULES), len(PERIODS), _N_PARTS, 2))
    for number, rule in enumerate(RULES.values()):
        for period, some in rule.course.times.items():
            ranges = [(one, one) for one in some] if isinstance(some, list) else [some]
            found[number, PERIODS.index(period)] = _in_parts(ranges)
    return found


def draw_stimuli(
    number: NDArray[np.int64], version: NDArray[np.int64], easy: bool, rng: np.random.Generator
) -> Stimuli:
    """Draw the stimuli of trials, by the number of their rule and their version, 0 to 3, of two bits."""
    n, asks = len(number), OF_RULES["asks"][number]
    decides, compares = asks == "stronger", np.isin(asks, ["match", "differ"])
    is_zero = version[:, np.newaxis] // [1, 2] % 2 == 0  # whether each bit is
    match = is_zero[:, 0]
    angle_1, nearest = rng.uniform(0, 2 * np.pi, n), np.where(decides, np.pi / 2, np.pi / 9)
    apart = np.where(compares & match, 0, rng.uniform(nearest, 2 * np.pi - nearest))
    angle_2 = np.where(decides | compares, (angle_1 + apart) % (2 * np.pi), np.nan)
    in_categories, half = OF_RULES["is_of_categories"][number], rng.integers(2, size=n)
    for angle, category in ((angle_1, half), (angle_2, np.where(match, half, 1 - half))):
        angle[in_categories] = _OF_CATEGORIES[category, rng.integers(5, size=n)][in_categories]
    strength = np.eye(2)[np.stack([version // 2, rng.integers(2, size=n)], axis=1)]  # each is in one ring
    strength[~compares, 1] = 0
    strength[decides] = _strength_of_two(number[decides], is_zero[decides], easy, rng)
    first = np.where(OF_RULES["counts"][number, 0], match, is_zero[:, 1])  # is the stronger one
    right = {
        "opposite": asks == "opposite",
        "stimulus_1": (asks == "same") | (decides & first),
        "stimulus_2": (decides & ~first) | (compares & (match == (asks == "match"))),
    }
    places, cases = [(angle_1 + np.pi) % (2 * np.pi), angle_1, angle_2], list(right.values())
    response, answer = np.select(cases, places, np.nan), np.select(cases, list(right), "fixation")
    return Stimuli(angle_1, angle_2, response, strength, answer)


def _strength_of_two(
    number: NDArray[np.int64], is_first: NDArray[np.bool_], easy: bool, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the strength of two stimuli, of which the first is the stronger one or not, in each ring."""
    shape = is_first.shape
    mean, part = rng.uniform(0.8, 1.2, shape), rng.integers(_N_PARTS, size=shape)
    coherence = np.take_along_axis(OF_RULES["coherence"][number], part, axis=1)
    factor = OF_RULES["easy"][number, int(easy), np.newaxis]
    more = np.where(is_first, coherence, -coherence) * factor
    # The same in both rings if both count, but that each stimulus has more in one than in the other.
    both_count = OF_RULES["counts"][number].all(axis=1, keepdims=True)
    mean, more = (np.where(both_count, ring[:, :1], ring) for ring in (mean, more))
    share = both_count * rng.uniform(0.2, 0.8, shape) * rng.choice([-1, 1], shape) / 2  # (trial, stimulus)
    strength = np.stack([mean + more, mean - more], axis=1) * (1 + share[..., np.newaxis] * [1, -1])
    return np.where(OF_RULES["rings"][number, np.newaxis], strength, 0)
