"""Samples of a task, as in the paper's Figure 2."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from biornn.plots.panels import share_legend
from biornn.plots.style import PAGE_WIDTH, open_figure, set_text_sizes
from biornn.plots.trial import trial


def training_samples(trials: xr.Dataset, outputs: xr.DataArray | None = None, n_trials: int = 3) -> Figure:
    """Plot several trials of a task side by side: a row per channel, a column per trial.

    Parameters
    ----------
    trials
        Trials of a task: `inputs` (trial, time, input_channel) and `targets` (trial, time, output_channel).
    outputs
        Outputs of one network, dims `trial`, `time`, `output_channel`.
    n_trials
        How many, from the first.

    Returns
    -------
    matplotlib.figure.Figure
        Of a page's width.

    Raises
    ------
    ValueError
        If there are not that many trials.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", Figure 2.

    Examples
    --------
    >>> import biornn as bn
    >>> len(bn.plots.training_samples(bn.tasks.BooleanGate().trials(3, seed=0)).axes)
    9
    """
    if not 1 <= n_trials <= trials.sizes["trial"]:
        raise ValueError(f"n_trials: expected 1 to {trials.sizes['trial']}, got {n_trials}")
    n_rows = len({*trials["input_channel"].values.tolist(), *trials["output_channel"].values.tolist()})
    figure = open_figure(PAGE_WIDTH, 0.9 + 0.85 * n_rows)
    axes = figure.subplots(n_rows, n_trials, sharex=True, sharey=True, squeeze=False)
    for column in range(n_trials):
        for ax in axes[:, column]:
            set_text_sizes(ax)
        trial(trials, outputs, trial=column, axes=axes[:, column])
        axes[0, column].set_title(f"trial {trials['trial'].values[column]}", fontsize=9)
        for ax in axes[:, column] if column else []:
            ax.set_ylabel("")
    share_legend(figure)
    return figure
