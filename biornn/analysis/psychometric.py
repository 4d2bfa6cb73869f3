"""Psychometric curves: how the choice between two depends on a graded stimulus."""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.same_labels import same_labels
from biornn.schema import text
from biornn.tasks import Task, task_of

_MAX_LAPSE = 0.1
#: What becomes of a fit; all but the first leave no parameters.
_STATUS = np.array(["fitted", "too few levels", "separated", "flat", "steep"])
_FITTED, _TOO_FEW, _SEPARATED, _FLAT, _STEEP = range(len(_STATUS))
#: Log-likelihoods nearer than this are equal: a tenth of a millionth of what a single trial can change.
_SAME_FIT = 1e-7
_N_PARAMETERS = 3
_Array = NDArray[np.float64]


def psychometric(stimulus: xr.DataArray, choice: xr.DataArray, positive: str | None = None) -> xr.Dataset:
    """Fit the share of one of two choices as a function of a graded stimulus, by maximum likelihood.

    The curve is ``p = λ + (1 - 2 λ) Φ((x - μ) / σ)`` with λ from 0 to 0.1; trials are independent, so the number of
    positive choices at each level is binomial.

    Parameters
    ----------
    stimulus
        How large the stimulus is, dim `trial`, such as a signed coherence or a frequency; its attributes `long_name`
        and `units` say what it is. Trials with NaN are left out.
    choice
        What was chosen, dim `trial`; others, such as `network`, broadcast. Text, of which an empty one is no choice; or
        truth values, or 1, 0 and NaN (no choice).
    positive
        Text that is the choice which large values ask for, the positive one, such as ``"right"``.

    Returns
    -------
    xr.Dataset
        `bias` μ, the stimulus at which both choices are as likely, and `sigma` σ, in its units, and `lapse` λ (...);
        `status` (...): ``fitted``, or why there is no curve and the three are NaN. ``separated``: one choice below some
        level and the other one above, so that a curve fits the better the steeper it is; also if there is one choice
        only. ``steep``: the same but for lapses. ``flat``: no rising curve fits better than a constant. ``too few
        levels``: fewer than three with a choice;
        `n_trials`, `n_positive` and `proportion` (..., stimulus): trials with a choice at each level, those of
        the positive one, and their share.

    Raises
    ------
    TypeError, ValueError
        If a dim is missing, labels differ, or `positive` does not go with the choice.

    Notes
    -----
    Each network has a fit of its own: it is the unit of what is said of several, such as an interval over seeds. A
    least squares fit to proportions weighs levels wrongly. Without λ, a few lapses would make a curve shallow: Wichmann
    & Hill (2001), Percept. Psychophys. 63, 1293.

    See Also
    --------
    psychometric_curve : The fitted curve.
    psychometrics : All curves of a task.
    pooled : Means over networks, with intervals.

    Examples
    --------
    >>> import xarray as xr
    >>> evidence = xr.DataArray([-2.0] * 100 + [0.0] * 100 + [2.0] * 100, dims="trial")
    >>> chosen = [True] * 16 + [False] * 84 + [True, False] * 50 + [True] * 84 + [False] * 16
    >>> fit = psychometric(evidence, xr.DataArray(chosen, dims="trial"))
    >>> fit["status"].item(), abs(fit["bias"].round(3).item()), fit["lapse"].round(3).item()
    ('fitted', 0.0, 0.0)
    """
    require_dims(stimulus, "stimulus", ["trial"])
    require_dims(choice, "choice", ["trial"])
    stimulus, choice = same_labels("choice", "the trials of stimulus", stimulus, choice, source="trials")
    counts = _counted(stimulus, _is_positive(choice, positive))
    units = str(stimulus.attrs.get("units", "1"))
    fitted = {
        "bias": Output("stimulus at which both choices are as likely", units=units),
        "sigma": Output("spread of the curve", units=units),
        "lapse": Output("share of choices without regard to the stimulus, of each kind"),
        "status": Output("what became of the fit", dtype=np.int64),
    }
    level = counts["stimulus"]
    result = apply_kernel(
        _fit, level, counts["n_trials"], counts["n_positive"], core_dims=[["stimulus"]] * 3, outputs=fitted
    )
    result["status"] = result["status"].copy(data=_STATUS[result["status"].values])
    counts["stimulus"].attrs = {"units": units, "long_name": str(stimulus.attrs.get("long_name", "stimulus"))}
    return result.merge(counts).assign_attrs(positive=positive or "positive")


def psychometrics(choice: xr.DataArray, trials: xr.Dataset, task: Task | None = None) -> dict[str, xr.Dataset]:
    """Fit all psychometric curves that a task says there are: one for each modality, or feature and context.

    Parameters
    ----------
    choice
        What was chosen, as the `choice` of the task gives it: text, dim `trial`; others, such as `network`, broadcast.
    trials
        The trials, with the coordinates of the task.
    task
        What says by `graded` on which stimuli choices depend; None: the task that the attributes of `trials` name.

    Returns
    -------
    dict of str to xr.Dataset
        Name of the curve -> what `psychometric` gives for it. Curves of which the trials have fewer than three levels
        are left out; so none of a task that has no such choice.

    Raises
    ------
    ValueError
        If trials differ, or lack a coordinate.

    Examples
    --------
    >>> import biornn as bn
    >>> task = bn.tasks.ContextDecision()
    >>> trials = task.trials(300, seed=0)
    >>> [name for name in bn.analysis.psychometrics(task.choice(trials["targets"], trials), trials)][:2]
    ['motion, context motion', 'colour, context motion']
    """
    task = task_of(trials) if task is None else task
    fits = {}
    for name, graded in getattr(task, "graded", {}).items():
        if missing := [one for one in (graded.stimulus, *graded.among) if one not in trials.coords]:
            raise ValueError(f"trials: expected the coordinate {missing[0]!r} of {task.name}, found none")
        stimulus = graded.counted(trials)
        if np.unique(stimulus.values[np.isfinite(stimulus.values)]).size > _N_PARAMETERS - 1:
            fits[name] = psychometric(stimulus, choice, graded.positive)
    return fits


def psychometric_curve(fit: xr.Dataset, stimulus: ArrayLike) -> xr.DataArray:
    """Give the probability of the positive choice, (..., stimulus), of curves that `psychometric` fitted.

    Parameters
    ----------
    fit
        `bias`, `sigma` and `lapse`; NaN where there is no curve.
    stimulus
        Where to evaluate the curves.
    """
    values = np.asarray(stimulus, float)
    x = xr.DataArray(values, dims="stimulus", coords={"stimulus": values})
    within = xr.apply_ufunc(scipy.special.ndtr, (x - fit["bias"]) / fit["sigma"])
    curve = fit["lapse"] + (1 - 2 * fit["lapse"]) * within
    return curve.transpose(..., "stimulus").rename("probability")


def _is_positive(choice: xr.DataArray, positive: str | None) -> xr.DataArray:
    """1 for the positive choice, 0 for the other, NaN for none."""
    is_text = choice.dtype.kind not in "biuf"
    if is_text != (positive is not None):
        expected = "the text of the positive choice" if is_text else "None, as the choices are no text"
        raise ValueError(f"positive: expected {expected}, got {positive!r}")
    if is_text:
        chosen = text(choice)
        return xr.where(chosen != "", chosen == positive, np.nan)
    strange = choice.where(choice.notnull() & (choice != 0) & (choice != 1), drop=True)
    if strange.notnull().any():
        raise ValueError(f"choice: expected 0, 1 or NaN, got {strange.max().item():g}")
    return choice.astype(np.float64)


def _counted(stimulus: xr.DataArray, is_positive: xr.DataArray) -> xr.Dataset:
    """Count trials and positive choices (..., stimulus) at each level."""
    levels = np.unique(stimulus.values[np.isfinite(stimulus.values)])
    level = xr.DataArray(levels, dims="stimulus", coords={"stimulus": levels})
    at_level = (stimulus.drop_vars(list(stimulus.coords), errors="ignore") == level).astype(np.float64)
    is_positive = is_positive.drop_vars([name for name, one in is_positive.coords.items() if "trial" in one.dims])
    n_trials = xr.dot(is_positive.notnull(), at_level, dim="trial")
    n_positive = xr.dot(is_positive.fillna(0), at_level, dim="trial")
    counts = xr.Dataset(
        {"n_trials": n_trials, "n_positive": n_positive, "proportion": n_positive / n_trials.where(n_trials > 0)}
    )
    for name, long_name in {
        "n_trials": "trials with a choice",
        "n_positive": "trials with the positive choice",
        "proportion": "share of positive choices",
    }.items():
        counts[name].attrs = {"units": "1", "long_name": long_name}
    return counts.transpose(..., "stimulus")


def _fit(level: _Array, n_trials: _Array, n_positive: _Array) -> tuple[float, float, float, int]:
    """Fit one curve to counts (level): μ, σ, λ and the place of the status in `_STATUS`."""
    seen = n_trials > 0
    level, n_trials, n_positive = level[seen], n_trials[seen], n_positive[seen]
    nothing = np.nan, np.nan, np.nan
    if len(level) < _N_PARAMETERS:
        return *nothing, _TOO_FEW
    if level[n_positive > 0].min(initial=np.inf) >= level[n_positive < n_trials].max(initial=-np.inf):
        return *nothing, _SEPARATED
    scale = np.abs(level).max()
    x, counts = level / scale, (n_positive, n_trials - n_positive)
    width, gap = np.ptp(x), np.diff(x).min()
    bounds = [(x[0] - width, x[-1] + width), (np.log(gap / 1e3), np.log(width * 1e3)), (0.0, _MAX_LAPSE)]
    middle = x @ n_trials / n_trials.sum()
    starts = [(middle, np.log(width * share), lapse) for share in (0.05, 0.4) for lapse in (0.005, 0.05)]
    fits = [
        scipy.optimize.minimize(
            _cost,
            start,
            (x, *counts),
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"ftol": 1e-13, "gtol": 1e-9},
        )
        for start in starts
    ]
    best = min(fits, key=lambda fit: fit.fun)
    mu, log_sigma, lapse = best.x
    share = n_positive.sum() / n_trials.sum()
    constant = -scipy.special.xlogy(counts, [[share], [1 - share]]).sum()
    if constant <= best.fun + _SAME_FIT:
        return *nothing, _FLAT
    nearest = x[np.abs(x - mu).argmin()]  # a steeper curve through the same point at this level
    steeper = nearest - (nearest - mu) / 2, log_sigma - np.log(2), lapse
    if _cost(np.array(steeper), x, *counts)[0] <= best.fun + _SAME_FIT:
        return *nothing, _STEEP
    return mu * scale, np.exp(log_sigma) * scale, lapse, _FITTED


def _cost(parameters: _Array, x: _Array, n_positive: _Array, n_negative: _Array) -> tuple[float, _Array]:
    """Negative log-likelihood of μ, log σ and λ, without the constant term, and its gradient."""
    mu, log_sigma, lapse = parameters
    sigma = np.exp(log_sigma)
    z = (x - mu) / sigma
    below, above = scipy.special.ndtr(z), scipy.special.ndtr(-z)
    positive, negative = (np.maximum(lapse + (1 - 2 * lapse) * one, 1e-300) for one in (below, above))
    cost = -(scipy.special.xlogy(n_positive, positive) + scipy.special.xlogy(n_negative, negative)).sum()
    slope = n_negative / negative - n_positive / positive  # of the cost, with respect to the probability
    density = (1 - 2 * lapse) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    gradient = -(slope @ density) / sigma, -(slope @ (density * z)), slope @ (above - below)
    return float(cost), np.array(gradient)
