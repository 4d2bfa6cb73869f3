"""The context-dependent decision: which side one of two features of a stimulus is on, while the other is ignored."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.tasks.graded import Graded
from biornn.tasks.observer import ideal_observer
from biornn.tasks.opposed import opposed
from biornn.tasks.periods import in_steps
from biornn.tasks.settings import check_length, check_levels, check_steps
from biornn.tasks.two_choices import CATCH, PRESETS, SIDES, OfTrials, TwoChoices

_PER_COHERENCE = 0.05  # difference of the inputs for 1 % coherence: they are (1 ± 5 c / 100) / 2
_FEATURES = ["motion", "colour"]


@dataclass(frozen=True)
class ContextDecision(TwoChoices):
    """Decide which side motion is on, or which side colour is on, as a context says.

    The stimulus has both, each a pair of inputs that differ in proportion to its coherence. With it comes the context,
    one of two inputs that is 1. In a catch trial there is neither. Each context is as frequent with each coherence on
    each side of motion and of colour, to one trial.

    On `trial` there are ``context`` (``motion``, ``colour``), ``motion_coherence`` and ``colour_coherence`` in percent,
    negative on the left, ``signed_coherence``, that of the context's feature, ``coherence``, its strength, and
    ``correct_choice`` (``left``, ``right``): in catch trials ``none``, or NaN. And ``stimulus_duration`` in ms. All can
    be fixed.

    Parameters
    ----------
    coherences
        Strengths of motion and of colour in percent, from 0 to 20; at 0 a feature is on neither side.
    stimulus
        Length of the stimulus, in ms.
    n_catch, fixation, decision, grace, dt, baseline, noise, noise_tau, rectify
        As in `PerceptualDecision`.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    As in pycog, but for what `PerceptualDecision` says of σ, of rectified inputs, and of the length of catch trials;
    it says, too, what the preset ``song2016`` is.
    Who ignores the context is right wherever motion and colour are on one side, and in half of the others: 75 %.

    References
    ----------
    Song, Yang & Wang (2016), PLoS Comput. Biol. 12, e1004792; https://github.com/frsong/pycog. After Mante, Sussillo,
    Shenoy & Newsome (2013), Nature 503, 78.

    Examples
    --------
    >>> import biornn as bn
    >>> task = bn.tasks.ContextDecision()
    >>> task.ideal_score([1, 3, 10]).round(3).tolist()
    [0.76, 0.983, 1.0]
    >>> task.shortcuts["ignores the context"]
    0.75
    """

    name, trial_conditions, presets = "context_decision", ("context", "coherence"), PRESETS
    input_channels = [f"{one}_context" for one in _FEATURES] + [f"{one}_{side}" for one in _FEATURES for side in SIDES]

    coherences: tuple[float, ...] = (1.0, 3.0, 10.0)
    stimulus: float = 800.0

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        check_levels(self, "coherences", maximum=1 / _PER_COHERENCE)
        check_steps(self, "stimulus")
        check_length(self, "stimulus", self.fixation + self.stimulus + self.decision)

    @property
    def shortcuts(self) -> dict[str, float]:
        """Mean scores: of one choice always, of one by the true side of either feature, and by the first 100 ms."""
        brief = float(self.ideal_score(self.coherences, min(self.stimulus, 100.0)).mean())
        return {"always one side": 0.5, "ignores the context": 0.75, "sees 100 ms only": brief}

    @property
    def graded(self) -> dict[str, Graded]:
        """The choice of ``right`` by the coherence of either feature, in either context: it should depend on one."""
        curves = {}
        for context, feature in product(_FEATURES, _FEATURES):
            ideal = self.ideal_score if feature == context else _indifferent
            coherence = f"{feature}_coherence", SIDES[1], f"{feature} coherence", "%"
            curves[f"{feature}, context {context}"] = Graded(*coherence, {"context": context}, ideal=ideal)
        return curves

    def ideal_score(self, coherence: ArrayLike, stimulus_duration: ArrayLike | None = None) -> NDArray[np.float64]:
        """Score of `ideal_observer` who knows the context, at coherences of its feature in percent.

        At signed ones, its share of choices of ``right``. The stimulus lasts for times in ms, which broadcast with the
        coherences, or (None) as long as in the trials.
        """
        times = self._varied_steps(0.5) * self.dt if stimulus_duration is None else stimulus_duration
        return ideal_observer(_PER_COHERENCE * np.asarray(coherence), times, self.noise, self.noise_tau)

    def _conditions(self, n_catch: int) -> dict[str, list[Any]]:
        signed = [sign * one for one in self.coherences for sign in (-1, 1)]
        conditions = list(product(_FEATURES, signed, signed))
        relevant = [motion if context == "motion" else colour for context, motion, colour in conditions]
        coordinates: dict[str, list[Any]] = {
            "context": [context for context, _, _ in conditions],
            "motion_coherence": [motion for _, motion, _ in conditions],
            "colour_coherence": [colour for _, _, colour in conditions],
            "coherence": [abs(one) for one in relevant],
            "signed_coherence": relevant,
            "correct_choice": [SIDES[int(not np.signbit(one))] for one in relevant],  # -0.0 is on the left
        }
        catch = {"context": CATCH, "correct_choice": CATCH}
        return {name: values + [catch.get(name, np.nan)] * n_catch for name, values in coordinates.items()}

    def _varied_steps(self, share: ArrayLike) -> NDArray[np.int64]:
        return in_steps(np.full(np.shape(share), self.stimulus), self.dt)

    def _levels(self, of_trials: OfTrials) -> NDArray[np.float32]:
        levels = np.zeros((len(of_trials["context"]), 3, 6), np.float32)
        levels[:, 1, :2] = of_trials["context"][:, np.newaxis] == np.array(_FEATURES)
        for number, feature in enumerate(_FEATURES):
            levels[:, 1, 2 + 2 * number : 4 + 2 * number] = opposed(_PER_COHERENCE * of_trials[f"{feature}_coherence"])
        return levels


def _indifferent(coherence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the choices of ``right`` by a feature that does not matter."""
    return np.full(np.shape(coherence), 0.5)
