"""The accuracy of a memory, while it is being trained."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="biornn")
class MemoryAccuracy(keras.metrics.Mean):
    """Share of (trial, time, output channel) samples whose output is on the target's side of ±0.5.

    The same measure as `biornn.analysis.performance` gives for recorded outputs.
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of targets and outputs, each (trial, time, output_channel)."""
        y_true = ops.cast(y_true, y_pred.dtype)
        on_side = ops.where(ops.abs(y_true) <= 0.5, ops.abs(y_pred) <= 0.5, y_pred * ops.sign(y_true) > 0.5)
        super().update_state(ops.cast(on_side, self.dtype), sample_weight)
