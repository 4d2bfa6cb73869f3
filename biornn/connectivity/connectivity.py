"""The wiring of a network as data: signs, masks, and initial weights that already keep to them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity import initial_weights, masks
from biornn.connectivity.initial_weights import InitialRule
from biornn.connectivity.masks import MaskRule
from biornn.connectivity.pathway import Pathway
from biornn.scalars import check_number, integer

ReadoutSign = Literal["free", "non_negative", "dale"]


@dataclass(frozen=True, eq=False)
class Connectivity:
    """What the wiring of a network may be, and its initial weights. Frozen, self-checking, reproducible from its seed.

    Parameters
    ----------
    n_units
        Number of recurrent units, at least 1.
    excitatory_fraction
        Share of excitatory units in [0, 1]; the others are inhibitory, and every unit keeps to Dale's law.
        None: units are unconstrained. Excitatory units come first (within each area).
    density
        Probability, in [0, 1], that an allowed synapse exists.
    autapses
        Whether a unit may connect to itself.
    seed
        Non-negative integer behind every random draw. Each draw has its own stream, so that two connectivities with
        one seed share whatever their settings leave in common.
    mask_rule
        ``"erdos_renyi"`` (each synapse independently) or ``"fixed_in_degree"`` (every unit receives equally many).
    mask
        (n_units, n_units) boolean, (unit_pre, unit_post), given instead of a random one. A DataArray is read by its
        labels: dims `unit_pre` and `unit_post` in any order, units that are numbered from 0 in theirs.
    areas
        Number of units of each area; they sum to `n_units`. `excitatory_fraction` holds in each.
    area_density
        (area_pre, area_post) densities, in place of `density`; labelled or not, as `mask`.
    long_range
        Which units project to other areas: ``"all"`` or ``"excitatory"``.
    initial
        Rule for the initial recurrent weights: ``"orthogonal"`` or ``"gaussian"`` without Dale's law, ``"gamma"`` or
        ``"half_normal"`` with it. None chooses ``"orthogonal"`` and ``"gamma"``.
    spectral_radius
        Spectral radius of the initial **effective** matrix, after sign and mask (for ``"gaussian"`` the gain g).
    input_density
        Probability that an input weight exists.
    input_sign
        ``"free"`` or ``"non_negative"``.
    readout_from
        Which units the readout sees: ``"all"`` or ``"excitatory"``.
    readout_sign
        ``"free"``, ``"non_negative"``, or ``"dale"`` (the sign of the unit).

    Raises
    ------
    ValueError, TypeError
        If a setting is impossible; the message names it, what was expected and what came.

    Examples
    --------
    >>> import biornn as bn
    >>> wiring = bn.Connectivity(100, excitatory_fraction=0.8, density=0.5, autapses=False, seed=1)
    >>> wiring.recurrent.mask.diagonal().any()
    np.False_
    >>> wiring.cell_type[:2], wiring.cell_type[-1]
    (array(['excitatory', 'excitatory'], dtype='<U13'), np.str_('inhibitory'))
    """

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
    initial: InitialRule | None = None
    spectral_radius: float = 1.0
    input_density: float = 1.0
    input_sign: Literal["free", "non_negative"] = "free"
    readout_from: Literal["all", "excitatory"] = "all"
    readout_sign: ReadoutSign = "free"

    def __post_init__(self) -> None:
        """Check every setting, then those that depend on one another."""
        object.__setattr__(self, "n_units", integer("n_units", self.n_units, minimum=1))
        object.__setattr__(self, "seed", integer("seed", self.seed, minimum=0))
        for name in ("density", "input_density"):
            check_number(name, getattr(self, name), "a number in [0, 1]", maximum=1)
        if self.excitatory_fraction is not None:
            check_number("excitatory_fraction", self.excitatory_fraction, "a number in [0, 1]", maximum=1)
        if not isinstance(self.autapses, bool | np.bool_):
            raise TypeError(f"autapses: expected true or false, got {self.autapses!r}")
        check_number("spectral_radius", self.spectral_radius, "a positive number", above=0)
        _check_choice("mask_rule", self.mask_rule, get_args(MaskRule))
        _check_choice("long_range", self.long_range, ("all", "excitatory"))
        _check_choice("input_sign", self.input_sign, ("free", "non_negative"))
        _check_choice("readout_from", self.readout_from, ("all", "excitatory"))
        _check_choice("readout_sign", self.readout_sign, get_args(ReadoutSign))
        self._check_cell_types()
        self._check_initial()
        self._check_areas()
        self._check_mask()

    def _check_cell_types(self) -> None:
        for name, value in (("long_range", "excitatory"), ("readout_from", "excitatory"), ("readout_sign", "dale")):
            if getattr(self, name) == value and self.excitatory_fraction is None:
                raise ValueError(f"{name}={value!r}: expected cell types, got none; set excitatory_fraction")

    def _check_initial(self) -> None:
        if self.initial is None:
            return
        _check_choice("initial", self.initial, get_args(InitialRule))
        signed = self.excitatory_fraction is not None
        possible = initial_weights.SIGNED_RULES if signed else initial_weights.FREE_RULES
        if self.initial not in possible:
            law = "with" if signed else "without"
            raise ValueError(
                f"initial: expected one of {possible} {law} Dale's law (null chooses), got {self.initial!r}"
            )

    def _check_areas(self) -> None:
        if self.areas is None:
            if self.area_density is not None:
                raise ValueError("area_density: expected areas with it, got none; set areas to the units of each")
            return
        if not isinstance(self.areas, list | tuple | np.ndarray):
            raise TypeError(f"areas: expected the number of units of each area, got {self.areas!r}")
        object.__setattr__(self, "areas", tuple(integer("areas", size, minimum=1) for size in self.areas))
        if sum(self.areas) != self.n_units:
            raise ValueError(f"areas: expected sizes that sum to n_units={self.n_units}, got {self.areas}")
        if self.area_density is not None:
            if self.density != 1.0:
                raise ValueError("area_density: expected no density beside it, got both; drop one of them")
            densities = _array("area_density", self.area_density, ("area_pre", "area_post"), float)
            if densities.shape != (len(self.areas),) * 2 or not ((densities >= 0) & (densities <= 1)).all():
                raise ValueError(
                    f"area_density: expected shape {(len(self.areas),) * 2} with values in [0, 1], "
                    f"got shape {densities.shape}, values {self.area_density}"
                )
            object.__setattr__(self, "area_density", _frozen(densities))

    def _check_mask(self) -> None:
        if self.mask is None:
            return
        if self.density != 1.0 or self.areas is not None:
            raise ValueError("mask: expected no density and no areas beside a given mask; drop one of them")
        mask = _array("mask", self.mask, ("unit_pre", "unit_post"), None)
        if mask.shape != (self.n_units,) * 2:
            raise ValueError(f"mask: expected shape {(self.n_units,) * 2}, got {mask.shape}")
        if not np.isin(mask, (0, 1)).all():
            raise ValueError("mask: expected only true and false (1 and 0), got other values")
        object.__setattr__(self, "mask", _frozen(mask.astype(bool)))

    @cached_property
    def sign(self) -> NDArray[np.int8]:
        """(unit_pre,) sign of a unit's outgoing weights: +1 excitatory, -1 inhibitory, 0 unconstrained."""
        if self.excitatory_fraction is None:
            return _frozen(np.zeros(self.n_units, np.int8))
        blocks = []
        for size in self.areas or (self.n_units,):
            n_excitatory = int(np.floor(self.excitatory_fraction * size + 0.5))
            blocks.append(np.where(np.arange(size) < n_excitatory, 1, -1).astype(np.int8))
        return _frozen(np.concatenate(blocks))

    @cached_property
    def cell_type(self) -> NDArray[np.str_]:
        """(unit,) ``excitatory``, ``inhibitory`` or ``unconstrained``."""
        return _frozen(np.array(["unconstrained", "excitatory", "inhibitory"])[self.sign])

    @cached_property
    def recurrent(self) -> Pathway:
        """Recurrent weights, (unit_pre, unit_post)."""
        weights = initial_weights.recurrent_weights(
            self._rng("recurrent weights"), self.initial_rule, self.recurrent_mask, self.sign, self.spectral_radius
        )
        return Pathway(self.recurrent_mask, self.sign, weights)

    @property
    def initial_rule(self) -> InitialRule:
        """Rule by which the initial recurrent weights are drawn."""
        return self.initial or ("orthogonal" if self.excitatory_fraction is None else "gamma")

    @cached_property
    def recurrent_mask(self) -> NDArray[np.bool_]:
        """(unit_pre, unit_post) synapses that may exist."""
        allowed = np.ones((self.n_units,) * 2, bool)
        if self.mask is not None:
            allowed = np.array(self.mask)
        if not self.autapses:
            np.fill_diagonal(allowed, False)
        if self.mask is not None:
            return _frozen(allowed)
        sizes = self.areas or (self.n_units,)
        area = np.repeat(np.arange(len(sizes)), sizes)
        if self.long_range == "excitatory":
            allowed &= (area[:, np.newaxis] == area) | (self.sign > 0)[:, np.newaxis]
        densities = np.full((len(sizes),) * 2, self.density) if self.area_density is None else self.area_density
        rng, draw = self._rng("recurrent mask"), masks.RULES[self.mask_rule]
        mask = np.zeros_like(allowed)
        for (pre, post), density in np.ndenumerate(densities):
            block = np.ix_(area == pre, area == post)
            mask[block] = draw(rng, allowed[block], density)
        return _frozen(mask)

    def input(self, n_channels: int) -> Pathway:
        """Weights from inputs to units, (input_channel, unit)."""
        n_channels = integer("n_channels", n_channels, minimum=1)
        allowed = np.ones((n_channels, self.n_units), bool)
        mask = masks.erdos_renyi(self._rng("input mask"), allowed, self.input_density)
        sign = np.full(n_channels, 1 if self.input_sign == "non_negative" else 0, np.int8)
        return Pathway(mask, sign, initial_weights.feedforward_weights(self._rng("input weights"), mask, sign))

    def readout(self, n_channels: int) -> Pathway:
        """Weights from units to outputs, (unit, output_channel)."""
        n_channels = integer("n_channels", n_channels, minimum=1)
        seen = self.sign > 0 if self.readout_from == "excitatory" else np.ones(self.n_units, bool)
        mask = np.repeat(seen[:, np.newaxis], n_channels, axis=1)
        signs = {"free": np.zeros_like(self.sign), "non_negative": np.ones_like(self.sign), "dale": self.sign.copy()}
        sign = signs[self.readout_sign]
        return Pathway(mask, sign, initial_weights.feedforward_weights(self._rng("readout weights"), mask, sign))

    def get_config(self) -> dict[str, Any]:
        """Return the settings as plain Python values, from which `from_config` builds an equal connectivity."""
        config = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: _plain(value) for name, value in config.items()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Connectivity:
        """Build a connectivity from what `get_config` returned."""
        return cls(**config)

    def biases(self, deviation: float) -> NDArray[np.float64]:
        """Draw initial biases of the units, Gaussian; for a seed they are the same whatever the wiring."""
        return deviation * self._rng("biases").standard_normal(self.n_units)

    def _rng(self, stream: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(stream.encode())])


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


def _array(name: str, value: Any, dims: tuple[str, str], dtype: type | None) -> NDArray[Any]:
    """Copy a matrix: the caller's own stays writable. A labelled one is read by its labels, not by their order."""
    if hasattr(value, "columns") or not isinstance(getattr(value, "dims", ()), tuple):  # of pandas; an xarray.Dataset
        raise TypeError(f"{name}: expected an array or a DataArray, got {type(value).__name__}; say which dim is which")
    if hasattr(value, "dims"):
        value = _by_labels(name, value, dims)
    try:
        return np.array(value, dtype)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected a rectangular array of numbers, got {value!r}") from None


def _by_labels(name: str, array: Any, dims: tuple[str, str]) -> Any:
    """Order a DataArray as `dims`, and what is numbered from 0 along them by its number."""
    if set(array.dims) != set(dims):
        raise ValueError(f"{name}: expected the dims {dims}, got {array.dims}; rename them with .rename(...)")
    labels = [array.indexes[dim] for dim in dims if dim in array.indexes]
    numbered = [index.name for index in labels if set(index) == set(range(len(index)))]
    if len(numbered) < len(labels) == 2 and not labels[0].equals(labels[1]):
        raise ValueError(
            f"{name}: expected the same labels along {dims[0]} and {dims[1]}, in the same order; got others"
        )
    return array.sortby(numbered).transpose(*dims)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple) else value


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name}: expected one of {choices}, got {value!r}")
