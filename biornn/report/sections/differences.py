"""Differences of the conditions from a reference, and effects of crossed factors, with intervals and tests."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import xarray as xr

from biornn import plots
from biornn.analysis import compare, factorial_effects
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.tables import Cell, Row, Table, count, number, table
from biornn.report.words import p_text
from biornn.schema import text

_METRICS = {
    "accuracy": "accuracy",
    "accuracy_settled": "accuracy outside of response windows",
    "mse": "mean squared error",
    "spectral_radius_after": "spectral radius after training",
}
_USUAL_REFERENCE = "unconstrained"


def differences(reading: Reading) -> Section | None:
    """Paired differences from the reference, and effects of factors where the design crosses some.

    Parameters
    ----------
    reading
        The run.
    """
    if not _is_paired(reading):
        return None
    reference = reference_of(reading)
    result = compare(_metrics(reading), reference)
    blocks: list[Block] = [
        f"Each network is compared with the network of the same seed in the condition {reference}. The p-value is that "
        "of an exact paired permutation test (random above 13 pairs), corrected after Holm over all rows of a table. "
        "With n pairs no p-value is below 1 / 2ⁿ⁻¹ before the correction: five pairs never reach 0.05, six can. With "
        "few pairs intervals are too narrow: trust the test.",
        _picture("differences", result, f"Accuracy: mean of the paired differences from {reference}."),
        _table(result, f"Differences from {reference}: mean of the paired differences, 95 % bootstrap interval."),
    ]
    if _is_factorial(reading):
        effects = factorial_effects(_metrics(reading))
        blocks += [
            "The design crosses factors. A main effect is the difference between a level and the first level, averaged "
            "over the other factors; an interaction says by how much one factor changes the effect of another.",
            _picture("effects", effects, "Accuracy: effects of the factors, with their interactions."),
            _table(effects, "Effects of the factors, computed within each seed, 95 % bootstrap interval."),
        ]
    return Section("differences", "Differences between conditions", tuple(blocks))


def reference_of(reading: Reading) -> str:
    """Name the condition that others are compared with: `unconstrained`, or else the first.

    Parameters
    ----------
    reading
        The run.
    """
    return _USUAL_REFERENCE if _USUAL_REFERENCE in reading.conditions else reading.conditions[0]


def _is_paired(reading: Reading) -> bool:
    """Tell whether there are conditions to compare, whose seeds are known and distinct."""
    seeds = reading.history["seed"].values
    rows = set(zip(reading.condition.values.tolist(), seeds.tolist(), strict=True))
    return len(reading.conditions) > 1 and bool((seeds >= 0).all()) and len(rows) == len(seeds)


def _is_factorial(reading: Reading) -> bool:
    """Tell whether conditions are all combinations of the levels of two factors or more."""
    names = [name for name in reading.history.coords if str(name).startswith("factor_")]
    n_levels = [len(np.unique(text(reading.history[name]).values)) for name in names]
    return sum(n > 1 for n in n_levels) > 1 and prod(n_levels) == len(reading.conditions)


def _metrics(reading: Reading) -> xr.Dataset:
    kept = reading.summary[list(_METRICS)].where(reading.trained)
    # Gated networks have no spectrum: nothing failed there.
    kept = kept.drop_vars([name for name in kept if not kept[name].notnull().any()] if reading.trained.any() else [])
    coords = reading.history.coords
    factors = {name: text(coords[name]) for name in coords if str(name).startswith("factor_")}
    return kept.assign_coords({"condition": reading.condition, **factors})


def _picture(name: str, result: xr.Dataset, caption: str) -> Picture:
    accuracy = result.sel(metric="accuracy")
    (dim,) = accuracy["difference"].dims
    told = [
        f"{row[dim].item()}: {float(row['difference']):+.2g}, interval {float(row['ci_low']):+.2g} to "
        f"{float(row['ci_high']):+.2g}, p {p_text(float(row['p_holm']))}, {int(row['n_pairs'])} pairs"
        for row in _rows(accuracy, str(dim))
    ]
    height = 0.9 + 0.42 * accuracy.sizes[dim]
    draw: Callable[..., object] = plots.comparison
    return Picture(name, one_panel(lambda ax: draw(accuracy, ax=ax), height), f"{caption} {'; '.join(told)}.", caption)


def _rows(result: xr.Dataset, dim: str) -> list[xr.Dataset]:
    return [result.isel({dim: index}) for index in range(result.sizes[dim])]


def _table(result: xr.Dataset, caption: str) -> Table:
    dim = "effect" if "effect" in result.dims else "condition"
    rows: list[Row] = []
    for metric in text(result["metric"]).values.tolist():
        for one in _rows(result.sel(metric=metric), dim):
            difference, low, high = (float(one[name]) for name in ("difference", "ci_low", "ci_high"))
            interval = f"{difference:+.2g} [{low:+.2g}, {high:+.2g}]" if np.isfinite(low) else f"{difference:+.2g}"
            rows.append(
                [
                    str(one[dim].item()),
                    _METRICS[metric],
                    Cell(interval, difference) if np.isfinite(difference) else Cell("–"),
                    Cell(p_text(float(one["p_holm"])), _known(float(one["p_holm"]))),
                    Cell(p_text(float(one["p_value"])), _known(float(one["p_value"]))),
                    number(float(one["effect_size"]), ".2f"),
                    count(int(one["n_pairs"])),
                    count(int(one["n_failed"]), alarm=True),
                ]
            )
    what, n_pairs = ("difference", "pairs") if dim == "condition" else ("difference made", "complete seeds")
    return table(caption, [dim, "metric", what, "p (Holm)", "p", "effect size", n_pairs, "failed"], rows)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
