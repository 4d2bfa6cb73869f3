"""The test whether networks of one condition are more alike than networks of different conditions."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import factorial, prod

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims
from biornn.analysis.kernels import Output, apply_kernel
from biornn.schema import text

_Array = NDArray[np.float64]
_Labels = NDArray[np.intp]
#: Seed of a network whose seed is not known.
_UNKNOWN = -1
#: Rows of permuted labels that are compared at once; bounds the memory.
_BATCH = 500
#: What the kernel gives; the first ones are similarities or distances.
_VALUES = {
    "within": Output("mean over pairs of networks of one condition"),
    "between": Output("mean over pairs of networks of different conditions"),
    "same_seed": Output("mean over pairs of networks of one seed and different conditions"),
    "difference": Output("how much more alike networks of one condition are"),
    "mean_similarity": Output("mean over pairs of networks", ("condition", "other_condition")),
}
_COUNTS = {
    "p_value": Output("one-sided permutation p-value"),
    "n_permutations": Output("ways to label the networks that were compared with the true one", dtype=np.int64),
    "n_networks": Output("networks compared", dtype=np.int64),
    "n_failed": Output("networks left out: without a value", dtype=np.int64),
}


def similarity_test(
    matrix: xr.DataArray, *, matched_by_seed: bool = True, n_permutations: int = 9999, seed: int = 0
) -> xr.Dataset:
    """Test by permutation whether networks of one condition are more alike than networks of different conditions.

    Parameters
    ----------
    matrix
        Similarities or distances as `similarity` gives them: dims `network` and `other_network` with the coordinate
        `condition` and, where the test is matched, `seed` on network; other dims, such as `snapshot`, broadcast. A
        diagonal of zeros says that these are distances.
    matched_by_seed
        The networks of one seed started from the same draws and saw the same trials. Then labels are permuted only
        among the networks of a seed, and only pairs of different seeds are compared: within a condition there are no
        others, so pairs of one seed would make the conditions look alike if a seed makes networks alike. False: labels
        are permuted among all networks, and all pairs count.
    n_permutations
        Random permutations for the p-value. Where there are no more than this, every one is visited once instead, and
        the p-value is exact.
    seed
        Of the random permutations.

    Returns
    -------
    xr.Dataset
        `within` and `between`: mean over the pairs of one condition, and of different conditions;
        `difference`: the first minus the second, for distances the second minus the first: positive where networks of
        one condition are more alike;
        `p_value`: one-sided, share of the permutations with a difference at least as large, the true labels included:
        ``(1 + #) / (1 + n)`` for n random ones; NaN where there is no other way to label the networks;
        `n_permutations`: how many;
        `same_seed`: mean over the pairs of one seed and different conditions, to be compared with the `between` of a
        matched test: where these are more alike, a seed (its initial draws, its trials) makes networks alike. NaN where
        no seed is shared or known;
        `mean_similarity` (..., condition, other_condition): means of the blocks of the matrix, from the same pairs as
        `within` and `between`, NaN where there is none;
        `n_networks`, `n_failed`: networks compared, and those left out, whose rows are NaN. Where they leave nothing to
        compare, results are NaN.

    Raises
    ------
    ValueError
        If a dim or coordinate is missing, the two sides hold different networks, there is one condition only or one
        network in each, seeds are not known or not shared by conditions in a matched test, a value is NaN in a network
        that has others, or `n_permutations` is below 1.

    Notes
    -----
    Pairs of networks that share a network are not independent, so a t-test over pairs is wrong; permuted labels of
    networks keep that dependence. Anderson (2001), Austral Ecology 26, 32; Ernst (2004), Statist. Sci. 19, 676; the
    p-value of random permutations: Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9, 39. The labels are what is
    tested: networks of one condition that scatter more than those of another can also lead to a small p-value. Look at
    the diagonal of `mean_similarity`.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> condition = np.repeat(["free", "dale"], 4)
    >>> matrix = xr.DataArray(
    ...     np.where(condition[:, None] == condition, 0.9, 0.5) + 0.1 * np.eye(8),
    ...     dims=("network", "other_network"),
    ...     coords={"condition": ("network", condition), "seed": ("network", [0, 1, 2, 3] * 2)},
    ... )
    >>> test = similarity_test(matrix)
    >>> float(test["difference"].round(6)), float(test["p_value"]), int(test["n_permutations"])
    (0.4, 0.125, 8)
    """
    condition, names, block = _design(matrix, matched_by_seed)
    if n_permutations < 1:
        raise ValueError(f"n_permutations: expected at least 1, got {n_permutations}")
    units, what = matrix.attrs.get("units", "1"), matrix.attrs.get("long_name", "similarity")
    of_matrix = {
        name: output._replace(units=units, long_name=f"{what}: {output.long_name}") for name, output in _VALUES.items()
    }
    result = apply_kernel(
        lambda values: _test(values, condition, block, matched_by_seed, len(names), n_permutations, seed),
        matrix,
        core_dims=[["network", "other_network"]],
        outputs=of_matrix | _COUNTS,
        sizes={"condition": len(names), "other_condition": len(names)},
    )
    labels = np.array(names, object)
    return result.assign_coords(condition=labels, other_condition=labels)


def _design(matrix: xr.DataArray, matched_by_seed: bool) -> tuple[_Labels, list[str], _Labels]:
    """Index of each network's condition, the conditions in the order of the networks, and the seeds."""
    require_dims(matrix, "matrix", ["network", "other_network"])
    n_networks, n_others = matrix.sizes["network"], matrix.sizes["other_network"]
    named = "network" in matrix.coords and "other_network" in matrix.coords
    if n_networks != n_others or (
        named and (text(matrix["network"]).values != text(matrix["other_network"]).values).any()
    ):
        raise ValueError(
            f"matrix: expected the same networks on both sides, got {n_networks} and {n_others} with other names; "
            "select the same along network and other_network"
        )
    for name in ["condition", *(["seed"] if matched_by_seed else [])]:
        if name not in matrix.coords:
            raise ValueError(
                f"matrix: expected the coordinate {name!r} on network, found {sorted(map(str, matrix.coords))}"
            )
    conditions = text(matrix["condition"]).values.tolist()
    names = list(dict.fromkeys(conditions))
    block = matrix["seed"].values.astype(np.intp) if "seed" in matrix.coords else np.full(n_networks, _UNKNOWN)
    _check_design(conditions, block.tolist(), matched_by_seed)
    return np.array([names.index(one) for one in conditions]), names, block


def _check_design(conditions: list[str], seeds: list[int], matched_by_seed: bool) -> None:
    names = set(conditions)
    if len(names) < 2:
        raise ValueError(f"matrix: expected networks of at least two conditions, got {sorted(names)}")
    if max(Counter(conditions).values()) < 2:
        raise ValueError("matrix: expected several networks in a condition, got one in each; train more seeds")
    if not matched_by_seed:
        return
    if _UNKNOWN in seeds:
        raise ValueError(f"seed: expected known seeds to match by, got {_UNKNOWN}; use matched_by_seed=False")
    by_seed = {one: {c for c, s in zip(conditions, seeds, strict=True) if s == one} for one in set(seeds)}
    if max(map(len, by_seed.values())) < 2:
        raise ValueError("seed: expected seeds that conditions share, got none; use matched_by_seed=False")
    if len(by_seed) < 2:
        raise ValueError(f"seed: expected at least two seeds, got {sorted(by_seed)}; use matched_by_seed=False")


def _test(
    values: _Array, condition: _Labels, seeds: _Labels, matched: bool, n_conditions: int, n_permutations: int, seed: int
) -> tuple[float | int | _Array, ...]:
    """Test one matrix (network, other_network); results in the order of `_VALUES` and `_COUNTS`."""
    known = ~np.isnan(np.diagonal(values))
    values, condition, seeds = values[np.ix_(known, known)], condition[known], seeds[known]
    if np.isnan(values).any():
        raise ValueError("matrix: expected NaN in whole rows and columns of failed networks only, got single ones")
    sign = -1.0 if len(values) and not np.diagonal(values).any() else 1.0
    first, second = np.triu_indices(len(values), k=1)
    pairs = values[first, second]
    is_same_seed = (seeds[first] == seeds[second]) & (seeds[first] != _UNKNOWN)
    is_within = condition[first] == condition[second]
    counts = ~is_same_seed if matched else np.ones_like(is_same_seed)
    within, between = _mean(pairs[counts & is_within]), _mean(pairs[counts & ~is_within])
    p_value, n_visited = np.nan, 0
    if np.isfinite(within) and np.isfinite(between):
        blocks = [np.flatnonzero(seeds == one) for one in np.unique(seeds)] if matched else [np.arange(len(values))]
        labels, is_exact = _permuted(condition, blocks, n_permutations, seed)
        p_value = _p_value(sign * pairs[counts], first[counts], second[counts], condition, labels, is_exact)
        n_visited = len(labels)
    return (
        within,
        between,
        _mean(pairs[is_same_seed & ~is_within]),
        sign * (within - between),
        _block_means(pairs[counts], condition[first[counts]], condition[second[counts]], n_conditions),
        p_value,
        n_visited,
        int(known.sum()),
        int((~known).sum()),
    )


def _mean(values: _Array) -> float:
    return float(values.mean()) if values.size else float("nan")


def _block_means(pairs: _Array, one: _Labels, other: _Labels, n_conditions: int) -> _Array:
    """Mean over the pairs of every two conditions; NaN where there is none."""
    sums, counts = np.zeros((2, n_conditions, n_conditions))
    for rows, columns in ((one, other), (other, one)):
        np.add.at(sums, (rows, columns), pairs)
        np.add.at(counts, (rows, columns), 1)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _permuted(
    condition: _Labels, blocks: list[NDArray[np.intp]], n_permutations: int, seed: int
) -> tuple[NDArray[np.int16], bool]:
    """Labels (permutation, network) permuted within blocks: every distinct way where they are few, else random ones."""
    members = [sorted(condition[block].tolist()) for block in blocks]
    # Where each block holds every condition once, new names for the conditions change nothing: the first may stand.
    is_complete = (
        len(blocks) > 1 and len(set(members[0])) == len(members[0]) and members.count(members[0]) == len(blocks)
    )
    moved = blocks[1:] if is_complete else blocks
    n_ways = prod(_n_orders(condition[block].tolist()) for block in moved)
    is_exact = n_ways <= n_permutations
    labels = np.tile(condition.astype(np.int16), (n_ways if is_exact else n_permutations, 1))
    if is_exact:
        ways = product(*(_orders(sorted(condition[block].tolist())) for block in moved))
        labels[:, np.concatenate(moved)] = [[one for order in way for one in order] for way in ways]
    else:
        generator = np.random.default_rng(seed)
        for block in moved:
            labels[:, block] = generator.permuted(labels[:, block], axis=1)
    return labels, is_exact


def _n_orders(labels: list[int]) -> int:
    return factorial(len(labels)) // prod(factorial(count) for count in Counter(labels).values())


def _orders(labels: list[int]) -> list[tuple[int, ...]]:
    """Every distinct order of sorted labels."""
    if not labels:
        return [()]
    firsts = {label: position for position, label in enumerate(labels)}
    return [
        (label, *rest)
        for label, position in firsts.items()
        for rest in _orders(labels[:position] + labels[position + 1 :])
    ]


def _p_value(
    alike: _Array, first: _Labels, second: _Labels, condition: _Labels, labels: NDArray[np.int16], is_exact: bool
) -> float:
    """Share of the labellings whose pairs within conditions are at least as alike as those of the true one.

    The number of pairs within conditions is the same in all of them, so their sum orders them as the difference does.
    NaN where the true one is the only one: nothing was tested.
    """
    if len(labels) == 1 and is_exact:
        return float("nan")
    observed = alike[condition[first] == condition[second]].sum()
    tolerance = 1e-12 * np.abs(alike).sum()  # ties that rounding parts: a sum of 3,000 pairs is good to 4e-13
    n_reached = 0
    for start in range(0, len(labels), _BATCH):
        batch = labels[start : start + _BATCH]
        n_reached += int(((batch[:, first] == batch[:, second]) @ alike >= observed - tolerance).sum())
    return n_reached / len(labels) if is_exact else (1 + n_reached) / (1 + len(labels))
