"""Differences between conditions and a reference, with their intervals."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from biornn.plots.style import COLOURS, GREY, SMALL, open_axes

_ROW_HEIGHT = 0.42  # inches


def comparison(result: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Plot the difference of each condition from the reference, or each effect of a factorial design.

    One row per condition or effect: the mean of the paired differences and its confidence interval; above it how many
    pairs entered and how many networks failed, and the p-value of the permutation test, corrected after Holm. A row
    without any pair is named and empty.

    Parameters
    ----------
    result
        What `biornn.analysis.compare` or `factorial_effects` returned, of one metric: dim `condition` or `effect` only.
        Choose from several with ``.sel(metric=...)``.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a variable is missing, or there are other dims.

    Examples
    --------
    >>> import xarray as xr
    >>> from biornn.analysis import compare
    >>> accuracy = xr.DataArray(
    ...     [0.90, 0.92, 0.94, 0.81, 0.82, 0.80],
    ...     dims="network",
    ...     coords={"condition": ("network", ["unconstrained"] * 3 + ["dale"] * 3), "seed": ("network", [0, 1, 2] * 2)},
    ...     name="accuracy",
    ... )
    >>> comparison(compare(accuracy)).get_xlabel()
    'accuracy: difference from unconstrained'
    """
    dim = _rows(result)
    at = np.arange(result.sizes[dim])
    ax = open_axes(ax, height=0.75 + _ROW_HEIGHT * at.size)
    difference, low, high = (result[name].values for name in ("difference", "ci_low", "ci_high"))
    ax.vlines(np.zeros(at.size), at - 0.14, at + 0.4, color=GREY, linewidth=0.8, zorder=1)  # not through the words
    ax.hlines(at, low, high, color=COLOURS[0], linewidth=1.6)
    ax.plot(difference, at, "o", color=COLOURS[0], markersize=4.5)
    ax.set_ylim(at.size - 0.6, -0.9)
    ax.set_yticks([])
    for row, name in enumerate(result[dim].values.tolist()):
        one = result.isel({dim: row})
        # Above the interval, and not beside it: names of crossed conditions are longer than half a column.
        for x, side, words in ((0, "left", f"{name}: {_counts(one)}"), (1, "right", _p_text(float(one["p_holm"])))):
            ax.annotate(
                words, (x, row), xycoords=ax.get_yaxis_transform(), xytext=(0, 5), textcoords="offset points",
                ha=side, va="bottom", fontsize=SMALL,
            )  # fmt: skip
    ax.margins(x=0.08)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.set_xlabel(_label(result))
    level = result.attrs.get("confidence_level")
    title = "mean, interval" if level is None else f"mean, {100 * level:g} % interval"
    ax.set_title(f"{title} and p (Holm) of paired differences", fontsize=SMALL)
    return ax


def _rows(result: xr.Dataset) -> str:
    """Give the dim whose entries are the rows."""
    for name in ("difference", "ci_low", "ci_high", "p_holm", "n_pairs", "n_failed"):
        if name not in result:
            raise ValueError(f"result: expected {name!r}, found {sorted(map(str, result.variables))}")
    dims = [str(dim) for dim in result["difference"].dims]
    if dims not in (["condition"], ["effect"]):
        raise ValueError(
            f"result: expected the dim 'condition' or 'effect' alone, got {dims}; choose one metric with .sel(...)"
        )
    return dims[0]


def _counts(row: xr.Dataset) -> str:
    """``9 pairs, 1 failed``."""
    n_pairs, n_failed = int(row["n_pairs"]), int(row["n_failed"])
    return f"{n_pairs} pair{'s' * (n_pairs != 1)}" + f", {n_failed} failed" * (n_failed > 0)


def _p_text(p_value: float) -> str:
    if np.isnan(p_value):
        return "no test"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:#.2g}" if p_value < 0.995 else "p = 1"


def _label(result: xr.Dataset) -> str:
    """``time (ms): difference from unconstrained``."""
    metric = str(result["metric"].item()) if "metric" in result.coords else "metric"
    units = result["difference"].attrs.get("units", "1")
    name = metric.replace("_", " ") + ("" if units in ("", "1") else f" ({units})")
    return (
        f"{name}: difference from {result.attrs['reference']}" if "reference" in result.attrs else f"effect on {name}"
    )
