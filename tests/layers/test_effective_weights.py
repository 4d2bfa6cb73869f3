"""Labelled effective weights."""

import keras
import numpy as np
import pytest
from keras import ops

import biornn as bn
from biornn.layers import ConstrainedRNN, ConstrainedRNNCell, effective_weights

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

WIRING = bn.Connectivity(5, 0.6, 0.5, autapses=False, seed=2)


@pytest.mark.parametrize("of_cell", [True, False])
def test_they_are_what_the_network_uses_with_the_names_of_the_schema(of_cell):
    layer = ConstrainedRNN(WIRING)
    layer.build((None, None, 3))
    layer.cell.bias.assign(np.arange(5))
    parameters = np.random.default_rng(0).normal(size=(5, 5)).astype("float32")
    layer.cell.recurrent_pathway.assign(ops.convert_to_tensor(parameters))
    weights = effective_weights(layer.cell if of_cell else layer)
    assert {name: array.dims for name, array in weights.data_vars.items()} == {
        "input_weights": ("input_channel", "unit"),
        "recurrent_weights": ("unit_pre", "unit_post"),
        "recurrent_bias": ("unit",),
    }
    signs = np.array([1, 1, 1, -1, -1])
    expected = np.abs(parameters) * signs[:, np.newaxis] * WIRING.recurrent.mask
    np.testing.assert_array_equal(weights["recurrent_weights"], expected)
    np.testing.assert_array_equal(weights["input_weights"], WIRING.input(3).initial_weights.astype("float32"))
    assert weights["recurrent_bias"].values.tolist() == [0, 1, 2, 3, 4]
    assert weights["cell_type"].values.tolist() == ["excitatory"] * 3 + ["inhibitory"] * 2
    assert all(weights[name].values.tolist() == list(range(5)) for name in ("unit", "unit_pre", "unit_post"))


def test_rows_are_presynaptic():
    layer = ConstrainedRNN(2, "linear", use_bias=False)
    layer.build((None, None, 1))
    layer.cell.recurrent_pathway.assign([[0.0, 3.0], [0.0, 0.0]])
    rates, _ = layer.cell(np.zeros((1, 1), "float32"), [np.array([[1.0, 0.0]], "float32")])
    assert ops.convert_to_numpy(rates).tolist() == [[0.0, 3.0]]  # unit 0 excites unit 1
    assert effective_weights(layer)["recurrent_weights"].sel(unit_pre=0, unit_post=1) == 3


def test_a_layer_without_bias_has_zeros():
    layer = ConstrainedRNN(4, use_bias=False)
    layer.build((None, None, 1))
    assert effective_weights(layer)["recurrent_bias"].values.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("layer", [ConstrainedRNN(3, name="raw"), ConstrainedRNNCell(3, name="raw")])
def test_an_unbuilt_layer_is_refused(layer):
    with pytest.raises(ValueError, match=r"^layer: expected a built layer, got 'raw' unbuilt; call it .* or build it"):
        effective_weights(layer)


@pytest.mark.parametrize("kind", [keras.layers.SimpleRNN, keras.layers.Dense])
def test_a_foreign_layer_is_refused(kind):
    message = f"^layer: expected a ConstrainedRNN or ConstrainedRNNCell, got {kind.__name__}$"
    with pytest.raises(TypeError, match=message):
        effective_weights(kind(3))
