"""What a task says of a choice between two that depends on how strong or how large something is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.schema import text


class Graded(NamedTuple):
    """A graded stimulus, and the choice that is the more frequent the larger it is: a psychometric curve.

    Attributes
    ----------
    stimulus
        Coordinate on `trial` that says how large it is; NaN in trials without it.
    positive
        The choice, such as ``"right"``.
    label, units
        What the stimulus is called, and its units.
    among
        Coordinate on `trial` -> its value in the trials that count, such as ``{"context": "motion"}``.
    boundary
        Value at which neither choice is the right one.
    ideal
        Takes values of the stimulus, and gives the share of trials in which an ideal observer of the inputs makes this
        choice; None: not known.
    """

    stimulus: str
    positive: str
    label: str
    units: str = "1"
    among: Mapping[str, str] = MappingProxyType({})
    boundary: float = 0.0
    ideal: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None

    def counted(self, trials: xr.Dataset) -> xr.DataArray:
        """Give the stimulus in each trial, with its units; NaN in trials that do not count."""
        found = trials[self.stimulus].astype(float)
        for name, value in self.among.items():
            found = found.where(text(trials[name]) == value)
        return found.assign_attrs(units=self.units, long_name=self.label)
