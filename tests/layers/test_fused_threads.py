"""Threads of the steps: which steps get some, and work beside the steps."""

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from biornn.layers.fused.threads import N_BUFFERS, beside, choose_n_parts, for_parts, has_spare_thread

from .gradients import BACKEND


def test_threads_go_to_steps_that_gain_from_them() -> None:
    sizes = {"small": (32, 64), "middle": (64, 100), "large": (128, 400)}
    with threadpool_limits(2, user_api="blas"):
        assert {name: choose_n_parts(*size) for name, size in sizes.items()} == {"small": 1, "middle": 1, "large": 2}
        found = {name: has_spare_thread(*size) for name, size in sizes.items()}
        assert found == {"small": False, "middle": True, "large": False}
        assert choose_n_parts(1, 4000) == 1  # a trial is not divided
    with threadpool_limits(1, user_api="blas"):
        assert not any(has_spare_thread(*size) for size in sizes.values())
        assert {choose_n_parts(*size) for size in sizes.values()} == {1}


def test_parts_are_the_batch() -> None:
    for n_trials, n_parts in [(5, 2), (4, 4), (2, 4), (0, 1)]:
        found: list[int] = []
        for_parts(lambda index, trials, found=found: found.extend(range(100)[trials]), n_trials, n_parts)
        assert sorted(found) == list(range(n_trials))


def test_work_beside_the_steps_is_done_in_order_and_never_far_behind() -> None:
    done: list[int] = []
    threads = set()

    def work(number: int) -> None:
        done.append(number)
        threads.add(threading.current_thread())

    with beside(has_thread=True) as do:
        for number in range(20):
            do(work, number)
            assert len(done) > number + 1 - N_BUFFERS  # so that the next buffer is free
    assert done == list(range(20))
    assert threading.current_thread() not in threads
    with beside(has_thread=False) as do:
        do(work, 20)
        assert done[-1] == 20
    assert threading.current_thread() in threads


@pytest.mark.parametrize("has_thread", [True, False])
def test_an_error_beside_the_steps_is_raised(has_thread: bool) -> None:
    with pytest.raises(ZeroDivisionError), beside(has_thread) as do:
        do(lambda: 1 / 0)


def n_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def in_a_thread(function: Callable[[], object]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join(10)


def test_products_have_one_thread_whichever_thread_makes_the_steps() -> None:
    found = []
    with threadpool_limits(2, user_api="blas"):
        for _ in range(2):
            in_a_thread(lambda: for_parts(lambda index, trials: found.append(n_threads()), 1, 1))
        assert found == [{1}, {1}]
        assert n_threads() == {2}
    with threadpool_limits(1, user_api="blas"):  # nor has any of them kept the right to say how many there are
        assert n_threads() == {1}


def test_layers_at_once_keep_one_thread_for_products_until_the_last_is_done() -> None:
    both = threading.Barrier(2, timeout=10)
    first_is_done, found = threading.Event(), []

    def go_on(index: int, trials: slice) -> None:
        both.wait()
        first_is_done.wait(10)
        found.append(n_threads())

    with threadpool_limits(2, user_api="blas"):
        last = threading.Thread(target=for_parts, args=(go_on, 1, 1))
        last.start()
        for_parts(lambda index, trials: both.wait(), 1, 1)
        first_is_done.set()
        last.join(10)
        assert found == [{1}]
        assert n_threads() == {2}
        assert has_spare_thread(64, 100)


@pytest.mark.nightly
@pytest.mark.skipif(BACKEND == "jax", reason="JAX does not work in a copy of a process, and says so")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_copy_of_the_process_has_threads_of_its_own() -> None:
    # In a new process: the one of the tests may have threads of a cluster, which no copy survives.
    code = """
import multiprocessing
from biornn.layers.fused.threads import beside

def work(queue):
    with beside(has_thread=True) as do:
        do(queue.put, 1)

with beside(has_thread=True) as do:
    do(int)
context = multiprocessing.get_context("fork")
queue = context.SimpleQueue()
process = context.Process(target=work, args=(queue,))
process.start()
process.join(10)
print(process.exitcode, queue.get())
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout == "0 1\n", done.stderr
