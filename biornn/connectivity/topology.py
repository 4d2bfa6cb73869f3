"""Topologies by their names and settings, as an experiment gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biornn.connectivity.masks import erdos_renyi
from biornn.connectivity.positions import check_length, connection_probability
from biornn.connectivity.small_world import check_small_world, draw_small_world

#: Settings of each topology, with their defaults; None: there is none.
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "small_world": {"k": None, "p": None, "directed": True},
    "distance": {"lambda": None},
}


def check_topology(topology: Any, n_units: int, positions: NDArray[Any] | None) -> dict[str, dict[str, Any]]:
    """Return a topology, such as ``{"small_world": {"k": 10, "p": 0.1}}``, with its defaults, or raise an error."""
    known = ", ".join(_SETTINGS)
    if not isinstance(topology, Mapping) or len(topology) != 1 or not set(topology) <= set(_SETTINGS):
        raise ValueError(f"topology: expected one of {known}, with its settings, got {topology!r}")
    ((name, given),) = topology.items()
    if not isinstance(given, Mapping) or not set(given) <= set(_SETTINGS[name]):
        raise ValueError(f"topology.{name}: expected the settings {', '.join(_SETTINGS[name])}, got {given!r}")
    settings = {**_SETTINGS[name], **given}
    if name == "small_world":
        settings["k"] = check_small_world("topology.small_world.", n_units, **settings)
    else:
        check_length("topology.distance.lambda", settings["lambda"])
        if positions is None:
            raise ValueError(
                "topology.distance: expected positions beside it, got none; set positions to those of units"
            )
    return {name: settings}


def draw_topology(
    rng: np.random.Generator,
    topology: Mapping[str, Mapping[str, Any]],
    allowed: NDArray[np.bool_],
    positions: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Draw the mask (unit_pre, unit_post) of a topology that has been checked, of allowed synapses."""
    if "small_world" in topology:
        return allowed & draw_small_world(rng, len(allowed), **topology["small_world"])
    return erdos_renyi(rng, allowed, connection_probability(positions, topology["distance"]["lambda"]))
