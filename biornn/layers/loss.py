"""The loss of training: a squared error in which samples have weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="biornn")
class WeightedSquaredError(keras.losses.Loss):
    """Weighted mean of squared errors over the samples of a batch, Σ w·error² / Σ w.

    Weights are those of single samples (trial, time, output_channel); without them it is the mean squared error. What
    has the weight 0, such as the padding of a trial, changes nothing.
    """

    def __init__(self, name: str = "weighted_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of targets and outputs, each (trial, time, output_channel), as a scalar."""
        y_true, y_pred = (ops.convert_to_tensor(values, dtype=self.dtype) for values in (y_true, y_pred))
        difference = ops.subtract(y_true, y_pred)
        weight = (
            ops.ones_like(difference) if sample_weight is None else ops.convert_to_tensor(sample_weight, self.dtype)
        )
        # Where nothing counts, an output may be infinite. In this order, weights of 1 give the mean squared error of
        # Keras to the bit, and so its gradient.
        error = ops.square(ops.where(weight > 0, difference, ops.zeros_like(difference)))
        total = ops.sum(ops.mean(error * weight, axis=-1))
        return ops.divide_no_nan(total, ops.sum(weight) / ops.cast(ops.shape(difference)[-1], self.dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the name: there are no settings."""
        return {"name": self.name}
