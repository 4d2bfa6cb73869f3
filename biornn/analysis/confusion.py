"""Which choices are made where which would be right."""

from __future__ import annotations

import numpy as np
import xarray as xr

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, describe
from biornn.analysis.same_labels import same_labels
from biornn.schema import text

#: What trials without a choice are counted as.
NO_CHOICE = "no choice"
_MEASURED = {
    "share": Output("share of the trials in which the choice is made"),
    "n_trials": Output("trials in which the choice would be right"),
}


def confusion(choice: xr.DataArray, correct_choice: xr.DataArray) -> xr.Dataset:
    """Say how often each choice is made in the trials in which each would be right: a confusion matrix.

    Parameters
    ----------
    choice
        What was chosen, as text, dim `trial`; others, such as `network`, broadcast. Of a task its ``choice``, or, of a
        ring, the directions that its ``pointed`` gives. An empty text is no choice.
    correct_choice
        What would have been right, as text, dim `trial`.

    Returns
    -------
    xr.Dataset
        `share` (..., correct_choice, choice): of the trials with a correct choice, the share in which each was made; a
        row adds up to 1, and those on the diagonal are right. `n_trials` (correct_choice). Choices that are right in
        some trial come first, then others that are made in one, sorted, numbers as numbers; last is ``no choice``, if
        there is any without. NaN for a network that never chooses.

    Raises
    ------
    TypeError, ValueError
        If a dim is missing, or trials differ.

    Examples
    --------
    >>> import xarray as xr
    >>> correct, made = ["go", "go", "no-go", "no-go"], ["go", "no-go", "no-go", "no-go"]
    >>> found = confusion(xr.DataArray(made, dims="trial"), xr.DataArray(correct, dims="trial"))
    >>> found["choice"].values.tolist(), found["share"].values.tolist()
    (['go', 'no-go'], [[0.5, 0.5], [0.0, 1.0]])
    """
    require_dims(choice, "choice", ["trial"])
    require_dims(correct_choice, "correct_choice", ["trial"])
    choice, correct = same_labels("choice", "the trials of correct_choice", choice, correct_choice, source="trials")
    chosen, correct = text(choice), text(correct).drop_vars(list(correct.coords))
    chosen = chosen.drop_vars([name for name, one in chosen.coords.items() if "trial" in one.dims])
    right = sorted(set(correct.values.tolist()), key=_by_number)
    made = sorted(set(np.unique(chosen.values).tolist()) - {*right, ""}, key=_by_number)
    choices = [*right, *made, *([""] if (chosen == "").any() else [])]
    is_right = _is_each(correct, "correct_choice", right)
    share = xr.dot(is_right / is_right.sum("trial"), _is_each(chosen, "choice", choices), dim="trial")
    labels = {"correct_choice": right, "choice": [one or NO_CHOICE for one in choices]}
    found = xr.Dataset(
        {"share": share.where((chosen != "").any("trial")), "n_trials": is_right.sum("trial").astype(int)}
    )
    found = found.transpose(..., "correct_choice", "choice", missing_dims="ignore")
    return describe(found.assign_coords(labels), _MEASURED)


def _is_each(names: xr.DataArray, dim: str, each: list[str]) -> xr.DataArray:
    return (names == xr.DataArray(np.array(each, str), dims=dim)).astype(float)


def _by_number(name: str) -> tuple[bool, float, str]:
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name
