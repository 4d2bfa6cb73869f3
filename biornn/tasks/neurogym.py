"""Environments of neurogym as tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.scalars import check_number, integer
from biornn.schema import COORDS, DIMS, GROUPS, text
from biornn.tasks.environment import Absent, Environment, WholeTrial
from biornn.tasks.explained import share_explained
from biornn.tasks.periods import in_steps, mean_between
from biornn.tasks.task import Seed, Task, Trials, task_generator, with_underscores

#: Names that trials have for something else.
_TAKEN = {*DIMS, *COORDS, *GROUPS["trials"], "correct_choice"}


def from_neurogym(env: Any, grace: float = 100.0) -> NeurogymTask:
    """Make a task of an environment of neurogym.

    Trials are whole, and padded where others of the set are longer. Targets are what the environment holds right
    (``gt``): where actions are choices, 1 for the right one and 0 for the others. Then a trial is right if the right
    choice is made in its last period: the output with the largest mean after the grace time. Of continuous actions,
    the score is the share of the targets' power in the last period that outputs explain.

    One seed gives one set of trials, whatever was drawn before: the environment is brought back to the state in which
    it was given, and seeded.

    Parameters
    ----------
    env
        An environment, such as ``neurogym.make("GoNogo-v0")``, within wrappers or not. The task draws from it.
    grace
        Time after each change of the target that does not count in the loss, but for the last sample before the next
        change; and time at the start of the last period that does not count for the choice. In ms.

    Returns
    -------
    NeurogymTask
        Its trials have as coordinates on `trial` what ``env.trial`` tells in one number or text, with ``trial_`` before
        names that the schema has for something else, and where actions are choices ``correct_choice``. Keywords of its
        ``trials`` are those of ``env.new_trial``. Of periods that overlap, the shortest is named; a sample in none is
        ``between``.

    Raises
    ------
    ValueError
        If it is no environment with trials and right answers, or its state cannot be copied.

    Notes
    -----
    No settings make an environment again, so that experiment files cannot: such a task is trained by `biornn.train`.
    Stored trials are scored without it, but no new ones are drawn: `biornn.analysis.evaluate` is given the task. Where
    the right answer changes within the last period, as in neurogym's own ready-set-go, the one that lasts longest is
    the right choice.

    References
    ----------
    https://github.com/neurogym/neurogym.

    Examples
    --------
    >>> import biornn as bn
    >>> import neurogym  # doctest: +SKIP
    >>> task = bn.tasks.from_neurogym(neurogym.make("GoNogo-v0", dt=20))  # doctest: +SKIP
    >>> bn.tasks.check(task)  # doctest: +SKIP
    """
    space = getattr(env, "action_space", None)
    is_choice = hasattr(space, "n") and not getattr(space, "shape", ())
    return NeurogymChoice(env, grace) if is_choice else NeurogymTask(env, grace)


class NeurogymTask(Task):
    """A task whose trials an environment of neurogym makes: see `from_neurogym`.

    Attributes
    ----------
    env : str
        Name of the environment's class.
    grace : float
        Time after each change of the target that does not count, in ms.
    """

    made_from_settings, score_name = False, "variance_explained"

    def __init__(self, env: Any, grace: float = 100.0) -> None:
        self._describe(Environment(env), grace, float(getattr(env, "unwrapped", env).dt))
        self._action_space = env.action_space
        (first,) = self._environment.draw(1, 0, {})
        self._names = {
            "input": _channels("input", env.observation_space, first.observations.shape[1]),
            "output": _channels("output", env.action_space, self._targets(first.answers).shape[1]),
        }

    @classmethod
    def of_trials(cls, trials: xr.Dataset, /, **settings: Any) -> Self:
        """Make what scores stored trials, without the environment that drew them; it draws none."""
        if missing := [name for name in ("time", "input_channel", "output_channel") if name not in trials.coords]:
            raise ValueError(f"expected the coordinate {missing[0]!r} of stored trials, found none")
        task, dt = cls.__new__(cls), float(np.ptp(trials["time"].values[:2])) or 1.0  # of one sample, any will do
        task._describe(Absent(str(settings.get("env"))), settings.get("grace"), dt)
        task._names = {end: trials[f"{end}_channel"].values.tolist() for end in ("input", "output")}
        return task

    def _describe(self, environment: Environment | Absent, grace: Any, dt: float) -> None:
        check_number("grace", grace)
        self._environment, self.env, self.grace, self.dt = environment, environment.name, float(grace), dt
        self.name = with_underscores(self.env).strip("_")

    @property
    def input_channels(self) -> list[str]:
        """Names of the observations, as the environment names them, or numbers."""
        return self._names["input"]

    @property
    def output_channels(self) -> list[str]:
        """Names of the actions, as the environment names them, or numbers."""
        return self._names["output"]

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return len(self.input_channels)

    @property
    def n_outputs(self) -> int:
        """Number of output channels."""
        return len(self.output_channels)

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays, as long as the longest of them."""
        return self._padded(self._draw(n_trials, rng, {}))

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` and `from_neurogym` say."""
        drawn = self._draw(integer("n_trials", n_trials, minimum=1), task_generator(seed), fixed)
        n_steps = np.array([len(one.period) for one in drawn])
        within = np.arange(n_steps.max()) < n_steps[:, np.newaxis]
        period = np.full(within.shape, "padding", object)
        period[within] = np.concatenate([one.period for one in drawn])
        return self.labelled(self._padded(drawn), n_steps, period.astype(str), **_labels(drawn))

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Share of the targets' power in the last period that outputs explain; NaN where all targets are 0."""
        first, end = self._answer(trials)
        step = xr.DataArray(np.arange(outputs.sizes["time"]), dims="time")
        return share_explained(outputs, trials["targets"], (step >= first) & (step < end))

    def _draw(self, n_trials: int, rng: np.random.Generator, fixed: Mapping[str, Any]) -> list[WholeTrial]:
        return self._environment.draw(n_trials, int(rng.integers(2**31)), fixed)

    def _targets(self, answers: NDArray[Any]) -> NDArray[np.float32]:
        return answers.astype(np.float32)

    def _padded(self, drawn: Sequence[WholeTrial]) -> Trials:
        """Stack trials with zeros after the end of each, also of the loss weight."""
        n_grace, n_times = int(in_steps(self.grace, self.dt)), max(len(one.period) for one in drawn)
        targets = [self._targets(one.answers) for one in drawn]
        each = [one.observations for one in drawn], targets, [_counts(one, n_grace) for one in targets]
        return Trials(
            *(np.stack([np.pad(one, ((0, n_times - len(one)), (0, 0))) for one in arrays]) for arrays in each)
        )

    def _answer(self, trials: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
        """First step of the last period after its grace time, and the one after the last."""
        period, end = text(trials["period"]), trials["n_steps"]
        step = xr.DataArray(np.arange(period.sizes["time"]), dims="time")
        is_other = (period != period.isel(time=end - 1)) & (step < end)
        first = (is_other * (step + 1)).max("time") + in_steps(self.grace, self.dt)
        return first.where(first < end, end - 1), end


class NeurogymChoice(NeurogymTask):
    """A task of neurogym whose actions are choices: see `from_neurogym`."""

    score_name = "accuracy"

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` and `from_neurogym` say."""
        trials = super().trials(n_trials, seed, **fixed)
        return trials.assign_coords(correct_choice=("trial", self.choice(trials["targets"], trials).values))

    def choice(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Name the output with the largest mean over the last period after the grace time, the first if several have.

        Of outputs that are not finite, an empty text.
        """
        mean = mean_between(outputs, *self._answer(trials))
        finite = (abs(mean) < np.inf).all("output_channel")
        best = mean.where(finite, 0).argmax("output_channel")
        return best.copy(data=np.where(finite, np.array(self.output_channels)[best.values], ""))

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where the choice is that of the targets, else 0."""
        return (self.choice(outputs, trials) == self.choice(trials["targets"], trials)).astype(float)

    def _targets(self, answers: NDArray[Any]) -> NDArray[np.float32]:
        """1 for the right choice, 0 for the others."""
        possible = np.arange(self._action_space.n) + getattr(self._action_space, "start", 0)
        targets = (answers == possible).astype(np.float32)
        if answers.shape[1] != 1 or not targets.any(axis=1).all():
            expected = f"one right answer from {possible[0]} to {possible[-1]} at each sample"
            raise ValueError(f"env: expected {expected}, got {np.unique(answers).tolist()} from {self.env}")
        return targets


def _counts(targets: NDArray[np.float32], n_grace: int) -> NDArray[np.float32]:
    """Weigh samples: 0 for as many as `n_grace` from each change on, but 1 for the last before the next change."""
    step = np.arange(len(targets))
    changes = step[1:][(targets[1:] != targets[:-1]).any(axis=1)]
    before = np.searchsorted(changes, step, side="right")  # number of changes up to a step
    since = step - np.append(-n_grace, changes)[before]
    counts = (since >= n_grace) | np.isin(step, changes - 1) | (step == step[-1])
    return np.repeat(counts.astype(np.float32)[:, np.newaxis], targets.shape[1], axis=1)


def _channels(kind: str, space: Any, n_channels: int) -> list[str]:
    """Name channels as a space does, such as ``{"fixation": 0, "choice": [1, 2]}``, and the others by numbers."""
    names = [f"{kind}_{number + 1}" for number in range(n_channels)]
    given = getattr(space, "name", None)
    for name, where in given.items() if isinstance(given, Mapping) else ():
        members = np.atleast_1d(where).tolist()
        for number, member in enumerate(members):
            names[member] = str(name) if len(members) == 1 else f"{name}_{number + 1}"
    return names


def _labels(drawn: Sequence[WholeTrial]) -> dict[str, NDArray[Any]]:
    """Collect what is told of all trials in one number each, or in one text."""
    labels = {}
    for name in drawn[0].told:
        values = [np.asarray(one.told.get(name)) for one in drawn]
        kinds = {"text" if value.dtype.kind == "U" else value.dtype.kind in "biuf" for value in values}
        if not any(value.ndim for value in values) and kinds in ({"text"}, {True}):
            labels[f"trial_{name}" if name in _TAKEN else str(name)] = np.array([value.item() for value in values])
    return labels
