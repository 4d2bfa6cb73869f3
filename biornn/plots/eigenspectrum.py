"""The eigenvalues of the recurrent weights in the complex plane."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from biornn.plots.selection import select
from biornn.plots.style import COLOURS, GREY, legend_above, open_axes


def eigenspectrum(
    eigenvalues: xr.DataArray, ax: Axes | None = None, before: str = "before training", after: str = "after training"
) -> Axes:
    """Plot the eigenvalues of one network, and the unit circle.

    Parameters
    ----------
    eigenvalues
        Eigenvalues of one network, dims `mode` and, to show what training did, `snapshot`: then its first and its last
        are drawn. Dimensionless.
    ax
        Axes to draw into. By default those of a new figure of one column's width.
    before, after
        Names of the first and the last snapshot.

    Returns
    -------
    matplotlib.axes.Axes
        With one collection of points (real part, imaginary part) per snapshot drawn.

    Raises
    ------
    ValueError
        If the data are of more than one network, or `mode` is missing.

    Notes
    -----
    An eigenvalue outside of the unit circle grows from step to step in a linear network with alpha = 1. With a leak
    (alpha < 1) the limit is a real part of 1 where steps are short against tau.

    Examples
    --------
    >>> import xarray as xr
    >>> ax = eigenspectrum(xr.DataArray([0.5 + 0.5j, 0.5 - 0.5j], dims="mode"))
    >>> ax.get_xlabel()
    'real part of eigenvalue'
    """
    has_snapshots = "snapshot" in getattr(eigenvalues, "dims", ())
    values = select(eigenvalues, "eigenvalues", *(("snapshot", "mode") if has_snapshots else ("mode",)))
    ax = open_axes(ax, height=3.3)
    angle = np.linspace(0, 2 * np.pi, 361)
    ax.plot(np.cos(angle), np.sin(angle), color=GREY, linewidth=0.9, linestyle="--", zorder=1, label="unit circle")
    # So many that they would run into one are drawn smaller.
    size, width = (12, 1.0) if values.sizes["mode"] <= 150 else (6, 0.6)
    if has_snapshots:
        first, last = values.isel(snapshot=0), values.isel(snapshot=-1)
        ax.scatter(
            first.real, first.imag, s=size, marker="o", facecolors="none", edgecolors=[COLOURS[1]], lw=0.8, label=before
        )
        ax.scatter(last.real, last.imag, s=size, marker="x", color=[COLOURS[0]], lw=width, label=after, zorder=3)
    else:
        ax.scatter(values.real, values.imag, s=size, marker="x", color=[COLOURS[0]], lw=width, label="eigenvalues")
    reach = 1.08 * max(1.0, np.abs(values.real).max(), np.abs(values.imag).max())
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.locator_params(nbins=5)
    ax.set_xlabel("real part of eigenvalue")
    ax.set_ylabel("imaginary part of eigenvalue")
    legend_above(ax, ncols=3, handletextpad=0.3, columnspacing=1.0)
    return ax
