"""One weight matrix of a network: which weights may exist, which signs they may have, and their initial values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Pathway:
    """Constraint on, and initial value of, the weights from one population to another.

    Orientation is Keras's ``rates @ weights``: presynaptic along rows, postsynaptic along columns. Dale's law
    therefore fixes the sign of each **row**, all outgoing weights of one presynaptic unit. `mask` (pre, post) is True
    where a weight may differ from zero; `sign` (pre,) is +1, -1, or 0 for either; `initial_weights` (pre, post) are
    effective ones, and stay what they are where `trainable` (pre, post; None: everywhere True) is False. A ValueError
    if shapes do not fit or the initial weights break the constraint.
    """

    mask: NDArray[np.bool_]
    sign: NDArray[np.int8]
    initial_weights: NDArray[np.float64]
    trainable: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Check shapes, and that the initial weights keep to the constraint."""
        names = ("mask", "sign", "initial_weights") + ("trainable",) * (self.trainable is not None)
        for name in names:
            if not isinstance(getattr(self, name), np.ndarray):
                kind = type(getattr(self, name)).__name__
                raise TypeError(f"{name}: expected a numpy array, presynaptic units along its rows, got {kind}")
        if self.sign.shape != self.mask.shape[:1] or self.initial_weights.shape != self.mask.shape:
            raise ValueError(
                f"sign and initial_weights: expected shapes {self.mask.shape[:1]} and {self.mask.shape}, "
                f"got {self.sign.shape} and {self.initial_weights.shape}"
            )
        if self.trainable is not None and self.trainable.shape != self.mask.shape:
            raise ValueError(f"trainable: expected shape {self.mask.shape}, got {self.trainable.shape}")
        if n_wrong := self.violations(self.initial_weights):
            raise ValueError(f"initial_weights: expected values that keep to mask and sign, got {n_wrong} that do not")
        for name in names:
            array = getattr(self, name).copy()  # the caller's own stays writable
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def free(self) -> NDArray[np.bool_]:
        """(pre, post) the weights that training may change."""
        return self.mask if self.trainable is None else self.mask & self.trainable

    @property
    def is_masked(self) -> bool:
        """Whether any weight is forbidden."""
        return not self.mask.all()

    @property
    def is_signed(self) -> bool:
        """Whether any row has its sign imposed."""
        return bool(self.sign.any())

    def violations(self, weights: NDArray[np.floating]) -> int:
        """Count the weights, shape (pre, post), that the mask or the sign forbids."""
        forbidden = (weights != 0) & ~self.mask
        wrong_sign = weights * self.sign[:, np.newaxis] < 0
        return int((forbidden | wrong_sign).sum())
