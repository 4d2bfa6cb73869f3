"""Decompositions of many matrices."""

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from biornn.analysis.convergence import values_of


def test_matrices_are_decomposed_with_one_thread() -> None:
    found: list[set[int]] = []

    def n_threads() -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    def values(matrices: np.ndarray) -> np.ndarray:
        found.append(n_threads())
        return np.linalg.svdvals(matrices)

    with threadpool_limits(2, user_api="blas"):
        values_of(values, np.ones((3, 2, 2)), np.float64)
        assert n_threads() == {2}
    assert found == [{1}]
