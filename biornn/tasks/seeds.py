"""Seeded generators whose streams never meet."""

from __future__ import annotations

import zlib

import numpy as np


def generator(purpose: str, *seed: int) -> np.random.Generator:
    """Make the generator of one purpose and seed.

    Parameters
    ----------
    purpose
        What it is for, such as ``"training"``, ``"validation"`` or ``"recording"``: streams of two purposes never meet.
    *seed
        Non-negative integers.
    """
    return np.random.default_rng([zlib.crc32(purpose.encode()), *seed])
