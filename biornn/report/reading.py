"""A run, and what several parts of its report ask of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import xarray as xr

from biornn import analysis
from biornn.analysis.held_states import StatesNotHeld
from biornn.report.measures import FAMILIES, NEED_WEIGHTS, OUTSIDE, Family
from biornn.report.network_table import describe_networks
from biornn.report.summary import criteria, summarise
from biornn.schema import FACTOR, GATED, is_trained, reference_condition, text

#: Held-out trials on which networks are run again: enough for two digits, and quick.
_N_TRIALS = 8
#: How often as many units are silenced anew.
_N_LESIONS = 3
#: Shuffles of each network's weights: the standard error of a large number of standard deviations is a fifth of it.
N_SHUFFLES = 12


@dataclass(frozen=True)
class Reading:
    """A run as its report reads it; each property is computed once, when it is first asked for."""

    run: xr.DataTree

    @cached_property
    def experiment(self) -> dict[str, Any]:
        """The recorded experiment."""
        experiment: dict[str, Any] = json.loads(self.run.attrs["experiment"])
        return experiment

    @cached_property
    def history(self) -> xr.Dataset:
        """The group `history`."""
        return self.run["history"].to_dataset()

    @cached_property
    def reference(self) -> str:
        """Condition that the others are compared with."""
        return reference_condition(self.conditions)

    @cached_property
    def factors(self) -> tuple[str, ...]:
        """Names of the crossed factors, in the order of the design; none where conditions were listed."""
        coords = [str(name).removeprefix(FACTOR) for name in self.history.coords if str(name).startswith(FACTOR)]
        order = list(self.experiment.get("factors") or ())
        return tuple(sorted(coords, key=lambda name: order.index(name) if name in order else len(order)))

    @cached_property
    def criteria(self) -> dict[str, float | None]:
        """Condition -> validation accuracy at which its training stopped; None where it never does."""
        return criteria(self.run)

    @cached_property
    def bulk(self) -> xr.Dataset:
        """Bulk radius and outliers of the recurrent weights of all networks before and after training."""
        weights = self.weights["recurrent_weights"].isel(snapshot=[0, -1])
        return analysis.bulk_and_outliers(weights, self.weights["cell_type"], eigenvalues=self.spectrum)

    @cached_property
    def weights(self) -> xr.Dataset:
        """The group `weights`."""
        return self.run["weights"].to_dataset()

    @cached_property
    def condition(self) -> xr.DataArray:
        """Condition of each network."""
        return text(self.history["condition"])

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions, in the order of the networks."""
        return tuple(dict.fromkeys(self.condition.values.tolist()))

    @cached_property
    def networks(self) -> tuple[str, ...]:
        """Names of all networks."""
        return tuple(text(self.history["network"]).values.tolist())

    @cached_property
    def status(self) -> xr.DataArray:
        """How the training of each network ended."""
        return text(self.history["status"])

    @cached_property
    def trained(self) -> xr.DataArray:
        """Whether each network holds results to compare."""
        return is_trained(self.history["status"])

    @cached_property
    def gated(self) -> xr.DataArray:
        """Whether each network is of a gated layer, whose recurrent weights are not recorded."""
        return text(self.weights["formulation"]).isin(GATED)

    @cached_property
    def shown(self) -> dict[str, str]:
        """Condition -> the network that stands for it in pictures: its first that was trained.

        A condition of which none was trained is left out.
        """
        kept = np.flatnonzero(self.trained)
        pairs = [(self.condition.values[index].item(), self.networks[index]) for index in kept]
        first = dict(reversed(pairs))
        return {condition: first[condition] for condition in dict.fromkeys(condition for condition, _ in pairs)}

    @cached_property
    def shown_ungated(self) -> list[str]:
        """Those networks of `shown` that have recurrent weights to show."""
        return [name for name in self.shown.values() if not self.gated.sel(network=name)]

    @cached_property
    def described(self) -> dict[str, dict[str, str]]:
        """What the networks of each condition are, and how they were trained."""
        return describe_networks(self.run)

    @cached_property
    def summary(self) -> xr.Dataset:
        """The numbers by which conditions are compared."""
        return summarise(self.run)

    @cached_property
    def violations(self) -> xr.Dataset:
        """Violated constraints, counted again from the weights."""
        return analysis.audit(self.run)

    @cached_property
    def n_violations(self) -> int:
        """Violated constraints of all kinds, networks and snapshots."""
        return int(self.summary["violations"].sum())

    @cached_property
    def checked(self) -> xr.DataArray:
        """Whether there were weights to check for violations, dims `network`, `snapshot`."""
        known = self.weights["recurrent_weights"].notnull().all(["unit_pre", "unit_post"])
        return known.transpose("network", "snapshot")

    @cached_property
    def constrained(self) -> dict[str, bool]:
        """Condition -> whether its constraints were checked in any network; conditions without a constraint left out.

        Where no network tells what was declared, a constraint may have been.
        """
        is_checked = self.checked.any("snapshot")
        return {
            condition: bool((is_checked & (self.condition == condition)).any())
            for condition in self.conditions
            if self.described[condition].get("constraints") != "none"
        }

    @cached_property
    def spectrum(self) -> xr.DataArray:
        """Eigenvalues of all networks before and after training, dims `network`, `snapshot`, `mode`."""
        return analysis.eigenspectrum(self.weights["recurrent_weights"].isel(snapshot=[0, -1]))

    @cached_property
    def cube(self) -> xr.Dataset | None:
        """How cubic the memory states are in the probe; None where it does not hold every state."""
        return self._of_states(analysis.memory_cube, "probe_")

    @cached_property
    def retention(self) -> xr.Dataset | None:
        """Whether memory states survive without input; None where the probe does not hold every state."""
        trials = self.run["probe_trials"].to_dataset().load()
        if not {"memory_state", "response_window"} <= set(trials.data_vars):
            return None
        try:
            return analysis.retention(self.weights, trials)
        except StatesNotHeld:
            return None

    @cached_property
    def input_noise(self) -> xr.Dataset:
        """Accuracy with more and more noise on the inputs."""
        return analysis.input_noise_robustness(self.weights, self.few_trials)

    @cached_property
    def recurrent_noise(self) -> xr.Dataset:
        """Accuracy with more and more noise in every unit."""
        return analysis.recurrent_noise_robustness(self.weights, self.few_trials)

    @cached_property
    def lesions(self) -> xr.Dataset:
        """Accuracy with more and more units silenced."""
        return analysis.lesion_robustness(self.weights, self.few_trials, n_repeats=_N_LESIONS)

    @cached_property
    def few_trials(self) -> xr.Dataset:
        """Held-out trials on which networks are run again."""
        return self.run["trials"].to_dataset().isel(trial=slice(_N_TRIALS)).load()

    @cached_property
    def balance(self) -> xr.Dataset:
        """Excitatory and inhibitory currents in the probe, and their balance."""
        return analysis.ei_balance(self.weights, self.run["probe_activity"].to_dataset()["rates"])

    @cached_property
    def selectivity(self) -> xr.Dataset | None:
        """What units tell of the bits in the held-out trials; None where the trials do not hold every state."""
        return self._of_states(analysis.selectivity, "")

    @cached_property
    def null(self) -> xr.DataArray:
        """How far statistics of each network are from those of its shuffled weights, in their standard deviations.

        Dims `statistic`, `network`, `snapshot`: before and after training.
        """
        weights = self.weights["recurrent_weights"].isel(snapshot=[0, -1])
        arrays = weights, self.weights["recurrent_mask"], self.weights["cell_type"]
        found = analysis.compare_with_null(_shuffled, *arrays, n_draws=N_SHUFFLES, seed=0, keep_balance=True)
        return found["z"]

    @cached_property
    def similarity(self) -> xr.DataArray | None:
        """Similarity (linear CKA) of the activity of every two trained networks in the probe; None below two."""
        kept = np.flatnonzero(self.trained)
        if kept.size < 2:
            return None
        return analysis.similarity(self.run["probe_activity"].to_dataset()["rates"].isel(network=kept))

    @cached_property
    def participation_ratio(self) -> xr.DataArray:
        """Dimensions of the activity in the held-out trials."""
        return analysis.participation_ratio(self.run["activity"].to_dataset()["rates"])

    @cached_property
    def measures(self) -> xr.Dataset:
        """The measures of `FAMILIES`, dim `network`.

        NaN where a network was not trained or, being gated, has no such measure. A measure that the run has no trials
        for is left out.
        """
        weights = self.weights["recurrent_weights"].isel(snapshot=-1)
        bulk = self.bulk.isel(snapshot=-1)
        measures = {
            "accuracy": self.summary["accuracy"],
            "accuracy_settled": self.summary["accuracy_settled"],
            "mse": self.summary["mse"],
            "spectral_radius": self.summary["spectral_radius_after"],
            "bulk_radius": bulk["bulk_radius"],
            "n_outliers": bulk["n_outliers"],
            "n_outside": analysis.n_outside(self.spectrum.isel(snapshot=-1), OUTSIDE),
            "nonnormality": analysis.nonnormality(weights, eigenvalues=self.spectrum.isel(snapshot=-1)),
            "singular_value_entropy": analysis.singular_value_entropy(weights),
            "participation_ratio": self.participation_ratio,
            "input_noise_robustness": self.input_noise["robustness"],
            "recurrent_noise_robustness": self.recurrent_noise["robustness"],
            "lesion_robustness": self.lesions["accuracy"].sel(lesion="any").mean("share", skipna=False),
            "balance_index": self.balance["balance_index"],
            "ei_correlation": self.balance["correlation"],
        }
        if self.retention is not None:
            measures["share_retained"] = self.retention["share_retained"]
            measures["retention_time"] = self.retention["retention_time"].mean("memory_state", skipna=False)
        if self.cube is not None:
            measures["cube_similarity_r2"] = self.cube["similarity_r2"]
            measures["cube_separation"] = self.cube["separation"]
        if self.selectivity is not None:
            measures["mixed_selectivity"] = self.selectivity["mixed_selectivity"].mean("unit")
        bare = {
            name: values.drop_vars([c for c in values.coords if values[c].dims != ("network",)])
            for name, values in measures.items()
        }
        return xr.Dataset({name: values.astype(float).where(self.trained) for name, values in bare.items()})

    @cached_property
    def families(self) -> tuple[tuple[str, xr.Dataset, tuple[str, ...]], ...]:
        """Each family of measures that the run has trials for, and the conditions that cannot have it.

        Gated networks are left out where they have no such measure: they did not fail.
        """
        found = []
        for family, members in FAMILIES.items():
            names = [name for name in members if name in self.measures]
            kept = ~self.gated if family in NEED_WEIGHTS else xr.ones_like(self.gated)
            if names:
                there = set(self.condition.values[kept.values].tolist())
                without = tuple(condition for condition in self.conditions if condition not in there)
                found.append((family, self.measures[names].isel(network=np.flatnonzero(kept)), without))
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

    def _of_states(self, analyse: Callable[..., xr.Dataset], prefix: str) -> xr.Dataset | None:
        """Analyse the rates of trials or probe by memory state, where there are states and all of them are held."""
        trials = self.run[f"{prefix}trials"].to_dataset()
        if "memory_state" not in trials:
            return None
        rates = self.run[f"{prefix}activity"].to_dataset()["rates"]
        try:
            return analyse(rates, trials["memory_state"], trials.get("response_window"))
        except StatesNotHeld:
            return None

    def members(self, values: xr.DataArray, condition: str) -> xr.DataArray:
        """Take the networks of one condition that were trained."""
        return values.isel(network=np.flatnonzero((self.condition == condition) & self.trained))


def _shuffled(weights: xr.DataArray) -> xr.DataArray:
    """Compute the statistics that are compared with those of shuffles, from eigenvalues that are computed once."""
    eigenvalues = analysis.eigenspectrum(weights)
    statistics = {
        "spectral radius": abs(eigenvalues).max("mode", skipna=False),
        "non-normality": analysis.nonnormality(weights, eigenvalues=eigenvalues),
        "entropy of the singular values": analysis.singular_value_entropy(weights),
    }
    return xr.Dataset(statistics).to_array("statistic")
