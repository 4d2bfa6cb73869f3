"""A penalty on rates that does not grow with the number of trials, steps or units."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="biornn")
class MeanSquare(keras.regularizers.Regularizer):
    """``factor`` times the mean of squares: as an ``activity_regularizer``, the L2 penalty on rates.

    Parameters
    ----------
    factor
        Weight of the penalty, at least 0.

    Raises
    ------
    ValueError
        If it is negative or no number.
    """

    def __init__(self, factor: float) -> None:
        if not isinstance(factor, int | float | np.number) or not 0 <= factor < np.inf:
            raise ValueError(f"factor: expected a number of at least 0, got {factor!r}")
        self.factor = float(factor)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of rates (trial, ...), times the trials: Keras divides an activity penalty by them."""
        x = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))  # a sum of 16-bit squares overflows
        n_trials = ops.cast(ops.shape(x)[0], x.dtype)
        return self.factor * n_trials * ops.mean(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        """Return the factor."""
        return {"factor": self.factor}
