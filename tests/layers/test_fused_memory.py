"""Memory that is used again: by one at a time, and no more of it than is needed."""

import gc
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from biornn.layers.fused.memory import Memory


@pytest.fixture
def restless():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_no_two_threads_have_the_same_memory() -> None:
    memory, n_times = Memory(), 3000

    def work(number: int) -> int:
        n_right = 0
        for size in np.random.default_rng(number).integers(1, 40, n_times):
            array = memory.take((int(size),), "float64")
            array[...] = number
            n_right += bool((array == number).all())
        return n_right

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == [n_times] * 6


def test_blocks_grow_with_what_is_asked_for_and_are_no_more() -> None:
    memory = Memory()
    for size in (1, 10, 100, 1000):
        held = [memory.take((size,), "float64") for _ in range(3)]
        del held
        gc.collect()
    assert len(memory._free) == 3
    assert min(block.nbytes for block in memory._free) >= 8000


def test_a_small_array_leaves_blocks_alone_that_it_does_not_take() -> None:
    memory = Memory()
    held = [memory.take((size,), "float64") for size in (10, 1000)]
    del held[0], held[0]
    for _ in range(3):
        large, small = memory.take((1000,), "float64"), memory.take((10,), "float64")
        del large, small
    assert sorted(block.nbytes // 8 for block in memory._free) == [18, 1008]  # 64 bytes more, for the alignment


def test_nothing_is_kept_once_it_is_closed() -> None:
    memory = Memory()
    held, free = memory.take((10,), "float64"), memory.take((10,), "float64")
    del free
    memory.close()
    held[...] = 1.0
    np.testing.assert_array_equal(held, np.ones(10))
    del held
    gc.collect()
    assert memory._free == []
    memory.take((10,), "float64")
    gc.collect()
    assert memory._free == []
