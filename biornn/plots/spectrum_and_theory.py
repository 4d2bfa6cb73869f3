"""The eigenvalues of one network against what random-matrix theory and matched random weights give."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from biornn.plots.eigenspectrum import eigenspectrum
from biornn.plots.selection import select
from biornn.plots.style import COLOURS, GREY, open_axes


def spectrum_and_theory(
    eigenvalues: xr.DataArray, prediction: xr.Dataset, null: xr.DataArray | None = None, ax: Axes | None = None
) -> Axes:
    """Plot the eigenvalues of one network with the disk and the outlier predicted for random weights.

    Parameters
    ----------
    eigenvalues
        Of one network at one snapshot, dims `mode`. Dimensionless.
    prediction
        What `biornn.analysis.predicted_spectrum` or `bulk_and_outliers` gives for it: `bulk_radius` and `outlier`,
        without dims. The outlier is marked where it lies outside of the disk; elsewhere none is expected.
    null
        Eigenvalues of random weights under the same constraint (`biornn.analysis.matched_random_weights`), dims `mode`
        and `draw`: drawn in grey behind, all draws together.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the data are of more than one network or snapshot, or a variable or dim is missing.

    References
    ----------
    Rajan & Abbott (2006), Phys. Rev. Lett. 97, 188104.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from biornn import analysis
    >>> random = np.random.default_rng(0).normal(0, 0.1, (100, 100))
    >>> weights = xr.DataArray(random, dims=("unit_pre", "unit_post"))
    >>> ax = spectrum_and_theory(analysis.eigenspectrum(weights), analysis.predicted_spectrum(weights))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['predicted bulk', 'unit circle', 'eigenvalues']
    """
    values = select(eigenvalues, "eigenvalues", "mode")
    radius, outlier = (_number(prediction, name) for name in ("bulk_radius", "outlier"))
    ax = open_axes(ax, height=3.5)
    reach = [1.0, radius, np.abs(values.real).max().item(), np.abs(values.imag).max().item()]
    if null is not None:
        random = select(null, "null", "draw", "mode").values.ravel()
        # So many that single points would hide how dense they are.
        alpha = float(np.clip(2000 / random.size, 0.08, 0.6))
        ax.scatter(
            random.real, random.imag, s=4, color=GREY, alpha=alpha, lw=0, zorder=0, label="matched random weights"
        )
        reach += [np.abs(random.real).max(), np.abs(random.imag).max()]
    angle = np.linspace(0, 2 * np.pi, 361)
    ax.plot(radius * np.cos(angle), radius * np.sin(angle), color=COLOURS[1], lw=1.4, zorder=2, label="predicted bulk")
    if abs(outlier) > radius:
        look: dict[str, Any] = {"marker": "D", "s": 45, "facecolors": "none", "edgecolors": [COLOURS[1]], "lw": 1.4}
        ax.scatter([outlier], [0.0], **look, zorder=2, label="predicted outlier")
        reach.append(abs(outlier))
    eigenspectrum(values, ax=ax)  # with the legend of all
    limit = 1.08 * np.nanmax(reach)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    legend = ax.get_legend()
    assert legend is not None  # eigenspectrum made it
    legend.set_ncols(2)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)
    return ax


def _number(prediction: xr.Dataset, name: str) -> float:
    if name not in prediction:
        raise ValueError(f"prediction: expected {name!r}, found {sorted(map(str, prediction.data_vars))}")
    return float(select(prediction[name], name))
