"""The comparison of conditions in numbers: medians with ranges, failures counted."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from biornn.analysis import audit, performance, spectral_radius
from biornn.errors import printable
from biornn.schema import is_trained, text


def summarise(run: xr.DataTree) -> xr.Dataset:
    """Compute what the comparison table shows, from the store alone.

    Parameters
    ----------
    run
        A run.

    Returns
    -------
    xarray.Dataset
        Over network, with condition and seed: ``accuracy``, ``accuracy_settled`` and ``mse`` on the held-out trials,
        ``probe_accuracy_settled``, ``updates_trained``, ``updates_to_criterion``, ``spectral_radius_before`` and
        ``_after`` training, ``violations`` (all kinds, all snapshots), ``trained`` (whether it holds results to
        compare), ``reached`` (1 if it reached the criterion, 0 if not, NaN if it had none), ``updates`` (to the
        criterion, infinite if it was not reached, NaN if the network had none; in a run without a criterion, of all
        training).
    """
    held_out, probed = (_score(run, prefix) for prefix in ("", "probe_"))
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
            "accuracy": held_out["accuracy"],
            "accuracy_settled": held_out["accuracy_settled"],
            "mse": held_out["mse"],
            "probe_accuracy_settled": probed["accuracy_settled"],
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


def criteria(run: xr.DataTree) -> dict[str, float | None]:
    """Return the validation accuracy at which the training of each condition stops; None where it never does."""
    experiment = json.loads(run.attrs["experiment"])
    shared, changes = experiment.get("training", {}).get("criterion"), experiment.get("conditions", {})
    conditions = dict.fromkeys(text(run["history"].to_dataset()["condition"]).values.tolist())
    return {name: (changes.get(name) or {}).get("training.criterion", shared) for name in conditions}


def _score(run: xr.DataTree, prefix: str) -> xr.Dataset:
    trials = run[f"{prefix}trials"].to_dataset()
    outputs = run[f"{prefix}activity"].to_dataset()["outputs"]
    scores = performance(outputs, trials["targets"], response_window=trials.get("response_window"))
    # A task without response windows lets its networks be late nowhere.
    return scores if "accuracy_settled" in scores else scores.assign(accuracy_settled=scores["accuracy"])


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
    for heading in ("trained", "reached criterion", "accuracy", "MSE", "updates", "spectral radius", "violations"):
        table.add_column(heading, justify="right", overflow="fold")
    for condition in dict.fromkeys(summary["condition"].values.tolist()):
        rows = summary.isel(network=np.flatnonzero(summary["condition"] == condition))
        trained = rows.isel(network=np.flatnonzero(rows["trained"]))
        table.add_row(
            Text(printable(condition)),
            f"{trained.sizes['network']}/{rows.sizes['network']}",
            "–" if rows["reached"].isnull().all() else f"{int(rows['reached'].sum())}/{rows.sizes['network']}",
            _range(trained["accuracy"], ".3f"),
            _range(trained["mse"], ".4f"),
            _range(rows["updates"], ".0f"),
            f"{_range(trained['spectral_radius_before'], '.2f', spread=False)} → "
            + _range(trained["spectral_radius_after"], ".2f"),
            str(int(rows["violations"].sum())),
        )
    table.caption = (
        "updates: to the criterion, or of all training without one. spectral radius: before → after training.\n"
        "violations: of signs, masks and autapses, at all snapshots."
    )
    table.caption_justify = "left"
    return table


def median_and_range(values: xr.DataArray, form: str, spread: bool = True) -> str:
    """Write the median of a number per network and how far they reach: ``0.972 [0.965, 0.974]``.

    NaN stands for a network without a value. A time that is infinite is written ``never``.
    """
    if not values.size:
        return "none"
    if values.isnull().all():
        return "–"  # a gated network has no spectrum
    middle, low, high = (
        "never" if np.isinf(number) else f"{number:{form}}"
        for number in (float(values.median()), float(values.min()), float(values.max()))
    )
    return middle if values.size == 1 or not spread else f"{middle} [{low}, {high}]"


def _range(values: xr.DataArray, form: str, spread: bool = True) -> str:
    return escape(median_and_range(values, form, spread))
