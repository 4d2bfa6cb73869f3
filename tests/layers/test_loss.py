"""The loss of training, against its definition and against Keras."""

import keras
import numpy as np
import pytest

from biornn.layers import WeightedSquaredError

from .gradients import gradients


def arrays(seed=0, shape=(3, 5, 2)):
    rng = np.random.default_rng(seed)
    return [*rng.normal(size=(2, *shape)).astype("float32"), rng.integers(0, 3, shape).astype("float32")]


def test_it_is_the_weighted_mean_of_squared_errors():
    targets, outputs, weight = arrays()
    expected = (weight.astype(float) * (targets.astype(float) - outputs) ** 2).sum() / weight.sum(dtype=float)
    assert float(WeightedSquaredError()(targets, outputs, weight)) == pytest.approx(
        expected, rel=1e-6
    )  # single precision


@pytest.mark.parametrize("weight", [None, 1.0])
def test_without_weights_it_is_that_of_keras_to_the_bit(weight):
    targets, outputs, _ = arrays(1, (7, 340, 3))
    given = None if weight is None else np.full(targets.shape, weight, "float32")
    expected = keras.losses.MeanSquaredError()(targets, outputs)
    assert float(WeightedSquaredError()(targets, outputs, given)) == float(expected)


def test_padding_changes_no_number():
    targets, outputs, weight = arrays()
    padding = ((0, 0), (0, 4), (0, 0))
    padded = [np.pad(targets, padding), np.pad(outputs, padding, constant_values=9.0), np.pad(weight, padding)]
    loss = WeightedSquaredError()
    assert float(loss(*padded)) == pytest.approx(float(loss(targets, outputs, weight)), rel=1e-6)  # order of the sum


def test_what_does_not_count_may_be_infinite():
    targets, outputs, weight = arrays()
    outputs[weight == 0] = np.inf
    variable = keras.Variable(outputs)
    (found,) = gradients(lambda: WeightedSquaredError()(targets, variable.value, weight), [variable])
    assert np.isfinite(float(WeightedSquaredError()(targets, outputs, weight)))
    assert np.isfinite(found).all()


def test_the_scale_of_the_weights_does_not_matter_and_no_weight_is_no_loss():
    targets, outputs, weight = arrays()
    loss = WeightedSquaredError()
    assert float(loss(targets, outputs, 8 * weight)) == pytest.approx(float(loss(targets, outputs, weight)), rel=1e-6)
    assert float(loss(targets, outputs, 0 * weight)) == 0


def test_it_is_saved_with_a_model():
    again = keras.losses.deserialize(keras.losses.serialize(WeightedSquaredError()))
    assert isinstance(again, WeightedSquaredError)
    assert again.get_config() == WeightedSquaredError().get_config()


def test_its_gradient_is_that_of_the_definition():
    targets, outputs, weight = arrays()
    variable = keras.Variable(outputs)
    (found,) = gradients(lambda: WeightedSquaredError()(targets, variable.value, weight), [variable])
    np.testing.assert_allclose(found, 2 * weight * (outputs - targets) / weight.sum(), rtol=1e-5, atol=1e-7)
