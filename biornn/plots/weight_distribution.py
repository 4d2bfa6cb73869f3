"""The distribution of the recurrent weights, before and after training."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from biornn.analysis.presynaptic_type import presynaptic_type
from biornn.plots.selection import select
from biornn.plots.style import cell_type_colours, legend_above, open_axes
from biornn.schema import type_signs

#: Magnitudes are shown down to this share of the largest; fewer than 1 in 100 normal weights are smaller.
_SMALLEST = 2e-3
_N_BINS = 36


def weight_distribution(
    recurrent_weights: xr.DataArray, recurrent_mask: xr.DataArray, cell_type: xr.DataArray, ax: Axes | None = None
) -> Axes:
    """Plot how the magnitudes of the recurrent weights are distributed, by the cell type of the presynaptic unit.

    On the logarithmic axis a log-normal distribution is a symmetric bell. The synapses of each type count one in all,
    so that many excitatory and few inhibitory ones compare.

    Parameters
    ----------
    recurrent_weights
        Effective weights of one network, dims `unit_pre`, `unit_post` and, to compare, `snapshot`: the first, before
        training, is a dashed line, the last an area.
    recurrent_mask
        True where a synapse may exist, dims `unit_pre`, `unit_post`; only these count. Those that are smaller than
        1/500 of the largest are left out of the picture.
    cell_type
        Type of each unit, dims `unit`; types of one's own with the coordinate `cell_sign`, as in a run.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        For each cell type that there is, the steps of the first snapshot, where there is one, and the area of the last.

    Raises
    ------
    ValueError
        If the weights are of more than one network, a dim is missing, or units differ.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> gamma = np.random.default_rng(0).gamma(2, size=(2, 9, 9))
    >>> weights = xr.DataArray(gamma, dims=("snapshot", "unit_pre", "unit_post"))
    >>> types = xr.DataArray(["excitatory"] * 9, dims="unit")
    >>> ax = weight_distribution(weights, weights[0] > 0, types)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['excitatory, before', 'excitatory, after']
    """
    dims = ("snapshot", "unit_pre", "unit_post") if "snapshot" in recurrent_weights.dims else ("unit_pre", "unit_post")
    weights = select(recurrent_weights, "recurrent_weights", *dims)
    mask = select(recurrent_mask, "recurrent_mask", "unit_pre", "unit_post").values.astype(bool)
    if "snapshot" not in dims:
        weights = weights.expand_dims("snapshot")
    types = select(cell_type, "cell_type", "unit")
    of_type, colours = presynaptic_type(weights, types).values, cell_type_colours(type_signs(types))
    magnitudes = np.abs(weights.values[[0, -1]].astype(np.float64))
    shown = magnitudes[:, mask]
    largest = float(shown[np.isfinite(shown)].max(initial=0.0)) or 1.0
    edges = np.geomspace(_SMALLEST * largest, largest * (1 + 1e-9), _N_BINS + 1)
    ax = open_axes(ax, height=2.4)
    names = {0: "before", 1: "after"} if weights.sizes["snapshot"] > 1 else {1: ""}
    for number in np.unique(of_type[of_type >= 0]).tolist():
        row, (name, colour) = of_type == number, list(colours.items())[number]
        for index, when in names.items():
            label = ", ".join(part for part in (name, when) if part)
            _steps(ax, magnitudes[index][row][mask[row]], edges, colour, label, index == 1)
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())  # ticks that are not labelled take a third of the drawing
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(bottom=0)
    ax.set_xlabel("magnitude of the weight")
    ax.set_ylabel("share of synapses per bin (%)")
    legend_above(ax, ncols=2, handlelength=1.6)
    return ax


def _steps(
    ax: Axes,
    magnitudes: NDArray[np.float64],
    edges: NDArray[np.float64],
    colour: tuple[float, float, float],
    label: str,
    is_filled: bool,
) -> None:
    """Draw one distribution in per cent; weights that are not finite have none."""
    counts = np.histogram(magnitudes[np.isfinite(magnitudes)], edges)[0] * (100 / max(magnitudes.size, 1))
    if is_filled:
        ax.stairs(counts, edges, color=colour, fill=True, alpha=0.35, label=label)
        ax.stairs(counts, edges, color=colour, linewidth=1.2)
    else:
        ax.stairs(counts, edges, color=colour, linewidth=1.2, linestyle=(0, (3, 1)), label=label)
