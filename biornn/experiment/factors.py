"""Crossed factors: every combination of their levels is a condition."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from pydantic import ValidationError

from biornn.experiment.array_file import ArrayFile
from biornn.experiment.config import NetworkConfig, TrainingConfig
from biornn.experiment.limits import MAX_CONDITIONS
from biornn.experiment.messages import unknown_key

#: Characters in the name of a condition.
NAME = r"[A-Za-z0-9_.+-]+"
#: Common names of settings.
_SHORT_NAMES = {"dale": "excitatory_fraction"}
#: Every setting by which a network is constrained.
_CONSTRAINTS = (
    "excitatory_fraction",
    "cell_types",
    "cell_type",
    "density",
    "autapses",
    "mask",
    "rewired",
    "topology",
    "trainable",
    "area_density",
    "long_range",
    "input_density",
    "input_sign",
    "input_mask",
    "input_trainable",
    "readout_from",
    "readout_sign",
    "readout_mask",
    "readout_trainable",
)


@dataclass(frozen=True)
class Combination:
    """A combination of levels: the settings that it changes, as a listed condition does, and each factor's level."""

    changes: dict[str, Any]
    levels: dict[str, str]


def cross_factors(factors: Mapping[str, Sequence[Any]], network: Mapping[str, Any]) -> dict[str, Combination]:
    """Cross factors into conditions; the first level of each is the reference.

    A factor is ``dale`` (the share of excitatory units, or ``none``), a key of the network or of the training, or a
    setting of the task in training, such as ``training.task.duration``. The text ``none`` stands for null. A condition
    is named after its levels other than the first, such as ``dale+density-0.2+no-autapses``; the one with only first
    levels is ``unconstrained`` if the settings of `network` do not constrain it, otherwise ``reference``. The last
    factor changes fastest. A ValueError if a factor is unknown, has fewer than two distinct levels, or there are too
    many combinations.
    """
    if not factors:
        raise ValueError("factors: expected at least one factor with its levels, got none")
    if strange := [name for name in factors if not isinstance(name, str)]:
        raise ValueError(f"factors: expected names of settings, got {strange[0]!r} (YAML reads on, off, yes, no so)")
    if (n_combinations := prod(max(len(values), 1) for values in factors.values())) > MAX_CONDITIONS:
        raise ValueError(f"factors: expected at most {MAX_CONDITIONS} combinations of levels, got {n_combinations}")
    levels = {name: [None if level == "none" else level for level in values] for name, values in factors.items()}
    keys = {name: _setting(name) for name in factors}
    if len(set(keys.values())) < len(keys):
        raise ValueError(f"factors: expected each setting once, got {', '.join(factors)}")
    for name, values in levels.items():
        meant = [_validated(keys[name], level) for level in values]
        is_repeated = any(level in meant[:position] for position, level in enumerate(meant))
        if len(values) < 2 or is_repeated or len({_label(level) for level in values}) < len(values):
            raise ValueError(f"factors.{name}: expected at least two levels, all different, got {list(factors[name])}")
    combinations: dict[str, Combination] = {}
    for positions in product(*(range(len(values)) for values in levels.values())):
        chosen = dict(zip(levels, positions, strict=True))
        changes = {keys[name]: levels[name][position] for name, position in chosen.items()}
        parts = [_part(name, levels[name], position) for name, position in chosen.items() if position]
        name = "+".join(parts) or _reference_name({**network, **changes})
        if name in combinations:
            raise ValueError(f"factors: expected combinations with names of their own, got {name} twice; drop a level")
        combinations[name] = Combination(
            changes, {name: _label(levels[name][position]) for name, position in chosen.items()}
        )
    return combinations


def _setting(factor: str) -> str:
    """Return the key of a condition that a factor changes."""
    key = _SHORT_NAMES.get(factor, factor).removeprefix("training.")
    if key in NetworkConfig.model_fields and not factor.startswith("training."):
        return key
    if key in TrainingConfig.model_fields or key.startswith("task."):
        return f"training.{key}"
    known = [*_SHORT_NAMES, *NetworkConfig.model_fields, *TrainingConfig.model_fields]
    raise ValueError(unknown_key(f"factors.{factor}", factor, known))


def _validated(key: str, level: Any) -> Any:
    """Return the setting that a level becomes: in YAML 5e-3 is text, and equal to 0.005."""
    if key.startswith("training.task."):
        return level
    section = TrainingConfig if key.startswith("training.") else NetworkConfig
    name = key.removeprefix("training.")
    try:
        return getattr(section.model_validate({name: level}), name)
    except ValidationError:
        return level  # it may be possible with other settings, and is checked again with them


def _label(level: Any) -> str:
    """Write a level as text."""
    if level is None:
        return "none"
    if isinstance(level, bool):
        return str(level).lower()
    if isinstance(level, int | float):
        return f"{level:.12g}"
    if isinstance(level, ArrayFile):
        return level.file
    return level if isinstance(level, str) else json.dumps(level)


def _part(factor: str, levels: Sequence[Any], position: int) -> str:
    """Name a level within the name of a condition, as briefly as the other levels allow."""
    level, name = levels[position], factor.removeprefix("training.").removeprefix("task.")
    if isinstance(level, bool):
        return name if level else f"no-{name}"
    if level is None:
        return f"no-{name}"
    if len(levels) == 2 and levels[0] is None:
        return name
    label = _label(level)
    # A list, a mapping or a text with spaces cannot be part of a name; its coordinate says it whole.
    return f"{name}-{label}" if re.fullmatch(NAME, label) else f"{name}-level{position + 1}"


def _reference_name(network: Mapping[str, Any]) -> str:
    defaults = {key: NetworkConfig.model_fields[key].default for key in _CONSTRAINTS}
    return "unconstrained" if {**defaults, **network}.items() >= defaults.items() else "reference"
