"""How networks of several conditions learn."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from biornn.plots.bands import band, band_legend, look
from biornn.plots.style import GREY, SMALL, open_axes
from biornn.schema import STATUSES, TRAINED, is_trained, text


def learning_curves(
    history: xr.Dataset, metric: str = "score", criterion: float | None = None, ax: Axes | None = None
) -> Axes:
    """Plot a metric of training over optimizer updates, by condition.

    The line is the median over the networks (seeds) of a condition, the band reaches from their minimum to their
    maximum. Networks that diverged or failed are left out; the legend says how many.

    Parameters
    ----------
    history
        `history` of a run: the metric (network, snapshot) and `status` (network), with the coordinates `condition`
        on network and `update` on snapshot.
    metric
        Name of the variable to plot, such as ``"score"``, ``"worst_score"`` or ``"val_loss"``. A score
        is called by the name in its attribute `score_name`.
    criterion
        Value of the metric at which training stops; a thin line shows it.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a variable or a coordinate is missing, or the metric has other dims than `network` and `snapshot`.

    Examples
    --------
    >>> import xarray as xr
    >>> history = xr.Dataset(
    ...     {
    ...         "score": (("network", "snapshot"), [[0.4, 0.9]], {"score_name": "accuracy"}),
    ...         "status": ("network", ["completed"]),
    ...     },
    ...     coords={"condition": ("network", ["dale"]), "update": ("snapshot", [0, 500])},
    ... )
    >>> learning_curves(history).get_ylabel()
    'accuracy'
    """
    _check(history, metric)
    ax = open_axes(ax, height=2.6)
    conditions = dict.fromkeys(text(history["condition"]).values.tolist())
    for index, condition in enumerate(conditions):
        members = history.isel(network=np.flatnonzero(text(history["condition"]) == condition))
        kept = members[metric].isel(network=np.flatnonzero(is_trained(members["status"])))
        band(ax, kept, "update", f"{condition} ({_counts(members['status'])})", look(index))
    ax.set_xlabel("optimizer updates" if (history["update"] >= 0).all() else "snapshot")  # see `band`
    ax.set_ylabel(_label(history[metric], metric))
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if criterion is not None:
        ax.axhline(criterion, color=GREY, linewidth=0.8, linestyle="--", zorder=1)
        ax.annotate(
            f"criterion {criterion:g}",
            (1, criterion),
            xycoords=ax.get_yaxis_transform(),
            xytext=(-2, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=SMALL,
            alpha=0.7,
        )
    band_legend(ax)
    return ax


def _check(history: xr.Dataset, metric: str) -> None:
    for name in (metric, "status", "condition", "update"):
        if name not in history:
            raise ValueError(f"history: expected {name!r}, found {sorted(map(str, history.variables))}")
    if set(history[metric].dims) != {"network", "snapshot"}:
        raise ValueError(f"{metric}: expected the dims ['network', 'snapshot'], got {list(history[metric].dims)}")


def _counts(status: xr.DataArray) -> str:
    """``n = 4; left out: 1 diverged``."""
    ended = text(status).values.tolist()
    counts = f"n = {sum(one in TRAINED for one in ended)}"
    left_out = [name for name in dict.fromkeys([*STATUSES, *ended]) if name in ended and name not in TRAINED]
    if left_out:
        counts += "; left out: " + ", ".join(f"{ended.count(name)} {name}" for name in left_out)
    return counts


def _label(values: xr.DataArray, metric: str) -> str:
    units = values.attrs.get("units", "1")
    name = metric.replace("val_", "validation ").replace("score", values.attrs.get("score_name", "score"))
    name = name.replace("_", " ")
    return name if units in ("", "1") else f"{name} ({units})"
