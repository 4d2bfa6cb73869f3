"""Worker processes are ended with what they were to do."""

import time
from concurrent.futures.process import BrokenProcessPool
from os import _exit

import pytest

from biornn.processes import worker_pool


def test_an_interrupt_does_not_wait_for_what_has_begun() -> None:
    began: list[float] = []

    def interrupted() -> None:
        with worker_pool(1, "time") as pool:
            pool.submit(time.sleep, 0).result()  # the process is there
            began.append(time.monotonic())
            pool.submit(time.sleep, 60)
            time.sleep(0.2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - began[0] < 20


def test_a_process_that_is_killed_breaks_the_pool() -> None:
    with pytest.raises(BrokenProcessPool), worker_pool(1, "time") as pool:
        pool.submit(_exit, 1).result()
