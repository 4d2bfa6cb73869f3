"""What a task is: trials, and what they mean."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.scalars import integer

Seed = int | np.random.SeedSequence | np.random.Generator


class Trials(NamedTuple):
    """Bare arrays of trials: what training streams.

    Trials that are shorter than the longest are padded at their end: there the loss weight is 0, and so are inputs and
    targets.
    """

    inputs: NDArray[np.float32]  # (trial, time, input_channel)
    targets: NDArray[np.float32]  # (trial, time, output_channel)
    loss_weight: NDArray[np.float32]  # (trial, time, output_channel), at least 0


class Task:
    """A task: labelled trials from a seed, what of the outputs counts for the loss, and how outputs are scored.

    A subclass gives the numbers of channels, `arrays`, `trials` and `score`; the rest can be left as it is. As a frozen
    dataclass it has settings, which an experiment file can set.

    Some tasks have more, which those parts of biornn that need it ask for: ``choice(outputs, trials)``, the answer in
    each trial (..., trial) as text, empty where there is none; ``is_right(outputs, targets)``, which samples (...,
    trial, time, output_channel) are right, of a task that holds a state; ``graded``, name -> what of the stimulus the
    choice between two depends on (`biornn.tasks.graded.Graded`); ``reaction_times(outputs, trials)``, the time of the
    answer in ms, if its ``reaction_time`` is true; ``pointed(outputs, trials)``, the direction that is
    answered, as text in degrees; ``produced(outputs, trials)``, name -> what is made to a measure, such as an interval,
    (..., trial), with its units, NaN where there is none. What is asked for is what the last two give for the targets.

    Attributes
    ----------
    name : str
        Name of the task; by default the name of the class in lower case, with underscores.
    dt : float
        Time step, in ms.
    n_inputs, n_outputs : int
        Numbers of channels.
    input_channels, output_channels : sequence of str
        Names of the channels.
    score_name : str
        What the score is called, such as ``"accuracy"``.
    chance : float
        Best score of outputs that do not depend on the inputs; NaN if it is not known.
    shortcuts : mapping of str to float
        Policies that do not do the task -> the score that they get, such as ``{"ignores the context": 0.75}``.
    trial_conditions : tuple of str, or None
        Coordinates on `trial` whose combinations are the conditions of which the worst is looked for. None: every
        coordinate with far fewer values than there are trials.
    presets : mapping of str to mapping
        Name of a source, such as ``song2016`` -> settings with which the task is that of the source.
    made_from_settings : bool
        Whether its settings are enough to make the task again, in another process or for stored trials. False of a
        task that is made from an object of the program: it is trained by `biornn.train`, and analyses are given it, or
        its class has `of_trials`.
    """

    name: str = "task"
    dt: float = 1.0
    score_name: str = "score"
    trial_conditions: tuple[str, ...] | None = None
    presets: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    made_from_settings: bool = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Name a task after its class, if it has no name of its own."""
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = with_underscores(cls.__name__)

    if TYPE_CHECKING:  # at run time a subclass has attributes, properties or fields

        @property
        def n_inputs(self) -> int:
            """Number of input channels."""

        @property
        def n_outputs(self) -> int:
            """Number of output channels."""

    @property
    def input_channels(self) -> list[str]:
        """Names of the input channels."""
        return [f"input_{number + 1}" for number in range(self.n_inputs)]

    @property
    def output_channels(self) -> list[str]:
        """Names of the output channels."""
        return [f"output_{number + 1}" for number in range(self.n_outputs)]

    @property
    def chance(self) -> float:
        """Best score of outputs that do not depend on the inputs."""
        return float("nan")

    @property
    def shortcuts(self) -> Mapping[str, float]:
        """Scores of policies that do not do the task."""
        return {}

    @classmethod
    def preset(cls, source: str, /, **settings: Any) -> Self:
        """Make the task as a source has it, such as ``"song2016"``; other settings override those of the source.

        A ValueError names the sources that there are.
        """
        return cls(**{**preset_settings(cls, source), **settings})

    @classmethod
    def for_channels(cls, n_inputs: int, n_outputs: int) -> Self:
        """Make the task, with its other settings as they are, that has so many channels if any of its settings has."""
        return cls()

    @classmethod
    def of_trials(cls, trials: xr.Dataset, /, **settings: Any) -> Self | None:
        """Make the task of stored trials again, from its settings; None if they are not enough.

        One that is made from an object may make here what scores the trials without it, from what they hold.
        """
        return cls(**settings) if cls.made_from_settings else None

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays, which training streams."""
        raise NotImplementedError

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled.

        Parameters
        ----------
        n_trials
            Number of trials, at least 1.
        seed
            Integer, ``numpy.random.SeedSequence`` or ``numpy.random.Generator``.
        **fixed
            Values of coordinates on `trial` that all trials shall have, such as ``coherence=4``.

        Returns
        -------
        xarray.Dataset
            ``inputs`` (trial, time, input_channel), ``targets`` and ``loss_weight`` (trial, time, output_channel), and
            where there are periods ``period`` (trial, time). On `trial` the coordinate ``n_steps``, the length of a
            trial in steps, and those of the task. Time in ms.
        """
        raise NotImplementedError

    def probe(self) -> xr.Dataset | None:
        """Make the noise-free set that visits every trial condition once, labelled; None if there is none."""
        return None

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Score outputs (..., trial, time, output_channel) on labelled trials.

        Returns one number in [0, 1] for each (..., trial), 1 being right; NaN where a trial is not scored.
        """
        raise NotImplementedError

    def labelled(self, arrays: Trials, n_steps: Any = None, period: Any = None, **of_trials: Any) -> xr.Dataset:
        """Label bare arrays, for `trials` and `probe`.

        Parameters
        ----------
        arrays
            As from `arrays`.
        n_steps
            Length of each trial, in steps; None: all are as long as the arrays.
        period
            Name of the period at each (trial, time), or (time); None: there are none.
        **of_trials
            Coordinates on `trial`, one value per trial each.
        """
        n_trials, n_times, _ = arrays.inputs.shape
        sample = "trial", "time", "output_channel"
        variables: dict[str, Any] = {
            "inputs": (("trial", "time", "input_channel"), arrays.inputs),
            "targets": (sample, arrays.targets),
            "loss_weight": (sample, arrays.loss_weight),
        }
        if period is not None:
            variables["period"] = ("trial", "time"), np.broadcast_to(period, (n_trials, n_times)).copy()
        return xr.Dataset(
            variables,
            {
                "trial": np.arange(n_trials),
                "time": ("time", np.arange(n_times) * self.dt, {"units": "ms"}),
                "input_channel": list(self.input_channels),
                "output_channel": list(self.output_channels),
                "n_steps": ("trial", np.broadcast_to(n_times if n_steps is None else n_steps, n_trials).astype(int)),
                **{name: ("trial", np.asarray(values)) for name, values in of_trials.items()},
            },
            describe_task(self),
        )


def with_underscores(class_name: str) -> str:
    """Write the name of a class as that of its task, such as ``flip_flop``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()


def describe_task(task: Task) -> dict[str, str]:
    """Return the attributes by which trials say whose they are, and from which the task can be made again."""
    kind = type(task)
    name = task.name if kind.__module__ == f"biornn.tasks.{task.name}" else f"{kind.__module__}:{kind.__qualname__}"
    return {"task": name, "task_settings": json.dumps(task_settings(task)), "score_name": task.score_name}


def task_settings(task: Task) -> dict[str, Any]:
    """Return the settings of a task, with which it can be made again: what its class takes and the task keeps."""
    kept = {name: getattr(task, name) for name in setting_names(type(task)) if hasattr(task, name)}
    plain: dict[str, Any] = json.loads(json.dumps(kept, default=_plain))
    return plain


def _plain(value: Any) -> Any:
    """Write what JSON does not know, such as a setting that numpy made."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else repr(value)


def preset_settings(kind: type[Task], source: Any) -> dict[str, Any]:
    """Return the settings of a preset of a task; a ValueError names those that there are."""
    if not isinstance(source, str) or source not in kind.presets:
        known = f"one of {', '.join(kind.presets)}" if kind.presets else f"none, since {kind.name} has none"
        raise ValueError(f"preset: expected {known}, got {source!r}")
    return dict(kind.presets[source])


def setting_names(kind: type[Task]) -> list[str]:
    """List what the class of a task takes by name; the names of task and score are none of its settings."""
    parameters = inspect.signature(kind).parameters.values()
    named = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return [name for name in named if name not in ("name", "score_name")]


def task_generator(seed: Seed) -> np.random.Generator:
    """Make the generator of labelled trials from whatever a caller gives as their seed."""
    if not isinstance(seed, np.random.SeedSequence | np.random.Generator):
        seed = integer("seed", seed, minimum=0)
    return np.random.default_rng(seed)
