"""Topologies by their names and settings, as an experiment gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biornn.connectivity.small_world import check_small_world, draw_small_world

#: Settings of each topology, with their defaults; None: there is none.
_SETTINGS: Mapping[str, Mapping[str, Any]] = {"small_world": {"k": None, "p": None, "directed": True}}


def check_topology(topology: Any, n_units: int) -> dict[str, dict[str, Any]]:
    """Return a topology, such as ``{"small_world": {"k": 10, "p": 0.1}}``, with its defaults, or raise an error."""
    known = ", ".join(_SETTINGS)
    if not isinstance(topology, Mapping) or len(topology) != 1 or not set(topology) <= set(_SETTINGS):
        raise ValueError(f"topology: expected one of {known}, with its settings, got {topology!r}")
    ((name, given),) = topology.items()
    settings = dict(_SETTINGS[name])
    if not isinstance(given, Mapping) or not set(given) <= set(settings):
        raise ValueError(f"topology.{name}: expected the settings {', '.join(settings)}, got {given!r}")
    settings |= given
    settings["k"] = check_small_world(f"topology.{name}.", n_units, **settings)
    return {name: settings}


def draw_topology(
    rng: np.random.Generator, topology: Mapping[str, Mapping[str, Any]], n_units: int
) -> NDArray[np.bool_]:
    """Draw the mask (unit_pre, unit_post) of a topology that has been checked."""
    return draw_small_world(rng, n_units, **topology["small_world"])
