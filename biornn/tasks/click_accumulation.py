"""The accumulation of clicks: on which of two sides there were more of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from biornn.scalars import check_number
from biornn.tasks.graded import Graded
from biornn.tasks.periods import by_period, in_steps
from biornn.tasks.seeds import generator
from biornn.tasks.settings import check_length, check_levels, check_settings, check_steps
from biornn.tasks.two_choices import CATCH, SHARES, SIDES, OfTrials, TwoChoices

_INPUTS = [*SIDES, "fixation"]


@dataclass(frozen=True)
class ClickAccumulation(TwoChoices):
    """Decide on which side there were more clicks, of two trains with Poisson statistics: the Poisson clicks task.

    The sum of the two rates is the same in all trials, their difference varies, and so does the time for which they
    last, drawn evenly from a range. A third input, ``fixation``, is 1 until the decision; in a catch trial there are no
    clicks, and it stays. Each difference of rates is as frequent with each side that is right, to one trial.

    On `trial` there are ``rate_difference`` in Hz (NaN in catch trials), ``correct_choice`` (``left``, ``right``;
    ``none`` in catch trials), and ``stimulus_duration`` in ms, which can be fixed; and ``higher_rate``, the side with
    the higher rate, ``left_clicks``, ``right_clicks``, and ``difference``, clicks on the right less those on the left
    (NaN in catch trials). Where no rate is higher, ``higher_rate`` is ``none``.

    Parameters
    ----------
    rate_differences
        Higher rate less the lower one, in Hz, from 0 to `total_rate`.
    total_rate
        Sum of the two rates, in Hz.
    shortest_stimulus, longest_stimulus
        Range of the time with clicks, in ms. Trials are padded to the longest possible.
    click_area
        Integral of a click over time, in ms: with 20 ms, it adds 1 to an input for a step of 20 ms, or 2 for 10 ms.
    n_catch, fixation, decision, grace, dt, baseline, noise, noise_tau, rectify
        As in `PerceptualDecision`.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    Rates of 40 Hz in all, and reward for more clicks, on whichever side the rate is higher, are those of Erlich et al.
    (their Figure 1); differences of rates and times are those of https://github.com/google-deepmind/disentangled_rnns.
    But: clicks are drawn again where both sides have as many, and there is no click on both sides at the onset. The
    rest is Song's, as in `PerceptualDecision`: with this σ, who counts is right in every trial.

    References
    ----------
    Brunton, Botvinick & Brody (2013), Science 340, 95; Erlich, Brunton, Duan, Hanks & Brody (2015), eLife 4, e05457.

    Examples
    --------
    >>> import biornn as bn
    >>> trials = bn.tasks.ClickAccumulation(n_catch=0).trials(100, seed=0)
    >>> bool(((trials.difference > 0) == (trials.correct_choice == "right")).all())
    True
    """

    name, trial_conditions = "click_accumulation", ("rate_difference",)
    input_channels = _INPUTS

    rate_differences: tuple[float, ...] = (12.0, 27.0, 34.0, 38.0)
    total_rate: float = 40.0
    shortest_stimulus: float = 200.0
    longest_stimulus: float = 1000.0
    click_area: float = 20.0
    noise: float = field(default=0.01, kw_only=True)

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        check_settings(self, ("click_area",), ("total_rate",))
        check_steps(self, "shortest_stimulus", "longest_stimulus")
        check_number("longest_stimulus", self.longest_stimulus, "shortest_stimulus or more", self.shortest_stimulus)
        least = 1000 / self.shortest_stimulus  # else most trials have no clicks, and are drawn again
        check_number("total_rate", self.total_rate, f"from {least:g} to 10,000 Hz", least, 10_000)
        check_levels(self, "rate_differences", maximum=self.total_rate)
        check_length(self, "longest_stimulus", self.fixation + self.longest_stimulus + self.decision)

    @property
    def shortcuts(self) -> dict[str, float]:
        """Mean scores: of one choice always, of the side with the higher rate, and of who counts on one side only.

        The latter chooses this side if there are more clicks than half of those that are expected on both.
        """
        steps, weight = np.unique(self._varied_steps(SHARES), return_counts=True)
        seconds = steps[:, np.newaxis] * self.dt / 1000
        half = self.total_rate * seconds / 2
        deviation = np.array(self.rate_differences) * seconds / 2  # (time, difference of rates)
        count = np.arange(20 + int(2 * half.max() + 10 * np.sqrt(2 * half.max())))[:, np.newaxis, np.newaxis]
        lower, higher = (_poisson(count, half + sign * deviation) for sign in (-1, 1))
        unequal = 1 - (lower * higher).sum(axis=0)
        sees_higher, sees_lower = (
            np.where(count > half, _below(other), 1 - _below(other) - other) * seen
            for seen, other in ((higher, lower), (lower, higher))
        )
        one_side = (sees_higher + sees_lower) / 2
        known = {"knows the higher rate only": higher * _below(lower), "counts on one side only": one_side}
        means = {who: (share.sum(axis=0) / unequal).mean(axis=1) for who, share in known.items()}
        return {"always one side": 0.5, **{who: float(np.average(one, weights=weight)) for who, one in means.items()}}

    @property
    def graded(self) -> dict[str, Graded]:
        """The choice of ``right`` by the difference of the clicks."""
        return {"clicks": Graded("difference", SIDES[1], "clicks on the right less those on the left", "clicks")}

    def _conditions(self, n_catch: int) -> dict[str, list[Any]]:
        return {
            "rate_difference": np.repeat(self.rate_differences, 2).tolist() + [np.nan] * n_catch,
            "correct_choice": SIDES * len(self.rate_differences) + [CATCH] * n_catch,
        }

    def _varied_steps(self, share: ArrayLike) -> NDArray[np.int64]:
        range_of_times = self.longest_stimulus - self.shortest_stimulus
        return in_steps(self.shortest_stimulus + range_of_times * np.asarray(share), self.dt)

    def _levels(self, of_trials: OfTrials) -> NDArray[np.float32]:
        levels = np.zeros((len(of_trials["correct_choice"]), 3, 3), np.float32)
        levels[:, :2, 2] = 1
        levels[of_trials["correct_choice"] == CATCH, 2, 2] = 1
        return levels

    def _shown(
        self, of_trials: OfTrials, period: NDArray[np.int64], rng: np.random.Generator | None
    ) -> tuple[NDArray[np.float32], OfTrials]:
        rng = generator("clicks of the probe") if rng is None else rng
        first_step, n_steps = ((period == number).sum(axis=1) for number in (0, 1))
        counts, higher_rate = self._counts(of_trials, n_steps, rng)
        # Where their number is given, clicks of a Poisson train are spread evenly.
        trial, side = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), 2)
        step = first_step[trial] + (rng.random(len(trial)) * n_steps[trial]).astype(int)
        inputs = by_period(self._levels(of_trials), period)
        place = np.ravel_multi_index((trial, step, side), inputs.shape)
        clicks = np.bincount(place, minlength=inputs.size).reshape(inputs.shape)
        inputs += np.float32(self.click_area / self.dt) * clicks.astype(np.float32)
        left, right = counts.T
        difference = np.where(of_trials["correct_choice"] == CATCH, np.nan, right - left)
        labels = {"higher_rate": higher_rate, "left_clicks": left, "right_clicks": right, "difference": difference}
        return inputs, labels

    def _counts(
        self, of_trials: OfTrials, n_steps: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
        """Numbers of clicks (trial, side), larger on the side that is right, and the side with the higher rate."""
        correct = of_trials["correct_choice"][:, np.newaxis]
        rates = (self.total_rate + np.nan_to_num(of_trials["rate_difference"])[:, np.newaxis] * [-1, 1]) / 2
        expected = rates * n_steps[:, np.newaxis] * self.dt / 1000 * (correct != CATCH)
        counts = rng.poisson(expected)  # at the lower and at the higher rate
        while (again := (counts[:, 0] == counts[:, 1]) & (expected[:, 1] > 0)).any():
            counts[again] = rng.poisson(expected[again])
        # Both trains change sides where the wrong one would have more clicks: as if other trials had been left out.
        mirrored = (counts[:, :1] > counts[:, 1:]) != (correct == SIDES[0])
        sides = np.where(mirrored, SIDES[0], SIDES[1])
        return np.where(mirrored, counts[:, ::-1], counts), np.where(rates[:, :1] == rates[:, 1:], CATCH, sides)[:, 0]


def _poisson(count: NDArray[np.int64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(scipy.special.xlogy(count, mean) - mean - scipy.special.gammaln(count + 1))


def _below(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of smaller counts, from that of each count (count, …)."""
    return share.cumsum(axis=0) - share
