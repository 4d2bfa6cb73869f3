"""How well a network does its task: error and accuracy, in all and by bit and memory state."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_dims, require_some
from biornn.analysis.same_labels import same_labels
from biornn.schema import text

_SAMPLE = ["trial", "time", "output_channel"]
#: An output beyond it, in size, says +1 or -1.
_THRESHOLD = 0.5
#: An error that is still a number when it is squared and summed over as many samples as fit into memory.
_LARGEST_ERROR = 1e147


def performance(
    outputs: xr.DataArray,
    targets: xr.DataArray,
    memory_state: xr.DataArray | None = None,
    response_window: xr.DataArray | None = None,
) -> xr.Dataset:
    """Mean squared error and accuracy of the outputs of networks.

    Accuracy is the share of (trial, time, output channel) samples whose output says what the target says. A value says
    +1 above 0.5, -1 below -0.5, and 0 from -0.5 to 0.5, both included; so an output of exactly 0.5 is wrong where the
    target is 1 and right where it is 0.

    Parameters
    ----------
    outputs
        Outputs of the networks, dims `trial`, `time`, `output_channel`; others, such as `network`, broadcast.
    targets
        What they should be: +1, -1 or 0; the same three dims, with the same labels.
    memory_state
        Name of the state to be held, dims `trial`, `time`. Gives the scores by state.
    response_window
        True where the network is still allowed to be on its way, dims `trial`, `time`, `output_channel`.
        Gives the accuracy of the rest.

    Returns
    -------
    xr.Dataset
        `mse` and `accuracy` over all samples; `mse_per_bit` and `accuracy_per_bit` (..., output_channel); with
        `memory_state` also `mse_per_state` and `accuracy_per_state` (..., memory_state), states in sorted order, each
        over the samples at which the state is to be held; with `response_window` also `accuracy_settled`, over the
        samples outside of the windows (NaN if there are none). Errors are in squared units of the outputs, accuracies
        from 0 to 1. Every score of a network is NaN if one of its outputs, or of their squared errors, is NaN or
        infinite.

    Raises
    ------
    ValueError
        If a dim is missing, there is no sample, or labels or sizes differ between the arguments.

    Notes
    -----
    Made for targets of three levels, such as those of the flip-flop: Sussillo & Barak (2013), Neural Comput. 25, 626.
    Chance is not 0.5: a silent network scores the share of targets that are 0. Scores of a single trial are scores of
    its one course, and say little of others.

    Examples
    --------
    >>> import xarray as xr
    >>> dims = ("trial", "time", "output_channel")
    >>> targets = xr.DataArray([[[1.0], [1.0], [-1.0], [0.0]]], dims=dims)
    >>> outputs = xr.DataArray([[[0.9], [0.4], [-0.6], [0.1]]], dims=dims)
    >>> scores = performance(outputs, targets)
    >>> float(scores["accuracy"]), round(float(scores["mse"]), 4)
    (0.75, 0.135)
    """
    outputs, targets = _same_samples(outputs, targets, "targets", _SAMPLE)
    require_some(outputs, "outputs", _SAMPLE)
    # False where an error is NaN. A mean of squares below this does not overflow.
    finite = (abs(outputs.astype(np.float64) - targets) < _LARGEST_ERROR).all(_SAMPLE)
    # What a diverged network would score is thrown away below.
    outputs = outputs.transpose(..., *_SAMPLE).where(finite, 0.0)
    square_error = (outputs.astype(np.float64) - targets) ** 2
    correct = is_right(outputs, targets)
    scores = {
        "mse": square_error.mean(_SAMPLE, skipna=False),
        "accuracy": correct.mean(_SAMPLE),
        "mse_per_bit": square_error.mean(["trial", "time"], skipna=False),
        "accuracy_per_bit": correct.mean(["trial", "time"]),
    }
    if memory_state is not None:
        _, memory_state = _same_samples(outputs, memory_state, "memory_state", ["trial", "time"])
        scores["mse_per_state"] = _mean_per_state(square_error, memory_state)
        scores["accuracy_per_state"] = _mean_per_state(correct, memory_state)
    if response_window is not None:
        _, response_window = _same_samples(outputs, response_window, "response_window", _SAMPLE)
        settled = ~response_window.astype(bool)
        n_settled = settled.sum(_SAMPLE)
        scores["accuracy_settled"] = (correct & settled).sum(_SAMPLE) / n_settled.where(n_settled > 0)
    result = xr.Dataset({name: score.where(finite) for name, score in scores.items()})
    for name, score in result.data_vars.items():
        measure, _, by = str(name).partition("_")
        long_name = {"mse": "mean squared error", "accuracy": "accuracy"}[measure]
        score.attrs = {"units": "1", "long_name": f"{long_name} {by.replace('_', ' ')}".strip()}
    return result


def _same_samples(
    outputs: xr.DataArray, other: xr.DataArray, name: str, dims: list[str]
) -> tuple[xr.DataArray, xr.DataArray]:
    require_dims(outputs, "outputs", _SAMPLE)
    require_dims(other, name, dims)
    first, second = same_labels(name, f"the labels of outputs along {dims}", outputs, other, source="trials")
    return first, second


def is_right(outputs: xr.DataArray, targets: xr.DataArray) -> xr.DataArray:
    """Tell where an output says what its target says, as `performance` counts it; NaN and infinity say nothing."""
    return (_said(outputs) == _said(targets)) & (abs(outputs) < np.inf)


def _said(values: xr.DataArray) -> xr.DataArray:
    """+1, -1 or 0: what a value says."""
    return (values > _THRESHOLD).astype(np.int8) - (values < -_THRESHOLD).astype(np.int8)


def _mean_per_state(values: xr.DataArray, memory_state: xr.DataArray) -> xr.DataArray:
    """Mean over channels and over the samples of each state; a product with the indicator of the states."""
    labels, index = np.unique(text(memory_state.transpose("trial", "time")).values, return_inverse=True)
    indicator = (index.reshape(-1, 1) == np.arange(len(labels))).astype(np.float64)
    share = xr.DataArray(
        (indicator / indicator.sum(axis=0)).reshape(*index.shape, -1),
        dims=("trial", "time", "memory_state"),
        coords={"memory_state": labels.astype(object)},
    )
    per_sample = values.mean("output_channel").drop_vars(["trial", "time"], errors="ignore")
    return xr.dot(per_sample, share, dim=["trial", "time"])
