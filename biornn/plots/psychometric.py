"""Choices by a graded stimulus."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from biornn.analysis.psychometric import psychometric_curve
from biornn.plots.bands import band, band_legend, look
from biornn.plots.panels import share_legend
from biornn.plots.selection import select
from biornn.plots.style import (
    COLUMN_WIDTH,
    GREY,
    MEDIUM,
    PAGE_WIDTH,
    axis_label,
    open_axes,
    open_panels,
    set_text_sizes,
)
from biornn.schema import text

_N_POINTS = 201  # of a curve


def psychometric(fit: xr.Dataset, ideal: xr.DataArray | None = None, ax: Axes | None = None) -> Axes:
    """Plot the share of one of two choices over a graded stimulus, by condition, with the fitted curves.

    A marker is the median over the networks (seeds) of a condition of the share at one level; the line is the median of
    their fitted curves, the band reaches from their minimum to their maximum. The legend counts the networks that have
    a curve, and those that have none, whose choices are in the markers all the same.

    Parameters
    ----------
    fit
        What `biornn.analysis.psychometric` returned of several networks, with the coordinate `condition`.
    ideal
        Share of choices of an ideal observer (stimulus), such as ``ideal`` of one of the `graded` of the task: on
        either side no network without a bias can be nearer to being right always.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        The ideal observer's line, if it is given; then for each condition the line of its curves and its markers.

    Raises
    ------
    ValueError
        If a variable is missing, there are other dims, or no conditions.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import biornn as bn
    >>> says = {"long_name": "signed coherence", "units": "%"}
    >>> level = xr.DataArray(np.repeat([-8.0, -2.0, 2.0, 8.0], 10), dims="trial", attrs=says)
    >>> chosen = np.arange(40) % 10 < np.repeat([1, 4, 6, 9], 10)
    >>> choice = xr.DataArray([chosen], dims=("network", "trial"), coords={"condition": ("network", ["dale"])})
    >>> bn.plots.psychometric(bn.analysis.psychometric(level, choice)).get_xlabel()
    'signed coherence (%)'
    """
    for name in ("proportion", "bias", "sigma", "lapse"):
        if name not in fit:
            raise ValueError(f"fit: expected {name!r}, found {sorted(map(str, fit.variables))}")
    proportion = select(fit["proportion"], "fit", "network", "stimulus")
    if "condition" not in fit.coords:
        raise ValueError(f"fit: expected the coordinate 'condition', found {sorted(map(str, fit.coords))}")
    levels = proportion["stimulus"].values
    curve = psychometric_curve(fit, np.linspace(levels.min(), levels.max(), _N_POINTS))
    condition = text(fit["condition"]).values
    names = list(dict.fromkeys(condition.tolist()))
    ax = open_axes(ax, height=2.4 + 0.16 * len(names))
    if ideal is not None:
        ideal = select(ideal, "ideal", "stimulus")
        x = ideal["stimulus"]
        ax.plot(x, ideal, color="0.2", linestyle="--", linewidth=1, label="ideal observer", zorder=3)
    for index, name in enumerate(names):
        style, members = look(index), np.flatnonzero(condition == name)
        fitted = curve.isel(network=members).dropna("network")
        n_without = len(members) - fitted.sizes["network"]
        label = f"{name} (n = {fitted.sizes['network']}{f'; no curve: {n_without}' if n_without else ''})"
        band(ax, fitted, "stimulus", label, {**style, "marker": ""})
        median = proportion.isel(network=members).median("network")
        ax.plot(levels, median, linestyle="", marker=style["marker"], color=style["color"], markersize=3.5)
    ax.set_xlabel(axis_label(proportion["stimulus"]))
    ax.set_ylabel(f"share of choices: {fit.attrs.get('positive', 'positive')}")
    ax.set_ylim(-0.04, 1.04)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 4, 5, 8, 10]))
    band_legend(ax)
    return ax


def psychometrics(fits: Mapping[str, xr.Dataset], ideal: Mapping[str, xr.DataArray] | None = None) -> Figure:
    """Plot several psychometric curves of one task, such as those of each modality, one panel each.

    Parameters
    ----------
    fits
        Name of a curve -> its fits, as for `psychometric`: what `biornn.analysis.psychometrics` returns, with the
        coordinate `condition` on `network`.
    ideal
        Name of a curve -> the share of choices of an ideal observer, as for `psychometric`.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels in a row; the legend, which they share, says of which conditions and counts no networks: curves may
        be missing in one panel and not in another.

    Raises
    ------
    ValueError
        If there is none, or as `psychometric`.
    """
    if not fits:
        raise ValueError("fits: expected at least one curve, got none")
    n_columns = min(len(fits), 2)
    figure, axes = open_panels(len(fits), n_columns, PAGE_WIDTH / 2 if len(fits) > 1 else COLUMN_WIDTH, 2.4)
    for (name, fit), ax in zip(fits.items(), axes, strict=True):
        psychometric(fit, (ideal or {}).get(name), ax=ax)
        ax.axhline(0.5, color=GREY, linewidth=0.5, zorder=0)
        set_text_sizes(ax)
        if len(fits) > 1:
            ax.set_title(name, fontsize=MEDIUM)
            for entry in ax.get_legend().get_texts():
                entry.set_text(entry.get_text().partition(" (n = ")[0])
    share_legend(figure)
    return figure
