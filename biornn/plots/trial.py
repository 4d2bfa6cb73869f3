"""One trial of a task: inputs, targets and what a network made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib import rcParams
from matplotlib.axes import Axes
from numpy.typing import NDArray

from biornn.plots.selection import select, select_trial
from biornn.plots.style import COLOURS, COLUMN_WIDTH, GREY, legend_above, set_text_sizes

_LOOKS: dict[str, dict[str, Any]] = {
    "input": {"color": GREY, "linewidth": 0.8},
    "target": {"linewidth": 1.4, "linestyle": (0, (3, 1.5))},
    "output": {"color": COLOURS[0], "linewidth": 1.2},
}


def trial(
    trials: xr.Dataset,
    outputs: xr.DataArray | None = None,
    trial: int = 0,
    axes: Sequence[Axes] | NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Plot one trial: one row per channel, over time.

    An input and an output channel of one name share a row.

    Parameters
    ----------
    trials
        Trials of a task: `inputs` (trial, time, input_channel) and `targets` (trial, time, output_channel).
    outputs
        Outputs of one network, dims `trial`, `time`, `output_channel`.
    trial
        Position of the trial.
    axes
        One Axes per row. By default a new figure of one column's width.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        One per row; the only plot that returns more than one Axes.

    Raises
    ------
    IndexError
        If there is no such trial.
    ValueError
        If the outputs are of more than one network, a dim is missing, or `axes` has not one Axes per row.

    Examples
    --------
    >>> import biornn as bn
    >>> trials = bn.tasks.PerceptualDecision().trials(1, seed=0)
    >>> len(bn.plots.trial(trials))
    2
    """
    signals = {
        "input": _channels(trials["inputs"], "inputs", trial, "input_channel"),
        "target": _channels(trials["targets"], "targets", trial, "output_channel"),
    }
    if outputs is not None:
        signals["output"] = _channels(outputs, "outputs", trial, "output_channel")
    names = list(dict.fromkeys(name for channels in signals.values() for name in channels))
    rows = _open_rows(len(names), axes)
    handles = {}
    for kind, channels in signals.items():
        for name, values in channels.items():
            ax = rows[names.index(name)]
            look = {"color": rcParams["text.color"], **_LOOKS[kind]}
            (handles[kind],) = ax.plot(values["time"], values, label=kind, **look)
    for ax, name in zip(rows, names, strict=True):
        ax.set_ylabel(f"{name.replace('_', ' ')}\n(a.u.)")
    rows[-1].set_xlabel("time (ms)")
    legend_above(rows[0], handles.values(), handles.keys(), ncols=len(handles))
    return rows


def _channels(array: xr.DataArray, name: str, trial: int, channel: str) -> dict[str, xr.DataArray]:
    """Values over time of each channel, by its name."""
    values = select(select_trial(array, name, trial), name, channel, "time")
    return {str(label): one for label, one in zip(values[channel].values, values, strict=True)}


def _open_rows(n_rows: int, axes: Sequence[Axes] | NDArray[Any] | None) -> NDArray[Any]:
    if axes is not None:
        rows = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if len(rows) != n_rows:
            raise ValueError(f"axes: expected {n_rows}, one per channel, got {len(rows)}")
        return rows
    size = (COLUMN_WIDTH, 0.8 + 0.6 * n_rows)
    _, grid = plt.subplots(n_rows, sharex=True, sharey=True, squeeze=False, figsize=size, layout="constrained")
    for ax in grid.ravel():
        set_text_sizes(ax)
    return grid.ravel()
