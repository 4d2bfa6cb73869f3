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
from biornn.connectivity.cell_types import Table
from biornn.connectivity.ends import DIMS, KINDS, read_end
from biornn.connectivity.initial_weights import InitialRule, check_rule
from biornn.connectivity.labels import given_array, name_units, truth_values
from biornn.connectivity.masks import MaskRule
from biornn.connectivity.positions import check_positions
from biornn.connectivity.topology import check_topology
from biornn.connectivity.type_density import check_density, read_density
from biornn.scalars import check_number, integer

ReadoutSign = Literal["free", "non_negative", "dale"]


@dataclass(frozen=True, eq=False)
class Settings:
    """What `Connectivity` takes, checked; arrays that are given are copied, and in the order of the units."""

    n_units: int
    excitatory_fraction: float | None = None
    density: float | Mapping[str, Mapping[str, float]] = 1.0
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
    cell_types: Mapping[str, Mapping[str, float]] | None = None

    def __post_init__(self) -> None:
        """Check every setting, then those that depend on one another."""
        object.__setattr__(self, "n_units", integer("n_units", self.n_units, minimum=1))
        object.__setattr__(self, "seed", integer("seed", self.seed, minimum=0))
        object.__setattr__(self, "density", read_density(self.density))
        for name in ("density", "input_density"):
            if name == "input_density" or not isinstance(self.density, Mapping):
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
        if isinstance(self.density, Mapping):
            used = [name for name in self.types if name in self.cell_type]
            object.__setattr__(self, "density", check_density(self.density, list(self.types), used))
        if self.positions is not None:
            object.__setattr__(self, "positions", _frozen(check_positions(self.positions, self.unit_names)))
        self._check_synapses()
        self._check_ends()
        if not self._has_given_weights and self.initial is not None:
            check_rule(self.initial, bool(self.sign.any()))

    def _check_cell_types(self) -> None:
        if self.cell_types is not None:
            if self.excitatory_fraction is not None:
                raise ValueError("cell_types: expected no excitatory_fraction beside it, got both; drop one of them")
            object.__setattr__(self, "cell_types", cell_types.check_table(self.cell_types))
        drawn = self._drawn_types()
        if self.cell_type is None:
            if drawn is None:
                raise ValueError(
                    "cell_types: expected the fraction of each type, or cell_type with that of each unit, got neither"
                )
            types = drawn
        else:
            types = cell_types.types_by_unit(self.cell_type, self.types, self.unit_names)
            self._check_beside_fractions(types, drawn)
        object.__setattr__(self, "cell_type", _frozen(types))
        for name, value in (("long_range", "excitatory"), ("readout_from", "excitatory"), ("readout_sign", "dale")):
            if getattr(self, name) == value and not self.sign.any():
                raise ValueError(
                    f"{name}={value!r}: expected cell types, got none; set excitatory_fraction, cell_types or cell_type"
                )

    def _check_beside_fractions(self, types: NDArray[np.str_], drawn: NDArray[np.str_] | None) -> None:
        """Refuse types of units that are not those which fractions beside them give."""
        if self.excitatory_fraction is not None and (types != drawn).any():
            raise ValueError(
                f"cell_type: expected the types that excitatory_fraction={self.excitatory_fraction} gives beside it, "
                "got others; drop one of them"
            )
        if self.cell_types is None or drawn is None:
            return
        for name in self.cell_types:
            found, expected = (np.count_nonzero(one == name) for one in (types, drawn))
            if found != expected:
                raise ValueError(
                    f"cell_type: expected {expected} units of the type {name!r}, as its fraction in cell_types says, "
                    f"got {found}; drop the fractions"
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

    @cached_property
    def types(self) -> Table:
        """Table of the cell types: `cell_types`, or that of excitatory, inhibitory and unconstrained units."""
        return self.cell_types or cell_types.default_table(self.excitatory_fraction)

    def _drawn_types(self) -> NDArray[np.str_] | None:
        """Return the type of each unit if none is given for each; None if the table has no fractions."""
        if all("fraction" in one for one in self.types.values()):
            return cell_types.types_by_fraction(self.types, self.areas or (self.n_units,))
        return None if self.cell_types else cell_types.types_by_unit([0] * self.n_units, self.types, self.unit_names)

    @cached_property
    def sign(self) -> NDArray[np.int8]:
        """(unit_pre,) sign of a unit's outgoing weights: +1 excitatory, -1 inhibitory, 0 unconstrained."""
        return _frozen(cell_types.of_units(self.types, self.cell_type, "sign", np.int8))

    @cached_property
    def group(self) -> NDArray[np.intp]:
        """(unit,) number of the cell type of each unit, in `cell_types.in_groups`."""
        return _frozen(cell_types.group_numbers(self.types, self.cell_type))

    @property
    def has_time_constants(self) -> bool:
        """Whether the cell types have time constants."""
        return "tau" in next(iter(self.types.values()))

    def time_constants(self, tau: Any) -> Any:
        """Return time constants that are given, or those of the cell types, (unit,), in ms; None if there are none.

        A ValueError if there are both.
        """
        if not self.has_time_constants:
            return tau
        if tau is not None:
            raise ValueError("tau: expected none beside the tau of cell_types, got both; drop one of them")
        return cell_types.of_units(self.types, self.cell_type, "tau", float)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name}: expected one of {choices}, got {value!r}")
