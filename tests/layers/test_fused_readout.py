"""Outputs that are made together with the steps, against those that are read out of the rates."""

import keras
import numpy as np
import pytest
from keras import ops

import biornn as bn
from biornn.layers import ConstrainedRNN, MeanSquare, Readout, build_model, fused_inference, fused_readout
from biornn.layers.fused import FusedSteps

from .gradients import BACKEND

if BACKEND != "tensorflow":
    pytest.skip("TensorFlow alone leaves out what nobody asks for", allow_module_level=True)

import tensorflow as tf

N_TRIALS, N_STEPS, N_CHANNELS, N_UNITS, N_OUTPUTS = 3, 7, 2, 6, 2
INPUTS = np.random.default_rng(0).normal(size=(N_TRIALS, N_STEPS, N_CHANNELS)).astype("float32")
OF_OUTPUTS = np.random.default_rng(1).normal(size=(N_TRIALS, N_STEPS, N_OUTPUTS)).astype("float32")


def model_of(**settings) -> keras.Sequential:
    wiring = bn.Connectivity(N_UNITS, excitatory_fraction=0.5, density=0.6, readout_from="excitatory", seed=1)
    model = build_model(wiring, N_CHANNELS, N_OUTPUTS, seed=3, **settings)
    generator = np.random.default_rng(2)
    for variable in model.trainable_variables:
        variable.assign(ops.convert_to_tensor(abs(generator.normal(0, 0.5, variable.shape))))
    return model


def in_a_graph(model):
    """Outputs and gradients of all that is learned, as an update in a graph makes them, and whether inputs have one."""

    @tf.function
    def graph(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = model(inputs, training=True)
            value = tf.reduce_sum(outputs * OF_OUTPUTS)
        return outputs, tape.gradient(value, [inputs, *[one.value for one in model.trainable_variables]])

    outputs, (of_inputs, *found) = graph(tf.constant(INPUTS))
    return [outputs.numpy(), *(one.numpy() for one in found)], of_inputs is not None


@pytest.fixture
def shapes(monkeypatch) -> list[tuple[int, ...]]:
    """Shapes of what the steps in numpy were asked for, in the order of the calls."""
    kept: list[tuple[int, ...]] = []
    run = FusedSteps.run

    def noted(self, given):
        result = run(self, given)
        kept.append(result[0].shape)
        return result

    monkeypatch.setattr(FusedSteps, "run", noted)
    return kept


RATES, OUTPUTS = (N_TRIALS, N_STEPS, N_UNITS), (N_TRIALS, N_STEPS, N_OUTPUTS)


SETTINGS = (
    {},
    {"tau": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "trainable_initial_state": True},
    {"tau": 4.0, "use_bias": False, "readout_bias": False, "enforcement": "projection", "go_backwards": True},
    {"tau": 3.0, "recurrent_noise": 0.3},
)


@pytest.mark.parametrize(
    ("settings", "formulation"),
    [
        pytest.param(settings, formulation, marks=pytest.mark.nightly if (place + other) % 2 else ())
        for place, settings in enumerate(SETTINGS)
        for other, formulation in enumerate(("rate", "current"))
    ],
)
def test_outputs_and_gradients_are_those_of_rates_that_are_read_out(formulation, settings, shapes) -> None:
    apart, inputs_have_one = in_a_graph(model_of(formulation=formulation, **settings))
    assert inputs_have_one
    assert shapes == [RATES]
    model = model_of(formulation=formulation, **settings)
    with fused_readout(model):
        together, inputs_have_one = in_a_graph(model)
    assert not inputs_have_one
    assert shapes == [RATES, OUTPUTS]
    assert len(apart) == len(together) == 1 + len(model.trainable_variables)
    for one, other in zip(together, apart, strict=True):
        assert abs(other).max() > 0
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_updates_never_make_rates(shapes) -> None:
    task = bn.tasks.FlipFlop(n_bits=1, duration=60.0, n_pulses=1)
    model = build_model(bn.Connectivity(8, seed=0), 1, 1, tau=5.0)
    bn.train(model, task, seed=0, max_updates=4, batch_size=4, validate_every=2, n_validation_trials=5)
    update, validation = (4, 60, 1), (5, 60, 8)
    assert shapes == [validation, update, update, validation, update, update, validation]


def test_rates_are_made_where_more_is_asked_for(shapes) -> None:
    def graph_of(model, choose=lambda outputs: outputs):
        with fused_readout(model):
            tf.function(lambda inputs: choose(model(inputs, training=True)))(INPUTS)

    graph_of(model_of(activity_regularizer=MeanSquare(1.0)))
    recurrent, readout = model_of().layers
    whole = keras.Input((N_STEPS, N_CHANNELS), batch_size=N_TRIALS)
    stateful = ConstrainedRNN(N_UNITS, return_sequences=True, stateful=True)
    graph_of(keras.Sequential([whole, stateful, Readout(N_UNITS, N_OUTPUTS)]))
    graph_of(keras.Sequential([whole, recurrent, keras.layers.Dropout(0.5), readout]))
    graph_of(keras.Model(whole, [recurrent(whole), readout(recurrent(whole))]), lambda outputs: outputs[0])
    graph_of(type("Own", (keras.Sequential,), {})([whole, recurrent, readout]))
    assert shapes == [RATES] * 5


def test_a_readout_of_another_precision_reads_rates(shapes) -> None:
    recurrent = model_of().layers[0]
    readout = Readout(N_UNITS, N_OUTPUTS, dtype="float64", autocast=False)
    model = keras.Sequential([keras.Input((N_STEPS, N_CHANNELS), batch_size=N_TRIALS), recurrent, readout])
    with fused_readout(model):
        outputs = tf.function(lambda inputs: model(inputs, training=True))(INPUTS)
    assert shapes == [RATES]
    assert outputs.dtype == "float64"


def test_the_loop_of_the_framework_stays_where_it_is_asked_for(shapes) -> None:
    for settings in ({"activation": "elu"}, {"implementation": "scan"}):
        model = model_of(**settings)
        with fused_readout(model):
            in_a_graph(model)
    assert shapes == []


def test_rates_are_made_where_there_is_no_graph(shapes) -> None:
    model = model_of()
    with fused_readout(model), fused_inference(model.layers[0]):
        outputs = model(INPUTS)
    assert shapes == [RATES]
    np.testing.assert_allclose(outputs, model(INPUTS), rtol=1e-5, atol=1e-6)


def test_rates_have_a_gradient_outside_of_the_context() -> None:
    model = model_of()
    recurrent, readout = model.layers
    with fused_readout(model):
        in_a_graph(model)

    @tf.function
    def graph(inputs):
        with tf.GradientTape() as tape:
            rates = recurrent(inputs, training=True)
            value = tf.reduce_sum(readout(rates) * OF_OUTPUTS)
        return tape.gradient(value, rates)

    expected = OF_OUTPUTS @ ops.convert_to_numpy(readout.output_pathway.effective()).T
    np.testing.assert_allclose(graph(tf.constant(INPUTS)), expected, rtol=1e-5, atol=1e-6)


class GradientOfRates(keras.callbacks.Callback):
    """Ask for the gradient of the outputs with respect to the rates, in a graph."""

    def __init__(self):
        super().__init__()
        self.found = []

    def on_train_batch_end(self, batch, logs=None):
        self.ask()

    def on_epoch_end(self, epoch, logs=None):
        self.ask()

    def ask(self):
        recurrent, readout = self.model.layers

        @tf.function
        def graph(inputs):
            with tf.GradientTape() as tape:
                rates = recurrent(inputs, training=True)
                outputs = readout(rates)
            return tape.gradient(outputs, rates)

        self.found.append(graph(tf.zeros((1, 4, 1))))


def test_a_callback_of_a_training_may_ask_for_the_gradient_of_rates() -> None:
    task, callback = bn.tasks.FlipFlop(n_bits=1, duration=60.0, n_pulses=1), GradientOfRates()
    model = build_model(bn.Connectivity(8, seed=0), 1, 1, tau=5.0)
    bn.train(model, task, seed=0, max_updates=1, batch_size=4, n_validation_trials=5, callbacks=[callback])
    assert [one.shape for one in callback.found] == [(1, 4, 8)] * 2


def test_contexts_may_lie_within_each_other() -> None:
    model = model_of()
    assert isinstance(model.layers[1], Readout)
    with fused_readout(model):
        with fused_readout(model):
            assert model.layers[0]._leaves_steps_to_readout
        assert model.layers[0]._leaves_steps_to_readout
    assert not model.layers[0]._leaves_steps_to_readout
