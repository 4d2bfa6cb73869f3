"""The readout: a dense layer within the wiring."""

import keras
import numpy as np
import pytest
from keras import ops

import biornn as bn
from biornn.layers import Readout

from .gradients import numbers

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.mark.parametrize("shape", [(2, 5), (2, 7, 5)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_it_is_a_matrix_and_a_bias(shape, use_bias):
    readout = Readout(bn.Connectivity(5, 0.6, readout_sign="dale"), 3, use_bias=use_bias)
    rates = np.random.default_rng(0).normal(size=shape).astype("float32")
    assert readout(rates).shape == readout.compute_output_shape(shape) == (*shape[:-1], 3)
    bias = np.zeros(3)
    if use_bias:
        bias = np.array([1.0, -2.0, 3.0])
        readout.bias.assign(bias)
    expected = rates @ ops.convert_to_numpy(readout.output_pathway.effective()) + bias
    np.testing.assert_allclose(ops.convert_to_numpy(readout(rates)), expected, rtol=1e-5, atol=1e-6)  # float32 sums


@pytest.mark.parametrize(
    ("settings", "legal"),
    [
        ({"readout_sign": "dale"}, lambda w: (w[:3] > 0).all() and (w[3:] < 0).all()),
        ({"readout_sign": "non_negative"}, lambda w: (w > 0).all()),
        ({"readout_from": "excitatory"}, lambda w: (w[:3] != 0).all() and not w[3:].any()),
        ({}, lambda w: (w > 0).any() and (w < 0).any()),
    ],
)
def test_weights_keep_to_the_readout_settings_of_the_wiring(settings, legal):
    readout = Readout(bn.Connectivity(5, 0.6, **settings), 4)
    readout.build((None, 5))
    assert legal(ops.convert_to_numpy(readout.output_pathway.effective()))


@pytest.mark.parametrize(
    "settings",
    [{}, {"use_bias": False, "enforcement": "projection", "kernel_regularizer": "l2"}, {"n_outputs": np.int64(2)}],
)
def test_config_builds_an_equal_readout(settings):
    readout = Readout(bn.Connectivity(5, 0.6), **{"n_outputs": 2, **settings})
    config = readout.get_config()
    again = Readout.from_config(config)
    assert again.get_config() == config
    assert type(config["n_outputs"]) is int


def test_a_penalty_is_that_of_the_weights():
    readout = Readout(5, 2, kernel_regularizer=keras.regularizers.L2(0.5))
    readout.build((None, 5))
    weights = ops.convert_to_numpy(readout.output_pathway.effective())
    # A float32 sum of ten squares.
    assert numbers(readout.losses) == pytest.approx([0.5 * np.square(weights).sum()], rel=1e-6)


@pytest.mark.parametrize("n_outputs", [0, -1, 1.5, "two"])
def test_a_readout_of_no_outputs_is_refused(n_outputs):
    with pytest.raises(ValueError, match=rf"^n_outputs: expected an integer of at least 1, got {n_outputs!r}$"):
        Readout(5, n_outputs)


def test_another_number_of_units_is_refused():
    with pytest.raises(ValueError, match=r"^rates: expected 5 units, got 4$"):
        Readout(5, 2).build((None, 4))


def test_an_unknown_enforcement_is_refused():
    with pytest.raises(ValueError, match=r"^enforcement: expected one of .*, got 'hope'$"):
        Readout(5, 2, enforcement="hope")
