"""Seeded generators with independent streams."""

from __future__ import annotations

import hashlib

import numpy as np

from biornn.scalars import integer


def generator(purpose: str, *seed: int) -> np.random.Generator:
    """Make the generator of a purpose, such as ``"training"``, and seeds, which are non-negative integers.

    Two purposes, or two sequences of seeds, never have one stream.
    """
    # A digest, since numpy gives (1,) and (1, 0), or a large number and two small ones, the same stream.
    words = " ".join([purpose, *(str(integer("seed", number, minimum=0)) for number in seed)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(words.encode()).digest()))
