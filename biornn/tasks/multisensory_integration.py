"""Multisensory integration: whether the rate of events that are seen, heard, or both, is high."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.tasks.graded import Graded
from biornn.tasks.observer import ideal_observer
from biornn.tasks.periods import in_steps
from biornn.tasks.settings import check_length, check_levels, check_settings, check_steps
from biornn.tasks.tuned_inputs import OF_TASK, Tuning, check_tuning, per_hertz, tuned_inputs
from biornn.tasks.two_choices import CATCH, PRESETS, OfTrials, TwoChoices

_SENSES = ["visual", "auditory"]
_MODALITIES = [*_SENSES, "both"]
_CHOICES = ["low", "high"]


@dataclass(frozen=True)
class MultisensoryIntegration(TwoChoices):
    """Decide whether the frequency of events is above a boundary; they are seen, heard, or both.

    Each sense has two inputs, one that rises and one that falls with the frequency; without events both are silent. A
    fifth, ``start``, is 1 from the onset of the stimulus on. In a catch trial there is nothing. Each frequency is as
    frequent in each modality, to one trial.

    On `trial` there are ``modality`` (``visual``, ``auditory``, ``both``; ``none`` in catch trials), ``frequency`` in
    Hz (NaN in catch trials), ``correct_choice`` (``low``, ``high``, ``none``), and ``stimulus_duration`` in ms. All can
    be fixed.

    Parameters
    ----------
    frequencies
        Frequencies of events in Hz, as many above the boundary as below.
    boundary
        Frequency in Hz that tells high from low.
    stimulus
        Length of the stimulus, in ms.
    auditory_noise
        None, or the auditory inputs' σ, in place of `noise`.
    tuning
        Two frequencies in Hz: between them one input falls from 1.2 to 0.4, and the other one rises so; beyond, they go
        on. None: the lowest and the highest of all. It is kept, and so a network that is tested at other frequencies
        gets for each the inputs that it would have had in training.
    n_catch
        Catch trials for one trial of each other condition: with 6, and 24 conditions, they are a fifth.
    fixation, decision, grace, dt, baseline, noise, noise_tau, rectify
        As in `PerceptualDecision`.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    As in pycog, but: σ is 0.5, not 0.01, with which only noise within the network causes errors (see `ideal_sigma`),
    inputs are not rectified, both as in pycog with the preset ``song2016``; and catch trials are as long as others, not
    2.5 s. There visual and auditory inputs also go to different units.

    References
    ----------
    Song, Yang & Wang (2016), PLoS Comput. Biol. 12, e1004792; https://github.com/frsong/pycog. After Raposo, Kaufman &
    Churchland (2014), Nat. Neurosci. 17, 1784.

    Examples
    --------
    >>> import biornn as bn
    >>> task = bn.tasks.MultisensoryIntegration()
    >>> [round(task.ideal_sigma(modality), 2) for modality in ("visual", "auditory", "both")]
    [1.38, 1.38, 0.98]
    """

    name, trial_conditions, presets = "multisensory_integration", ("modality",), PRESETS
    output_channels = _CHOICES
    input_channels = [f"{sense}_{tuning}" for sense in _SENSES for tuning in ("falling", "rising")] + ["start"]

    frequencies: tuple[float, ...] = tuple(np.arange(9.0, 17.0).tolist())
    boundary: float = 12.5
    stimulus: float = 1000.0
    auditory_noise: float | None = None
    tuning: Tuning = OF_TASK
    n_catch: int = field(default=6, kw_only=True)
    noise: float = field(default=0.5, kw_only=True)

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        check_settings(self, numbers=["boundary"] if self.auditory_noise is None else ["boundary", "auditory_noise"])
        check_levels(self, "frequencies", maximum=1000)
        n_low, n_high = (self._side(side).count(True) for side in (-1, 1))
        if not n_low == n_high == len(self.frequencies) / 2:
            expected = f"as many above boundary={self.boundary:g} Hz as below"
            raise ValueError(f"frequencies: expected {expected}, got {self.frequencies}")
        check_tuning(self, self.tuning, "frequencies", self.frequencies)
        check_steps(self, "stimulus")
        check_length(self, "stimulus", self.fixation + self.stimulus + self.decision)

    @property
    def shortcuts(self) -> dict[str, float]:
        """Mean scores: of one choice always, and of `ideal_score` for one sense, or for the first 100 ms."""
        alone = {sense: float(self.ideal_score(self.frequencies, sense).mean()) for sense in _SENSES}
        brief = [self.ideal_score(self.frequencies, one, min(self.stimulus, 100.0)).mean() for one in _MODALITIES]
        senses = {f"uses {sense} inputs only": (2 * score + 0.5) / 3 for sense, score in alone.items()}
        return {"always one choice": 0.5, **senses, "sees 100 ms only": float(np.mean(brief))}

    @property
    def graded(self) -> dict[str, Graded]:
        """The choice of ``high`` by the frequency, in each modality."""
        frequency = "frequency", _CHOICES[1], "frequency", "Hz"
        return {
            modality: Graded(
                *frequency, {"modality": modality}, self.boundary, partial(self._ideal_share_high, modality=modality)
            )
            for modality in _MODALITIES
        }

    def ideal_score(
        self, frequency: ArrayLike, modality: str = "both", stimulus_duration: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Score of an ideal observer who knows the modality, at frequencies in Hz.

        The stimulus lasts for times in ms, which broadcast with the frequencies, or (None) as long as in the trials.
        """
        above = self.boundary + np.abs(np.asarray(frequency) - self.boundary)
        return self._ideal_share_high(above, modality, stimulus_duration)

    def ideal_sigma(self, modality: str = "both") -> float:
        """Spread in Hz of the psychometric curve of `ideal_score`: its share of choices of ``high`` is Φ((f - b) / σ).

        With both senses it is that of an observer who weighs them by their reliability, 1 / σ² = 1 / σ_v² + 1 / σ_a².
        """
        duration = float(self._varied_steps(0.5) * self.dt)
        return 2 * self._noise_of(modality) * float(np.sqrt(self.noise_tau / duration)) / self._per_hertz

    def _ideal_share_high(
        self, frequency: ArrayLike, modality: str, stimulus_duration: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Share of the choices of ``high`` by the observer of `ideal_score`."""
        times = self._varied_steps(0.5) * self.dt if stimulus_duration is None else stimulus_duration
        difference = self._per_hertz * (np.asarray(frequency) - self.boundary)
        return ideal_observer(difference, times, self._noise_of(modality), self.noise_tau)

    @property
    def _per_hertz(self) -> float:
        """Difference of a sense's two inputs for 1 Hz."""
        return per_hertz(self.tuning)

    def _noise_of(self, modality: str) -> float:
        """σ of the inputs of a sense, or of one as good as both."""
        if modality not in _MODALITIES:
            raise ValueError(f"modality: expected one of {', '.join(_MODALITIES)}, got {modality!r}")
        visual, auditory = self.noise, self.noise if self.auditory_noise is None else self.auditory_noise
        both = visual * auditory / max(float(np.hypot(visual, auditory)), 1e-100)
        return dict(zip(_MODALITIES, (visual, auditory, both), strict=True))[modality]

    def _input_noise(self) -> NDArray[np.float64]:
        return np.array([self._noise_of(sense) for sense in _SENSES for _ in range(2)] + [self.noise])

    def _side(self, side: int) -> list[bool]:
        """Whether each frequency is below (-1) or above (1) the boundary."""
        return [side * (one - self.boundary) > 0 for one in self.frequencies]

    def _conditions(self, n_catch: int) -> dict[str, list[Any]]:
        conditions = list(product(_MODALITIES, self.frequencies))
        high = self._side(1) * len(_MODALITIES)
        return {
            "modality": [modality for modality, _ in conditions] + [CATCH] * n_catch,
            "frequency": [frequency for _, frequency in conditions] + [np.nan] * n_catch,
            "correct_choice": [_CHOICES[one] for one in high] + [CATCH] * n_catch,
        }

    def _varied_steps(self, share: ArrayLike) -> NDArray[np.int64]:
        return in_steps(np.full(np.shape(share), self.stimulus), self.dt)

    def _levels(self, of_trials: OfTrials) -> NDArray[np.float32]:
        sense = tuned_inputs(of_trials["frequency"], self.tuning)
        levels = np.zeros((len(sense), 3, 5), np.float32)
        for number, name in enumerate(_SENSES):
            is_there = np.isin(of_trials["modality"], [name, "both"])
            levels[is_there, 1, 2 * number : 2 * number + 2] = sense[is_there]
        levels[of_trials["modality"] != CATCH, 1:3, 4] = 1
        return levels
