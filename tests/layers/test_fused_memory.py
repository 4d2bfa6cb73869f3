"""Memory that is used again: by one at a time, and no more of it than is needed."""

import gc
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from biornn.layers.fused import FusedSteps, Given
from biornn.layers.fused import steps as steps_module
from biornn.layers.fused.memory import Memory


@pytest.fixture
def restless():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("n_times", [1000, pytest.param(3000, marks=pytest.mark.nightly)])
def test_no_two_threads_have_the_same_memory(n_times) -> None:
    memory = Memory()

    def work(number: int) -> int:
        n_right = 0
        for size in np.random.default_rng(number).integers(1, 40, n_times):
            array = memory.take((int(size),), "float64")
            array[...] = number
            time.sleep(0)  # another thread's turn
            n_right += bool((array == number).all())
        return n_right

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == [n_times] * 6


@pytest.mark.nightly
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
    held = [memory.take((1000,), "float64"), memory.take((10,), "float64")]
    held.clear()
    blocks = list(memory._free)
    for _ in range(3):
        held += [memory.take((1000,), "float64"), memory.take((10,), "float64")]
        assert memory._free == []
        held.clear()
        assert {id(block) for block in memory._free} == {id(block) for block in blocks}
        memory._free.sort(key=len, reverse=True)  # the small one comes last, and is looked at first


def test_nothing_is_kept_once_it_is_closed() -> None:
    memory = Memory()
    held, free = memory.take((10,), "float64"), memory.take((10,), "float64")
    del free
    memory.close()
    held[...] = 1.0
    np.testing.assert_array_equal(held, np.ones(10))
    del held
    assert memory._free == []
    memory.take((10,), "float64")
    assert memory._free == []


@pytest.mark.parametrize(
    ("has_readout", "has_spare"),
    [
        (False, False),
        (True, True),
        pytest.param(False, True, marks=pytest.mark.nightly),
        pytest.param(True, False, marks=pytest.mark.nightly),
    ],
)
def test_an_update_asks_the_system_for_less_memory_than_one_block(monkeypatch, has_readout, has_spare) -> None:
    n_trials, n_steps, n_channels, n_units, n_outputs, block_rows = 8, 300, 1, 32, 1, 800
    monkeypatch.setattr(steps_module, "_BLOCK_ROWS", block_rows)
    monkeypatch.setattr(steps_module, "_BLOCK_RATES", 0)
    monkeypatch.setattr(steps_module, "has_spare_thread", lambda n_trials, n_units: has_spare)
    rng = np.random.default_rng(0)
    given = Given(
        inputs=rng.normal(size=(n_trials, n_steps, n_channels)),
        input_weights=rng.normal(size=(n_channels, n_units)),
        recurrent_weights=rng.normal(0, n_units**-0.5, (n_units, n_units)),
        bias=np.zeros(n_units),
        state=np.zeros((n_trials, n_units)),
        output_weights=rng.normal(size=(n_units, n_outputs)) if has_readout else None,
    )
    steps, of_state = FusedSteps("tanh", "rate", np.full(n_units, 0.2)), np.zeros_like(given.state)
    of_outputs = np.ones((n_trials, n_steps, n_outputs if has_readout else n_units))

    def update() -> None:
        _, _, trace = steps.run(given)
        steps.gradients(of_outputs, of_state, given, trace)

    for _ in range(3):  # in the first ones blocks grow to what they are needed for
        update()
    gc.collect()
    peaks = []
    for _ in range(5):  # other threads of the process, such as those of a cluster, allocate now and then
        tracemalloc.start()
        try:
            update()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    peak = min(peaks)
    of_weights = 4 * n_units**2 * 8  # the gradient itself, its parts, and the weights turned
    assert peak < of_weights + block_rows * n_units * 8
