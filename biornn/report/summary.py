"""The comparison of conditions in numbers: medians with ranges, failures counted."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import xarray as xr
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from biornn.analysis import audit, performance, retention, spectral_radius
from biornn.analysis.retention import HELD_FOR, n_held_states
from biornn.errors import printable
from biornn.schema import PROBE, is_trained, text
from biornn.tasks import task_of


class Criterion(NamedTuple):
    """Lowest score on the validation trials, and share of memory states held, at which training stops; None: any."""

    score: float | None
    on: str  # mean: over all trials; worst: over those of the trial condition in which it is lowest
    held: float | None = None

    @property
    def variable(self) -> str:
        """The variable of `history` that has to reach it."""
        return "worst_score" if self.on == "worst" else "score"

    def words(self, score_name: str) -> str:
        """Say how high it is, and where it has to be reached."""
        told = []
        if self.score is not None:
            where = " in the worst trial condition" * (self.on == "worst")
            told.append(f"validation {score_name} {self.score:g}{where}")
        if self.held is not None:
            told.append(f"{self.held:.0%} of the memory states held")
        return " and ".join(told)


def summarise(run: xr.DataTree, scores: xr.Dataset | None = None, retained: xr.Dataset | None = None) -> xr.Dataset:
    """Compute what the comparison table shows, from the store alone.

    Parameters
    ----------
    run
        A run.
    scores
        What `biornn.analysis.performance` gives for its held-out trials, where it is known; None: it is computed.
    retained
        What `biornn.analysis.retention` gives for its probe, likewise.

    Returns
    -------
    xarray.Dataset
        Over network, with condition and seed: ``score`` and ``mse`` on the held-out trials, and where these are of
        several conditions ``worst_score`` (named by their attribute ``long_name``); where the probe says what is to be
        held, ``held``, ``retention_time`` (mean over the memory states, in ms) and ``is_censored`` (whether any of them
        was never lost); ``updates_trained``,
        ``updates_to_criterion``, ``spectral_radius_before`` and ``_after`` training, ``violations`` (all kinds, all
        snapshots), ``trained`` (whether it holds results to compare), ``reached`` (1 if it reached the criterion, 0 if
        not, NaN if it had none), ``updates`` (to the criterion, infinite if it was not reached, NaN if the network had
        none; in a run without a criterion, of all training).
    """
    if scores is None:
        scores = performance(run["activity"].to_dataset()["outputs"], run["trials"].to_dataset())
    if retained is None:
        retained = _retained(run)
    several = "score_per_condition" in scores and scores.sizes["trial_condition"] > 1
    weights = run["weights"].to_dataset()
    ends = spectral_radius(weights["recurrent_weights"].isel(snapshot=[0, -1]))
    counts = audit(weights)
    history = run["history"].to_dataset()
    criterion = criteria(run)
    condition = text(history["condition"]).values.tolist()
    has_criterion = xr.DataArray([criterion[name] is not None for name in condition], dims="network")
    trained_for = history.updates_trained.where(is_trained(history.status) & ~has_criterion.any())
    to_criterion = history.updates_to_criterion.fillna(np.inf)
    return xr.Dataset(
        {
            **scores[["score", "worst_score", "mse"] if several else ["score", "mse"]],
            **({} if retained is None else _of_states(retained)),
            "updates_trained": history.updates_trained,
            "updates_to_criterion": history.updates_to_criterion,
            "spectral_radius_before": ends.isel(snapshot=0, drop=True),
            "spectral_radius_after": ends.isel(snapshot=1, drop=True),
            "violations": sum(counts[name].sum("snapshot") for name in counts),
            "trained": is_trained(history.status),
            "reached": (text(history.status) == "criterion_reached").where(has_criterion),
            # Longer than any other where a network never got there; without a criterion, how long it was trained.
            "updates": to_criterion.where(has_criterion, trained_for).where(text(history.status) != "interrupted"),
        }
    )


def _retained(run: xr.DataTree) -> xr.Dataset | None:
    if PROBE[0] not in run.children:
        return None
    probe = run[PROBE[0]].to_dataset().load()
    task = task_of(probe)
    return retention(run["weights"].to_dataset(), probe, task=task) if n_held_states(probe, task) else None


def _of_states(retained: xr.Dataset) -> dict[str, xr.DataArray]:
    return {
        "held": retained["held"],
        "retention_time": retained["retention_time"].mean("memory_state", skipna=False),
        "is_censored": (retained["survived"] == 1).any("memory_state"),
    }


def criteria(run: xr.DataTree) -> dict[str, Criterion | None]:
    """Return the validation score at which the training of each condition stops; None where it never does."""
    experiment = json.loads(run.attrs["experiment"])
    found: dict[str, Criterion | None] = {}
    for name in dict.fromkeys(text(run["history"].to_dataset()["condition"]).values.tolist()):
        changes = (experiment.get("conditions", {}).get(name)) or {}
        training = {f"training.{key}": value for key, value in experiment.get("training", {}).items()} | changes
        on, least = training.get("training.criterion_on", "mean"), training.get("training.criterion")
        several = least if isinstance(least, dict) else {"score": least}
        found[name] = None if least is None else Criterion(several.get("score"), on, several.get("held"))
    return found


def comparison_table(summary: xr.Dataset) -> Table:
    """Lay out a summary, one row per condition: median [lowest, highest] over its trained networks.

    Parameters
    ----------
    summary
        From `summarise`.
    """
    table = Table(
        title=Text("Conditions compared: median [min, max] over seeds, on held-out trials"), title_justify="left"
    )
    table.add_column("condition", no_wrap=True)
    scores = {name: summary[name].attrs["long_name"] for name in ("score", "worst_score") if name in summary}
    held = ("held", "retention (ms)") if "held" in summary else ()
    rest = ("MSE", "updates", "spectral radius", "violations")
    for heading in ("trained", "reached criterion", *map(printable, scores.values()), *held, *rest):
        table.add_column(Text(heading), justify="right", overflow="fold")
    for condition in dict.fromkeys(summary["condition"].values.tolist()):
        rows = summary.isel(network=np.flatnonzero(summary["condition"] == condition))
        trained = rows.isel(network=np.flatnonzero(rows["trained"]))
        table.add_row(
            Text(printable(condition)),
            f"{trained.sizes['network']}/{rows.sizes['network']}",
            "–" if rows["reached"].isnull().all() else f"{int(rows['reached'].sum())}/{rows.sizes['network']}",
            *(_range(trained[name], ".3f") for name in scores),
            *([_range(trained["held"], ".0%"), _retention(trained)] if held else []),
            _range(trained["mse"], ".4f"),
            _range(rows["updates"], ".0f"),
            f"{_range(trained['spectral_radius_before'], '.2f', spread=False)} → "
            + _range(trained["spectral_radius_after"], ".2f"),
            str(int(rows["violations"].sum())),
        )
    table.caption = (
        "updates: to the criterion, or of all training without one. spectral radius: before → after training.\n"
        "violations: of signs, masks, autapses and fixed weights, at all snapshots."
    )
    if "worst_score" in scores:
        table.caption += f" {escape(printable(scores['worst_score']))}: in the trial condition in which it is lowest."
    if held:
        table.caption += (
            f"\nheld: memory states that are kept for {HELD_FOR:,.0f} ms without input. retention: mean time until a "
            "state is lost; ≥: some are not."
        )
    table.caption_justify = "left"
    return table


def median_and_range(values: xr.DataArray, form: str, spread: bool = True) -> str:
    """Write the median of a number per network and how far they reach: ``0.972 [0.965, 0.974]``.

    NaN stands for a network without a value. A time that is infinite is written ``never``. Numbers that are all written
    alike have no range.
    """
    if not values.size:
        return "none"
    if values.isnull().all():
        return "–"  # a gated network has no spectrum
    middle, low, high = (
        "never" if np.isinf(number) else f"{number:{form}}"
        for number in (float(values.median()), float(values.min()), float(values.max()))
    )
    return middle if low == high or not spread else f"{middle} [{low}, {high}]"


def _retention(trained: xr.Dataset) -> str:
    bound = "≥ " if trained["is_censored"].any() else ""
    return bound + _range(trained["retention_time"], ".0f")


def _range(values: xr.DataArray, form: str, spread: bool = True) -> str:
    return escape(median_and_range(values, form, spread))
