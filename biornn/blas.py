"""The libraries of linear algebra that numpy and scipy call, and their threads."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def blas_libraries() -> ThreadpoolController:
    """Find the libraries that are loaded, once: with a framework it takes 5 ms."""
    import scipy.linalg  # noqa: F401  # which loads its own BLAS

    return ThreadpoolController().select(user_api="blas")


def one_blas_thread() -> AbstractContextManager[object]:
    """Give each product and decomposition one thread, as long as the context lasts.

    Where cores are busy, threads that wait for each other cost many times what they save.
    """
    limit: AbstractContextManager[object] = blas_libraries().limit(limits=1)
    return limit
