"""Random masks: which of the allowed synapses exist."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

MaskRule = Literal["erdos_renyi", "fixed_in_degree"]


def erdos_renyi(
    rng: np.random.Generator, allowed: NDArray[np.bool_], density: float | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Let each allowed synapse exist independently with probability `density`, one or of each (Erdős & Rényi 1959).

    The draw for a synapse does not depend on `allowed`, so that masks with and without autapses match elsewhere.
    """
    return allowed & (rng.random(allowed.shape) < density)


def fixed_in_degree(rng: np.random.Generator, allowed: NDArray[np.bool_], density: float) -> NDArray[np.bool_]:
    """Give each postsynaptic unit (column) the same share, `density`, of its allowed inputs, chosen at random."""
    keys = np.where(allowed, rng.random(allowed.shape), np.inf)
    rank = keys.argsort(axis=0).argsort(axis=0)
    in_degree = np.floor(density * allowed.sum(axis=0) + 0.5)
    return allowed & (rank < in_degree)


RULES = {"erdos_renyi": erdos_renyi, "fixed_in_degree": fixed_in_degree}


def by_group(
    rng: np.random.Generator,
    rule: MaskRule,
    allowed: NDArray[np.bool_],
    group: NDArray[np.integer],
    densities: ArrayLike,
) -> NDArray[np.bool_]:
    """Draw a mask (pre, post) block by block, with the densities (group_pre, group_post) of groups of units (unit,).

    Groups are areas, or cell types.
    """
    mask = np.zeros_like(allowed)
    for (pre, post), density in np.ndenumerate(densities):
        block = np.ix_(group == pre, group == post)
        mask[block] = RULES[rule](rng, allowed[block], density)
    return mask
