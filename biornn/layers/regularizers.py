"""A penalty on rates that does not grow with the number of trials, steps or units."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from biornn.scalars import check_number


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
        check_number("factor", factor)
        self.factor = float(factor)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of rates (trial, ...), times the trials: Keras divides an activity penalty by them."""
        x = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))  # a sum of 16-bit squares overflows
        n_trials = ops.cast(ops.shape(x)[0], x.dtype)
        return self.factor * n_trials * ops.mean(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        """Return the factor."""
        return {"factor": self.factor}
