"""Delayed match to sample: whether a test, after a delay, matches what was shown before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from biornn.scalars import check_number, integer
from biornn.schema import text
from biornn.tasks.balanced import balanced, each_once
from biornn.tasks.in_periods import InPeriods, OfTrials, Plan
from biornn.tasks.match_kinds import KINDS, OneItem
from biornn.tasks.periods import draw_steps, in_steps, mean_between
from biornn.tasks.rings import directions, von_mises
from biornn.tasks.settings import check_length, check_longest, check_settings, check_steps, longest

_ANSWERS = np.array(["fixation", "match", "non-match"])
_OF_KIND: Any = None  # a time that the source has for the kind


@dataclass(frozen=True)
class DelayedMatch(InPeriods):
    """Say of a test whether it matches the sample that was shown before a delay.

    Samples and tests are directions, shown to tuned input units. The output ``fixation`` shall be 1, and in a test
    ``match`` or ``non-match`` instead; the first part of a test does not count. To one trial, each sample with and
    without a match is as frequent, each pair of cued and matching tests, and each sequence of ABBA as it should be.

    On `trial` there are ``correct_choice``, such as ``non-match, match``, ``delay`` in ms, and of one item
    ``sample_direction``, ``match``, ``test_direction``; of two ``sample_direction_1`` and ``_2`` of the fields, and of
    each test ``cue_1`` (the field), ``match_1``, ``test_direction_1``, ``other_direction_1``; in ABBA ``sequence``,
    ``n_tests``, ``sample_direction``, ``test_direction_1``, …, NaN if not shown. Directions are in degrees. Periods
    of several tests are numbered: ``test_1``. A condition and the delay can be fixed. The probe has the shortest delay.

    Parameters
    ----------
    kind
        ``"one_item"``: a sample, and a test that matches in half of the trials. ``"two_items"``: two samples, in two
        fields, and twice a test in each field; from the middle of the delay on a cue says which field counts, and the
        other test is random. ``"abba"``: a sample, A, and up to `max_tests` tests. Each matches with a probability of
        1/2, and is then the last; of two in a row that do not, the second is the same with a probability of 1/2.
    category
        Whether directions match that are in the same half of the ring, and not only those that are the same.
    fixation, sample, delay, test, grace
        Lengths of the periods, and of the first part of a test, in ms; None: that of the source for this kind.
    longest_delay
        None, or a time in ms: trials then have delays drawn evenly from `delay` to this, and are padded to the longest.
    max_tests
        Largest number of tests in ABBA, up to 6.
    n_directions, n_tuned, kappa, height
        Numbers of directions (even), and of input units of a field (3 or more) with evenly spaced preferred directions:
        a unit responds by ``height exp(kappa (cos d - 1))`` at the distance d.
    dt
        Time step, in ms.
    noise, noise_tau
        σ and time constant τ (ms) of Gaussian noise in the inputs, which has the variance ``2 σ² τ / dt``.
    rectify
        Whether inputs below 0 become 0; the mean of the noise then depends on `dt`.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    As in Masse's code, but: there ABBA goes on after a match, and may repeat one, so that more than half of its tests
    match. Right is a trial in which all answers, the largest mean output of each test, are; there steps are counted.

    References
    ----------
    Masse et al. (2019), Nat. Neurosci. 22, 1159; https://github.com/nmasse/Short-term-plasticity-RNN.

    Examples
    --------
    >>> import biornn as bn
    >>> trials = bn.tasks.DelayedMatch("abba").trials(32, seed=0)
    >>> sorted(set(trials.sequence.values.tolist()))
    ['AA', 'ABA', 'ABBA', 'ABBB', 'ABBC', 'ABCA', 'ABCC', 'ABCD']
    """

    name, score_name = "delayed_match", "accuracy"
    output_channels = _ANSWERS.tolist()

    kind: str = "one_item"
    category: bool = False
    fixation: float = 500.0
    sample: float = _OF_KIND
    delay: float = _OF_KIND
    test: float = _OF_KIND
    grace: float = 50.0
    longest_delay: float | None = None
    max_tests: int = 3
    n_directions: int = 8
    n_tuned: int = 24
    kappa: float = 2.0
    height: float = 4.0
    dt: float = 10.0
    noise: float = 0.1
    noise_tau: float = 100.0
    rectify: bool = True

    def __post_init__(self) -> None:
        """Check the settings, and take those that are None from the kind."""
        if self.kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        kind = KINDS[self.kind]
        least = {"max_tests": 1, "n_directions": 1, "n_tuned": 3}  # two units respond alike on both sides of one
        found = {name: integer(name, getattr(self, name), minimum) for name, minimum in least.items()}
        missing = {name: time for name, time in kind.times.items() if getattr(self, name) is None}
        for name, value in (found | missing | {"trial_conditions": kind.trial_conditions}).items():
            object.__setattr__(self, name, value)
        check_settings(
            self, ("dt", "test", "noise_tau"), ("grace", "kappa", "height", "noise"), ("category", "rectify")
        )
        for name in ("kappa", "height"):
            check_number(name, getattr(self, name), "a number above 0, by which units tell directions", above=0)
        check_steps(self, "fixation", "sample", "delay")
        check_number("grace", self.grace, "at least a step less than test", maximum=self.test - self.dt)
        check_longest(self, "delay")
        check_length(self, "delay", self._n_times * self.dt)

    @property
    def input_channels(self) -> list[str]:
        """Names of the input channels: units with their preferred direction in degrees, and those of the cue."""
        return self._kind.channels([f"direction_{direction:g}" for direction in directions(self.n_tuned)])

    @property
    def chance(self) -> float:
        """Score of who always answers ``match``."""
        return self._kind.chance

    @property
    def shortcuts(self) -> Mapping[str, float]:
        """Scores of who does not compare what is to be compared: see `biornn.tasks.match_kinds`."""
        return self._kind.shortcuts()

    def choice(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Name the largest mean output over each test after its grace time; empty if outputs are not finite."""
        n_tests = 1 + text(trials["correct_choice"]).str.count(",").values
        delay, test, grace = (in_steps(time, self.dt) for time in (trials["delay"], self.test, self.grace))
        end = trials["n_steps"].copy(data=np.repeat(in_steps([self.fixation, self.sample], self.dt).sum(), len(delay)))
        chosen, is_finite = np.array(""), np.array(True)
        for number in range(len(self._kind.tests)):
            end, shown = end + delay + test, number < n_tests
            mean = mean_between(outputs, end - test + grace, end).transpose(..., "output_channel")
            answer = np.char.add(", " if number else "", _ANSWERS[mean.values.argmax(axis=-1)])
            chosen = np.char.add(chosen, np.where(shown, answer, ""))
            is_finite = is_finite & (np.isfinite(mean.values).all(axis=-1) | ~shown)
        return mean.isel(output_channel=0, drop=True).copy(data=np.where(is_finite, chosen, ""))

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where all answers are right, else 0."""
        return (self.choice(outputs, trials) == text(trials["correct_choice"])).astype(float)

    def _draw(self, n_trials: int, rng: np.random.Generator, delay: float | None = None, **fixed: Any) -> OfTrials:
        of_trials = balanced(self._kind.conditions(), n_trials, rng, fixed)
        n_delay = draw_steps("delay", self.delay, longest(self, "delay"), self.dt, n_trials, rng, delay)
        return of_trials | self._kind.draw(of_trials, rng) | {"delay": n_delay * self.dt}

    def _of_probe(self) -> OfTrials:
        of_trials = each_once(self._kind.conditions())
        delay = np.repeat(in_steps(self.delay, self.dt) * self.dt, len(of_trials["correct_choice"]))
        return of_trials | self._kind.draw(of_trials, np.random.default_rng(0)) | {"delay": delay}

    def _plan(self, of_trials: OfTrials) -> Plan:
        items, shown = self._kind.items(of_trials), self._kind.shown(of_trials)
        units = von_mises(np.deg2rad(shown), self.n_tuned, self.kappa, self.height).reshape(*shown.shape[:2], -1)
        shape, n_units = (len(items), 2 + 4 * len(self._kind.tests)), units.shape[-1]
        inputs, targets = (np.zeros((*shape, n), np.float32) for n in (self.n_inputs, self.n_outputs))
        loss_weight = np.ones((1, *targets.shape[1:]), np.float32)
        inputs[:, 1, :n_units] = units[:, 0]
        inputs[:, 3::4, n_units:] = cues = self.height * self._kind.cues(of_trials)
        targets[..., 0] = 1
        for period in (4, 5):  # of each test, the first part, which does not count, and the rest
            inputs[:, period::4] = np.concatenate([units[:, 1:], cues], axis=-1)
            targets[:, period::4] = np.eye(3)[np.where(items == 0, 1, 2)]
        loss_weight[:, 4::4] = 0
        delay, test, grace = (in_steps(time, self.dt) for time in (of_trials["delay"], self.test, self.grace))
        cue = delay // 2 if self._kind.n_cue else 0 * delay
        n_steps = [n * shown for shown in (items >= 0).T for n in (delay - cue, cue, grace, test - grace)]
        return Plan([*in_steps((self.fixation, self.sample), self.dt), *n_steps], inputs, targets, loss_weight)

    @property
    def _kind(self) -> OneItem:
        return KINDS[self.kind](self.category, self.n_directions, self.max_tests)

    @property
    def _period_names(self) -> list[str]:
        names = "delay", "cue", "test", "test"
        return ["fixation", "sample", *(f"{name}{test}" for test in self._kind.tests for name in names)]

    @property
    def _n_times(self) -> int:
        once, of_test = (self.fixation, self.sample), (longest(self, "delay"), self.test)
        return int(in_steps(once, self.dt).sum() + len(self._kind.tests) * in_steps(of_test, self.dt).sum())
