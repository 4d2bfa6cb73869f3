"""Memory that is used again from update to update."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_ALIGNMENT = 64  # bytes; TensorFlow takes an array with this alignment as it is, and copies any other


class Memory:
    """Arrays whose memory is used again once nobody holds them: fresh pages cost as much as a product."""

    def __init__(self) -> None:
        # No lock: a block may be given back within a collection of garbage, at any moment of any thread, and a process
        # be forked. Taking one from the end of a list and putting one there are single steps of Python.
        self._free: list[NDArray[np.uint8]] = []
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
        free = self._free
        too_small: list[NDArray[np.uint8]] = []
        try:
            while (block := free.pop()).size < n_bytes:
                too_small.append(block)
        except IndexError:  # none is left: one that is too small makes way for what suits the largest batch
            block = np.empty(n_bytes, np.uint8)
            too_small = too_small[1:]
        free.extend(reversed(too_small))
        return block
