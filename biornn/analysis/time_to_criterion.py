"""How long training took to reach the criterion, with the networks that never did."""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.holm import holm
from biornn.analysis.paired_statistics import ROUNDING, sign_flip_p
from biornn.schema import is_trained, text

_ATTRS = {
    "not_reached": ("1", "share of networks that have not reached the criterion"),
    "ci_low": ("1", "lower end of the confidence interval of the share"),
    "ci_high": ("1", "upper end of the confidence interval of the share"),
    "median_updates": ("update", "median of the updates that networks took to reach the criterion"),
    "n_networks": ("1", "networks that were not interrupted"),
    "n_reached": ("1", "networks that reached the criterion"),
    "n_censored": ("1", "networks that did not, failed ones among them"),
    "n_failed": ("1", "networks that diverged or failed"),
    "n_interrupted": ("1", "networks left out, as their training was interrupted"),
    "n_pairs": ("1", "seeds of which a network of the condition and one of the reference are compared"),
    "p_value": ("1", "p-value, two-sided paired permutation test of the log-rank statistic against the reference"),
}


def time_to_criterion(
    history: xr.Dataset,
    reference: str = "unconstrained",
    *,
    confidence_level: float = 0.95,
    n_resamples: int = 9_999,
    seed: int = 0,
) -> xr.Dataset:
    """Estimate how many updates networks need to reach the criterion, and test each condition against a reference.

    Kaplan-Meier estimate, and a log-rank test that permutes the networks of a pair. A network that never reached the
    criterion is censored at the end of the planned training, the last `update`; so is one that diverged or failed: not
    at where it broke off. Censoring at a time says "from here on it would have gone on like the others that were still
    on their way". That is untrue of a network that diverged: it was not going to get there. Censored at its end it
    would leave the count, and a condition would look the better the more, and the earlier, its networks diverge. A
    network whose training was interrupted from outside says nothing of its condition: it is left out, and counted.

    Parameters
    ----------
    history
        `history` of a run: `updates_to_criterion` (NaN: never) and `status`, dim `network`, with the coordinates
        `condition` and `seed` on network and `update` on snapshot. Networks of one seed are a pair. The training was
        planned to be equally long for all networks.
    reference
        Name of the condition to test against.
    confidence_level
        Of the intervals.
    n_resamples
        Random permutations where there are too many to make them all: above 13 pairs.
    seed
        Of these permutations.

    Returns
    -------
    xr.Dataset
        Dims `condition`, in order of first appearance, and `update`, in updates.

        - `not_reached` (condition, update): share of networks that have not reached the criterion by then;
        - `ci_low`, `ci_high` (condition, update): its confidence interval at each update (exact binomial);
        - `median_updates` (condition): median of the updates that its networks took, those that never got there taking
          longer than any other; NaN if the median is one of these;
        - `n_networks`, `n_reached`, `n_censored`, and among these `n_failed` (condition);
        - `n_interrupted` (condition): networks left out of all of these. Where none is left, the estimates are NaN;
        - `n_pairs` (condition): seeds that the test compares, and `p_value` (condition); NaN for the reference, with
          fewer than two pairs, and where all networks took the same time, as when none got there;
        - `p_holm` (condition): the same after Holm's correction.

    Raises
    ------
    ValueError
        If a variable or coordinate is missing, a network was trained without a criterion, no `update` is known, or
        there is no such reference.

    Notes
    -----
    As nothing is censored before the end, the Kaplan-Meier estimate is the share of all networks, and the exact
    interval of a share (Clopper & Pearson 1934, Biometrika 26, 404) holds; it is defined where none or all have got
    there too, where Greenwood's formula has no width.

    A network counts as there from the first of the validations at which it held the criterion, so times are as fine
    as the validations are frequent.

    The log-rank statistic, observed less expected arrivals of a condition, is a sum of one score for each network
    (Savage's). Under the hypothesis that the networks of a pair could be swapped, the difference of their scores is as
    likely with the other sign: the test makes all sign flips, as `compare` does. It is exact for any number of pairs,
    and like all paired tests has no p-value below ``2**(1 - n_pairs)``. (The usual approximation by chi-squared found
    a difference between equal conditions in up to 8 % of comparisons of 3 to 20 networks.)

    References
    ----------
    Kaplan & Meier (1958), J. Am. Stat. Assoc. 53, 457. Mantel (1966), Cancer Chemother. Rep. 50, 163.
    Savage (1956), Ann. Math. Stat. 27, 590.

    See Also
    --------
    compare : Paired comparison of a metric that every trained network has.

    Examples
    --------
    >>> import xarray as xr
    >>> history = xr.Dataset(
    ...     {
    ...         "updates_to_criterion": ("network", [100.0, 200.0, 300.0, float("nan")]),
    ...         "status": ("network", ["criterion_reached"] * 3 + ["diverged"]),
    ...     },
    ...     coords={
    ...         "condition": ("network", ["unconstrained"] * 2 + ["dale"] * 2),
    ...         "seed": ("network", [0, 1, 0, 1]),
    ...         "update": ("snapshot", [0, 100, 200, 300, 400]),
    ...     },
    ... )
    >>> result = time_to_criterion(history)
    >>> result["not_reached"].sel(condition="dale").values.tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """
    _check(history)
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level: expected a share between 0 and 1, got {confidence_level}")
    condition = text(history["condition"]).values
    conditions = list(dict.fromkeys(condition.tolist()))
    if reference not in conditions:
        raise ValueError(f"reference: expected one of {conditions}, got {reference!r}")
    updates = np.unique(history["update"].values)
    updates = updates[updates >= 0]  # -1: not known
    if not updates.size:
        raise ValueError(
            "update: expected the updates at each snapshot, got -1 (not known) in all; leave out imported runs"
        )
    trained = is_trained(history["status"]).values
    reached = trained & np.isfinite(history["updates_to_criterion"].values)
    times = np.where(reached, history["updates_to_criterion"].values, updates[-1])
    interrupted = (text(history["status"]) == "interrupted").values
    groups = {name: np.flatnonzero((condition == name) & ~interrupted) for name in conditions}
    samples = {name: scipy.stats.CensoredData.right_censored(times[at], ~reached[at]) for name, at in groups.items()}
    shares = np.array([_not_reached(sample, updates) for sample in samples.values()])
    sizes = np.array([len(at) for at in groups.values()])
    low, high = _exact_interval(shares, sizes[:, np.newaxis], confidence_level)
    tests = [
        (0, np.nan)
        if name == reference
        else _log_rank(*_pairs(history["seed"].values, at, groups[reference]), times, reached, n_resamples, seed)
        for name, at in groups.items()
    ]
    n_reached = np.array([reached[at].sum() for at in groups.values()])
    per_condition = {
        "median_updates": [_median(times[at], reached[at]) for at in groups.values()],
        "n_networks": sizes,
        "n_reached": n_reached,
        "n_censored": sizes - n_reached,
        "n_failed": [(~trained[at]).sum() for at in groups.values()],
        "n_interrupted": [((condition == name) & interrupted).sum() for name in conditions],
        "n_pairs": [n_pairs for n_pairs, _ in tests],
        "p_value": np.array([p_value for _, p_value in tests], np.float64),
    }
    result = xr.Dataset(
        {
            **{name: (("condition", "update"), one) for name, one in zip(_ATTRS, (shares, low, high), strict=False)},
            **{name: ("condition", one) for name, one in per_condition.items()},
        },
        {"condition": np.array(conditions, object), "update": ("update", updates, {"units": "update"})},
        {"reference": reference, "confidence_level": confidence_level},
    )
    for name, (units, long_name) in _ATTRS.items():
        result[name].attrs = {"units": units, "long_name": long_name}
    return result.assign(p_holm=holm(result["p_value"]))


def _check(history: xr.Dataset) -> None:
    for name in ("updates_to_criterion", "status", "condition", "seed", "update"):
        if name not in history:
            raise ValueError(f"history: expected {name!r}, found {sorted(map(str, history.variables))}")
    n_without = int((text(history["status"]) == "completed").sum())
    if n_without:
        raise ValueError(
            f"status: expected networks trained with a criterion, got {n_without} of {history['status'].size} without "
            "('completed'); set training.criterion in the experiment"
        )


def _not_reached(sample: scipy.stats.CensoredData, updates: NDArray[np.int64]) -> NDArray[np.float64]:
    """Kaplan-Meier estimate at each number of updates; NaN without networks."""
    if not len(sample):
        return np.full(updates.shape, np.nan)
    estimate: NDArray[np.float64] = scipy.stats.ecdf(sample).sf.evaluate(updates)
    return estimate


def _exact_interval(
    shares: NDArray[np.float64], n_networks: NDArray[np.int64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Clopper and Pearson's interval of shares of so many networks."""
    counts = np.rint(shares * n_networks)
    tail = (1 - level) / 2
    # Where no or every network counts, the interval ends at 0 or 1, and a beta distribution with a zero is none.
    low = scipy.stats.beta.ppf(tail, np.maximum(counts, 1), n_networks - counts + 1)
    high = scipy.stats.beta.ppf(1 - tail, counts + 1, np.maximum(n_networks - counts, 1))
    return np.where(counts == 0, 0.0, low), np.where(counts == n_networks, 1.0, high)


def _median(times: NDArray[np.float64], reached: NDArray[np.bool_]) -> float:
    """Median time of all networks; NaN where it is one of a network that never got there."""
    median = float(np.median(np.where(reached, times, np.inf))) if times.size else np.nan
    return median if np.isfinite(median) else np.nan


def _pairs(
    seeds: NDArray[np.int64], one: NDArray[np.intp], other: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the networks of one seed in two groups; none where seeds are not known or come twice."""
    if (seeds < 0).any() or any(len(np.unique(seeds[at])) < len(at) for at in (one, other)):
        return one[:0], other[:0]
    _, first, second = np.intersect1d(seeds[one], seeds[other], return_indices=True)
    return one[first], other[second]


def _log_rank(
    one: NDArray[np.intp],
    other: NDArray[np.intp],
    times: NDArray[np.float64],
    reached: NDArray[np.bool_],
    n_resamples: int,
    seed: int,
) -> tuple[int, float]:
    """Count the pairs, and test their log-rank scores; NaN for a single pair, and where all scores are the same."""
    networks = np.concatenate([one, other])
    arrived = reached[networks]
    event_times = np.unique(times[networks][arrived])
    at_risk = times[networks][:, np.newaxis] >= event_times
    arrivals = (times[networks][:, np.newaxis] == event_times) & arrived[:, np.newaxis]
    # Observed arrivals of each network less those expected of it, were all at risk equally likely to arrive.
    scores = arrivals.sum(axis=1) - (at_risk * (arrivals.sum(axis=0) / at_risk.sum(axis=0))).sum(axis=1)
    differences = scores[: one.size] - scores[one.size :]
    if one.size < 2 or not differences.any():
        return one.size, np.nan
    rounding = ROUNDING * float(np.abs(scores).max())
    rng = np.random.default_rng([seed, 1])  # as in `compare`
    (p_value,) = sign_flip_p(differences[np.newaxis], np.array([rounding]), n_resamples, rng)
    return one.size, float(p_value)
