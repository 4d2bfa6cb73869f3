"""How far the training of one network is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Updates made, updates at most, recent mean training loss, and time left at most in s."""

    update: int
    max_updates: int
    loss: float
    seconds_left: float
