"""The sections of an experiment file and their settings."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    Tag,
    field_validator,
    model_validator,
)

from biornn.activations import ACTIVATIONS
from biornn.connectivity import Connectivity
from biornn.connectivity.ends import DIMS, KINDS
from biornn.experiment.array_file import (
    FILES,
    ArrayFile,
    InputFile,
    Mask,
    PositionFile,
    ReadoutFile,
    TypeFile,
    file_or_value,
)
from biornn.experiment.array_tables import MAX_UNITS
from biornn.tasks.seeds import generator

MAX_AREAS = 1_000
MAX_COUNT = 10**9  # of updates, trials, checks


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return value


# YAML 1.1 reads 5e-3 as text, which pydantic converts to a number.
Number = Annotated[float, BeforeValidator(_no_bool), Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
NonNegative = Annotated[Number, Field(ge=0)]
Count = Annotated[StrictInt, Field(ge=1, le=MAX_COUNT)]
Share = Annotated[Number, Field(ge=0, le=1)]


def _kind_of_initial(value: Any) -> str:
    return "rows" if isinstance(value, list) else file_or_value(value)


Initial = Annotated[
    Annotated[Literal["orthogonal", "gaussian", "gamma", "half_normal"], Tag("")]
    | Annotated[list[list[Number]], Tag("rows")]
    | Annotated[ArrayFile, Tag("file")],
    Discriminator(_kind_of_initial),
]


Positions = Annotated[
    Annotated[list[list[Number]], Tag("rows")] | Annotated[PositionFile, Tag("file")],
    Discriminator(_kind_of_initial),
]


def _listed(value: Any) -> Any:
    """Stop at what is no array; the connectivity, which knows the number of units, says what the lists must hold."""
    if not isinstance(value, list | bool):
        raise ValueError("expected a list of units, or of channels and units")
    return value


_Listed = Annotated[Any, BeforeValidator(_listed), Tag("")]
Inputs = Annotated[_Listed | Annotated[InputFile, Tag("file")], Discriminator(file_or_value)]
Readouts = Annotated[_Listed | Annotated[ReadoutFile, Tag("file")], Discriminator(file_or_value)]


def _plain(value: Any) -> Any:
    """Convert numbers and arrays of numpy, also in lists and mappings, to plain ones, as an experiment file has."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [part.tolist() if isinstance(part, np.ndarray | np.generic) else part for part in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


class Section(BaseModel):
    """Settings that check themselves and do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _in_plain_numbers(cls, values: Any) -> Any:
        return _plain(values) if isinstance(values, dict) else values


class TimeConstants(Section):
    """Time constants in ms that differ by unit: evenly spaced on a logarithmic scale, over the units of each type.

    Which unit of a type has which is drawn by the seed: in the order of the units they would follow a given mask, such
    as a ring.
    """

    shortest: Positive
    longest: Positive

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.longest < self.shortest:
            raise ValueError(f"longest: expected at least shortest={self.shortest:g} ms, got {self.longest:g} ms")
        return self

    def spread(self, connectivity: Connectivity) -> list[float]:
        """Return the time constant of each unit.

        Units are ranked by random numbers that depend on the seed alone, so that networks of one seed are matched: of
        two units that have one type in several conditions, the same one is slower in all of them. The units of each
        type get the same range.
        """
        ranks = generator("time constants", connectivity.seed).random(connectivity.n_units)
        tau = np.empty(connectivity.n_units)
        for one in np.unique(connectivity.group):
            members = np.flatnonzero(connectivity.group == one)
            tau[members[ranks[members].argsort()]] = np.geomspace(self.shortest, self.longest, members.size)
        return tau.tolist()


def _kind_of_tau(value: Any) -> str:
    if isinstance(value, list):
        return "list"
    return "range" if isinstance(value, dict | TimeConstants) else "time"


# With a discriminator, messages name one kind of tau and not all three.
Tau = Annotated[
    Annotated[Positive, Tag("time")] | Annotated[list[Positive], Tag("list")] | Annotated[TimeConstants, Tag("range")],
    Discriminator(_kind_of_tau),
]


class CellTypeConfig(Section):
    """A row of a table of cell types; the connectivity checks it."""

    sign: StrictInt
    fraction: Number | None = None
    tau: Number | None = None


def _kind_of_density(value: Any) -> str:
    return " " if isinstance(value, dict) else ""  # blank tags are left out of messages


# The connectivity, which knows the types, says what is wrong with one.
Density = Annotated[
    Annotated[Share, Tag("")] | Annotated[dict[str, dict[str, Number]], Tag(" ")], Discriminator(_kind_of_density)
]

CellTypesOfUnits = Annotated[
    Annotated[list[Any], Tag("")] | Annotated[TypeFile, Tag("file")], Discriminator(file_or_value)
]


class NetworkConfig(Section):
    """A network: the settings of `biornn.Connectivity` and of `biornn.layers.build_model`, under their names."""

    n_units: Annotated[Count, Field(le=MAX_UNITS)] = 100
    architecture: Literal["rnn", "gru", "lstm"] = "rnn"
    unit_names: list[Any] | None = None
    excitatory_fraction: Share | None = None
    cell_types: dict[str, CellTypeConfig] | None = None
    cell_type: CellTypesOfUnits | None = None
    density: Density = 1.0
    autapses: StrictBool = True
    mask_rule: Literal["erdos_renyi", "fixed_in_degree"] = "erdos_renyi"
    mask: Mask | None = None
    rewired: StrictBool = False
    topology: dict[str, Any] | None = None
    positions: Positions | None = None
    trainable: Mask | None = None
    areas: Annotated[list[Count], Field(max_length=MAX_AREAS)] | None = None
    area_density: list[list[Share]] | None = None
    long_range: Literal["all", "excitatory"] = "all"
    initial: Initial | None = None
    spectral_radius: Positive | None = None
    input_density: Share = 1.0
    input_sign: Literal["free", "non_negative"] = "free"
    input_mask: Inputs | None = None
    input_weights: Inputs | None = None
    input_trainable: Inputs | None = None
    readout_from: Literal["all", "excitatory"] = "all"
    readout_sign: Literal["free", "non_negative", "dale"] = "free"
    readout_mask: Readouts | None = None
    readout_weights: Readouts | None = None
    readout_trainable: Readouts | None = None
    readout_bias: StrictBool = True
    tau: Tau | None = None
    dt: Positive = 1.0
    activation: str = "tanh"
    formulation: Literal["rate", "current"] = "rate"
    use_bias: StrictBool = True
    initial_bias: NonNegative = 0.0
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
        wiring = self.connectivity(seed=0)
        for name in ("spectral_radius", "topology"):
            self.__dict__[name] = getattr(wiring, name)  # the run says what the defaults were
        shortest = float(np.min(self.time_constants(wiring)))
        if self.dt > shortest:
            raise ValueError(f"dt: expected at most tau={shortest:g} ms, got {self.dt:g} ms")
        if self.initial_bias and not self.use_bias:
            raise ValueError(f"initial_bias: expected 0 with use_bias false, got {self.initial_bias:g}")
        if self.architecture != "rnn":
            self._check_gated()
        return self

    def _check_gated(self) -> None:
        """Refuse constraints, time constants and noise, which a GRU or LSTM does not have."""
        allowed = {"n_units", "unit_names", "positions", "architecture", "dt", "use_bias", "readout_bias"}
        expected = {name: field.default for name, field in type(self).model_fields.items() if name not in allowed}
        expected |= {"tau": None if self.tau is None else self.dt, "initial": None, "spectral_radius": 1.0}
        for name, value in expected.items():
            if getattr(self, name) != value:
                raise ValueError(
                    f"{name}: expected {value!r} with architecture {self.architecture}, which has no other, "
                    f"got {getattr(self, name)!r}"
                )

    def connectivity(self, seed: int) -> Connectivity:
        """Return the wiring of the network with this seed."""
        settings = {field.name: getattr(self, field.name) for field in fields(Connectivity) if field.name != "seed"}
        for name in FILES:
            if isinstance(one := settings[name], ArrayFile):
                table = one.table(self.unit_names or range(self.n_units))
                settings[name] = table != 0 if name.endswith("mask") else table
        if self.cell_types is not None:
            settings["cell_types"] = {name: one.model_dump() for name, one in self.cell_types.items()}
        return Connectivity(seed=seed, **settings)

    def check_channels(self, n_inputs: int, n_outputs: int) -> None:
        """Refuse, with a ValueError, given weights of inputs and readout that are not of as many channels."""
        if any(getattr(self, f"{end}_{kind}") is not None for end in DIMS for kind in KINDS):
            wiring = self.connectivity(seed=0)
            wiring.input(n_inputs)
            wiring.readout(n_outputs)

    def time_constants(self, connectivity: Connectivity) -> Any:
        """Return the time constant in ms, or those (unit,) of all units: those of their types, if these have some."""
        times = connectivity.time_constants(self.tau)
        return times.spread(connectivity) if isinstance(times, TimeConstants) else 1.0 if times is None else times


class StageConfig(Section):
    """A stage of a curriculum: settings of its task that differ, and the updates or the score at which it ends."""

    task: dict[str, Any] = {}
    updates: Count | None = None
    score: Share | None = None


class CriterionConfig(Section):
    """Lowest scores at which training stops: on the validation trials, and share of memory states that are held."""

    score: Share | None = None
    held: Share | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.score is None and self.held is None:
            raise ValueError("expected score, held, or both, got neither")
        return self


def _kind_of_criterion(value: Any) -> str:
    return "scores" if isinstance(value, dict | CriterionConfig) else "score"


Criterion = Annotated[
    Annotated[Share, Tag("score")] | Annotated[CriterionConfig, Tag("scores")], Discriminator(_kind_of_criterion)
]


class TrainingConfig(Section):
    """Training: the settings of `biornn.train` under their names, and penalties on weights and rates.

    `task` and the stages change settings of the experiment's task for training alone.
    """

    max_updates: Count = 1000
    batch_size: Count = 32
    learning_rate: Positive = 5e-3
    schedule: Literal["cosine", "constant", "inverse_time"] = "cosine"
    warmup: Share = 0.0
    decay: NonNegative = 0.0
    clip_norm: Positive | None = 1.0
    criterion: Criterion | None = None
    criterion_on: Literal["mean", "worst"] = "mean"
    criterion_checks: Count = 2
    validate_every: Count = 50
    snapshots: list[Annotated[StrictInt, Field(ge=0)]] | None = None
    task: dict[str, Any] | None = None
    stages: list[StageConfig] = []
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
        for update in self.snapshots or ():
            if update > self.max_updates or (update % self.validate_every and update != self.max_updates):
                raise ValueError(
                    f"snapshots: expected multiples of validate_every={self.validate_every} "
                    f"up to max_updates={self.max_updates}, got {update}"
                )
        for number, stage in enumerate(self.stages):
            if stage.updates is not None and stage.updates % self.validate_every:
                raise ValueError(
                    f"stages.{number}.updates: expected a multiple of validate_every={self.validate_every}, "
                    f"got {stage.updates}"
                )
            if stage.updates is None and stage.score is None and number < len(self.stages) - 1:
                raise ValueError(f"stages.{number}: expected updates or score, at which it ends, got neither")
        if (total := sum(stage.updates or 0 for stage in self.stages if stage.score is None)) > self.max_updates:
            raise ValueError(f"stages: expected updates of max_updates={self.max_updates} at most in all, got {total}")
        return self

    @property
    def n_validations(self) -> int:
        """Number of validations, the one after the last update included."""
        return -(-self.max_updates // self.validate_every)

    @property
    def n_snapshots(self) -> int:
        """Number of snapshots, the one before the first update included."""
        return 1 + self.n_validations if self.snapshots is None else len({0, *self.snapshots, self.max_updates})


class RecordingConfig(Section):
    """What is recorded of every network."""

    n_trials: Count = 64
