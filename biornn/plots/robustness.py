"""What becomes of a score with longer delays, more noise or fewer units."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from biornn.plots.bands import band, band_legend, look, members_by_condition
from biornn.plots.panels import share_legend
from biornn.plots.selection import select
from biornn.plots.style import (
    COLUMN_WIDTH,
    MEDIUM,
    PAGE_WIDTH,
    SMALL,
    axis_label,
    fitted,
    open_axes,
    open_panels,
    set_text_sizes,
)
from biornn.schema import LESION_OF_ANY, text

_N_COLUMNS = 3


def dose_response(score: xr.DataArray, along: str, ax: Axes | None = None) -> Axes:
    """Plot a score over a delay, the size of a noise or the share of silenced units, by condition.

    The line is the median over the networks (seeds) of a condition, the band reaches from their minimum to their
    maximum. Networks without any value, such as diverged ones, are left out; the legend says how many.

    Parameters
    ----------
    score
        (network, `along`), with the coordinate `condition` on network: `score` of `biornn.analysis.retention`,
        `input_noise_robustness`, `recurrent_noise_robustness` or, of one lesion, `lesion_robustness`. Its attribute
        `score_name` is what it is called.
    along
        ``"delay"``, ``"noise"`` or ``"share"``.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are other dims, or no conditions.

    Examples
    --------
    >>> import xarray as xr
    >>> score = xr.DataArray(
    ...     [[0.98, 0.7]],
    ...     dims=("network", "noise"),
    ...     coords={"condition": ("network", ["dale"]), "noise": [0.0, 0.4]},
    ...     attrs={"score_name": "accuracy"},
    ... )
    >>> dose_response(score, "noise").get_ylabel()
    'accuracy'
    """
    score = select(score, "score", "network", along)
    conditions = members_by_condition(score, "score")
    ax = open_axes(ax, height=2.1 + 0.13 * len(conditions))
    for index, (condition, members) in enumerate(conditions.items()):
        known = members.dropna("network", how="all")
        counts = f"n = {known.sizes['network']}"
        if missing := members.sizes["network"] - known.sizes["network"]:
            counts += f"; left out: {missing}"
        band(ax, known, along, f"{condition} ({counts})", look(index))
    ax.set_xlabel(axis_label(score[along]))
    ax.set_ylabel(score.attrs.get("score_name", "score").replace("_", " "))
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    band_legend(ax)
    return ax


def lesions(result: xr.Dataset) -> Figure:
    """Plot the score over the share of silenced units, one panel for each kind of lesion, by condition.

    As `dose_response`; beside the lesions of one cell type a thin dotted line of the same colour shows the median of
    their controls, in which as many units of any type are silenced.

    Parameters
    ----------
    result
        What `biornn.analysis.lesion_robustness` returned of several networks, with the coordinate `condition`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a variable is missing, there are other dims, or no conditions.

    Examples
    --------
    >>> import biornn as bn
    >>> run = bn.open_run("runs/example")  # doctest: +SKIP
    >>> weights, trials = (run[group].to_dataset() for group in ("weights", "trials"))  # doctest: +SKIP
    >>> result = bn.analysis.lesion_robustness(weights, trials)  # doctest: +SKIP
    >>> bn.plots.lesions(result).savefig("lesions.pdf")  # doctest: +SKIP
    """
    for name in ("score", "control_score"):
        if name not in result:
            raise ValueError(f"result: expected {name!r}, found {sorted(map(str, result.data_vars))}")
    every = text(result["lesion"]).values.tolist()
    kinds = [kind for kind in every if result["score"].sel(lesion=kind).notnull().any()] or [LESION_OF_ANY]
    n_columns = min(len(kinds), _N_COLUMNS)
    width = max(COLUMN_WIDTH / n_columns, PAGE_WIDTH / _N_COLUMNS)
    figure, axes = open_panels(len(kinds), n_columns, width, 2.9, sharey=True)
    for kind, ax in zip(kinds, axes, strict=True):
        _panel(result.sel(lesion=kind), ax)
        set_text_sizes(ax)
        ax.set_title(f"{kind} units", fontsize=MEDIUM)
        if not ax.get_subplotspec().is_first_col():
            ax.set_ylabel("")
    for ax in axes[1:]:
        ax.get_legend().remove()  # counts networks without cell types as left out, which they are not
    share_legend(figure)
    note = "line: median of networks, band: min to max"
    if len(kinds) > 1:
        note += "; thin dots: median of as many units of any type"
    figure.legends[0].set_title(fitted(note, figure, SMALL))
    figure.legends[0].get_title().set_fontsize(SMALL)
    return figure


def _panel(lesion: xr.Dataset, ax: Axes) -> None:
    dose_response(lesion["score"], "share", ax)
    control = select(lesion["control_score"], "control_score", "network", "share")
    for index, members in enumerate(members_by_condition(control, "control_score").values()):
        if members.notnull().any():
            ax.plot(members["share"], members.median("network"), color=look(index)["color"], linestyle=":", linewidth=1)
