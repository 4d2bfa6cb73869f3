"""Memory pro and anti: point, after a delay, to where a stimulus was, or away from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.scalars import check_number, integer
from biornn.schema import text
from biornn.tasks.balanced import balanced, each_once
from biornn.tasks.in_periods import InPeriods, OfTrials, Plan
from biornn.tasks.periods import draw_steps, in_steps, mean_between
from biornn.tasks.rings import (
    angle_of,
    angular_distance,
    around,
    directions,
    nearest_direction,
    sector_of,
    sine_and_cosine,
)
from biornn.tasks.settings import check_length, check_ranges, check_settings

_RULES = ["pro", "anti"]
_FIXATION_TARGET, _FIXATES = 0.8, 0.5  # of the output until the response, and above what it means to fixate
_AFTER_GO, _FOR_FIXATION = 5.0, 2.0  # weights in the loss, of the response, and factor for the output `fixation`
_DRAWN = ("fixation", "stimulus", "delay", "response")


@dataclass(frozen=True)
class MemoryProAnti(InPeriods):
    """Remember the angle of a stimulus, and point to it (pro) or to the opposite side (anti).

    The input ``fixation`` is 1 until the response, and that of the rule in the whole trial. The stimulus is the sine
    and the cosine of an angle. In the response the outputs ``sin`` and ``cos`` shall be those of the angle, or of the
    angle + π, and ``fixation``, before at 0.8, shall be 0. Each rule in each direction is as frequent, to one trial.

    On `trial` there are ``rule``, ``direction``, that of the sector in degrees, ``angle`` in rad, and the lengths of
    the periods in ms, which can all be fixed; ``response_angle``, and ``correct_choice``, the rule. The probe has the
    middle of each direction, and times in the middle between the shortest and the longest.

    Parameters
    ----------
    n_directions
        Sectors of the ring, of which each is as frequent; the angle is uniform in its sector, and so on the ring.
    fixation, stimulus, delay, response
        Shortest and longest length of each period in ms, of which each is as frequent. Trials are padded to the longest
        possible.
    grace
        Length of the first part of the trial, and of the response, that does not count, in ms.
    tolerance
        Largest error of an angle that is right, in degrees.
    dt
        Time step, in ms.
    noise, noise_tau
        σ and time constant τ (ms) of the inputs' Gaussian noise. It means the same at any `dt`: a sample has the
        standard deviation ``σ sqrt(2 τ / dt)``.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    As in Driscoll's code are inputs, targets, times, and the weights in the loss: 1 before the response, 5 in it, and
    twice as much for ``fixation``. As in Yang's are σ (Driscoll trains with 0.1), and what is right: an error of 0.2 π
    at most (0.1 π there), and a fixation of 0.5 at most. But: there are two rings of stimuli, of which a trial uses
    one; a batch has one rule and one set of times; and the answer is the last step, not the mean over the response.

    References
    ----------
    Yang et al. (2019), Nat. Neurosci. 22, 297; https://github.com/gyyang/multitask.
    Driscoll, Shenoy & Sussillo (2024), Nat. Neurosci. 27, 1349; https://github.com/lauradriscoll/flexible_multitask.

    Examples
    --------
    >>> import biornn as bn
    >>> probe = bn.tasks.MemoryProAnti(n_directions=2).probe()
    >>> probe.rule.values.tolist(), np.rad2deg(probe.response_angle.values).round(3).tolist()
    (['pro', 'pro', 'anti', 'anti'], [0.0, 180.0, 180.0, 0.0])
    """

    name, score_name, trial_conditions = "memory_pro_anti", "accuracy", ("rule", "direction")
    input_channels, output_channels = ["fixation", "sin", "cos", *_RULES], ["fixation", "sin", "cos"]
    _period_names = ("fixation", "fixation", "stimulus", "delay", "response", "response")

    n_directions: int = 8
    fixation: tuple[float, float] = (300.0, 700.0)
    stimulus: tuple[float, float] = (200.0, 1600.0)
    delay: tuple[float, float] = (200.0, 1600.0)
    response: tuple[float, float] = (300.0, 700.0)
    grace: float = 100.0
    tolerance: float = 36.0
    dt: float = 20.0
    noise: float = 0.01
    noise_tau: float = 100.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check_settings(self, ("dt", "noise_tau"), ("grace", "noise", "tolerance"))
        check_ranges(self, *_DRAWN)
        object.__setattr__(self, "n_directions", integer("n_directions", self.n_directions, minimum=1))
        shortest = min(self.fixation[0], self.response[0]) - self.dt
        check_number("grace", self.grace, "at least a step less than fixation and response", maximum=shortest)
        check_number("tolerance", self.tolerance, "degrees above 0 and below 90", maximum=np.nextafter(90, 0), above=0)
        check_length(self, "delay", sum(getattr(self, name)[1] for name in _DRAWN))

    @property
    def chance(self) -> float:
        """Score of who always points to one angle."""
        return self.tolerance / 180

    @property
    def shortcuts(self) -> Mapping[str, float]:
        """Scores of who follows one rule in all trials, and of who never answers."""
        return {"ignores the rule": 0.5, "keeps fixation": 0.0}

    def choice(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Say what the mean outputs over the response, after the grace time, are.

        That is ``fixation`` where that output is above 0.5; else ``pro`` or ``anti`` where the outputs point to the
        angle that this rule asks for; else ``elsewhere``. Of outputs that are not finite, an empty text.
        """
        mean = self._answer(outputs, trials)
        fixation, angle = mean.isel(output_channel=0, drop=True), angle_of(mean)
        near = [angular_distance(angle, trials["angle"] + turn) <= np.deg2rad(self.tolerance) for turn in (0, np.pi)]
        states = [~(abs(mean) < np.inf).all("output_channel"), fixation > _FIXATES, *near]
        return fixation.copy(data=np.select([state.data for state in states], ["", "fixation", *_RULES], "elsewhere"))

    def pointed(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Name the direction in whose sector the mean outputs over the response, after the grace time, point.

        An empty text where the output ``fixation`` is above 0.5, or outputs are not finite.
        """
        mean = self._answer(outputs, trials)
        answers = (mean.isel(output_channel=0, drop=True) <= _FIXATES) & (abs(mean) < np.inf).all("output_channel")
        return sector_of(angle_of(mean).where(answers), self.n_directions)

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where the choice is right, else 0."""
        return (self.choice(outputs, trials) == text(trials["correct_choice"])).astype(float)

    def _answer(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        n_answer = in_steps(trials["response"], self.dt) - in_steps(self.grace, self.dt)
        first = trials["n_steps"] - trials["n_steps"].copy(data=n_answer)
        return mean_between(outputs, first, trials["n_steps"])

    def _conditions(self, of_ring: Sequence[float]) -> dict[str, list[Any]]:
        rule, direction = map(list, zip(*product(_RULES, of_ring), strict=True))
        return {"rule": rule, "direction": direction, "correct_choice": rule}

    def _draw(self, n_trials: int, rng: np.random.Generator, angle: float | None = None, **fixed: Any) -> OfTrials:
        times = {name: fixed.pop(name, None) for name in _DRAWN}
        of_ring = directions(self.n_directions)
        if angle is not None:
            check_number("angle", angle, "rad from 0 to 2π", maximum=2 * np.pi)
            of_ring = [nearest_direction(angle, self.n_directions)]
        of_trials = balanced(self._conditions(of_ring), n_trials, rng, fixed)
        drawn = around(of_trials["direction"], rng.random(n_trials), self.n_directions)
        for name, time in times.items():
            shortest, longest = getattr(self, name)
            of_trials[name] = draw_steps(name, shortest, longest, self.dt, n_trials, rng, time) * self.dt
        return _with_angles(of_trials, drawn if angle is None else np.full(n_trials, float(angle)))

    def _of_probe(self) -> OfTrials:
        of_trials = each_once(self._conditions(directions(self.n_directions)))
        for name in _DRAWN:
            n_steps = in_steps(np.mean(getattr(self, name)), self.dt)
            of_trials[name] = np.repeat(n_steps * self.dt, len(of_trials["rule"]))
        return _with_angles(of_trials, np.deg2rad(of_trials["direction"]))

    def _plan(self, of_trials: OfTrials) -> Plan:
        fixation, stimulus, delay, response = (in_steps(of_trials[name], self.dt) for name in _DRAWN)
        grace = in_steps(self.grace, self.dt)
        rule = of_trials["rule"][:, np.newaxis] == np.array(_RULES)
        inputs = np.zeros((len(rule), 6, self.n_inputs), np.float32)
        inputs[:, :4, 0] = 1
        inputs[:, 2, 1:3] = sine_and_cosine(of_trials["angle"])
        inputs[:, :, 3:] = rule[:, np.newaxis]
        targets = np.zeros((len(rule), 6, self.n_outputs), np.float32)
        targets[:, :4, 0] = _FIXATION_TARGET
        targets[:, 4:, 1:] = sine_and_cosine(of_trials["response_angle"])[:, np.newaxis]
        weight = np.outer([0, 1, 1, 1, 0, _AFTER_GO], [_FOR_FIXATION, 1, 1]).astype(np.float32)[np.newaxis]
        return Plan((grace, fixation - grace, stimulus, delay, grace, response - grace), inputs, targets, weight)

    @property
    def _n_times(self) -> int:
        return int(sum(in_steps(getattr(self, name)[1], self.dt) for name in _DRAWN))


def _with_angles(of_trials: OfTrials, angle: NDArray[np.float64]) -> OfTrials:
    turn = np.where(of_trials["rule"] == "anti", np.pi, 0)
    return of_trials | {"angle": angle, "response_angle": (angle + turn) % (2 * np.pi)}
