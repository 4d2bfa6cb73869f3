"""The perceptual decision: which of two noisy inputs is the stronger one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.scalars import check_number, integer
from biornn.tasks.balanced import balanced
from biornn.tasks.observer import ideal_observer, noise_sd
from biornn.tasks.periods import in_steps, periods, truncated_exponential
from biornn.tasks.settings import check_length, check_levels, check_settings
from biornn.tasks.task import Seed, Trials, task_generator
from biornn.tasks.two_choices import CATCH, PERIODS, SIDES, TwoChoices

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
_PRESETS = {"song2016": _SONG}
_SHARES = (np.arange(1000) + 0.5) / 1000  # of the trials, to average over their durations


@dataclass(frozen=True)
class PerceptualDecision(TwoChoices):
    """Decide which of two noisy inputs is the stronger one, as in a discrimination of random dot motion.

    After a fixation, in which both outputs shall be low, comes the stimulus, two inputs that differ in proportion to
    the coherence; nothing counts. Then the output of the stronger one's side shall be high. In a catch trial there is
    no stimulus. Each coherence on each side is as frequent, to one trial.

    Parameters
    ----------
    coherences
        Strengths of the stimulus in percent, from 0 to 31.25; at 0 neither side is the stronger one.
    n_catch
        Catch trials for one trial of each coherence and side: with 1, and five coherences, they are one in 11.
    fixation, stimulus, decision, grace
        Lengths of the periods, and of the decision's first part, which does not count for the choice, in ms.
    variable_stimulus
        Whether the stimulus lasts for an exponential time (mean, shortest and longest: see the settings, in ms), and a
        third input, ``start``, is 1 from its onset on. Trials are padded to the longest possible.
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
    n_catch: int = 1
    fixation: float = 100.0
    stimulus: float = 800.0
    decision: float = 300.0
    grace: float = 100.0
    variable_stimulus: bool = False
    mean_stimulus: float = 330.0
    shortest_stimulus: float = 80.0
    longest_stimulus: float = 1500.0
    dt: float = 20.0
    baseline: float = 0.2
    noise: float = 0.1
    noise_tau: float = 100.0
    rectify: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        times = "dt", "stimulus", "decision", "mean_stimulus", "shortest_stimulus", "longest_stimulus", "noise_tau"
        check_settings(self, times, ("fixation", "grace", "noise", "baseline"), ("variable_stimulus", "rectify"))
        object.__setattr__(self, "n_catch", integer("n_catch", self.n_catch, minimum=0))
        check_levels(self, "coherences", maximum=1 / _PER_COHERENCE)
        for name in ("stimulus", "shortest_stimulus"):
            check_number(name, getattr(self, name), f"at least dt={self.dt:g} ms", minimum=self.dt)
        check_number("longest_stimulus", self.longest_stimulus, "shortest_stimulus or more", self.shortest_stimulus)
        check_number("grace", self.grace, "at least a step less than decision", maximum=self.decision - self.dt)
        check_length(self, "stimulus", self.fixation + max(self.stimulus, self.longest_stimulus) + self.decision)

    @property
    def input_channels(self) -> list[str]:
        """Names of the input channels."""
        return [*SIDES, "start"] if self.variable_stimulus else SIDES

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return len(self.input_channels)

    @property
    def shortcuts(self) -> dict[str, float]:
        """Mean scores: of one choice always, and of `ideal_score` for half of the evidence, or for its first 100 ms."""
        times = self._stimulus_steps(_SHARES) * self.dt
        seen = {"sees one input only": times / 2, "sees 100 ms only": np.minimum(times, 100)}
        scores = {who: float(self.ideal_score(self.coherences, time).mean()) for who, time in seen.items()}
        return {"always one side": 0.5, **scores}

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays."""
        return self._make(*self._draw(n_trials, rng), rng)[0]

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` says.

        On `trial` they have ``coherence`` in percent (NaN in catch trials), ``correct_choice`` (``left`` or ``right``;
        ``none`` in catch trials), ``signed_coherence``, negative on the left, and ``stimulus_duration`` in ms (in a
        catch trial of the period). All can be fixed. After its end, a trial's period is ``padding``.
        """
        rng = task_generator(seed)
        arrays, labels = self._make(*self._draw(integer("n_trials", n_trials, minimum=1), rng, **fixed), rng)
        return self.labelled(arrays, **labels)

    def probe(self) -> xr.Dataset:
        """Make one noise-free trial of each coherence and side, and a catch trial; the stimulus is of median length."""
        conditions = {name: np.array(values) for name, values in self._conditions(n_catch=1).items()}
        arrays, labels = self._make(conditions, self._stimulus_steps(np.full(len(conditions["coherence"]), 0.5)), None)
        return self.labelled(arrays, **labels)

    def ideal_score(self, coherence: ArrayLike, stimulus_duration: ArrayLike | None = None) -> NDArray[np.float64]:
        """Score of `ideal_observer` at coherences in percent; at signed ones its share of choices of ``right``.

        The stimulus lasts for a time in ms (of several, the score is the mean), or (None) as long as in the trials.
        """
        times = (
            self._stimulus_steps(_SHARES) * self.dt if stimulus_duration is None else np.atleast_1d(stimulus_duration)
        )
        difference = _PER_COHERENCE * np.asarray(coherence)[..., np.newaxis]
        return ideal_observer(difference, times, self.noise, self.noise_tau).mean(axis=-1)

    def _stimulus_steps(self, share: ArrayLike) -> NDArray[np.int64]:
        """Length of the stimulus that a share of the trials does not exceed."""
        times = self.mean_stimulus, self.shortest_stimulus, self.longest_stimulus
        fixed = np.full(np.shape(share), self.stimulus)
        return in_steps(truncated_exponential(share, *times) if self.variable_stimulus else fixed, self.dt)

    def _conditions(self, n_catch: int) -> dict[str, list[Any]]:
        signed = [sign * one for one in self.coherences for sign in (-1, 1)]
        return {
            "coherence": [abs(one) for one in signed] + [np.nan] * n_catch,
            "correct_choice": SIDES * len(self.coherences) + [CATCH] * n_catch,
            "signed_coherence": signed + [np.nan] * n_catch,
        }

    def _draw(
        self, n_trials: int, rng: np.random.Generator, stimulus_duration: float | None = None, **fixed: Any
    ) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
        """Draw condition and length of the stimulus of each trial."""
        of_trials = balanced(self._conditions(self.n_catch), n_trials, rng, fixed)
        if stimulus_duration is None:
            return of_trials, self._stimulus_steps(rng.random(n_trials))
        longest = float(self._stimulus_steps(1.0) * self.dt)
        check_number("stimulus_duration", stimulus_duration, f"{self.dt:g} to {longest:g} ms", self.dt, longest)
        return of_trials, np.full(n_trials, in_steps(stimulus_duration, self.dt))

    def _make(
        self, of_trials: dict[str, NDArray[Any]], n_stimulus: NDArray[np.int64], rng: np.random.Generator | None
    ) -> tuple[Trials, dict[str, Any]]:
        """Make arrays, without noise if there is no generator, and their labels."""
        n_fixation, n_decision = in_steps((self.fixation, self.decision), self.dt)
        n_times = n_fixation + self._stimulus_steps(1.0) + n_decision
        period = periods(n_times, n_fixation, n_stimulus, n_decision)
        correct = of_trials["correct_choice"][:, np.newaxis] == np.array(SIDES)
        shown = correct.any(axis=1, keepdims=True)
        difference = np.where(correct, 1, -1) * _PER_COHERENCE * of_trials["coherence"][:, np.newaxis]
        inputs = np.full((*period.shape, self.n_inputs), self.baseline, np.float32)
        inputs[..., :2] += (period == 1)[..., np.newaxis] * np.where(shown, (1 + difference) / 2, 0)[:, np.newaxis]
        if self.variable_stimulus:
            inputs[..., 2] += (period > 0) & shown
        if rng is not None:
            inputs += noise_sd(self.noise, self.noise_tau, self.dt) * rng.standard_normal(inputs.shape, np.float32)
        if self.rectify:
            np.maximum(inputs, 0, out=inputs)
        labels = {"n_steps": (period < 3).sum(axis=1), "period": PERIODS[period], **of_trials}
        return self._with_targets(inputs, period, correct), labels | {"stimulus_duration": n_stimulus * self.dt}
