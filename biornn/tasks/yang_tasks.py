"""The twenty tasks of Yang et al. (2019): one network learns many of them, each by its rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from biornn.scalars import check_number, integer
from biornn.schema import text
from biornn.tasks.balanced import balanced, each_once
from biornn.tasks.in_periods import InPeriods, OfTrials, Plan
from biornn.tasks.periods import in_steps, mean_between
from biornn.tasks.rings import angular_distance, bump, directions, population_angle
from biornn.tasks.settings import check_settings
from biornn.tasks.yang_rules import OF_RULES, PERIODS, RULES, draw_stimuli, draw_times, numbers_of, times

_AFTER_GO, _FOR_FIXATION = 5.0, 2.0  # weights in the loss, of the response, and factor for the output `fixation`
_SILENT, _HEIGHT, _WIDTH, _FIXATES = 0.05, 0.8, np.pi / 8, 0.5  # of targets and of stimuli
#: What is drawn of a trial: angles, and the strength of each stimulus in each ring.
_DRAWN = ("angle_1", "angle_2", "response_angle", *(f"strength_{one}_in_ring_{ring}" for one in "12" for ring in "12"))


@dataclass(frozen=True)
class YangTasks(InPeriods):
    """Point to a place on a ring when it is time to, or do not: by a rule that an input names.

    Inputs are ``fixation``, two rings of units that are tuned to an angle, and the rules; outputs are ``fixation`` and
    a ring. Each rule is as frequent, and each of its four versions of trials, to one trial. Versions 0 to 3 are two
    bits: which stimulus is the stronger one in ring 1, and in ring 2; or whether stimuli match, and the ring of the
    first; or, of a single stimulus, the second bit is its ring.

    On `trial` there are ``rule`` and ``version``, which can be fixed; ``correct_choice``, which is ``stimulus_1``,
    ``stimulus_2``, ``opposite`` or ``fixation``; ``angle_1``, ``angle_2`` and ``response_angle`` in rad, NaN where
    there is none; the strength of each stimulus in each ring; and the length of each period in ms. The probe has a
    trial of each rule and version.

    Parameters
    ----------
    rules
        Which of the tasks: ``fdgo``, ``reactgo``, ``delaygo``, ``fdanti``, ``reactanti``, ``delayanti``, ``dm1``,
        ``dm2``, ``contextdm1``, ``contextdm2``, ``multidm``, the last five with ``delay`` before ``dm``, ``dmsgo``,
        ``dmsnogo``, ``dmcgo``, ``dmcnogo``. One that stands there twice is twice as frequent.
    n_tuned
        Number of units of a ring.
    easy
        Whether the strengths of two stimuli differ more: ten times as much if both are there together, else twice.
    grace
        Length of the first part of the trial, and of the response, that does not count, in ms.
    tolerance
        Angles are right whose error is smaller, in degrees.
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
    Numbers are those of the source's code, with the targets of its least squares. But: there a batch has one rule and
    one set of times; which stimulus is stronger, whether they match, and their rings are drawn independently; in
    training ``contextdm1`` and ``contextdm2`` are five times as frequent; and the answer is that of the last step, not
    the mean over the response.

    References
    ----------
    Yang et al. (2019), Nat. Neurosci. 22, 297; https://github.com/gyyang/multitask.

    Examples
    --------
    >>> import biornn as bn
    >>> trials = bn.tasks.YangTasks(["delaygo", "delayanti"]).trials(4, seed=0)
    >>> sorted(zip(trials.rule.values.tolist(), trials.correct_choice.values.tolist()))[::2]
    [('delayanti', 'opposite'), ('delaygo', 'stimulus_1')]
    """

    name, score_name, trial_conditions = "yang_tasks", "accuracy", ("rule",)
    _period_names = ("fixation", *PERIODS, "go")

    rules: Sequence[str] = tuple(RULES)
    n_tuned: int = 32
    easy: bool = False
    grace: float = 100.0
    tolerance: float = 36.0
    dt: float = 20.0
    noise: float = 0.01
    noise_tau: float = 100.0

    def __post_init__(self) -> None:
        """Check the settings."""
        is_list = isinstance(self.rules, list | tuple) and len(self.rules) > 0
        unknown = [rule for rule in self.rules if rule not in RULES] if is_list else [self.rules]
        if unknown:
            raise ValueError(f"rules: expected a list of {', '.join(RULES)}, got {unknown[0]!r}")
        object.__setattr__(self, "rules", tuple(self.rules))
        object.__setattr__(self, "n_tuned", integer("n_tuned", self.n_tuned, minimum=4))
        check_settings(self, ("dt", "noise_tau"), ("grace", "noise", "tolerance"), ("easy",))
        for name in ("dt", "grace"):
            check_number(name, getattr(self, name), "at most 100 ms, half of the shortest response", maximum=100)
        check_number("tolerance", self.tolerance, "degrees above 0 and up to 45", maximum=45, above=0)

    @property
    def input_channels(self) -> list[str]:
        """Names of the input channels."""
        rings = [f"ring_{ring}_direction_{one:g}" for ring, one in product((1, 2), directions(self.n_tuned))]
        return ["fixation", *rings, *self._rule_channels]

    @property
    def output_channels(self) -> list[str]:
        """Names of the output channels."""
        return ["fixation", *(f"direction_{direction:g}" for direction in directions(self.n_tuned))]

    @property
    def chance(self) -> float:
        """Score of who always points to one place, or never, whichever is higher."""
        keeps = self.shortcuts["keeps fixation"]
        return max((1 - keeps) * self.tolerance / 180, keeps)

    @property
    def shortcuts(self) -> Mapping[str, float]:
        """Scores of who never points, and of who always points to the second stimulus, or to the only one."""
        asked = [RULES[rule].asks for rule in self.rules]
        points = {"same": 1.0, "opposite": 0.0}
        return {
            "keeps fixation": float(np.mean([0.5 * (asks in ("match", "differ")) for asks in asked])),
            "points to the last stimulus": float(np.mean([points.get(asks, 0.5) for asks in asked])),
        }

    def choice(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Say what the mean outputs over the response, after the grace time, are.

        That is ``fixation`` where that output is above 0.5; else ``stimulus_2``, ``stimulus_1`` or ``opposite``, the
        first to which the ring points; else ``elsewhere``. Of outputs that are not finite, an empty text.
        """
        n_answer = in_steps(trials["go"], self.dt) - in_steps(self.grace, self.dt)
        first = trials["n_steps"] - trials["n_steps"].copy(data=n_answer)
        mean = mean_between(outputs, first, trials["n_steps"])
        fixation = mean.isel(output_channel=0, drop=True)
        angle = population_angle(mean.isel(output_channel=slice(1, None)))
        one, other = trials["angle_1"], trials["angle_2"]
        places = {"stimulus_2": other, "stimulus_1": one, "opposite": one + np.pi}
        near = [angular_distance(angle, place) < np.deg2rad(self.tolerance) for place in places.values()]
        states = [~(abs(mean) < np.inf).all("output_channel"), fixation > _FIXATES, *near]
        return fixation.copy(data=np.select([state.data for state in states], ["", "fixation", *places], "elsewhere"))

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where the choice is right, else 0."""
        return (self.choice(outputs, trials) == text(trials["correct_choice"])).astype(float)

    def _conditions(self) -> dict[str, list[Any]]:
        rule, version = map(list, zip(*product(self.rules, range(4)), strict=True))
        return {"rule": rule, "version": version}

    def _draw(self, n_trials: int, rng: np.random.Generator, **fixed: Any) -> OfTrials:
        return self._complete(balanced(self._conditions(), n_trials, rng, fixed), rng)

    def _of_probe(self) -> OfTrials:
        return self._complete(each_once(self._conditions()), np.random.default_rng(0))

    def _complete(self, of_trials: OfTrials, rng: np.random.Generator) -> OfTrials:
        """Draw what trials of their rule and version are."""
        number = numbers_of(of_trials["rule"])
        stimuli = draw_stimuli(number, of_trials["version"], self.easy, rng)
        drawn = [stimuli.angle_1, stimuli.angle_2, stimuli.response, *stimuli.strength.reshape(-1, 4).T]
        lengths = in_steps(draw_times(number, rng), self.dt) * self.dt
        found = dict(zip((*_DRAWN, *PERIODS), (*drawn, *lengths.T), strict=True))
        return of_trials | {"correct_choice": stimuli.answer} | found

    def _plan(self, of_trials: OfTrials) -> Plan:
        number = numbers_of(of_trials["rule"])
        n_trials, n_periods, n_rings = len(number), len(PERIODS), 2 * self.n_tuned
        angle_1, angle_2, response, *strengths = (of_trials[name] for name in _DRAWN)
        units = bump(np.nan_to_num(np.stack([angle_1, angle_2, response])), self.n_tuned, _HEIGHT, _WIDTH)
        shown = OF_RULES["shows"][number]
        strength = np.stack(strengths, axis=-1).reshape(n_trials, 2, 2).astype(np.float32)
        inputs = np.zeros((n_trials, n_periods, self.n_inputs), np.float32)
        inputs[..., 0] = 1
        inputs[:, -1, 0] = OF_RULES["fixation_stays"][number]
        rings = np.einsum("nsp,nsr,snu->npru", shown, strength, units[:2])
        inputs[..., 1 : 1 + n_rings] = rings.reshape(n_trials, n_periods, n_rings)
        inputs[..., 1 + n_rings :] = (of_trials["rule"][:, np.newaxis] == self._rule_channels)[:, np.newaxis]
        points = np.isfinite(response)
        targets = np.full((n_trials, n_periods, self.n_outputs), _SILENT, np.float32)
        targets[:, :-1, 0] = targets[~points, -1, 0] = _HEIGHT
        targets[points, -1, 1:] += units[2, points]
        weight = np.outer([0, 1, 1, 1, 1, 1, 0, _AFTER_GO], [_FOR_FIXATION, *[1] * self.n_tuned]).astype(np.float32)
        grace, steps = in_steps(self.grace, self.dt), [in_steps(of_trials[name], self.dt) for name in PERIODS]
        n_steps = [grace, steps[0] - grace, *steps[1:5], grace, steps[5] - grace]
        parts = [0, 0, 1, 2, 3, 4, 5, 5]  # the first and the last period begin with a part that does not count
        return Plan(n_steps, inputs[:, parts], targets[:, parts], weight[np.newaxis])

    @property
    def _rule_channels(self) -> list[str]:
        return list(dict.fromkeys(self.rules))

    @property
    def _n_times(self) -> int:
        longest = times()[numbers_of(np.array(self.rules)), ..., 1].max(axis=-1)  # (rule, period)
        return int(in_steps(longest, self.dt).sum(axis=-1).max())
