"""Seeded generators whose streams never meet."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(purpose: str, *seed: int) -> np.random.Generator:
    """Make the generator of one purpose and seed.

    Parameters
    ----------
    purpose
        What it is for, such as ``"training"``, ``"validation"`` or ``"recording"``: streams of two purposes never meet.
    *seed
        Non-negative integers.

    Raises
    ------
    ValueError
        If one is negative.
    """
    if any(number < 0 for number in seed):
        raise ValueError(f"seed: expected non-negative integers, got {seed}")
    # A digest of the words: numpy itself would read (1,) and (1, 0), or a large number and two small ones, as the same.
    words = " ".join([purpose, *(str(int(number)) for number in seed)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(words.encode()).digest()))
