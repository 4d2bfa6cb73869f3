"""A run, and what is computed of it once for several parts of its report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn import analysis
from biornn.analysis.held_states import StatesNotHeld
from biornn.analysis.retention import n_held_states
from biornn.report.fixed_point_counts import fixed_point_counts
from biornn.report.network_table import describe_networks
from biornn.report.summary import Criterion, criteria, summarise
from biornn.schema import (
    EVALUATIONS,
    FACTOR,
    FIXED_POINTS,
    GATE_WEIGHTS,
    GATED,
    PROBE,
    is_trained,
    reference_condition,
    text,
)
from biornn.tasks import task_of
from biornn.tasks.scores import score_trials, trial_condition

#: Held-out trials on which networks are run again: enough for two digits, and quick. A trial that is right or wrong as
#: a whole, whose score is 0 or 1, says less, so it takes more of them.
_N_TRIALS, _N_CHOICES = 8, 64
#: How often as many units are silenced anew.
_N_LESIONS = 3
#: Shuffles of each network's weights: the standard error of a large number of standard deviations is a fifth of it.
N_SHUFFLES = 12


class Watched(NamedTuple):
    """Trials in which activity is looked at, what the networks did in them, and what they are called."""

    trials: xr.Dataset
    activity: xr.Dataset
    name: str


@dataclass(frozen=True)
class Results:
    """A run, and what is computed of it; each property is computed once, when it is first asked for.

    `asked` are the networks that pictures show in place of one per condition.
    """

    run: xr.DataTree
    asked: tuple[str, ...] = ()

    def has(self, *names: str) -> bool:
        """Tell whether the run has what a measure or a section requires.

        That is ``probe``; ``held``, a probe that holds memory states; ``choice``, ``catch_score``, ``is_right``,
        ``pointed`` or ``produced``, where the task has such a method; ``reaction_times``, where it has its form with
        them; ``graded``, where it says what choices depend on,
        and the trials have that; ``trial_conditions``, where there are several; or the name of a variable or coordinate
        of the trials, such as ``memory_state``; or that of a group which `biornn fixed-points` or
        `biornn evaluate` adds.
        """
        return all(self._has(name) for name in names)

    def _has(self, name: str) -> bool:
        if name == "probe":
            return PROBE[0] in self.run.children
        if name == "held":
            return self.has("probe") and n_held_states(self.watched.trials, self.task) > 0
        if name in (*FIXED_POINTS, EVALUATIONS):
            return name in self.run.children
        if name in ("choice", "is_right", "catch_score", "pointed", "produced"):
            return hasattr(self.task, name)
        if name == "reaction_times":
            return bool(getattr(self.task, "reaction_time", False))
        if name == "graded":
            needed = [
                one for graded in getattr(self.task, name, {}).values() for one in (graded.stimulus, *graded.among)
            ]
            return bool(needed) and all(one in self.trials for one in needed)
        if name == "trial_conditions":
            return len(np.unique(trial_condition(self.task, self.trials))) > 1
        return name in self.trials and name in self.watched.trials

    @cached_property
    def task(self) -> Any:
        """The `Task`, made again from the trials: with `choice` and other methods where it has them."""
        return task_of(self.trials)

    @cached_property
    def score_name(self) -> str:
        """What the score of the task is called."""
        return str(self.task.score_name).replace("_", " ")

    @cached_property
    def trials(self) -> xr.Dataset:
        """The held-out trials."""
        return self.run["trials"].to_dataset()

    @cached_property
    def watched(self) -> Watched:
        """The probe and the activity in it; in a run without a probe, the held-out trials."""
        if self.has("probe"):
            trials, activity = (self.run[group].to_dataset() for group in PROBE)
            return Watched(trials, activity, "the probe")
        return Watched(self.trials, self.run["activity"].to_dataset(), "the held-out trials")

    @cached_property
    def experiment(self) -> dict[str, Any]:
        """The recorded experiment."""
        experiment: dict[str, Any] = json.loads(self.run.attrs["experiment"])
        return experiment

    @cached_property
    def history(self) -> xr.Dataset:
        """The group `history`, loaded: every section reads of it."""
        return self.run["history"].to_dataset().load()

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
    def criteria(self) -> dict[str, Criterion | None]:
        """Condition -> validation score at which its training stopped; None where it never does."""
        return criteria(self.run)

    @cached_property
    def bulk(self) -> xr.Dataset:
        """Bulk radius and outliers of the recurrent weights of all networks before and after training."""
        weights = self.weights["recurrent_weights"].isel(snapshot=[0, -1])
        return analysis.bulk_and_outliers(weights, self.weights["cell_type"], eigenvalues=self.spectrum)

    @cached_property
    def last_weights(self) -> xr.DataArray:
        """Recurrent weights of all networks after training."""
        return self.weights["recurrent_weights"].isel(snapshot=-1)

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
        """Whether each network is of a gated layer, which has several recurrent matrices."""
        return text(self.weights["formulation"]).isin(GATED)

    @cached_property
    def has_weights(self) -> xr.DataArray:
        """Whether the weights of each network are recorded; earlier runs have none of gated networks."""
        return ~self.gated | set(GATE_WEIGHTS).issubset(self.weights)

    @cached_property
    def shown(self) -> dict[str, str]:
        """Condition -> the network that stands for it in pictures: its first that was trained.

        A condition of which none was trained is left out. Networks that were asked for have their own names.
        """
        if self.asked:
            return {name: name for name in self.asked}
        kept = np.flatnonzero(self.trained)
        pairs = [(self.condition.values[index].item(), self.networks[index]) for index in kept]
        first = dict(reversed(pairs))
        return {condition: first[condition] for condition in dict.fromkeys(condition for condition, _ in pairs)}

    @cached_property
    def shown_ungated(self) -> list[str]:
        """Those networks of `shown` that have one recurrent matrix to show."""
        return [name for name in self.shown.values() if not self.gated.sel(network=name)]

    @cached_property
    def run_again(self) -> dict[str, str]:
        """Those of `shown` whose network can be run again from its weights."""
        return {condition: name for condition, name in self.shown.items() if self.has_weights.sel(network=name)}

    @cached_property
    def described(self) -> dict[str, dict[str, str]]:
        """What the networks of each condition are, and how they were trained."""
        return describe_networks(self.run)

    @cached_property
    def summary(self) -> xr.Dataset:
        """The numbers by which conditions are compared."""
        return summarise(self.run, self.scores, self.retention)

    @cached_property
    def scores(self) -> xr.Dataset:
        """Scores and errors in the held-out trials."""
        return analysis.performance(self.run["activity"].to_dataset()["outputs"], self.trials, self.task)

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
    def choice(self) -> xr.DataArray:
        """What networks choose in the held-out trials, dims `network`, `trial`; no text where they have no outputs."""
        outputs = self.run["activity"].to_dataset()["outputs"].load()
        chosen = self.task.choice(outputs, self.trials)
        if not isinstance(chosen, xr.DataArray):
            chosen = xr.DataArray(chosen, {"network": outputs["network"]}, ("network", "trial"))
        return text(chosen)

    @cached_property
    def reaction_times(self) -> xr.DataArray:
        """Times in ms of the answers in the held-out trials, dims `network`, `trial`, as stored, or else computed."""
        activity = self.run["activity"].to_dataset()
        if "reaction_time" in activity:
            return activity["reaction_time"].load().astype(float)
        found: xr.DataArray = self.task.reaction_times(activity["outputs"].load(), self.trials)
        return found

    @cached_property
    def state_scores(self) -> xr.Dataset:
        """Scores by memory state and by channel, and outside of response windows, in the held-out trials."""
        return analysis.state_scores(self.run["activity"].to_dataset()["outputs"], self.trials, self.task)

    @cached_property
    def cube(self) -> xr.Dataset | None:
        """How cubic the memory states are in the probe; None where it does not hold every state."""
        return self._of_states(analysis.memory_cube, *self.watched[:2])

    @cached_property
    def selectivity(self) -> xr.Dataset | None:
        """What units tell of the bits in the held-out trials; None where the trials do not hold every state."""
        return self._of_states(analysis.selectivity, self.trials, self.run["activity"].to_dataset())

    @cached_property
    def retention(self) -> xr.Dataset | None:
        """Whether memory states survive without input; None where the probe holds none."""
        return (
            analysis.retention(self.weights, self.watched.trials.load(), task=self.task) if self.has("held") else None
        )

    @cached_property
    def fixed_points(self) -> xr.Dataset:
        """The fixed points that `biornn fixed-points` added."""
        return self.run[FIXED_POINTS[0]].to_dataset()

    @cached_property
    def fixed_point_counts(self) -> xr.Dataset:
        """How many fixed points of each kind the networks have."""
        return fixed_point_counts(self.run)

    @cached_property
    def evaluations(self) -> xr.Dataset:
        """The scores under other settings that `biornn evaluate` added."""
        return self.run[EVALUATIONS].to_dataset().load()

    @cached_property
    def input_noise(self) -> xr.Dataset:
        """Score with more and more noise on the inputs."""
        return analysis.input_noise_robustness(self.weights, self.few_trials, task=self.task)

    @cached_property
    def recurrent_noise(self) -> xr.Dataset:
        """Score with more and more noise in every unit."""
        return analysis.recurrent_noise_robustness(self.weights, self.few_trials, task=self.task)

    @cached_property
    def lesions(self) -> xr.Dataset:
        """Score with more and more units silenced."""
        return analysis.lesion_robustness(self.weights, self.few_trials, n_repeats=_N_LESIONS, task=self.task)

    @cached_property
    def few_trials(self) -> xr.Dataset:
        """Held-out trials on which networks are run again: scored ones, spread over all."""
        outputs = self.run["activity"].to_dataset()["outputs"].isel(network=[0])
        scores = score_trials(self.task, outputs.fillna(0.0), self.trials)[0].values
        scored = np.flatnonzero(np.isfinite(scores))
        n_trials = min(_N_CHOICES if np.isin(scores[scored], (0, 1)).all() else _N_TRIALS, scored.size)
        return self.trials.isel(trial=scored[np.arange(n_trials) * scored.size // max(n_trials, 1)]).load()

    @cached_property
    def balance(self) -> xr.Dataset:
        """Excitatory and inhibitory currents in the probe, and their balance, up to the end of the shortest trial."""
        shortest = int(self.watched.trials["n_steps"].min())
        return analysis.ei_balance(self.weights, self.watched.activity["rates"].isel(time=slice(shortest)))

    @cached_property
    def type_currents(self) -> xr.Dataset:
        """Recurrent currents in the probe by the cell type that they come from, up to the end of the shortest trial."""
        shortest = int(self.watched.trials["n_steps"].min())
        return analysis.currents_by_type(self.weights, self.watched.activity["rates"].isel(time=slice(shortest)))

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
        return analysis.similarity(
            _within_trials(self.watched.activity["rates"].isel(network=kept), self.watched.trials)
        )

    @cached_property
    def participation_ratio(self) -> xr.DataArray:
        """Dimensions of the activity in the held-out trials."""
        return analysis.participation_ratio(_within_trials(self.run["activity"].to_dataset()["rates"], self.trials))

    @staticmethod
    def _of_states(analyse: Callable[..., xr.Dataset], trials: xr.Dataset, activity: xr.Dataset) -> xr.Dataset | None:
        """Analyse rates by memory state, where all of the states are held."""
        try:
            return analyse(activity["rates"], trials["memory_state"], trials.get("response_window"))
        except StatesNotHeld:
            return None

    def members(self, values: xr.DataArray, condition: str) -> xr.DataArray:
        """Take the networks of one condition that were trained."""
        return values.isel(network=self._positions[condition])

    @cached_property
    def _positions(self) -> dict[str, NDArray[np.intp]]:
        """Condition -> the networks of it that were trained."""
        names, trained = self.condition.values, self.trained.values
        return {condition: np.flatnonzero((names == condition) & trained) for condition in self.conditions}


def _within_trials(rates: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
    """Leave out the padding of trials: where there is any, all samples become those of one long trial."""
    within = np.arange(trials.sizes["time"]) < trials["n_steps"].values[:, np.newaxis]
    if within.all():
        return rates
    rates = rates.transpose("network", "trial", "time", "unit")
    kept = rates.values[:, within][:, np.newaxis]
    others = {name: coord for name, coord in rates.coords.items() if not {"trial", "time"} & set(coord.dims)}
    return xr.DataArray(kept, others, rates.dims)


def _shuffled(weights: xr.DataArray) -> xr.DataArray:
    """Compute the statistics that are compared with those of shuffles, from eigenvalues that are computed once."""
    eigenvalues = analysis.eigenspectrum(weights)
    statistics = {
        "spectral radius": abs(eigenvalues).max("mode", skipna=False),
        "non-normality": analysis.nonnormality(weights, eigenvalues=eigenvalues),
        "entropy of the singular values": analysis.singular_value_entropy(weights),
    }
    return xr.Dataset(statistics).to_array("statistic")
