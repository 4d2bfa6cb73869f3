"""Memory that is reused from update to update."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_ALIGNMENT = 64  # bytes; TensorFlow takes an array with this alignment as it is, and copies any other


class Memory:
    """Arrays whose memory is reused after the last reference to them is gone: new pages cost as much as a product."""

    def __init__(self) -> None:
        # No lock: garbage collection may return a block at any moment in any thread, and a process may be forked.
        # `pop` and `append` of a list are atomic.
        self._free: list[NDArray[np.uint8]] = []
        self._is_closed = False

    def take(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating[Any]]:
        """Return an array with arbitrary content, aligned as frameworks need it."""
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if not n_bytes:
            return np.empty(shape, dtype)
        block = self._take_block(n_bytes + _ALIGNMENT)
        offset = -block.ctypes.data % _ALIGNMENT
        # Every view, also a framework's tensor, refers to the lease: when the last is gone, the block is free. It is
        # made from the buffer, since views of a view of `block` would refer to `block` itself.
        lease = np.frombuffer(block.data, np.uint8, n_bytes, offset)
        weakref.finalize(lease, self._give_back, block).atexit = False
        array: NDArray[np.floating[Any]] = lease.view(dtype).reshape(shape)
        return array

    def close(self) -> None:
        """Free all memory: unused blocks now, the others after the last reference to them is gone."""
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
        except IndexError:  # none is left: a new block replaces one that is too small
            block = np.empty(n_bytes, np.uint8)
            too_small = too_small[1:]
        free.extend(reversed(too_small))
        return block
