"""The layer's steps in numpy against its steps in the framework's loop, and which of the two it takes."""

import gc
import subprocess
import sys
from itertools import product

import keras
import numpy as np
import pytest
from keras import ops

import biornn as bn
from biornn.layers import ConstrainedRNN, fused_inference
from biornn.layers.fused import FusedSteps, Given, fused_steps, runs_on_cpu
from biornn.layers.fused.memory import Memory

from .gradients import BACKEND, gradients

pytestmark = pytest.mark.skipif(not runs_on_cpu(), reason="on JAX and on GPUs all steps are made in a framework's loop")

INPUTS = np.random.default_rng(0).normal(size=(3, 7, 2)).astype("float32")


def layer_of(implementation, **settings):
    """Build a layer whose weights do not depend on how it steps."""
    wiring = bn.Connectivity(6, excitatory_fraction=0.5, density=0.6, seed=1)
    layer = ConstrainedRNN(wiring, return_sequences=True, return_state=True, implementation=implementation, **settings)
    layer.build(INPUTS.shape)
    generator = np.random.default_rng(2)
    for variable in layer.trainable_variables:
        variable.assign(ops.convert_to_tensor(abs(generator.normal(0, 0.5, variable.shape))))
    return layer


SETTINGS = (
    {"tau": 1.0},
    {"tau": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "trainable_initial_state": True},
    {"tau": 4.0, "use_bias": False, "go_backwards": True, "enforcement": "projection"},
    {"tau": 3.0, "recurrent_noise": 0.3, "seed": 5},
)
ACTIVATIONS = ("linear", "relu", "sigmoid", "softplus", "tanh")


@pytest.mark.parametrize(
    ("settings", "activation", "formulation"),
    [  # all pairs of two; the other half of the combinations is nightly
        pytest.param(
            SETTINGS[one], ACTIVATIONS[two], form, marks=pytest.mark.nightly if (one + two + three) % 2 else ()
        )
        for one, two, (three, form) in product(range(4), range(5), enumerate(("rate", "current")))
    ],
)
def test_both_give_the_same_with_the_same_gradients(settings, activation, formulation):
    inputs = keras.Variable(INPUTS)
    of_rates = ops.convert_to_tensor(np.random.default_rng(1).normal(size=(3, 7, 6)), "float32")
    results = []
    for implementation in ("scan", "fused"):
        layer = layer_of(implementation, activation=activation, formulation=formulation, **settings)

        def value(layer=layer):
            rates, state = layer(inputs.value, training=True)
            return ops.sum(rates * of_rates) + ops.sum(state * state)

        found = gradients(value, [inputs, *layer.trainable_variables])
        with fused_inference(layer):
            results.append([*found, *(ops.convert_to_numpy(one) for one in layer(INPUTS))])
    for scanned, stepped in zip(*results, strict=True):
        np.testing.assert_allclose(stepped, scanned, rtol=1e-4, atol=1e-5)


def test_a_readout_may_come_with_the_steps_without_gradient_of_the_inputs():
    rng = np.random.default_rng(3)
    drawn = [rng.normal(0, 0.5, shape).astype("float32") for shape in ((2, 6), (6, 6), (6,), (3, 6), (6, 2))]
    variables = [keras.Variable(array) for array in drawn]
    noise = ops.convert_to_tensor(rng.normal(size=(3, 7, 6)), "float32")
    of_outputs = ops.convert_to_tensor(rng.normal(size=(3, 7, 2)), "float32")
    steps, found = FusedSteps("tanh", "rate", None), []
    for is_together in (True, False):

        def value(is_together=is_together):
            *given, output_weights = (one.value for one in variables)
            given = Given(ops.convert_to_tensor(INPUTS), *given, noise=noise)
            if is_together:
                outputs, state = fused_steps(steps, given._replace(output_weights=output_weights))
            else:
                rates, state = fused_steps(steps, given)
                outputs = ops.matmul(rates, output_weights)
            return ops.sum(outputs * of_outputs) + ops.sum(state)

        found.append(gradients(value, variables))
    for together, apart in zip(*found, strict=True):
        np.testing.assert_allclose(together, apart, rtol=1e-5, atol=1e-5)


def test_it_is_fused_in_training_and_scanned_elsewhere(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("fused")

    monkeypatch.setattr("biornn.layers.recurrent.fused_steps", refuse)
    layer_of("auto")(INPUTS, training=False)
    layer_of("scan")(INPUTS, training=True)
    layer_of("auto", activation="elu")(INPUTS, training=True)
    layer_of("auto", unroll=True)(INPUTS, training=True)
    layer_of("auto")(INPUTS, training=True, mask=np.arange(7) < [[5], [6], [7]])
    layer_of("fused")(INPUTS, training=False)
    for implementation in ("auto", "fused"):
        with pytest.raises(AssertionError, match="fused"):
            layer_of(implementation)(INPUTS, training=True)


def test_inference_is_fused_where_nothing_is_exported(monkeypatch):
    layer, scanned = layer_of("auto"), layer_of("scan")
    other = keras.layers.Dense(1)
    with fused_inference(layer) as one, fused_inference(scanned) as two, fused_inference(other) as three:
        assert (one, two, three) == (True, False, False)
        for here, expected in zip(layer(INPUTS), scanned(INPUTS), strict=True):
            np.testing.assert_allclose(ops.convert_to_numpy(here), ops.convert_to_numpy(expected), rtol=1e-5, atol=1e-6)
        monkeypatch.setattr("biornn.layers.recurrent.fused_steps", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError), fused_inference(layer):
            layer(INPUTS)
        with pytest.raises(ZeroDivisionError):
            layer(INPUTS)
        scanned(INPUTS)
    layer(INPUTS)


@pytest.mark.nightly
def test_the_memory_of_the_steps_goes_with_their_layer():
    task = bn.tasks.FlipFlop(n_bits=1, duration=60.0, n_pulses=1)
    model = bn.layers.build_model(bn.Connectivity(8, seed=0), 1, 1, tau=5.0)
    bn.train(model, task, seed=0, max_updates=2, batch_size=4, n_validation_trials=4)
    memories = [one for one in vars(model.layers[0]._steps).values() if isinstance(one, Memory)]
    held = memories[0].take((9,), "float32")
    assert any(memory._free for memory in memories)
    del model
    gc.collect()
    assert not any(memory._free for memory in memories)
    del held
    assert not any(memory._free for memory in memories)


class Export(keras.callbacks.Callback):
    """Export a model in the midst of its training."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch, logs=None):
        self.model.export(str(self.folder), verbose=False)


@pytest.mark.nightly
@pytest.mark.skipif(BACKEND != "tensorflow", reason="what TensorFlow exports has no Python in it")
@pytest.mark.parametrize("implementation", ["auto", "fused"])
def test_a_model_can_be_exported_during_and_after_training(tmp_path, implementation):
    task = bn.tasks.FlipFlop(n_bits=1, duration=60.0, n_pulses=1)
    wiring = bn.Connectivity(8, excitatory_fraction=0.75, seed=0)
    model = bn.layers.build_model(wiring, 1, 1, tau=5.0, implementation=implementation)
    during, after = tmp_path / "during", tmp_path / "after"
    bn.train(model, task, seed=0, max_updates=2, batch_size=4, n_validation_trials=4, callbacks=[Export(during)])
    model.export(str(after), verbose=False)
    inputs = task.arrays(3, np.random.default_rng(0))[0]
    np.save(tmp_path / "in.npy", inputs)
    script = f"""
import numpy, tensorflow
for folder in {[str(during), str(after)]}:
    model = tensorflow.saved_model.load(folder)
    numpy.save(folder, model.serve(numpy.load({str(tmp_path / "in.npy")!r})).numpy())
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    for folder in (during, after):
        np.testing.assert_allclose(np.load(f"{folder}.npy"), model.predict(inputs, verbose=0), atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "mask", "message"),
    [
        ({"activation": "elu"}, None, "an activation other than linear, relu, sigmoid, softplus, tanh"),
        ({"unroll": True}, None, "expected 'scan' or 'auto' with unroll, got 'fused'"),
        ({"dtype": "bfloat16"}, None, "with 16-bit floats"),
        ({}, np.arange(7) < [[5], [6], [7]], "with masks"),
    ],
)
def test_what_cannot_be_fused_says_why(settings, mask, message):
    with pytest.raises(ValueError, match=message):
        layer_of("fused", **settings)(INPUTS, mask=mask, training=True)
    with pytest.raises(ValueError, match=r"implementation: expected one of .*'scan'.*, got 'fast'"):
        layer_of("fast")


@pytest.mark.nightly
def test_a_model_learns_the_same_either_way():
    task = bn.tasks.FlipFlop(n_bits=1, duration=60.0, n_pulses=1)
    ends = []
    for implementation in ("scan", "fused"):
        wiring = bn.Connectivity(8, excitatory_fraction=0.75, seed=0)
        model = bn.layers.build_model(wiring, 1, 1, tau=5.0, implementation=implementation)
        result = bn.train(model, task, seed=0, max_updates=20, batch_size=4, validate_every=20, n_validation_trials=4)
        ends.append(result["weights"].to_dataset().recurrent_weights.isel(snapshot=-1))
    assert abs(ends[0] - ends[1]).max() < 1e-4
    assert abs(ends[0]).max() > 0.1
