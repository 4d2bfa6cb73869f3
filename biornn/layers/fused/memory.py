"""Memory that is used again from update to update."""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_ALIGNMENT = 64  # bytes; TensorFlow takes an array with this alignment as it is, and copies any other


class Memory:
    """Arrays whose memory is used again once nobody holds them: fresh pages cost as much as a product."""

    def __init__(self) -> None:
        self._free: list[NDArray[np.uint8]] = []  # blocks are put at its end at any moment, without the lock
        self._taking = threading.Lock()
        self._is_closed = False

    def take(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating[Any]]:
        """Return an array with any content, at an address that frameworks like."""
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if not n_bytes:
            return np.empty(shape, dtype)
        block = self._take_block(n_bytes + _ALIGNMENT)
        offset = -block.ctypes.data % _ALIGNMENT
        # Every view holds the lease, a framework's tensor too: when the last is gone, the block is free. Of an array in
        # place of its buffer numpy would make them hold the block itself.
        lease = np.frombuffer(block.data, np.uint8, n_bytes, offset)
        weakref.finalize(lease, self._give_back, block).atexit = False
        array: NDArray[np.floating[Any]] = lease.view(dtype).reshape(shape)
        return array

    def close(self) -> None:
        """Give all back to the system, and what is held once it no longer is."""
        self._is_closed = True
        self._free = []

    def _give_back(self, block: NDArray[np.uint8]) -> None:
        if not self._is_closed:
            self._free.append(block)

    def _take_block(self, n_bytes: int) -> NDArray[np.uint8]:
        with self._taking:
            free = self._free
            for index in reversed(range(len(free))):  # the last one may still be in the processor's cache
                if free[index].size >= n_bytes:
                    return free.pop(index)
            if free:
                free.pop(0)  # one that is too small makes way for what suits the largest batch
        return np.empty(n_bytes, np.uint8)
