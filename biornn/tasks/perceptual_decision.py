"""The perceptual decision: which of two noisy inputs is the stronger one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.scalars import check_number
from biornn.schema import text
from biornn.tasks.graded import Graded
from biornn.tasks.observer import ideal_observer
from biornn.tasks.opposed import opposed
from biornn.tasks.periods import in_steps, truncated_exponential
from biornn.tasks.settings import check_length, check_levels, check_settings, check_steps
from biornn.tasks.two_choices import CATCH, SHARES, SIDES, OfTrials, TwoChoices

_PER_COHERENCE = 0.032  # difference of the inputs for 1 % coherence: they are (1 ± 3.2 c / 100) / 2
_SONG = {
    "coherences": (1.0, 2.0, 4.0, 8.0, 16.0),
    "n_catch": 1,
    "fixation": 100.0,
    "stimulus": 800.0,
    "decision": 300.0,
    "variable_stimulus": False,
    "baseline": 0.2,
    "noise": 0.01,
    "noise_tau": 100.0,
    "rectify": True,
}
_PRESETS = {"song2016": _SONG, "song2016_reaction_time": {**_SONG, "n_catch": 8, "reaction_time": True}}
_HIGH = 1.2  # target in the reaction-time form: above the threshold, which the output is to cross


@dataclass(frozen=True)
class PerceptualDecision(TwoChoices):
    """Decide which of two noisy inputs is the stronger one, as in a discrimination of random dot motion.

    After a fixation, in which both outputs shall be low, comes the stimulus, two inputs that differ in proportion to
    the coherence; nothing counts. Then the output of the stronger one's side shall be high. In a catch trial there is
    no stimulus. Each coherence on each side is as frequent, to one trial.

    In its reaction-time form the stimulus lasts until the end of the trial, and the network decides when it answers:
    the first output that exceeds a threshold is the choice, and the time since the onset of the stimulus its reaction
    time. From some time after the onset on, the output of the stronger one's side shall be high (1.2).

    On `trial` there are ``coherence`` in percent (NaN in catch trials), ``correct_choice`` (``left`` or ``right``;
    ``none`` in catch trials), ``signed_coherence``, negative on the left, and ``stimulus_duration`` in ms (in a catch
    trial of the period). All can be fixed.

    Parameters
    ----------
    coherences
        Strengths of the stimulus in percent, from 0 to 31.25; at 0 neither side is the stronger one.
    stimulus
        Length of the stimulus, in ms.
    reaction_time
        Whether the task has its reaction-time form. A third input, ``start``, is 1 from the onset of the stimulus on.
    earliest_decision, threshold
        In the reaction-time form, the time from the onset of the stimulus on which answers count in the loss, in ms,
        which is the end of the period ``stimulus``; and the threshold, above 0.2 and below 1.2.
    variable_stimulus
        Whether the stimulus lasts for an exponential time, and a third input, ``start``, is 1 from its onset on. Trials
        are padded to the longest possible.
    mean_stimulus, shortest_stimulus, longest_stimulus
        Mean and range of the exponential time, in ms; the mean is that of the law before it is cut to the range, above
        the shortest.
    n_catch
        Catch trials for one trial of each coherence and side: with 1, and five coherences, they are one in 11.
    fixation, decision, grace
        Lengths of the periods, and of the decision's first part, which does not count for the choice, in ms. The
        reaction-time form has no use for the last two.
    dt
        Time step, in ms.
    baseline
        Added to every input.
    noise, noise_tau
        σ and time constant τ (ms) of the inputs' Gaussian noise. It means the same at any `dt`: a sample has the
        standard deviation ``σ sqrt(2 τ / dt)``.
    rectify
        Whether inputs below 0 become 0.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    As in pycog, but: σ is 0.1, not 0.01, with which only noise within the network causes errors (see `ideal_score`).
    It often exceeds the baseline, so inputs are not rectified: the task would depend on `dt`, and `ideal_score` be an
    upper bound only. The preset ``song2016`` has 0.01 and rectified inputs, and wants noise in the network (0.15
    there). Catch trials are as long as others, not 2 s. Durations are rounded to steps, not down.

    The preset ``song2016_reaction_time`` has 8 catch trials for 10 others, 44 % of all trials: there they are 5 of 11,
    45 %. A response before the stimulus is wrong (there it is not), as is none (there it is left out).

    References
    ----------
    Song, Yang & Wang (2016), PLoS Comput. Biol. 12, e1004792; https://github.com/frsong/pycog.

    Examples
    --------
    >>> import biornn as bn
    >>> task = bn.tasks.PerceptualDecision()
    >>> task.ideal_score([1, 2, 4, 8, 16]).round(3).tolist()
    [0.675, 0.817, 0.965, 1.0, 1.0]
    """

    name, trial_conditions, presets = "perceptual_decision", ("coherence",), _PRESETS

    coherences: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    stimulus: float = 800.0
    reaction_time: bool = False
    earliest_decision: float = 300.0
    threshold: float = 1.0
    variable_stimulus: bool = False
    mean_stimulus: float = 330.0
    shortest_stimulus: float = 80.0
    longest_stimulus: float = 1500.0

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        flags = "variable_stimulus", "reaction_time"
        check_settings(self, ("mean_stimulus", "longest_stimulus"), ("earliest_decision", "threshold"), flags)
        check_levels(self, "coherences", maximum=1 / _PER_COHERENCE)
        check_steps(self, "stimulus", "shortest_stimulus")
        check_number("longest_stimulus", self.longest_stimulus, "shortest_stimulus or more", self.shortest_stimulus)
        if self.reaction_time:
            if self.variable_stimulus:
                raise ValueError("variable_stimulus: expected false in the reaction-time form, got true")
            expected = f"at least a step less than stimulus={self.stimulus:g} ms"
            check_number("earliest_decision", self.earliest_decision, expected, maximum=self.stimulus - self.dt)
            check_number(
                "threshold", self.threshold, "a number above 0.2 and below 1.2", 0.2, np.nextafter(_HIGH, 0), 0.2
            )
        check_length(self, "stimulus", self.fixation + max(self.stimulus, self.longest_stimulus) + self.decision)

    @property
    def input_channels(self) -> list[str]:
        """Names of the input channels."""
        return [*SIDES, "start"] if self.variable_stimulus or self.reaction_time else SIDES

    @property
    def shortcuts(self) -> dict[str, float]:
        """Mean scores: of one choice always, and of `ideal_score` for half of the evidence, or for its first 100 ms."""
        times = self._varied_steps(SHARES) * self.dt
        seen = {"sees one input only": times / 2, "sees 100 ms only": np.minimum(times, 100)}
        scores = {who: float(self.ideal_score(self.coherences, time).mean()) for who, time in seen.items()}
        return {"always one side": 0.5, **scores}

    @property
    def graded(self) -> dict[str, Graded]:
        """The choice of ``right`` by the signed coherence."""
        return {"coherence": Graded("signed_coherence", SIDES[1], "signed coherence", "%", ideal=self.ideal_score)}

    def reaction_times(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Time from the onset of the stimulus to the first sample of the trial above the threshold, in ms.

        NaN where there is none, or outputs are not finite; negative for a response before the stimulus.
        """
        step = xr.DataArray(np.arange(outputs.sizes["time"]), dims="time")
        within = step < trials["n_steps"]
        above = (outputs > self.threshold).any("output_channel") & within
        finite = ((abs(outputs) < np.inf) | ~within).all(["time", "output_channel"])
        times = (above.argmax("time") - in_steps(self.fixation, self.dt)) * self.dt
        return times.where(above.any("time") & finite).assign_attrs(units="ms", long_name="reaction time")

    def choice(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Name the output with the larger mean over the decision after the grace time, the first if they are equal.

        In the reaction-time form, the first one above the threshold, or the larger one if both are at once; an empty
        text where none is. Of outputs that are not finite, an empty text.
        """
        if not self.reaction_time:
            return super().choice(outputs, trials)
        times = self.reaction_times(outputs, trials)
        step = (times.fillna(0) / self.dt).round().astype(int) + in_steps(self.fixation, self.dt)
        then = outputs.isel(time=step.drop_vars(list(step.coords)))
        one, other = (then.isel(output_channel=number, drop=True) for number in range(2))
        return times.copy(data=np.where(times.notnull(), np.where(other > one, *SIDES[::-1]), "")).drop_attrs()

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where the choice is right, 0 where it is not, NaN in catch trials, which have their own `catch_score`."""
        score = super().score(outputs, trials)
        if not self.reaction_time:
            return score
        too_early = self.reaction_times(outputs, trials) < 0
        return score.where(~too_early | score.isnull(), 0.0)

    def catch_score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 in catch trials where the means of both outputs, as for `choice`, are below 0.6, else 0; NaN in others.

        In the reaction-time form, 1 where no output is above the threshold.
        """
        if not self.reaction_time:
            return super().catch_score(outputs, trials)
        silent = (self.choice(outputs, trials) == "").astype(float)
        return silent.where(text(trials["correct_choice"]) == CATCH)

    def ideal_score(self, coherence: ArrayLike, stimulus_duration: ArrayLike | None = None) -> NDArray[np.float64]:
        """Score of `ideal_observer` at coherences in percent; at signed ones its share of choices of ``right``.

        The stimulus lasts for a time in ms (of several, the score is the mean), or (None) as long as in the trials.
        """
        times = self._varied_steps(SHARES) * self.dt if stimulus_duration is None else np.atleast_1d(stimulus_duration)
        difference = _PER_COHERENCE * np.asarray(coherence)[..., np.newaxis]
        return ideal_observer(difference, times, self.noise, self.noise_tau).mean(axis=-1)

    def _conditions(self, n_catch: int) -> dict[str, list[Any]]:
        signed = [sign * one for one in self.coherences for sign in (-1, 1)]
        return {
            "coherence": [abs(one) for one in signed] + [np.nan] * n_catch,
            "correct_choice": SIDES * len(self.coherences) + [CATCH] * n_catch,
            "signed_coherence": signed + [np.nan] * n_catch,
        }

    def _varied_steps(self, share: ArrayLike) -> NDArray[np.int64]:
        times = self.mean_stimulus, self.shortest_stimulus, self.longest_stimulus
        fixed = np.full(np.shape(share), self.stimulus)
        return in_steps(truncated_exponential(share, *times) if self.variable_stimulus else fixed, self.dt)

    @property
    def _high(self) -> float:
        return _HIGH if self.reaction_time else super()._high

    def _lengths(self, n_varied: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        if not self.reaction_time:
            return super()._lengths(n_varied)
        return (np.minimum(in_steps(self.earliest_decision, self.dt), n_varied),)

    def _decision_steps(self, n_varied: NDArray[np.int64]) -> NDArray[np.int64]:
        return n_varied - self._lengths(n_varied)[0] if self.reaction_time else super()._decision_steps(n_varied)

    def _levels(self, of_trials: OfTrials) -> NDArray[np.float32]:
        levels = np.zeros((len(of_trials["coherence"]), 3, self.n_inputs), np.float32)
        levels[:, 1, :2] = opposed(_PER_COHERENCE * of_trials["signed_coherence"])
        if self.reaction_time:
            levels[:, 2] = levels[:, 1]
        if self.n_inputs > len(SIDES):
            levels[of_trials["correct_choice"] != CATCH, 1:3, 2] = 1
        return levels
