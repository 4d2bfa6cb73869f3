"""Cell types and the sign that each gives the outgoing weights of a unit."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity.labels import given_array

#: Name of each sign: that of sign 1 is at 1, that of sign -1 last.
NAMES = np.array(["unconstrained", "excitatory", "inhibitory"])
_SIGN = {NAMES[sign].item(): sign for sign in (1, -1, 0)} | {sign: sign for sign in (1, -1, 0)}


def signs(cell_type: ArrayLike, unit_names: NDArray[Any]) -> NDArray[np.int8]:
    """Return the sign (unit,) of each unit, from a name or a sign for each."""
    types = given_array("cell_type", cell_type, {"unit": unit_names}, object)
    if types.shape != unit_names.shape:
        raise ValueError(f"cell_type: expected shape {unit_names.shape}, got {types.shape}")
    for one, unit in zip(types.tolist(), unit_names.tolist(), strict=True):
        if not isinstance(one, str | Real) or isinstance(one, bool) or one not in _SIGN:
            expected = ", ".join(map(repr, _SIGN))
            raise ValueError(f"cell_type: expected one of {expected} for each unit, got {one!r} for unit {unit!r}")
    return np.array([_SIGN[one] for one in types], np.int8)


def excitatory_first(fraction: float, sizes: Sequence[int]) -> NDArray[np.int8]:
    """Return signs (unit,) with this share of excitatory units, which come first, in each area of these sizes."""
    counts = [(size, int(np.floor(fraction * size + 0.5))) for size in sizes]
    return np.concatenate([np.where(np.arange(size) < first, 1, -1).astype(np.int8) for size, first in counts])
