"""The penalty on rates."""

import keras
import numpy as np
import pytest

from biornn.layers import MeanSquare


@pytest.mark.parametrize("repeats", [1, 3])
def test_it_is_the_mean_of_squares_per_trial_summed_over_trials(repeats):
    rates = np.tile(np.array([[[1.0, -2.0], [3.0, 0.0]]], "float32"), (repeats, 1, 1))
    assert float(MeanSquare(0.5)(rates)) == repeats * 0.5 * (1 + 4 + 9 + 0) / 4


@pytest.mark.parametrize("factor", [0.25, np.float32(0.25), 0])
def test_it_survives_its_config(factor):
    again = keras.regularizers.deserialize(keras.regularizers.serialize(MeanSquare(factor)))
    assert isinstance(again, MeanSquare)
    assert type(again.factor) is float
    assert again.factor == factor


@pytest.mark.parametrize("factor", [-1.0, float("nan"), np.inf, "much"])
def test_an_impossible_factor_is_named(factor):
    with pytest.raises(ValueError, match=rf"^factor: expected a number of at least 0, got {factor!r}$"):
        MeanSquare(factor)
