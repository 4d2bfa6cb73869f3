"""The wiring of a network as data: signs, masks, and initial weights that already keep to them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity import cell_types, initial_weights, masks, rewiring
from biornn.connectivity.areas import check_area_density, check_areas
from biornn.connectivity.given_weights import check_given, scaled_given
from biornn.connectivity.initial_weights import InitialRule
from biornn.connectivity.labels import given_array, name_units, truth_values
from biornn.connectivity.masks import MaskRule
from biornn.connectivity.pathway import Pathway
from biornn.connectivity.positions import AXES, check_positions
from biornn.connectivity.topology import check_topology, draw_topology
from biornn.scalars import check_number, integer

ReadoutSign = Literal["free", "non_negative", "dale"]


@dataclass(frozen=True, eq=False)
class Connectivity:
    """What the wiring of a network may be, and its initial weights. Frozen, self-checking, reproducible from its seed.

    What is not drawn can be given: `cell_type`, `mask`, `initial` and `trainable`, for each unit or synapse. A
    DataArray is read by its labels, of `unit` or of `unit_pre` and `unit_post`, in any order; they must be those of
    `unit_names`. In another array the units are in order, presynaptic ones along rows.

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
        (unit_pre, unit_post) boolean, given instead of a random one.
    topology
        Of a random mask, in place of a density: ``{"small_world": {"k": 10, "p": 0.1}}``, directed unless it has
        ``"directed": False`` (see `biornn.connectivity.small_world`), or ``{"distance": {"lambda": 50.0}}``: a synapse
        exists with probability exp(−d/λ), at a distance d of the `positions` and with λ in their unit.
    positions
        (unit, axis) where units are, in one to three dimensions, whose labels are x, y and z.
    rewired
        Whether the given mask is rewired at random, by the seed: the degrees of every unit are kept, for each cell type
        of its partners, and so are its autapses (see `biornn.connectivity.rewired`). `initial` and `trainable` move
        with the synapses, each to a new target of the same unit and cell type; the attributes keep what was given.
    areas
        Number of units of each area; they sum to `n_units`. `excitatory_fraction` holds in each.
    area_density
        (area_pre, area_post) densities, in place of `density`; labelled or not.
    long_range
        Which units project to other areas: ``"all"`` or ``"excitatory"``.
    initial
        Rule for the initial recurrent weights: ``"orthogonal"`` or ``"gaussian"`` without Dale's law, ``"gamma"`` or
        ``"half_normal"`` with it. None chooses ``"orthogonal"`` and ``"gamma"``. Or the **effective** weights
        themselves, (unit_pre, unit_post), in Keras's orientation ``rates @ weights``; they must keep to mask and signs.
        A weight of zero at a synapse of the mask is learned like others.
    spectral_radius
        Spectral radius of the initial **effective** matrix, after sign and mask (for ``"gaussian"`` the gain g). None:
        1 for weights that are drawn, while given ones stay as they are; a number scales these, too.
    input_density
        Probability that an input weight exists.
    input_sign
        ``"free"`` or ``"non_negative"``.
    readout_from
        Which units the readout sees: ``"all"`` or ``"excitatory"``.
    readout_sign
        ``"free"``, ``"non_negative"``, or ``"dale"`` (the sign of the unit).
    cell_type
        (unit,) in place of `excitatory_fraction`, in any order: ``"excitatory"``, ``"inhibitory"`` and
        ``"unconstrained"``, or the signs 1, -1 and 0. The attribute has the names, also where they are not given.
    trainable
        (unit_pre, unit_post) boolean: which recurrent weights training may change. The others keep their initial
        values, to the bit. None: all.
    unit_names
        (unit,) a text or an integer for each unit, by which units are labelled in what is recorded, and called in
        messages. None: those of the first labelled array that is given, otherwise 0, 1, 2, …

    Raises
    ------
    ValueError, TypeError
        If a setting is impossible, or settings contradict one another; the message names them, what was expected and
        what came, and of arrays the first unit or synapse.

    Examples
    --------
    >>> import biornn as bn
    >>> wiring = bn.Connectivity(100, excitatory_fraction=0.8, density=0.5, autapses=False, seed=1)
    >>> wiring.recurrent.mask.diagonal().any()
    np.False_
    >>> wiring.cell_type[:2], wiring.cell_type[-1]
    (array(['excitatory', 'excitatory'], dtype='<U13'), np.str_('inhibitory'))

    A circuit of one's own, of which the inhibitory synapse is plastic:

    >>> weights = [[0.0, 0.5], [-0.4, 0.0]]
    >>> circuit = bn.Connectivity(
    ...     2, cell_type=[1, -1], initial=weights, trainable=[[0, 0], [1, 0]]
    ... )
    >>> circuit.recurrent.initial_weights.tolist()
    [[0.0, 0.5], [-0.4, 0.0]]
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
    initial: InitialRule | ArrayLike | None = None
    spectral_radius: float | None = None
    input_density: float = 1.0
    input_sign: Literal["free", "non_negative"] = "free"
    readout_from: Literal["all", "excitatory"] = "all"
    readout_sign: ReadoutSign = "free"
    cell_type: Any = None  # these three are arrays once they are checked
    trainable: Any = None
    unit_names: Any = None
    topology: Mapping[str, Mapping[str, Any]] | None = None
    rewired: bool = False
    positions: Any = None

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
        is_given = hasattr(self.initial, "__len__") and not isinstance(self.initial, str)
        if self.spectral_radius is not None:
            check_number("spectral_radius", self.spectral_radius, "a positive number", above=0)
        elif not is_given:
            object.__setattr__(self, "spectral_radius", 1.0)
        _check_choice("mask_rule", self.mask_rule, get_args(MaskRule))
        _check_choice("long_range", self.long_range, ("all", "excitatory"))
        _check_choice("input_sign", self.input_sign, ("free", "non_negative"))
        _check_choice("readout_from", self.readout_from, ("all", "excitatory"))
        _check_choice("readout_sign", self.readout_sign, get_args(ReadoutSign))
        self._check_areas()
        given = {name: getattr(self, name) for name in ("cell_type", "mask", "initial", "trainable", "positions")}
        object.__setattr__(self, "unit_names", _frozen(name_units(self.unit_names, self.n_units, given)))
        self._check_cell_types()
        if self.positions is not None:
            object.__setattr__(self, "positions", _frozen(check_positions(self.positions, self.unit_names)))
        self._check_mask()
        if is_given:
            self._check_given_weights()
        elif self.initial is not None:
            initial_weights.check_rule(self.initial, bool(self.sign.any()))

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

    def _check_given_weights(self) -> None:
        weights = self._synapses("initial", float)
        check_given(weights, self._mask_before_rewiring, self.sign, self.unit_names, bool(self.autapses))
        object.__setattr__(self, "initial", _frozen(weights))

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

    def _check_mask(self) -> None:
        for name in ("mask", "topology"):
            if getattr(self, name) is not None and (self.density != 1.0 or self.areas is not None):
                raise ValueError(f"{name}: expected no density and no areas beside it, got some; drop one of them")
        if self.topology is not None:
            if self.mask is not None:
                raise ValueError("topology: expected no mask beside it, got both; drop one of them")
            object.__setattr__(self, "topology", check_topology(self.topology, self.n_units, self.positions))
        for name in ("mask", "trainable"):
            if getattr(self, name) is not None:
                values = truth_values(name, self._synapses(name, None), self._synapse_labels)
                object.__setattr__(self, name, _frozen(values))
        if self.rewired:
            if self.mask is None:
                raise ValueError("rewired: expected a mask with it, got none; set mask to the one to rewire")
            rewiring.check_can_rewire("rewired", self._mask_before_rewiring, self.sign)

    def _synapses(self, name: str, dtype: type | None) -> NDArray[Any]:
        """Copy a given array, (unit_pre, unit_post)."""
        values = given_array(name, getattr(self, name), self._synapse_labels, dtype)
        if values.shape != (self.n_units,) * 2:
            raise ValueError(f"{name}: expected shape {(self.n_units,) * 2}, got {values.shape}")
        return values

    @property
    def _synapse_labels(self) -> dict[str, NDArray[Any]]:
        return dict.fromkeys(("unit_pre", "unit_post"), self.unit_names)

    def _drawn_sign(self) -> NDArray[np.int8]:
        """Return the sign of each unit if no types are given."""
        if self.excitatory_fraction is None:
            return np.zeros(self.n_units, np.int8)
        return cell_types.excitatory_first(self.excitatory_fraction, self.areas or (self.n_units,))

    @cached_property
    def sign(self) -> NDArray[np.int8]:
        """(unit_pre,) sign of a unit's outgoing weights: +1 excitatory, -1 inhibitory, 0 unconstrained."""
        return _frozen(cell_types.signs(self.cell_type, self.unit_names))

    @cached_property
    def recurrent(self) -> Pathway:
        """Recurrent weights, (unit_pre, unit_post)."""
        rule, radius = self.initial_rule, self.spectral_radius
        if rule is None or radius is None:
            weights = scaled_given(self._moved(np.asarray(self.initial)), radius)
        else:
            rng = self._rng("recurrent weights")
            weights = initial_weights.recurrent_weights(rng, rule, self.recurrent_mask, self.sign, radius)
        return Pathway(self.recurrent_mask, self.sign, weights, self.recurrent_trainable)

    @property
    def axis_names(self) -> NDArray[Any]:
        """(axis,) labels of the axes of `positions`."""
        return AXES[: 0 if self.positions is None else self.positions.shape[1]]

    @property
    def initial_rule(self) -> InitialRule | None:
        """Rule by which the initial recurrent weights are drawn; None if they are given."""
        if isinstance(self.initial, np.ndarray):
            return None
        default: InitialRule = "gamma" if self.sign.any() else "orthogonal"
        return self.initial or default  # type: ignore[return-value]

    @cached_property
    def recurrent_mask(self) -> NDArray[np.bool_]:
        """(unit_pre, unit_post) synapses that may exist."""
        return _frozen(self._moved(self._mask_before_rewiring))

    @cached_property
    def recurrent_trainable(self) -> NDArray[np.bool_] | None:
        """(unit_pre, unit_post) synapses that training may change, if they exist; None: all."""
        return None if self.trainable is None else _frozen(self._moved(self.trainable))

    @cached_property
    def _mask_before_rewiring(self) -> NDArray[np.bool_]:
        allowed = np.ones((self.n_units,) * 2, bool) if self.mask is None else np.array(self.mask)
        if not self.autapses:
            np.fill_diagonal(allowed, False)
        if self.mask is not None:
            return allowed
        if self.topology is not None:
            return draw_topology(self._rng("recurrent mask"), self.topology, allowed, self.positions)
        sizes = self.areas or (self.n_units,)
        area = np.repeat(np.arange(len(sizes)), sizes)
        if self.long_range == "excitatory":
            allowed &= (area[:, np.newaxis] == area) | (self.sign > 0)[:, np.newaxis]
        densities = np.full((len(sizes),) * 2, self.density) if self.area_density is None else self.area_density
        return masks.by_area(self._rng("recurrent mask"), self.mask_rule, allowed, area, densities)

    @cached_property
    def _moved_from(self) -> NDArray[np.intp]:
        """(unit_pre, unit_post) the old column of each synapse of a rewired mask."""
        rng, old = self._rng("rewiring"), self._mask_before_rewiring
        return rewiring.moved_from(rng, old, rewiring.rewire(rng, old, self.sign), self.sign)

    def _moved(self, values: NDArray[Any]) -> NDArray[Any]:
        """Move values (unit_pre, unit_post) with the synapses of a rewired mask."""
        return np.take_along_axis(values, self._moved_from, axis=1) if self.rewired else values.copy()

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
        if (self.sign == self._drawn_sign()).all():
            config["cell_type"] = None
        if self.unit_names.tolist() == list(range(self.n_units)):
            config["unit_names"] = None
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


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name}: expected one of {choices}, got {value!r}")
