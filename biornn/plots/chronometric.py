"""How long choices take, by how strong the evidence is."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator, ScalarFormatter

from biornn.plots.robustness import dose_response


def chronometric(mean: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Plot mean reaction times over the strength of the evidence, by condition.

    The line is the median over the networks (seeds) of a condition, the band reaches from their minimum to their
    maximum. Strengths above 0 stand on a logarithmic axis.

    Parameters
    ----------
    mean
        (network, level), with the coordinate `condition`: `mean` of `biornn.analysis.chronometric`, in ms.
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
    >>> coords = {"condition": ("network", ["dale"]), "level": ("level", [1.0, 2.0], {"long_name": "coherence"})}
    >>> chronometric(xr.DataArray([[900.0, 800.0]], coords, ("network", "level"))).get_ylabel()
    'reaction time (ms)'
    """
    ax = dose_response(mean.assign_attrs(score_name="reaction time (ms)"), "level", ax=ax)
    levels = mean["level"].values
    if levels.size and levels.min() > 0:
        ax.set_xscale("log", base=2)
        ax.set_xticks(levels)
        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_locator(NullLocator())
    return ax
