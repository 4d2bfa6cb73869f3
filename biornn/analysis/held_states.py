"""Which memory state each sample of an activity holds."""

from __future__ import annotations

from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.same_labels import same_labels
from biornn.schema import text


class StatesNotHeld(ValueError):
    """The trials do not hold every memory state, so that what needs all of them cannot be computed."""


def held_states(
    rates: xr.DataArray, memory_state: xr.DataArray, response_window: xr.DataArray | None = None
) -> tuple[NDArray[np.intp], list[str]]:
    """Find the state that each sample holds: among all 2**n of n bits, or among the names that there are.

    Returns the position of the state of each sample, (trial, time), -1 where the sample does not count; and the names
    of the states, ``+`` before ``-``, the last bit changing fastest, or sorted. Raises `StatesNotHeld` if a state of
    bits has no sample, or no state has.
    """
    held = _held(rates, memory_state, response_window)
    labels = [name for name in np.unique(held.values).tolist() if name]
    if are_bits(labels):
        labels = ["".join(signs) for signs in product("+-", repeat=len(labels[0]))]
    index = np.where(held.values == "", -1, np.searchsorted(labels, held.values))
    if missing := [label for number, label in enumerate(labels) if not (index == number).any()]:
        raise StatesNotHeld(
            f"memory_state: expected samples of all {len(labels)} states, found none of {missing[0]}; "
            "take the task's probe, or more trials"
        )
    return index, labels


def _held(rates: xr.DataArray, memory_state: xr.DataArray, response_window: xr.DataArray | None) -> xr.DataArray:
    """Name the state that is held at each (trial, time); no text where a sample does not count."""
    require_dims(rates, "rates", ["trial", "time"])
    require_dims(memory_state, "memory_state", ["trial", "time"])
    arrays = [rates, text(memory_state)]
    if response_window is not None:
        require_dims(response_window, "response_window", ["trial", "time", "output_channel"])
        arrays.append(response_window.astype(bool))
    aligned = same_labels("memory_state", "the trials and times of rates", *arrays, source="trials")
    states = aligned[1].transpose("trial", "time")
    names = np.unique(states.values).tolist()
    unset = [name for name in names if not name or ("0" in name and are_bits(names))]
    counts = ~states.isin(unset)
    if len(aligned) > 2:
        counts &= ~aligned[2].any("output_channel").transpose("trial", "time")
    if not counts.any():
        raise StatesNotHeld(
            "memory_state: expected samples at which every bit is set, got none; take the task's probe, or more trials"
        )
    return states.where(counts, "")


def are_bits(names: list[str]) -> bool:
    """Whether all names of states are signs of bits, such as ``+-0``."""
    return set().union(*names) <= set("+-0")
