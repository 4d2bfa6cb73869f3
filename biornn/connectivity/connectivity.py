"""The wiring of a network as data: signs, masks, and initial weights that already keep to them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biornn.connectivity import cell_types, initial_weights, masks, rewiring
from biornn.connectivity.ends import DIMS, KINDS, known_channels, of_channels
from biornn.connectivity.given_weights import check_given, scaled_given
from biornn.connectivity.initial_weights import InitialRule
from biornn.connectivity.pathway import Pathway
from biornn.connectivity.positions import AXES
from biornn.connectivity.settings import Settings
from biornn.connectivity.topology import draw_topology
from biornn.connectivity.type_density import as_matrix
from biornn.scalars import integer


class Connectivity(Settings):
    """What the wiring of a network may be, and its initial weights. Frozen, self-checking, reproducible from its seed.

    What is not drawn can be given, for each unit or weight. A DataArray is read by its labels, of `unit` or of
    `unit_pre` and `unit_post`, in any order; they must be those of `unit_names`. In another array the units are in
    order, presynaptic ones along rows. Channels are numbered from 0.

    Parameters
    ----------
    n_units
        Number of recurrent units, at least 1.
    excitatory_fraction
        Share of excitatory units in [0, 1]; the others are inhibitory, and every unit keeps to Dale's law.
        None: units are unconstrained. Excitatory units come first (within each area).
    density
        Probability, in [0, 1], that an allowed synapse exists. Or one for each pair of cell types, presynaptic one
        first: ``{"E": {"E": 0.1, "PV": 0.5}, "PV": {"E": 0.4, "PV": 0.2}}``, or a DataArray with labels along
        `cell_type_pre` and `cell_type_post`.
    autapses
        Whether a unit may connect to itself.
    seed
        Non-negative integer behind every random draw. Each draw has its own stream, so that two connectivities with
        one seed share whatever their settings leave in common.
    mask_rule
        ``"erdos_renyi"`` (each synapse independently) or ``"fixed_in_degree"`` (every unit receives equally many; with
        a density for each pair of cell types, from each type).
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
        Number of units of each area; they sum to `n_units`. Fractions of cell types hold in each.
    area_density
        (area_pre, area_post) densities, in place of `density`; labelled or not.
    long_range
        Which units project to other areas: ``"all"`` or ``"excitatory"``, those of any type with the sign 1.
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
        Which units the readout sees: ``"all"`` or ``"excitatory"``, those of any type with the sign 1.
    readout_sign
        ``"free"``, ``"non_negative"``, or ``"dale"`` (the sign of the unit).
    cell_type
        (unit,) in place of fractions, in any order: names of `cell_types`, or without these ``"excitatory"``,
        ``"inhibitory"`` and ``"unconstrained"``, or the signs 1, -1 and 0. The attribute has the names, also where they
        are not given.
    trainable
        (unit_pre, unit_post) boolean: which recurrent weights training may change. The others keep their initial
        values, to the bit. None: all.
    unit_names
        (unit,) a text or an integer for each unit, by which units are labelled in what is recorded, and called in
        messages. None: those of the first labelled array that is given, otherwise 0, 1, 2, …
    cell_types
        A table of cell types, in place of `excitatory_fraction`: their names, with for each its ``sign`` (1, -1, or 0
        for weights of either), the ``fraction`` of the units that are of it, and, where the layer has no `tau`, its
        time constant ``tau`` in ms. Fractions sum to 1; units come type by type in the order of the table (within each
        area), as many as the largest remainders of fraction × units say. Beside `cell_type` fractions may be left out;
        if not, they must be those of its units. None: excitatory, inhibitory and unconstrained units, with the signs 1,
        -1 and 0.
    input_mask
        Which units receive input: (unit,) boolean, or (input_channel, unit) of each channel, in place of
        `input_density`.
    input_weights
        (input_channel, unit) initial input weights, in place of random ones. They must keep to mask and sign.
    input_trainable
        Which input weights training may change, as `input_mask`; False: none. Without given weights the others keep
        their random ones, to the bit. None: all.
    readout_mask, readout_weights, readout_trainable
        The same of the weights from units to outputs, (unit,) or (unit, output_channel); the mask in place of
        `readout_from`.

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

    Cell types of one's own, and how densely each connects to each:

    >>> types = {
    ...     "E": {"sign": 1, "fraction": 0.8, "tau": 20},
    ...     "PV": {"sign": -1, "fraction": 0.2, "tau": 10},
    ... }
    >>> density = {"E": {"E": 0.1, "PV": 0.5}, "PV": {"E": 0.4, "PV": 0.3}}
    >>> wiring = bn.Connectivity(200, cell_types=types, density=density, seed=1)
    >>> onto_pv = wiring.recurrent.mask[:, wiring.cell_type == "PV"]
    >>> float(onto_pv[wiring.cell_type == "E"].mean().round(2))
    0.51
    """

    def __post_init__(self) -> None:
        """Check the settings, then what is given against the mask and the signs that follow from them."""
        super().__post_init__()
        if self.rewired:
            rewiring.check_can_rewire("rewired", self._mask_before_rewiring, self.group)
        if self.initial_rule is None:
            allowed, labels = self._mask_before_rewiring, self._labels("recurrent")
            weights = np.asarray(self.initial)
            check_given("initial", weights, allowed, self.sign, labels, autapses=bool(self.autapses))
        for end, pathway in (("input", self.input), ("readout", self.readout)):
            if n_channels := known_channels(end, {kind: getattr(self, f"{end}_{kind}") for kind in KINDS}):
                pathway(n_channels)

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
        if self._has_given_weights:
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
        group, densities = area, self.area_density
        if isinstance(self.density, Mapping):
            group, densities = self.group, as_matrix(self.density, cell_types.in_groups(self.types))
        elif densities is None:
            densities = np.full((len(sizes),) * 2, self.density)
        return masks.by_group(self._rng("recurrent mask"), self.mask_rule, allowed, group, densities)

    @cached_property
    def _moved_from(self) -> NDArray[np.intp]:
        """(unit_pre, unit_post) the old column of each synapse of a rewired mask."""
        rng, old = self._rng("rewiring"), self._mask_before_rewiring
        return rewiring.moved_from(rng, old, rewiring.rewire(rng, old, self.group), self.group)

    def _moved(self, values: NDArray[Any]) -> NDArray[Any]:
        """Move values (unit_pre, unit_post) with the synapses of a rewired mask."""
        return np.take_along_axis(values, self._moved_from, axis=1) if self.rewired else values.copy()

    def input(self, n_channels: int) -> Pathway:
        """Weights from inputs to units, (input_channel, unit)."""
        n_channels = integer("n_channels", n_channels, minimum=1)
        mask = self._of_channels("input_mask", n_channels)
        if mask is None:
            allowed = np.ones((n_channels, self.n_units), bool)
            mask = masks.erdos_renyi(self._rng("input mask"), allowed, self.input_density)
        sign = np.full(n_channels, 1 if self.input_sign == "non_negative" else 0, np.int8)
        return self._end("input", mask, sign, law="input_sign")

    def readout(self, n_channels: int) -> Pathway:
        """Weights from units to outputs, (unit, output_channel)."""
        n_channels = integer("n_channels", n_channels, minimum=1)
        mask = self._of_channels("readout_mask", n_channels)
        if mask is None:
            seen = self.sign > 0 if self.readout_from == "excitatory" else np.ones(self.n_units, bool)
            mask = np.repeat(seen[:, np.newaxis], n_channels, axis=1)
        signs = {"free": np.zeros_like(self.sign), "non_negative": np.ones_like(self.sign), "dale": self.sign.copy()}
        law = "cell_type" if self.readout_sign == "dale" else "readout_sign"
        return self._end("readout", mask, signs[self.readout_sign], law)

    def _of_channels(self, name: str, n_channels: int) -> NDArray[Any] | None:
        value = getattr(self, name)
        return None if value is None else of_channels(name, value, DIMS[name.split("_")[0]], n_channels, self.n_units)

    def _end(self, end: str, mask: NDArray[np.bool_], sign: NDArray[np.int8], law: str) -> Pathway:
        n_channels = mask.shape[DIMS[end].index("unit") - 1]
        weights = self._of_channels(f"{end}_weights", n_channels)
        if weights is None:
            weights = initial_weights.feedforward_weights(self._rng(f"{end} weights"), mask, sign)
        else:
            check_given(f"{end}_weights", weights, mask, sign, self._labels(end, n_channels), law)
        return Pathway(mask, sign, weights, self._of_channels(f"{end}_trainable", n_channels))

    def get_config(self) -> dict[str, Any]:
        """Return the settings as plain Python values, from which `from_config` builds an equal connectivity."""
        config = {field.name: getattr(self, field.name) for field in fields(self)}
        if (drawn := self._drawn_types()) is not None and (self.cell_type == drawn).all():
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
