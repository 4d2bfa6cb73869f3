"""Crossed factors: main effects and interactions, seed by seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

import numpy as np
import xarray as xr

from biornn.analysis.metrics import arrange, stack_metrics
from biornn.analysis.paired_statistics import ROUNDING, described, paired_statistics
from biornn.schema import FACTOR, text

#: Factor -> its levels, the reference level first.
_Levels = Mapping[str, Sequence[str]]


def factorial_effects(
    metric: xr.DataArray | xr.Dataset,
    *,
    factors: Sequence[str] | None = None,
    n_resamples: int = 9999,
    confidence_level: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    """Estimate and test what each factor of a full factorial design does, and how factors change each other's effect.

    Every effect is computed within each seed, over all cells (combinations of levels), and then has the statistics of
    `compare` over the seeds. Only complete blocks enter: a seed with a failed or missing cell does not, in no effect.

    Parameters
    ----------
    metric
        As for `compare`, but with the coordinates `seed` and, per factor, ``factor_<name>`` on `network`: the level, as
        text. The level that appears first along `network` is the reference.
    factors
        Names of the crossed factors, such as ``["dale", "density"]``. By default all with at least two levels.
    n_resamples, confidence_level, seed
        As for `compare`.

    Returns
    -------
    xr.Dataset
        Dim `effect`, main effects first, such as ``dale``, ``density``, ``dale:density``; of a factor with more than
        two levels one per level that is not the reference, such as ``density[0.2]``. The coordinate `order` on it is 1
        for a main effect, 2 for an interaction of two factors, and so on. Otherwise as `compare`: `difference` is the
        effect; `n_pairs` counts the complete blocks (seeds), `n_failed` networks without a value, in whichever cell,
        `n_unpaired` seeds that have no network in some cell; `p_holm` is corrected over effects, metrics, other dims.

    Raises
    ------
    ValueError
        If a dim or coordinate is missing, a factor has one level, a seed is not known or comes twice in a cell, or the
        design has a cell without any network.

    Notes
    -----
    With y the metric, S the factors of an effect, a level l_f of each, and 0 for the reference level, an effect is::

        mean over all levels of the factors not in S of
            sum over all T ⊆ S of (-1)^(|S| - |T|) y(f = l_f for f in T, f = 0 for f in S but not in T)

    So a main effect is y(level) − y(reference), averaged over the other factors; an interaction of two factors is a
    difference of differences, ``[y(11) − y(01)] − [y(10) − y(00)]``, averaged over the rest: 0 where effects add up. No
    factor of one half is put in, as some textbooks do (Montgomery, Design and Analysis of Experiments, chapter 6).

    Each effect is a contrast within blocks, tested by flipping the signs of the seeds' contrasts. That is exact where
    these are symmetric about 0 under the hypothesis. With a single factor of two levels it is the test of `compare`.
    One complete block gives effects, but no interval, p-value or effect size.

    Examples
    --------
    >>> import xarray as xr
    >>> accuracy = xr.DataArray(
    ...     [0.9, 0.8, 0.7, 0.3, 0.91, 0.81, 0.71, 0.31],
    ...     dims="network",
    ...     coords={
    ...         "seed": ("network", [0] * 4 + [1] * 4),
    ...         "factor_dale": ("network", ["none", "none", "0.8", "0.8"] * 2),
    ...         "factor_density": ("network", ["1.0", "0.2"] * 4),
    ...     },
    ... )
    >>> effects = factorial_effects(accuracy)["difference"]
    >>> dict(zip(effects["effect"].values.tolist(), effects.values.round(3).tolist()))
    {'dale': -0.35, 'density': -0.25, 'dale:density': -0.3}
    """
    values = stack_metrics(metric, ["seed", *(FACTOR + factor for factor in factors or ())])
    levels = _levels(values, factors)
    cells, n_networks = arrange(values, {FACTOR + factor: known for factor, known in levels.items()})
    _check_cells(n_networks.values, levels, cells["seed"].values)
    is_there, dims = n_networks > 0, [FACTOR + factor for factor in levels]
    complete = cells.where(cells.notnull().all(dims))
    contrasts, labels, orders = [], [], []
    for label, order, contrast in _contrasts(complete, levels):
        contrasts.append(contrast)
        labels.append(label)
        orders.append(order)
    rounding = ROUNDING * abs(cells).max([*dims, "seed"])
    rows = paired_statistics(
        xr.concat(contrasts, "effect", coords="minimal", compat="override"),
        rounding,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        seed=seed,
    )
    rows["n_failed"] = xr.zeros_like(rows["n_pairs"]) + (is_there & cells.isnull()).sum([*dims, "seed"])
    rows["n_unpaired"] = xr.full_like(rows["n_pairs"], float((~is_there.all(dims)).sum()))
    rows = rows.assign_coords(effect=np.array(labels, object), order=("effect", orders))
    return described(rows).assign_attrs(confidence_level=confidence_level)


def _levels(values: xr.DataArray, factors: Sequence[str] | None) -> _Levels:
    """Read the levels of each factor in order of appearance."""
    if factors is None:
        coords = [str(name) for name in values.coords if str(name).startswith(FACTOR)]
        names = [name.removeprefix(FACTOR) for name in coords]
    else:
        names = list(factors)
    levels = {name: list(dict.fromkeys(text(values[FACTOR + name]).values.tolist())) for name in names}
    if factors is None:
        levels = {name: values for name, values in levels.items() if len(values) > 1}
    if not levels:
        raise ValueError(f"factors: expected a coordinate {FACTOR}<name> on network with two levels or more, got none")
    for name, found in levels.items():
        if len(found) < 2:
            raise ValueError(f"factors: expected at least two levels of {name!r}, got {found}")
    return levels


def _check_cells(counts: np.ndarray, levels: _Levels, seeds: np.ndarray) -> None:
    def cell(index: Sequence[int]) -> str:
        return ", ".join(f"{name} {known[at]}" for at, (name, known) in zip(index, levels.items(), strict=True))

    if (missing := np.argwhere(counts.sum(axis=0) == 0)).size:
        raise ValueError(
            f"metric: expected networks of every combination of {' and '.join(levels)}, found none with "
            f"{cell(missing[0])}; name crossed factors only, or use compare"
        )
    if (double := np.argwhere(counts > 1)).size:
        raise ValueError(
            f"metric: expected one network of each seed and combination, got {counts[tuple(double[0])]} of seed "
            f"{seeds[double[0][0]]} with {cell(double[0][1:])}; name all factors that differ"
        )


def _contrasts(cells: xr.DataArray, levels: _Levels) -> Iterator[tuple[str, int, xr.DataArray]]:
    """Give label, order and value of every effect: differences in its factors, means over the others."""
    for order in range(1, len(levels) + 1):
        for chosen in combinations(levels, order):
            for positions in product(*(range(1, len(levels[factor])) for factor in chosen)):
                contrast, parts = cells, []
                for factor, position in zip(chosen, positions, strict=True):
                    of_level = contrast.isel({FACTOR + factor: position}, drop=True)
                    contrast = of_level - contrast.isel({FACTOR + factor: 0}, drop=True)
                    parts.append(factor if len(levels[factor]) == 2 else f"{factor}[{levels[factor][position]}]")
                others = [FACTOR + factor for factor in levels if factor not in chosen]
                yield ":".join(parts), order, contrast.mean(others, skipna=False)
