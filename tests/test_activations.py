"""The activations in numpy against the Keras functions of the same name."""

import numpy as np
import pytest

from biornn.activations import ACTIVATIONS, activation

#: Both tails, the kinks of every piecewise function (0, 1, 3, 6), both sides of them, and a dense middle.
KINKS = np.array([-6.0, -3.0, -2.5, -1.0, 0.0, 1.0, 2.5, 3.0, 6.0])
POINTS = np.unique(np.concatenate([KINKS, KINKS - 1e-6, KINKS + 1e-6, np.linspace(-8, 8, 401), [-40.0, 40.0]]))
#: From the definitions, at -1, 0, 2 and 7 (beyond the last kink).
EXACT = {
    "linear": (-1, 0, 2, 7),
    "tanh": (-0.7615941559557649, 0, 0.9640275800758169, 0.9999983369439447),
    "relu": (0, 0, 2, 7),
    "relu6": (0, 0, 2, 6),
    "leaky_relu": (-0.2, 0, 2, 7),
    "softplus": (0.31326168751822286, 0.6931471805599453, 2.1269280110429727, 7.000911466453774),
    "sigmoid": (0.2689414213699951, 0.5, 0.8807970779778823, 0.9990889488055994),
    "hard_sigmoid": (1 / 3, 0.5, 5 / 6, 1),
    "hard_tanh": (-1, 0, 1, 1),
    "softsign": (-0.5, 0, 2 / 3, 7 / 8),
    "elu": (-0.6321205588285577, 0, 2, 7),
    "selu": (-1.1113307378125628, 0, 2.101401974710961, 7.3549069114883635),
    "gelu": (-0.15865525393145707, 0, 1.9544997361036416, 6.999999999991041),
    "silu": (-0.2689414213699951, 0, 1.7615941559557646, 6.993622641639196),
    "exponential": (0.36787944117144233, 1, 7.38905609893065, 1096.6331584284585),
}
every = pytest.mark.parametrize("name", ACTIVATIONS)


@every
def test_equals_the_keras_function_of_the_same_name(name):
    import keras

    theirs = keras.ops.convert_to_numpy(keras.activations.get(name)(keras.ops.convert_to_tensor(POINTS, "float64")))
    assert theirs.dtype == np.float64
    # A few roundings in double precision, relative to the value or, where values cancel, to 1. TensorFlow keeps the
    # constants of two of them (0.2 and sqrt(1/2)) in single precision.
    rtol = 1e-6 if name in ("leaky_relu", "gelu") else 1e-12
    np.testing.assert_allclose(activation(name)(POINTS), theirs, rtol=rtol, atol=1e-14)


@every
def test_values_by_hand(name):
    # The literals have 16 digits.
    np.testing.assert_allclose(activation(name)(np.array([-1.0, 0.0, 2.0, 7.0])), EXACT[name], rtol=1e-14, atol=1e-15)


@every
def test_extreme_values_neither_overflow_nor_warn(name):
    # exp(700) = 1e304 just fits, and no other function may compute exp(1000) on its way. Warnings are errors here.
    extreme = np.array([-1.0, 1.0]) * (700 if name == "exponential" else 1000)
    values = activation(name)(extreme)
    assert np.isfinite(values).all()
    assert values[0] <= values[1]


@every
def test_derivative_is_that_of_the_values(name):
    f, step = activation(name), 1e-6
    kinks = np.array(f.kinks).reshape(-1, 1)
    smooth = POINTS[(np.abs(POINTS - kinks) > 2 * step).all(axis=0) & (np.abs(POINTS) < 10)]
    differences = (f(smooth + step) - f(smooth - step)) / (2 * step)
    # Central differences: rounding is eps / step = 2e-10 of the value; softsign's second derivative jumps at 0.
    np.testing.assert_allclose(f.derivative(smooth), differences, rtol=1e-6, atol=1e-6)


@every
def test_derivative_jumps_at_the_kinks_and_changes_elsewhere_as_the_curvature_says(name):
    f, apart = activation(name), 1e-4
    dense = np.arange(-80_000, 80_001) * apart
    changes = np.abs(np.diff(f.derivative(dense)))
    kinks = np.array(f.kinks).reshape(-1, 1)
    is_kink = (np.abs(dense[:-1] + apart / 2 - kinks) < apart).any(axis=0)
    assert (changes[is_kink].max(initial=0.0) > 0.1) == bool(f.kinks)
    largest = changes[~is_kink].max() / apart
    if name == "exponential":
        assert f.curvature == np.inf
    else:  # it is the smallest number that is large enough; rounding is eps / apart
        assert largest <= f.curvature * (1 + 1e-6) + 1e-9
        assert largest >= f.curvature * 0.999


@every
def test_no_slope_is_larger_than_the_steepest(name):
    f = activation(name)
    largest = np.abs(f.derivative(np.linspace(-8, 8, 160_001))).max()
    if name == "exponential":
        assert f.steepest == np.inf
    else:
        assert largest <= f.steepest
        assert largest > f.steepest * 0.999


@every
def test_values_lie_between_the_limits(name):
    f = activation(name)
    values = f(np.linspace(-30, 30, 6001))
    low, high = f.limits
    assert low <= values.min()
    assert values.max() <= high
    assert f.is_bounded == (name in ("tanh", "sigmoid", "hard_sigmoid", "hard_tanh", "relu6", "softsign"))
    if np.isfinite(low):
        assert values.min() < low + 0.04  # softsign comes near slowly


@every
def test_keeps_shape_and_leaves_its_argument_alone(name):
    given = np.linspace(-2, 2, 24).reshape(2, 3, 4)
    before = given.copy()
    result = activation(name)(given)
    assert result.shape == given.shape
    assert result.dtype == np.float64
    np.testing.assert_array_equal(given, before)


def test_unknown_activation_is_refused_with_the_list_of_known_ones():
    with pytest.raises(ValueError, match=r"activation: expected one of \('linear', 'tanh', .*\), got 'swishy'"):
        activation("swishy")
