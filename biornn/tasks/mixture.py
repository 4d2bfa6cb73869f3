"""Several tasks of which one network does each as an input says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.scalars import check_number, integer
from biornn.schema import text
from biornn.tasks.registry import find_task
from biornn.tasks.scores import score_trials
from biornn.tasks.settings import check_settings
from biornn.tasks.task import Seed, Task, Trials, preset_settings, setting_names, task_generator
from biornn.tasks.trials import make_arrays, make_probe, make_trials


def _of_song() -> dict[str, dict[str, Any]]:
    return {"context_decision": {}, "multisensory_integration": {}}


@dataclass(frozen=True)
class Mixture(Task):
    """Trials of several tasks in random order, and for each task an input that is 1 in its trials.

    It is 1 until the last sample that counts in the loss, which in most tasks is the last of the trial.

    Channels of the same name are the same channel: inputs of the names ``fixation`` are one input. An output that a
    task does not have does not count in its trials. Shorter trials are padded.

    On `trial` there is ``task``, which can be fixed, and with it the coordinates of that task; and all coordinates of
    all tasks, NaN, or an empty text, where a task does not have them. What is text in one task and a number in another
    is text. A trial condition is a task, so that a criterion on the worst is one on the worst task. The probe has those
    of the tasks, one after the other.

    Parameters
    ----------
    tasks
        What a task is called here -> its settings, with its ``name`` if that is another one, and its ``preset``.
    probabilities
        Task -> its share of the trials, to one trial; they sum to 1. None: all are as frequent.
    dt
        Time step of all tasks, in ms.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    References
    ----------
    Yang et al. (2019), Nat. Neurosci. 22, 297: one network, many tasks, an input for each.

    Examples
    --------
    >>> import biornn as bn
    >>> task = bn.tasks.Mixture({"go": {"name": "go_no_go"}, "gate": {"name": "boolean_gate", "gate": "xor"}}, dt=10)
    >>> task.trials(4, seed=0).task.values.tolist().count("go"), task.input_channels[-2:]
    (2, ['task_go', 'task_gate'])
    """

    name, trial_conditions = "mixture", ("task",)

    tasks: Mapping[str, Mapping[str, Any]] = field(default_factory=_of_song)
    probabilities: Mapping[str, float] | None = None
    dt: float = 20.0

    def __post_init__(self) -> None:
        """Check the settings, and make the tasks."""
        check_settings(self, ("dt",))
        if not isinstance(self.tasks, Mapping) or len(self.tasks) < 2:
            raise ValueError(f"tasks: expected two tasks or more and their settings, got {self.tasks!r}")
        object.__setattr__(self, "tasks", {str(name): dict(settings or {}) for name, settings in self.tasks.items()})
        if self.probabilities is not None:
            shares = dict(self.probabilities)
            for name, share in shares.items():
                check_number(f"probabilities: {name}", share, "a share from 0 to 1", maximum=1)
            if set(shares) != set(self.tasks) or abs(sum(shares.values()) - 1) > 1e-6:  # of decimals
                raise ValueError(
                    f"probabilities: expected a share for each of {', '.join(self.tasks)}, which sum to 1, got {shares}"
                )
            object.__setattr__(self, "probabilities", {name: float(shares[name]) for name in self.tasks})
        if own := [name for name, form in self._forms.items() if "task" in form.coords]:
            raise ValueError(
                f"tasks: {own[0]}: expected trials without a coordinate 'task', which a mixture has itself"
            )

    @cached_property
    def of(self) -> dict[str, Task]:
        """The tasks by their names here."""
        return {name: self._made(name, settings) for name, settings in self.tasks.items()}

    def _made(self, name: str, settings: Mapping[str, Any]) -> Task:
        given = dict(settings)
        try:
            kind = find_task(given.pop("name", name))
            preset = preset_settings(kind, given.pop("preset")) if "preset" in given else {}
            known = setting_names(kind)
            if strange := [key for key in given if key not in known]:
                raise ValueError(f"{strange[0]}: expected one of {', '.join(known)}")
            task = kind(**{**preset, **({"dt": self.dt} if "dt" in known else {}), **given})
        except (TypeError, ValueError) as error:
            raise type(error)(f"tasks: {name}: {error}") from None
        if task.dt != self.dt:
            raise ValueError(f"tasks: {name}: expected dt={self.dt:g}, that of all tasks, got {task.dt:g}")
        return task

    @property
    def score_name(self) -> str:  # type: ignore[override]
        """What the score is called, if it is called the same in all tasks."""
        names = {task.score_name for task in self.of.values()}
        return names.pop() if len(names) == 1 else "score"

    @property
    def input_channels(self) -> list[str]:
        """Names of the input channels: those of the tasks, and one for each task."""
        return [*self._channels("input_channels"), *(f"task_{name}" for name in self.of)]

    @property
    def output_channels(self) -> list[str]:
        """Names of the output channels."""
        return self._channels("output_channels")

    def _channels(self, kind: str) -> list[str]:
        return list(dict.fromkeys(channel for task in self.of.values() for channel in getattr(task, kind)))

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return len(self.input_channels)

    @property
    def n_outputs(self) -> int:
        """Number of output channels."""
        return len(self.output_channels)

    @property
    def _shares(self) -> NDArray[np.float64]:
        shares = self.probabilities or dict.fromkeys(self.tasks, 1 / len(self.tasks))
        return np.array([shares[name] for name in self.tasks])

    @property
    def chance(self) -> float:
        """Mean score of who gets that of chance in each task."""
        return float(self._shares @ [task.chance for task in self.of.values()])

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays."""
        rows = self._rows(n_trials, rng)
        return self._joined({name: make_arrays(self.of[name], len(own), rng) for name, own in rows.items()}, rows)

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` says."""
        rng, task = task_generator(seed), fixed.pop("task", None)
        rows = self._rows(integer("n_trials", n_trials, minimum=1), rng, task)
        if fixed and task is None:
            raise TypeError(f"{next(iter(fixed))}: expected task to be fixed as well, whose coordinate it is")
        parts = {name: make_trials(self.of[name], len(own), rng, **fixed) for name, own in rows.items()}
        return self._labelled(parts, rows)

    def probe(self) -> xr.Dataset | None:
        """Make the probes of the tasks that have one."""
        probes = {name: make_probe(task) for name, task in self.of.items()}
        parts = {name: probe for name, probe in probes.items() if probe is not None}
        ends = np.cumsum([0, *(part.sizes["trial"] for part in parts.values())])
        rows = {name: np.arange(*edges) for name, edges in zip(parts, pairwise(ends.tolist()), strict=True)}
        return self._labelled(parts, rows) if parts else None

    def _rows(self, n_trials: int, rng: np.random.Generator, task: str | None = None) -> dict[str, NDArray[np.intp]]:
        """Draw which trials each task has, or give all to one."""
        names = list(self.of)
        if task is not None:
            if task not in names:
                raise ValueError(f"task: expected one of {', '.join(names)}, got {task!r}")
            return {task: np.arange(n_trials)}
        # Evenly spaced from a random start: as many of each task as its share says, to one trial.
        spaced = (np.arange(n_trials) + rng.random()) / n_trials
        which = rng.permutation(np.minimum(np.searchsorted(self._shares.cumsum(), spaced, "right"), len(names) - 1))
        return {name: np.flatnonzero(which == index) for index, name in enumerate(names) if (which == index).any()}

    def _joined(self, parts: Mapping[str, Trials], rows: Mapping[str, NDArray[np.intp]]) -> Trials:
        """Put trials of tasks into one set, each at its row, and say in the inputs which task it is."""
        shape = sum(map(len, rows.values())), max(part.inputs.shape[1] for part in parts.values())
        joined = []
        for array, channels in zip(Trials._fields, ("input_channels", *2 * ["output_channels"]), strict=True):
            names = getattr(self, channels)
            joined.append(np.zeros((*shape, len(names)), np.float32))
            for name, part in parts.items():
                own, places = getattr(part, array), [names.index(one) for one in getattr(self.of[name], channels)]
                # Several times faster than np.ix_.
                joined[-1][rows[name][:, np.newaxis], : own.shape[1], places] = own.transpose(0, 2, 1)
        for name, part in parts.items():
            within = part.loss_weight.sum(axis=-1)[:, ::-1].cumsum(axis=1)[:, ::-1] > 0
            place = list(self.of).index(name) - len(self.of)  # the inputs that say the task are the last
            joined[0][rows[name], : within.shape[1], place] = within
        return Trials(*joined)

    def _labelled(self, parts: Mapping[str, xr.Dataset], rows: Mapping[str, NDArray[np.intp]]) -> xr.Dataset:
        """Put labelled trials of tasks into one set."""
        bare = {name: Trials(*(part[array].values for array in Trials._fields)) for name, part in parts.items()}
        arrays = self._joined(bare, rows)
        n_trials, n_times, _ = arrays.inputs.shape
        period = np.full((n_trials, n_times), "padding", object)
        coords: dict[str, NDArray[Any]] = {"task": np.full(n_trials, "", object)}
        # What is text in one task and a number in another is text.
        texts = {str(key) for part in parts.values() for key, coord in part.coords.items() if _is_text(coord)}
        for name, part in parts.items():
            place = rows[name]
            if "period" in part:
                period[place, : part.sizes["time"]] = part["period"].values
            coords["task"][place] = name
            for key, coord in part.coords.items():
                if coord.dims == ("trial",) and key != "trial":
                    is_text = str(key) in texts
                    empty = np.full(n_trials, "", object) if is_text else np.full(n_trials, np.nan)
                    coords.setdefault(str(key), empty)[place] = coord.values.astype(str) if is_text else coord.values
        plain = {key: values.astype(str) if values.dtype == object else values for key, values in coords.items()}
        return self.labelled(arrays, period=period.astype(str), **plain)

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Score each trial as its task does."""
        found, rows = [], []
        for name, task in self.of.items():
            place = np.flatnonzero(text(trials["task"]) == name)
            if place.size:
                part = self._part(trials, name, place)
                own = outputs.isel(trial=place, time=slice(part.sizes["time"]))
                scores = score_trials(task, own.sel(output_channel=list(task.output_channels)), part)
                found.append(scores.reset_coords(drop=True).drop_vars("trial", errors="ignore"))
                rows.append(place)
        order = np.argsort(np.concatenate(rows))
        return xr.concat(found, "trial").isel(trial=order).assign_coords(trial=trials["trial"])

    def _part(self, trials: xr.Dataset, name: str, place: NDArray[np.intp]) -> xr.Dataset:
        """Take the trials of one task, as that task makes them."""
        form, task = self._forms[name], self.of[name]
        part = trials.isel(trial=place)
        part = part.isel(time=slice(max(form.sizes["time"], int(part["n_steps"].max()))))  # lengths may differ by draw
        part = part.sel(input_channel=list(task.input_channels), output_channel=list(task.output_channels))
        own = {key: coord for key, coord in form.coords.items() if coord.dims == ("trial",) and key != "trial"}
        strange = [key for key, coord in part.coords.items() if coord.dims == ("trial",) and key not in (*own, "trial")]
        part = part.drop_vars(strange).assign_attrs(form.attrs)
        return part.assign_coords({key: _as_kind(part[key], coord.dtype) for key, coord in own.items()})

    @cached_property
    def _forms(self) -> dict[str, xr.Dataset]:
        """Give an example of the trials of each task."""
        return {name: make_trials(task, 1, 0) for name, task in self.of.items()}


def _is_text(coord: xr.DataArray) -> bool:
    return coord.dtype.kind not in "iufb"


def _as_kind(coord: xr.DataArray, dtype: np.dtype[Any]) -> xr.DataArray:
    """Read back what a task gave as numbers or truth values, which may stand there as text."""
    if dtype.kind not in "iufb" or not _is_text(coord):
        return coord.astype(dtype)
    return coord == "True" if dtype.kind == "b" else coord.astype(float).astype(dtype)
