"""How alike the solutions of the networks are."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import xarray as xr

import biornn as bn
from biornn.analysis import similarity_test
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Block, Section
from biornn.report.words import p_text


def similarity(reading: Reading) -> Section | None:
    """Similarity of every two networks, and whether conditions make networks alike."""
    matrix = reading.similarity
    if matrix is None:
        return None
    off_diagonal = matrix.values[~np.eye(len(matrix), dtype=bool)]
    compared = off_diagonal[np.isfinite(off_diagonal)]
    if not compared.size:
        why = f"Not compared: no two networks have activity in {reading.watched.name} that changes."
        return Section("similarity", "How alike the solutions are", (why,))
    blocks: list[Block] = [
        f"Linear centred kernel alignment (CKA) of the activity of every two networks in {reading.watched.name}: 1 "
        "where one is the other, turned and scaled; no unit is taken to be the same in both.",
        Picture(
            "similarity",
            one_panel(lambda ax: bn.plots.similarity(matrix, ax=ax), 3.0),
            f"Matrix of the similarity (CKA) of {len(matrix)} trained networks, grouped by condition. Similarities of "
            f"two networks range from {compared.min():.2f} to {compared.max():.2f}.",
            "Similarity of the networks, grouped by condition and sorted by seed. Lighter is more alike.",
        ),
    ]
    if _is_testable(reading):
        blocks.append(_test(matrix))
    return Section("similarity", "How alike the solutions are", tuple(blocks))


def _is_testable(reading: Reading) -> bool:
    """Tell whether seeds are known, and two conditions share at least two of which both networks were trained."""
    seeds = [
        set(reading.members(reading.history["seed"], condition).values.tolist()) for condition in reading.conditions
    ]
    is_known = bool((reading.history["seed"] >= 0).all())
    return is_known and any(len(one & other) > 1 for one, other in combinations(seeds, 2))


def _test(matrix: xr.DataArray) -> str:
    test = similarity_test(matrix)
    if not np.isfinite(test["difference"]):
        return "Whether conditions make networks alike was not tested: too few networks have activity that changes."
    return (
        f"Networks of one condition have a mean similarity of {float(test['within']):.3f}, those of different "
        f"conditions {float(test['between']):.3f} (pairs of different seeds); p "
        f"{p_text(float(test['p_value']))}, one-sided, by {int(test['n_permutations']):,} permutations of the "
        "conditions within seeds."
    )
