"""The settings of a connectivity: each by itself, and those that exclude one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity import cell_types
from biornn.connectivity.areas import check_area_density, check_areas
from biornn.connectivity.ends import DIMS, KINDS, read_end
from biornn.connectivity.initial_weights import InitialRule, check_rule
from biornn.connectivity.labels import given_array, name_units, truth_values
from biornn.connectivity.masks import MaskRule
from biornn.connectivity.positions import check_positions
from biornn.connectivity.topology import check_topology
from biornn.scalars import check_number, integer

ReadoutSign = Literal["free", "non_negative", "dale"]


@dataclass(frozen=True, eq=False)
class Settings:
    """What `Connectivity` takes, checked; arrays that are given are copied, and in the order of the units."""

    n_units: int
    excitatory_fraction: float | None = None
    density: float = 1.0
    autapses: bool = True
    seed: int = 0
    mask_rule: MaskRule = "erdos_renyi"
    mask: ArrayLike | None = None
    areas: tuple[int, ...] | None = None
    area_density: ArrayLike | None = None
    long_range: Literal["all", "excitatory"] = "all"
    initial: InitialRule | ArrayLike | None = None
    spectral_radius: float | None = None
    input_density: float = 1.0
    input_sign: Literal["free", "non_negative"] = "free"
    readout_from: Literal["all", "excitatory"] = "all"
    readout_sign: ReadoutSign = "free"
    cell_type: Any = None  # what is given is an array once it is checked
    trainable: Any = None
    unit_names: Any = None
    topology: Mapping[str, Mapping[str, Any]] | None = None
    rewired: bool = False
    positions: Any = None
    input_mask: Any = None
    input_weights: Any = None
    input_trainable: Any = None
    readout_mask: Any = None
    readout_weights: Any = None
    readout_trainable: Any = None

    def __post_init__(self) -> None:
        """Check every setting, then those that depend on one another."""
        object.__setattr__(self, "n_units", integer("n_units", self.n_units, minimum=1))
        object.__setattr__(self, "seed", integer("seed", self.seed, minimum=0))
        for name in ("density", "input_density"):
            check_number(name, getattr(self, name), "a number in [0, 1]", maximum=1)
        if self.excitatory_fraction is not None:
            check_number("excitatory_fraction", self.excitatory_fraction, "a number in [0, 1]", maximum=1)
        for name in ("autapses", "rewired"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise TypeError(f"{name}: expected true or false, got {getattr(self, name)!r}")
        if self.spectral_radius is not None:
            check_number("spectral_radius", self.spectral_radius, "a positive number", above=0)
        elif not self._has_given_weights:
            object.__setattr__(self, "spectral_radius", 1.0)
        _check_choice("mask_rule", self.mask_rule, get_args(MaskRule))
        _check_choice("long_range", self.long_range, ("all", "excitatory"))
        _check_choice("input_sign", self.input_sign, ("free", "non_negative"))
        _check_choice("readout_from", self.readout_from, ("all", "excitatory"))
        _check_choice("readout_sign", self.readout_sign, get_args(ReadoutSign))
        self._check_areas()
        of_ends = [f"{end}_{kind}" for end, kind in product(DIMS, KINDS)]
        of_units = ("cell_type", "mask", "initial", "trainable", "positions", *of_ends)
        given = {name: getattr(self, name) for name in of_units}
        object.__setattr__(self, "unit_names", _frozen(name_units(self.unit_names, self.n_units, given)))
        self._check_cell_types()
        if self.positions is not None:
            object.__setattr__(self, "positions", _frozen(check_positions(self.positions, self.unit_names)))
        self._check_synapses()
        self._check_ends()
        if not self._has_given_weights and self.initial is not None:
            check_rule(self.initial, bool(self.sign.any()))

    def _check_cell_types(self) -> None:
        drawn = self._drawn_sign()
        if self.cell_type is None:
            object.__setattr__(self, "cell_type", cell_types.NAMES[drawn])
        elif self.excitatory_fraction is not None and (self.sign != drawn).any():
            raise ValueError(
                f"cell_type: expected the types that excitatory_fraction={self.excitatory_fraction} gives beside it, "
                "got others; drop one of them"
            )
        object.__setattr__(self, "cell_type", _frozen(cell_types.NAMES[self.sign]))
        for name, value in (("long_range", "excitatory"), ("readout_from", "excitatory"), ("readout_sign", "dale")):
            if getattr(self, name) == value and not self.sign.any():
                raise ValueError(
                    f"{name}={value!r}: expected cell types, got none; set excitatory_fraction or cell_type"
                )

    def _check_areas(self) -> None:
        if self.areas is not None:
            object.__setattr__(self, "areas", check_areas(self.areas, self.n_units))
        if self.area_density is None:
            return
        if self.areas is None:
            raise ValueError("area_density: expected areas with it, got none; set areas to the units of each")
        if self.density != 1.0:
            raise ValueError("area_density: expected no density beside it, got both; drop one of them")
        object.__setattr__(self, "area_density", _frozen(check_area_density(self.area_density, len(self.areas))))

    def _check_synapses(self) -> None:
        for name in ("mask", "topology"):
            if getattr(self, name) is not None and (self.density != 1.0 or self.areas is not None):
                raise ValueError(f"{name}: expected no density and no areas beside it, got some; drop one of them")
        if self.topology is not None:
            if self.mask is not None:
                raise ValueError("topology: expected no mask beside it, got both; drop one of them")
            object.__setattr__(self, "topology", check_topology(self.topology, self.n_units, self.positions))
        if self.rewired and self.mask is None:
            raise ValueError("rewired: expected a mask with it, got none; set mask to the one to rewire")
        for name in ("mask", "trainable", "initial"):
            if getattr(self, name) is None or (name == "initial" and not self._has_given_weights):
                continue
            dtype = float if name == "initial" else None
            values = given_array(name, getattr(self, name), self._labels("recurrent"), dtype)
            if values.shape != (self.n_units,) * 2:
                raise ValueError(f"{name}: expected shape {(self.n_units,) * 2}, got {values.shape}")
            if name != "initial":
                values = truth_values(name, values, self._labels("recurrent"))
            object.__setattr__(self, name, _frozen(values))

    def _check_ends(self) -> None:
        for mask, other, default in (("input_mask", "input_density", 1.0), ("readout_mask", "readout_from", "all")):
            if getattr(self, mask) is not None and getattr(self, other) != default:
                raise ValueError(f"{mask}: expected no {other} beside it, got both; drop one of them")
        for end, kind in product(DIMS, KINDS):
            name = f"{end}_{kind}"
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _frozen(read_end(name, value, DIMS[end], self.unit_names)))

    def _labels(self, pathway: str, n_channels: int = 0) -> dict[str, NDArray[Any]]:
        """Labels of the dims of weights: those between units, or with the inputs or outputs."""
        dims = DIMS.get(pathway, ("unit_pre", "unit_post"))
        return {dim: self.unit_names if dim.startswith("unit") else np.arange(n_channels) for dim in dims}

    @property
    def _has_given_weights(self) -> bool:
        return hasattr(self.initial, "__len__") and not isinstance(self.initial, str)

    def _drawn_sign(self) -> NDArray[np.int8]:
        """Return the sign of each unit if no types are given."""
        if self.excitatory_fraction is None:
            return np.zeros(self.n_units, np.int8)
        return cell_types.excitatory_first(self.excitatory_fraction, self.areas or (self.n_units,))

    @cached_property
    def sign(self) -> NDArray[np.int8]:
        """(unit_pre,) sign of a unit's outgoing weights: +1 excitatory, -1 inhibitory, 0 unconstrained."""
        return _frozen(cell_types.signs(self.cell_type, self.unit_names))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name}: expected one of {choices}, got {value!r}")
