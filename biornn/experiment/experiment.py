"""An experiment: conditions, listed or crossed from factors, times seeds, on one task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    ConfigDict,
    Field,
    PlainSerializer,
    StrictInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from biornn.experiment.array_file import with_files
from biornn.experiment.config import NetworkConfig, RecordingConfig, Section, TrainingConfig
from biornn.experiment.factors import NAME, Combination, cross_factors
from biornn.experiment.limits import MAX_CONDITIONS, MAX_NAME, MAX_NETWORKS, MAX_SEEDS, check_arrays, task_lengths
from biornn.experiment.messages import one_line, shortened
from biornn.experiment.start import Start
from biornn.experiment.task_settings import changed_task, checked, make_task, plain_task
from biornn.tasks import Task
from biornn.tasks.registry import DEFAULT

_AnySection = TypeVar("_AnySection", bound=Section)


class Experiment(Section):
    """Conditions times seeds on one task.

    `conditions` maps a name to what it changes: keys of `network`, or keys of `training` as ``training.KEY``, and of
    the task in training as ``training.task.KEY``. Or `factors` maps keys, and ``dale``, to their levels: every
    combination is a condition (see `cross_factors`). All networks are judged on trials of `task`. With
    `start` they go on from the networks of a run.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    title: str = ""
    network: NetworkConfig = NetworkConfig()
    task: Annotated[Task, PlainSerializer(plain_task)] = Field(default={}, validate_default=True)
    factors: dict[str, list[Any]] | None = None
    conditions: dict[Annotated[str, Field(pattern=f"^{NAME}$", max_length=MAX_NAME)], dict[str, Any]] = Field(
        default={"unconstrained": {}}, min_length=1, max_length=MAX_CONDITIONS
    )
    seeds: list[Annotated[StrictInt, Field(ge=0, lt=2**31)]] = Field(
        default=[0, 1, 2], min_length=1, max_length=MAX_SEEDS
    )
    training: TrainingConfig = TrainingConfig()
    recording: RecordingConfig = RecordingConfig()
    start: Start | None = None

    @model_validator(mode="before")
    @classmethod
    def _crossed(cls, values: Any) -> Any:
        """Fill in the conditions that factors stand for; a stored experiment holds both."""
        if not isinstance(values, dict) or values.get("factors") is None:
            return values
        factors, network = values["factors"], values.get("network", {})
        if not isinstance(factors, dict) or not all(isinstance(levels, list) for levels in factors.values()):
            raise ValueError(f"factors: expected a list of levels for each key, got {factors!r}")
        settings = network.model_dump() if isinstance(network, NetworkConfig) else network
        if not isinstance(settings, dict):
            return values  # the field has its own message
        conditions = {name: one.changes for name, one in cross_factors(factors, settings).items()}
        if values.get("conditions", conditions) != conditions:
            raise ValueError("conditions: expected none beside factors, got both; drop one of them")
        return {**values, "conditions": conditions}

    @model_validator(mode="before")
    @classmethod
    def _with_files(cls, values: Any, info: ValidationInfo) -> Any:
        """Read the files of arrays. Being defined after `_crossed`, this runs before it."""
        return with_files(values, (info.context or {}).get("folder", Path())) if isinstance(values, dict) else values

    @field_validator("task", mode="before")
    @classmethod
    def _on_the_step_of_the_network(cls, value: Any, info: ValidationInfo) -> Any:
        """Build the task from its keys; its time step is the network's."""
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            if isinstance(value, Task):
                return checked(value)
            raise ValueError("expected keys and values")
        if "network" not in info.data:  # its own problems come first
            return make_task(DEFAULT, {})
        settings = dict(value)
        return make_task(settings.pop("name", DEFAULT), settings, dt=info.data["network"].dt)

    @field_validator("seeds", mode="before")
    @classmethod
    def _count_or_list(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            if value < 1:
                raise ValueError("expected a count of at least 1, or a list of seeds")
            if value > MAX_SEEDS:
                raise ValueError(f"expected at most {MAX_SEEDS} seeds")
            return list(range(value))
        return value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: list[int]) -> list[int]:
        if len(set(value)) != len(value):
            raise ValueError("expected distinct seeds")
        return value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if len(self.conditions) * len(self.seeds) > MAX_NETWORKS:
            raise ValueError(
                f"seeds: expected at most {MAX_NETWORKS} networks, got {len(self.seeds)} "
                f"for each of {len(self.conditions)} conditions"
            )
        lengths = task_lengths(self.task)
        known = {repr(self.task): lengths[0]}  # steps of a trial, of each task once
        for name in self.conditions:
            network, training = self.settings(name)
            for task, *_ in self.training_tasks(name):
                if repr(task) not in known:
                    known[repr(task)] = task_lengths(task)[0]
            for key in ("n_units", "unit_names", "positions", "dt"):
                shared, own = getattr(self.network, key), getattr(network, key)
                if own != shared:
                    raise ValueError(
                        f"{self._where(name)}{key}: expected {shortened(str(shared))} as in network.{key} "
                        f"(the networks of a run share it), got {shortened(str(own))}"
                    )
            try:
                network.check_channels(self.task.n_inputs, self.task.n_outputs)
            except ValueError as error:
                is_own = str(error).split(":")[0] in self.conditions[name]
                raise ValueError(f"{self._where(name) if is_own else 'network.'}{error}") from None
            longest = max(known[repr(task)] for task, *_ in self.training_tasks(name))
            check_arrays(self.task, (*lengths, longest), network, training, self.recording)
            if self.start is not None:
                try:
                    self.start.check(name, network, self.task, self.seeds)
                except ValueError as error:
                    raise ValueError(f"start.{error}") from None
        if self.task.dt != self.network.dt:
            raise ValueError(
                f"task.dt: expected the network's dt={self.network.dt:g}, got {self.task.dt:g}; leave it out"
            )
        return self

    def combinations(self) -> dict[str, Combination]:
        """Return the combination of levels of each condition; empty if conditions are listed."""
        return cross_factors(self.factors, self.network.model_dump()) if self.factors else {}

    def settings(self, condition: str) -> tuple[NetworkConfig, TrainingConfig]:
        """Return the network and the training of a condition."""
        changes = self.conditions[condition]
        training = {key.removeprefix("training."): v for key, v in changes.items() if key.startswith("training.")}
        network = {key: value for key, value in changes.items() if not key.startswith("training.")}
        where = self._where(condition)
        fixed = sorted({"max_updates", "validate_every", "snapshots"} & set(training))
        if fixed:
            raise ValueError(
                f"{where}training.{fixed[0]}: expected in training for all conditions, "
                "whose snapshots the run shares; move it there"
            )
        own = {key.removeprefix("task."): training.pop(key) for key in list(training) if key.startswith("task.")}
        if own:
            training["task"] = {**(training.get("task", self.training.task) or {}), **own}
        return _merged(self.network, network, where), _merged(self.training, training, f"{where}training.")

    def training_tasks(self, condition: str) -> list[tuple[Task, int | None, float | None]]:
        """Return the tasks on which networks of a condition are trained, one after the other.

        With each come the updates and the score at which its stage ends; the last has neither.
        """
        _, training = self.settings(condition)
        is_own = any(key.startswith("training.task") for key in self.conditions[condition])
        where = self._where(condition) if is_own else ""
        try:
            base = changed_task(self.task, training.task)
        except ValueError as error:
            raise ValueError(f"{where}training.task.{error}") from None
        stages = []
        for number, stage in enumerate(training.stages):
            try:
                stages.append((changed_task(base, stage.task), stage.updates, stage.score))
            except ValueError as error:
                raise ValueError(f"training.stages.{number}.task.{error}") from None
        return [*stages, (base, None, None)]

    def _where(self, condition: str) -> str:
        """Return the place of a condition's changes in the file."""
        return "factors." if self.factors else f"conditions.{condition}."


def _merged(base: _AnySection, changes: dict[str, Any], where: str) -> _AnySection:
    try:
        return type(base).model_validate({name: getattr(base, name) for name in base.model_fields_set} | changes)
    except ValidationError as error:
        raise ValueError(one_line(error, type(base), prefix=where)) from None
