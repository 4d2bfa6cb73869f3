"""Parametric working memory: which of two frequencies, separated by a delay, was the higher one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.scalars import check_number, is_real
from biornn.tasks.graded import Graded
from biornn.tasks.observer import ideal_observer
from biornn.tasks.periods import in_steps
from biornn.tasks.settings import check_length, check_steps
from biornn.tasks.tuned_inputs import OF_TASK, Tuning, check_tuning, per_hertz, tuned_inputs
from biornn.tasks.two_choices import CATCH, PRESETS, OfTrials, TwoChoices


@dataclass(frozen=True)
class ParametricMemory(TwoChoices):
    """Decide whether the first or the second of two vibrations had the higher frequency; between them is a delay.

    One input rises and one falls with the frequency. Each pair comes in both orders, as frequently to one trial; the
    delay is drawn evenly from a range. In a catch trial there is nothing.

    On `trial` there are ``first`` and ``second``, the frequencies in Hz, and ``difference``, the first less the second
    (NaN in catch trials), ``correct_choice`` (``first``, ``second``; ``none`` in catch trials), and ``delay`` in ms.
    All can be fixed.

    Parameters
    ----------
    pairs
        Pairs of frequencies in Hz.
    stimulus
        Length of each of the two stimuli, in ms.
    shortest_delay, longest_delay
        Range of the time between them, in ms. Trials are padded to the longest possible.
    tuning
        Two frequencies in Hz: between them one input falls from 1.2 to 0.4, and the other one rises so; beyond, they go
        on. None: the lowest and the highest of all. It is kept, and so a network that is tested at other frequencies
        gets for each the inputs that it would have had in training.
    n_catch, fixation, decision, grace, dt, baseline, noise, noise_tau, rectify
        As in `PerceptualDecision`.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    As in pycog, but for what `PerceptualDecision` says of σ, of rectified inputs (so also of the preset ``song2016``),
    and of lengths; catch trials have 2.5 s there. One frequency alone tells what is right where all that it is paired
    with are higher, or all are lower: who uses one only is right in 70 %. So pycog's criterion is 85 % in the worst of
    the conditions, as in ``criterion_on: worst``. Its networks are tested at a delay of 3 s, which the probe has.

    References
    ----------
    Song, Yang & Wang (2016), PLoS Comput. Biol. 12, e1004792; https://github.com/frsong/pycog. After Romo, Brody,
    Hernández & Lemus (1999), Nature 399, 470.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.tasks.ParametricMemory().shortcuts["uses one frequency only"]
    0.7
    """

    name, trial_conditions, presets = "parametric_memory", ("first", "second"), PRESETS
    input_channels, output_channels = ["falling", "rising"], ["first", "second"]
    _periods: ClassVar[tuple[str, ...]] = ("fixation", "first", "delay", "second", "decision")
    _varied = "delay"

    pairs: tuple[tuple[float, float], ...] = ((18.0, 10.0), (22.0, 14.0), (26.0, 18.0), (30.0, 22.0), (34.0, 26.0))
    stimulus: float = 500.0
    shortest_delay: float = 2500.0
    longest_delay: float = 3500.0
    tuning: Tuning = OF_TASK

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        self._check_pairs()
        check_tuning(self, self.tuning, "pairs", [one for pair in self.pairs for one in pair])
        check_steps(self, "stimulus", "shortest_delay", "longest_delay")
        check_number("longest_delay", self.longest_delay, "shortest_delay or more", self.shortest_delay)
        check_length(self, "longest_delay", self.fixation + 2 * self.stimulus + self.longest_delay + self.decision)

    @property
    def shortcuts(self) -> dict[str, float]:
        """Mean scores: of one choice always, and of the best one to the first, or to the second, frequency alone."""
        n_higher, n_lower = (Counter(which(pair) for pair in self.pairs) for which in (max, min))
        n_right = sum(max(n_higher[one], n_lower[one]) for one in {*n_higher, *n_lower})
        return {"always one choice": 0.5, "uses one frequency only": n_right / (2 * len(self.pairs))}

    @property
    def graded(self) -> dict[str, Graded]:
        """The choice of ``first`` by the difference of the frequencies; pairs of one difference give no curve."""
        label = "first less second frequency"
        return {"difference": Graded("difference", "first", label, "Hz", ideal=self._ideal_share_first)}

    def ideal_score(self, first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
        """Score of an ideal observer who does not know which pairs there are, at frequencies in Hz.

        It compares the sum of the inputs over the first stimulus with that over the second one, without forgetting.
        """
        return self._ideal_share_first(np.abs(np.subtract(first, second)))

    def _ideal_share_first(self, difference: ArrayLike) -> NDArray[np.float64]:
        duration = in_steps(self.stimulus, self.dt) * self.dt
        of_inputs = per_hertz(self.tuning) * np.asarray(difference)
        # Of two noisy sums: the spread of their difference is √2 times that of one.
        return ideal_observer(of_inputs / np.sqrt(2), duration, self.noise, self.noise_tau)

    def _check_pairs(self) -> None:
        expected = "pairs: expected one or more pairs of different frequencies above 0 Hz"
        if not isinstance(self.pairs, list | tuple) or not self.pairs:
            raise ValueError(f"{expected}, got {self.pairs!r}")
        for pair in self.pairs:
            is_pair = isinstance(pair, list | tuple) and len(pair) == 2
            if not is_pair or not all(is_real(one) and 0 < one < np.inf for one in pair) or pair[0] == pair[1]:
                raise ValueError(f"{expected}, got {pair!r}")
        object.__setattr__(self, "pairs", tuple((float(one), float(other)) for one, other in self.pairs))

    def _conditions(self, n_catch: int) -> dict[str, list[Any]]:
        orders = [order for pair in self.pairs for order in (pair, pair[::-1])]
        return {
            "first": [first for first, _ in orders] + [np.nan] * n_catch,
            "second": [second for _, second in orders] + [np.nan] * n_catch,
            "difference": [first - second for first, second in orders] + [np.nan] * n_catch,
            "correct_choice": [self.output_channels[one < other] for one, other in orders] + [CATCH] * n_catch,
        }

    def _varied_steps(self, share: ArrayLike) -> NDArray[np.int64]:
        range_of_delays = self.longest_delay - self.shortest_delay
        return in_steps(self.shortest_delay + range_of_delays * np.asarray(share), self.dt)

    def _lengths(self, n_varied: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        n_stimulus = in_steps(self.stimulus, self.dt)
        return n_stimulus, n_varied, n_stimulus

    def _levels(self, of_trials: OfTrials) -> NDArray[np.float32]:
        levels = np.zeros((len(of_trials["first"]), 5, 2), np.float32)
        for number, name in ((1, "first"), (3, "second")):
            levels[:, number] = tuned_inputs(of_trials[name], self.tuning)
        return levels
