"""Effective weights and the projection, for any mask and signs."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras import ops

from biornn.connectivity import Pathway
from biornn.layers import PathwayConstraint
from biornn.layers.pathway_weights import PathwayWeights, check_enforcement

from .gradients import EPSILON, FINEST, gradients, numbers, numeric_gradients

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

SHAPE = (4, 3)
MIXED_SIGN = np.array([1, -1, 0, 1], np.int8)
MASK = np.array([[1, 0, 1], [1, 1, 1], [0, 1, 1], [0, 0, 0]], bool)


def pathway(mask=MASK, sign=MIXED_SIGN, seed=0):
    weights = np.random.default_rng(seed).uniform(0.5, 1.5, SHAPE)
    return Pathway(
        mask.copy(), sign.copy(), np.where(sign[:, np.newaxis] == 0, weights, sign[:, np.newaxis] * weights) * mask
    )


def pathway_weights(enforcement, path):
    layer = keras.layers.Layer(dtype=FINEST)
    layer.any = PathwayWeights(layer, "any", path, enforcement)
    return layer.any, layer


matrices = hnp.arrays(np.float32, SHAPE, elements=st.floats(-10, 10, width=32, allow_subnormal=False))
masks = hnp.arrays(bool, SHAPE)
signs = hnp.arrays(np.int8, (SHAPE[0], 1), elements=st.integers(-1, 1))


@settings(max_examples=60, deadline=None)
@given(weights=matrices, other=matrices, mask=masks, sign=signs)
def test_the_projection_is_the_nearest_legal_point(weights, other, mask, sign):
    project = PathwayConstraint(mask, sign)
    came = ops.convert_to_numpy(project(ops.convert_to_tensor(weights)))
    assert not came[~mask].any()
    assert (came * sign >= 0).all()
    np.testing.assert_array_equal(ops.convert_to_numpy(project(ops.convert_to_tensor(came))), came)
    # A point p of a convex set is the nearest to w exactly where (w - p)·(v - p) <= 0 for every v of the set.
    legal = np.where(sign == 0, other, sign * np.abs(other)) * mask
    product = ((weights.astype(float) - came) * (legal.astype(float) - came)).sum()
    assert product <= 0
    np.testing.assert_array_equal(ops.convert_to_numpy(project(ops.convert_to_tensor(legal))), legal)


@pytest.mark.parametrize(
    ("mask", "sign"), [(None, None), (MASK, None), (None, MIXED_SIGN[:, None]), (MASK, MIXED_SIGN[:, None])]
)
@pytest.mark.parametrize("reflect", [True, False])
def test_a_constraint_survives_its_config(mask, sign, reflect):
    weights = np.random.default_rng(1).normal(size=SHAPE).astype("float32")
    constraint = PathwayConstraint(mask, sign, reflect)
    again = keras.constraints.deserialize(keras.constraints.serialize(constraint))
    expected = weights if sign is None else np.where(sign * weights < 0, -weights if reflect else 0, weights)
    expected = expected if mask is None else expected * mask
    for project in (constraint, again):
        np.testing.assert_array_equal(ops.convert_to_numpy(project(ops.convert_to_tensor(weights))), expected)


@pytest.mark.parametrize("sign", [MIXED_SIGN, np.array([1, -1, -1, 1], np.int8), np.zeros(4, np.int8)])
@pytest.mark.parametrize("mask", [MASK, np.ones_like(MASK), np.zeros_like(MASK)])
@pytest.mark.parametrize("enforcement", ["construction", "projection"])
def test_whatever_changes_the_variable_what_is_used_saved_and_returned_is_legal(mask, sign, enforcement):
    path = pathway(mask, sign)
    weights, _ = pathway_weights(enforcement, path)
    drawn = np.random.default_rng(2).normal(scale=1e6, size=SHAPE)
    weights.assign(ops.convert_to_tensor(drawn.astype(FINEST)))  # as an optimizer does
    wrong = 0 if enforcement == "projection" else -drawn
    expected = (np.where(sign[:, np.newaxis] * drawn < 0, wrong, drawn) * mask).astype(FINEST)
    for values in (ops.convert_to_numpy(weights.effective()), weights.numpy(), np.array(weights)):
        np.testing.assert_array_equal(values, expected)
    weights.assign(weights.numpy())
    if path.violations(drawn):
        other, _ = pathway_weights(enforcement, pathway(np.ones_like(MASK), np.zeros(4, np.int8)))
        other.assign(drawn)
        with pytest.raises(ValueError, match="expected weights that keep to the layer's connectivity"):
            weights.assign(other)
        with pytest.raises(ValueError, match=rf"any_kernel: expected .* got {path.violations(drawn)} that its mask or"):
            weights.assign(drawn)
    else:
        weights.assign(drawn)


@pytest.mark.parametrize("enforcement", ["construction", "projection"])
def test_initial_values_keep_to_the_constraint_and_nothing_needless_is_stored(enforcement):
    free, layer = pathway_weights(enforcement, pathway(np.ones_like(MASK), np.zeros(4, np.int8)))
    assert [weight.name for weight in layer.weights] == ["any_kernel"]
    assert free.constraint is None
    path = pathway()
    weights, layer = pathway_weights(enforcement, path)
    assert [weight.name for weight in layer.weights] == ["any_kernel"]
    np.testing.assert_array_equal(ops.convert_to_numpy(weights.effective()), path.initial_weights.astype(FINEST))


@pytest.mark.parametrize("sign", [MIXED_SIGN, np.array([1, -1, -1, 1], np.int8)])
def test_gradients_through_mask_and_sign_are_those_of_finite_differences(sign):
    weights, _ = pathway_weights("construction", pathway(sign=sign))
    drawn = np.random.default_rng(3).uniform(0.5, 1.5, SHAPE) * np.random.default_rng(4).choice([-1, 1], SHAPE)
    weights.assign(
        ops.convert_to_tensor(drawn.astype(FINEST))
    )  # of either sign, and away from zero, where a magnitude has no derivative
    factor = ops.convert_to_tensor(np.random.default_rng(5).normal(size=SHAPE).astype(FINEST))

    def function():
        return ops.sum(factor * ops.sin(weights.effective()))

    (came,) = gradients(function, [weights])
    step = EPSILON ** (1 / 3)  # where the two errors of a central difference, both about step², balance
    (expected,) = numeric_gradients(function, [weights], step)
    np.testing.assert_allclose(came, expected, rtol=0, atol=20 * step**2)
    assert not came[~MASK].any()


def test_the_penalty_sees_only_what_is_effective():
    layer = keras.layers.Layer()
    path = pathway()
    layer.any = PathwayWeights(layer, "any", path, "construction", keras.regularizers.L1(2.0))
    # A float32 sum of seven numbers.
    assert numbers(layer.losses) == pytest.approx([2 * np.abs(path.initial_weights).sum()], rel=1e-6)


def test_an_unknown_enforcement_is_named():
    assert check_enforcement("projection") == "projection"
    with pytest.raises(
        ValueError, match=r"^enforcement: expected one of \('construction', 'projection'\), got 'clip'$"
    ):
        check_enforcement("clip")
