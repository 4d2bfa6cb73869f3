"""The test of all memory states at a glance, as in the paper's Figure 5."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from biornn.analysis.population import singular_components
from biornn.plots.activity import activity
from biornn.plots.memory_states import memory_states
from biornn.plots.selection import select
from biornn.plots.style import PAGE_WIDTH, open_figure, set_text_sizes
from biornn.plots.trial import trial


def state_test(probe_trials: xr.Dataset, probe_activity: xr.Dataset, scores: xr.DataArray | None = None) -> Figure:
    """Plot how one network goes through all memory states: inputs, outputs, units, and the path of all units together.

    Parameters
    ----------
    probe_trials
        The group `probe_trials` of a run.
    probe_activity
        `rates` (trial, time, unit) and `outputs` (trial, time, output_channel) of one network in the probe.
    scores
        Path to show, dims `trial`, `time`, `component`; by default through the first three singular components, as in
        the paper.

    Returns
    -------
    matplotlib.figure.Figure
        Of a page's width: on the left a row per bit and the rates of all units, sorted by their part in the first two
        principal directions of the path, on the right the path.

    Raises
    ------
    ValueError
        If the data are of more than one network, or there are fewer than three units.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", Figure 5.
    """
    rates = select(probe_activity["rates"], "rates", "trial", "time", "unit")
    components = singular_components(rates)
    n_rows = probe_trials.sizes["output_channel"]
    figure = open_figure(PAGE_WIDTH, 1.9 + 0.75 * n_rows)
    grid = figure.add_gridspec(n_rows + 1, 2, height_ratios=[0.75] * n_rows + [1.9], width_ratios=[1.15, 1])
    rows = [figure.add_subplot(grid[row, 0]) for row in range(n_rows)]
    units = figure.add_subplot(grid[n_rows, 0])
    space = figure.add_subplot(grid[:, 1], projection="3d")
    trial(probe_trials, probe_activity["outputs"], axes=rows)
    activity(rates.isel(unit=_order(components["loadings"])), ax=units)
    units.set_ylabel("unit (sorted)")
    memory_states(components["scores"] if scores is None else scores, probe_trials["memory_state"], ax=space)
    space.set_box_aspect((1, 1, 0.85), zoom=1.12)
    for ax in (*rows, units, space):
        set_text_sizes(ax)
    for ax in rows:
        ax.sharex(units)
        ax.tick_params(labelbottom=False)
        ax.set_xlabel("")
    return figure


def _order(loadings: xr.DataArray) -> xr.DataArray:
    """Sort units by the direction of their loadings on two components: units that act alike stand together."""
    first, second = loadings.isel(component=0), loadings.isel(component=1)
    return xr.DataArray(np.argsort(np.arctan2(second.values, first.values)), dims="unit")
