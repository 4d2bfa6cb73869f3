"""The threads of the libraries of linear algebra."""

from threadpoolctl import threadpool_info, threadpool_limits

from biornn.blas import one_blas_thread


def n_threads() -> dict[str, int]:
    return {one["filepath"]: one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_all_have_one_thread_for_as_long_as_the_context_lasts() -> None:
    import scipy.linalg  # noqa: F401  # has a library of its own beside numpy's

    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        with one_blas_thread():
            assert set(n_threads().values()) == {1}
        assert n_threads() == before
