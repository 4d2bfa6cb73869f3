"""The experiment file: what it may say, and the one line that it gets when it says something else."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    Tag,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from biornn.activations import ACTIVATIONS
from biornn.connectivity import Connectivity
from biornn.tasks import FlipFlop

TASKS: Mapping[str, type[FlipFlop]] = {"flip_flop": FlipFlop}


class ExperimentError(ValueError):
    """An experiment file, or a setting of the command line, that cannot be; the message is one line."""


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return value


# YAML 1.1 reads 5e-3 as text; pydantic reads that text as the number that was meant.
Number = Annotated[float, BeforeValidator(_no_bool), Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
NonNegative = Annotated[Number, Field(ge=0)]
Count = Annotated[StrictInt, Field(ge=1)]
Share = Annotated[Number, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_AnySection = TypeVar("_AnySection", bound=_Section)


class TimeConstants(_Section):
    """Time constants in ms that differ by unit: evenly spaced on a logarithmic scale, over the units of each type."""

    shortest: Positive
    longest: Positive

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.longest < self.shortest:
            raise ValueError(f"longest: expected at least shortest={self.shortest:g} ms, got {self.longest:g} ms")
        return self

    def spread(self, cell_type: NDArray[Any]) -> list[float]:
        """Give each unit its time constant.

        Parameters
        ----------
        cell_type
            (unit,) types; excitatory and inhibitory units get the same range.
        """
        tau = np.empty(len(cell_type))
        for one in np.unique(cell_type):
            members = cell_type == one
            tau[members] = np.geomspace(self.shortest, self.longest, members.sum())
        return tau.tolist()


def _kind_of_tau(value: Any) -> str:
    if isinstance(value, list):
        return "list"
    return "range" if isinstance(value, dict | TimeConstants) else "time"


# A told-apart union: messages name the kind that was meant, not all that might have been.
Tau = Annotated[
    Annotated[Positive, Tag("time")] | Annotated[list[Positive], Tag("list")] | Annotated[TimeConstants, Tag("range")],
    Discriminator(_kind_of_tau),
]


class NetworkConfig(_Section):
    """A network: the settings of `biornn.Connectivity` and of `biornn.layers.build_model`, under their names."""

    n_units: Count = 100
    architecture: Literal["rnn", "gru", "lstm"] = "rnn"
    excitatory_fraction: Share | None = None
    density: Share = 1.0
    autapses: StrictBool = True
    mask_rule: Literal["erdos_renyi", "fixed_in_degree"] = "erdos_renyi"
    mask: list[list[Literal[0, 1] | StrictBool]] | None = None
    areas: list[Count] | None = None
    area_density: list[list[Share]] | None = None
    long_range: Literal["all", "excitatory"] = "all"
    initial: Literal["orthogonal", "gaussian", "gamma", "half_normal"] | None = None
    spectral_radius: Positive = 1.0
    input_density: Share = 1.0
    input_sign: Literal["free", "non_negative"] = "free"
    readout_from: Literal["all", "excitatory"] = "all"
    readout_sign: Literal["free", "non_negative", "dale"] = "free"
    readout_bias: StrictBool = True
    tau: Tau = 1.0
    dt: Positive = 1.0
    activation: str = "tanh"
    formulation: Literal["rate", "current"] = "rate"
    use_bias: StrictBool = True
    enforcement: Literal["construction", "projection"] = "construction"
    recurrent_noise: NonNegative = 0.0
    trainable_initial_state: StrictBool = False

    @field_validator("activation")
    @classmethod
    def _known_activation(cls, value: str) -> str:
        if value not in ACTIVATIONS:
            raise ValueError(f"expected one of {', '.join(ACTIVATIONS)}")
        return value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if isinstance(self.tau, list) and len(self.tau) != self.n_units:
            raise ValueError(f"tau: expected one time or n_units={self.n_units} of them, got {len(self.tau)}")
        shortest = float(np.min(self.time_constants(self.connectivity(seed=0))))
        if self.dt > shortest:
            raise ValueError(f"dt: expected at most tau={shortest:g} ms, got {self.dt:g} ms")
        if self.architecture != "rnn":
            self._check_gated()
        return self

    def _check_gated(self) -> None:
        """Refuse what a GRU or LSTM does not have: constraints, time constants, noise."""
        allowed = {"n_units", "architecture", "dt", "use_bias", "readout_bias"}
        expected = {name: field.default for name, field in type(self).model_fields.items() if name not in allowed}
        expected |= {"tau": self.dt, "initial": None}
        for name, value in expected.items():
            if getattr(self, name) != value:
                raise ValueError(
                    f"{name}: expected {value!r} with architecture {self.architecture}, which has no other, "
                    f"got {getattr(self, name)!r}"
                )

    def connectivity(self, seed: int) -> Connectivity:
        """Make the wiring of one network."""
        names = {field.name for field in fields(Connectivity)} - {"seed"}
        return Connectivity(seed=seed, **{name: getattr(self, name) for name in names})

    def time_constants(self, connectivity: Connectivity) -> float | list[float]:
        """Return the time constant in ms, or those of all units.

        Parameters
        ----------
        connectivity
            The wiring.
        """
        return self.tau.spread(connectivity.cell_type) if isinstance(self.tau, TimeConstants) else self.tau


class TrainingConfig(_Section):
    """Training: the settings of `biornn.train` under their names, and penalties on weights and rates."""

    max_updates: Count = 1000
    batch_size: Count = 32
    learning_rate: Positive = 5e-3
    schedule: Literal["cosine", "constant", "inverse_time"] = "cosine"
    warmup: Share = 0.0
    decay: NonNegative = 0.0
    clip_norm: Positive | None = 1.0
    criterion: Share | None = None
    criterion_checks: Count = 2
    validate_every: Count = 50
    snapshots: list[Annotated[StrictInt, Field(ge=0)]] | None = None
    n_training_trials: Count | None = None
    n_validation_trials: Count = 200
    l1_weights: NonNegative = 0.0
    l2_weights: NonNegative = 0.0
    l2_rates: NonNegative = 0.0

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.schedule == "inverse_time" and self.warmup:
            raise ValueError(f"warmup: expected 0 with schedule inverse_time, got {self.warmup:g}")
        if self.schedule != "inverse_time" and self.decay:
            raise ValueError(f"decay: expected 0 with schedule {self.schedule}, got {self.decay:g}")
        for step in self.snapshots or ():
            if step > self.max_updates or (step % self.validate_every and step != self.max_updates):
                raise ValueError(
                    f"snapshots: expected multiples of validate_every={self.validate_every} "
                    f"up to max_updates={self.max_updates}, got {step}"
                )
        return self


class RecordingConfig(_Section):
    """What is recorded of every network."""

    n_trials: Count = 64


class Experiment(_Section):
    """Conditions times seeds on one task.

    `conditions` maps a name to what it changes: keys of `network`, or keys of `training` as ``training.KEY``.
    """

    title: str = ""
    task: FlipFlop = Field(default_factory=FlipFlop)
    network: NetworkConfig = NetworkConfig()
    conditions: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+-]+$")], dict[str, Any]] = Field(
        default={"unconstrained": {}}, min_length=1
    )
    seeds: list[Annotated[StrictInt, Field(ge=0, lt=2**31)]] = Field(default=[0, 1, 2], min_length=1)
    training: TrainingConfig = TrainingConfig()
    recording: RecordingConfig = RecordingConfig()

    @field_validator("seeds", mode="before")
    @classmethod
    def _count_or_list(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            if value < 1:
                raise ValueError("expected a count of at least 1, or a list of seeds")
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
        for name in self.conditions:
            network, _ = self.settings(name)
            for key in ("n_units", "dt"):
                if getattr(network, key) != getattr(self.network, key):
                    raise ValueError(
                        f"conditions.{name}.{key}: expected {getattr(self.network, key)} as in network.{key} "
                        f"(the networks of a run share it), got {getattr(network, key)}"
                    )
        if self.task.dt != self.network.dt:
            raise ValueError(
                f"task.dt: expected the network's dt={self.network.dt:g}, got {self.task.dt:g}; leave it out"
            )
        try:
            self.task.probe_steps()
        except ValueError as error:
            raise ValueError(f"task.{error}") from None
        return self

    def settings(self, condition: str) -> tuple[NetworkConfig, TrainingConfig]:
        """Return the network and the training of a condition.

        Parameters
        ----------
        condition
            Its name.
        """
        changes = self.conditions[condition]
        training = {key.removeprefix("training."): v for key, v in changes.items() if key.startswith("training.")}
        network = {key: value for key, value in changes.items() if not key.startswith("training.")}
        fixed = sorted({"max_updates", "validate_every", "snapshots"} & set(training))
        if fixed:
            raise ValueError(
                f"conditions.{condition}.training.{fixed[0]}: expected in training for all conditions, "
                "whose epochs the run shares; move it there"
            )
        where = f"conditions.{condition}."
        return _merged(self.network, network, where), _merged(self.training, training, f"{where}training.")


def _merged(base: _AnySection, changes: dict[str, Any], where: str) -> _AnySection:
    try:
        return type(base).model_validate(base.model_dump(exclude_unset=True) | changes)
    except ValidationError as error:
        raise ValueError(_one_line(error, type(base), prefix=where)) from None


def load_experiment(path: str | PathLike[str], settings: Sequence[str] = ()) -> Experiment:
    """Read and check an experiment file.

    Parameters
    ----------
    path
        A YAML file.
    settings
        Changes to it, each ``key=value`` with a dotted key and a YAML value, such as ``"network.n_units=64"``.

    Raises
    ------
    ExperimentError
        With one line that names the key, what was expected and what came.
    """
    content = _read(Path(path))
    for setting in settings:
        _set(content, setting)
    try:
        network = NetworkConfig.model_validate(content.get("network", {}))
    except ValidationError as error:
        raise ExperimentError(f"{path}: {_one_line(error, NetworkConfig, prefix='network.')}") from None
    try:
        return Experiment.model_validate({**content, "task": _task(content.get("task", {}), network.dt)})
    except ValidationError as error:
        raise ExperimentError(f"{path}: {_one_line(error, Experiment)}") from None
    except ExperimentError as error:
        raise ExperimentError(f"{path}: {error}") from None


class _Loader(yaml.SafeLoader):
    """Plain YAML values, and no key twice: a condition would vanish."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping, after looking for a repeated key."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"the key {key!r} twice in one place")
        return super().construct_mapping(node, deep)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise ExperimentError(f"{path}: expected a readable file, got {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: expected YAML, got {' '.join(str(error).split())}") from None
    if content is None:
        content = {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ExperimentError(f"{path}: expected keys and values, got {type(content).__name__}")
    return content


def _set(content: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not key or not equals:
        raise ExperimentError(f"--set: expected key=value, got {setting!r}")
    try:
        value = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ExperimentError(f"--set {key}: expected a YAML value, got {' '.join(str(error).split())}") from None
    *parents, last = key.split(".")
    if parents[:1] == ["conditions"] and "training" in parents:  # conditions.NAME.training.KEY
        last = f"{parents.pop()}.{last}"
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise ExperimentError(f"--set {key}: expected {parent} to hold keys, got {content!r}")
    content[last] = value


def _task(content: Any, dt: Any) -> FlipFlop:
    """Build the task, on the network's time step."""
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ExperimentError(f"task: expected keys and values, got {content!r}")
    settings = dict(content)
    name = settings.pop("name", "flip_flop")
    if not isinstance(name, str) or name not in TASKS:
        raise ExperimentError(f"task.name: expected one of {', '.join(TASKS)}, got {name!r}")
    settings.setdefault("dt", dt)
    known = [field.name for field in fields(TASKS[name])]
    for key in settings:
        if key not in known:
            raise ExperimentError(_unknown(f"task.{key}", key, ["name", *known]))
    try:
        return TypeAdapter(TASKS[name]).validate_python(settings)
    except ValidationError as error:
        raise ExperimentError(_one_line(error, Experiment, prefix="task.")) from None


def _one_line(error: ValidationError, model: type[BaseModel], prefix: str = "") -> str:
    """Tell the first problem: the key, what was expected, what came."""
    problem, *others = error.errors()
    location = [str(part) for part in problem["loc"]]
    more = f" (and {len(others)} more)" if others else ""
    if problem["type"] == "extra_forbidden":
        return _unknown(prefix + ".".join(location), location[-1], _known_keys(model, location[:-1])) + more
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error" and (isinstance(problem["input"], dict | _Section) or ": expected" in message):
        key = ".".join(location)
        return f"{prefix}{key}{'.' if key and not message.startswith('conditions.') else ''}{message}{more}"
    expected = message[:1].lower() + message[1:]
    got = repr(problem["input"])
    key = (prefix + ".".join(location)).rstrip(".")
    return f"{key}: {expected}, got {got if len(got) < 80 else got[:77] + '...'}{more}"


def _known_keys(model: type[BaseModel], location: list[str]) -> list[str]:
    for part in location:
        if part in model.model_fields:  # otherwise the kind of a value that may be of several
            sections = _sections_in(model.model_fields[part].annotation)
            if not sections:
                return []
            model = sections[0]
    return list(model.model_fields)


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    """List the sections that a setting may hold, however deep in its type they stand."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections_in(part)]


def _unknown(where: str, key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{where}: expected one of {', '.join(known)}, got the unknown key {key!r}{meant}"
