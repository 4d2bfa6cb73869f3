"""Seeded generators whose streams never meet."""

from __future__ import annotations

import hashlib

import numpy as np

from biornn.scalars import integer


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
    TypeError, ValueError
        If one is not an integer, or negative.
    """
    # A digest of the words: numpy itself would read (1,) and (1, 0), or a large number and two small ones, as the same.
    words = " ".join([purpose, *(str(integer("seed", number, minimum=0)) for number in seed)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(words.encode()).digest()))
