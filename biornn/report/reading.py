"""A run as its report reads it: its results, and the measures by which its conditions are compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import xarray as xr

from biornn import analysis
from biornn.report.measures import MEASURES, Family, Measure
from biornn.report.results import Results
from biornn.schema import FACTOR, text


@dataclass(frozen=True)
class Reading(Results):
    """Results of a run, and its measures; each property is computed once, when it is first asked for."""

    @cached_property
    def measures(self) -> xr.Dataset:
        """Those of `MEASURES` that the run has, dim `network`; NaN where a network was not trained or has none."""
        asked = {measure.name: measure.compute(self) for measure in MEASURES if self.has(*measure.requires)}
        found = {name: values for name, values in asked.items() if values is not None}
        bare = {
            name: values.drop_vars([c for c in values.coords if values[c].dims != ("network",)])
            for name, values in found.items()
        }
        return xr.Dataset({name: values.astype(float).where(self.trained) for name, values in bare.items()})

    @cached_property
    def entries(self) -> tuple[Measure, ...]:
        """The entries of `measures`, in the order of tables."""
        return tuple(measure for measure in MEASURES if measure.name in self.measures)

    @cached_property
    def labels(self) -> dict[str, str]:
        """What the measures are called that the run can have; none is computed for it."""
        asked = (measure for measure in MEASURES if self.has(*measure.requires))
        return {measure.name: measure.heading.format(score=self.score_name) for measure in asked}

    @cached_property
    def families(self) -> tuple[tuple[str, xr.Dataset, tuple[str, ...]], ...]:
        """Each family of the measures of the run, and the conditions that cannot have it.

        Gated networks are left out where they have no such measure: they did not fail.
        """
        found = []
        for family in dict.fromkeys(measure.family for measure in self.entries):
            members = [one for one in self.entries if one.family == family]
            needed = {one.made_from for one in members}
            kept = self.has_weights if "network" in needed else xr.ones_like(self.gated)
            kept = ~self.gated if needed & {"currents", "weights"} else kept
            there = set(self.condition.values[kept.values].tolist())
            without = tuple(condition for condition in self.conditions if condition not in there)
            measures = self.measures[[one.name for one in members]].isel(network=np.flatnonzero(kept))
            found.append((family, measures, without))
        return tuple(found)

    @cached_property
    def is_paired(self) -> bool:
        """Whether there are conditions to compare, whose seeds are known and distinct."""
        seeds = self.history["seed"].values
        rows = set(zip(self.condition.values.tolist(), seeds.tolist(), strict=True))
        return len(self.conditions) > 1 and bool((seeds >= 0).all()) and len(rows) == len(seeds)

    @cached_property
    def is_factorial(self) -> bool:
        """Whether conditions are all combinations of the levels of two factors or more."""
        n_levels = [len(np.unique(text(self.history[FACTOR + name]).values)) for name in self.factors]
        return self.is_paired and sum(n > 1 for n in n_levels) > 1 and prod(n_levels) == len(self.conditions)

    @cached_property
    def differences(self) -> tuple[Family, ...]:
        """Paired differences from the reference; none where networks cannot be paired by seed."""
        return tuple(
            Family(name, analysis.compare(measures, self.reference), without)
            for name, measures, without in (self.families if self.is_paired else ())
            if self.reference not in without and len(without) < len(self.conditions) - 1
        )

    @cached_property
    def effects(self) -> tuple[Family, ...]:
        """Effects of the factors; none where the design does not cross some."""
        return tuple(
            Family(name, analysis.factorial_effects(measures, factors=self.factors), without)
            for name, measures, without in (self.families if self.is_factorial else ())
            if not without
        )
