"""The recurrent layer: SimpleRNN as a limit, all that Keras's RNN can do, and files."""

import keras
import numpy as np
import pytest
from keras import ops

import biornn as bn
from biornn.layers import ConstrainedRNN, ConstrainedRNNCell, MeanSquare
from biornn.layers.pathway_weights import PathwayWeights

from .gradients import BACKEND, EAGER, EPSILON, FINEST, gradients, numbers, numeric_gradients

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

DALE = bn.Connectivity(6, 0.7, density=0.7, autapses=False, seed=1)
#: float32 sums of ten products of order 1, a few steps in a row.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def random_inputs(n_trials=3, n_steps=8, n_channels=2, seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=(n_trials, n_steps, n_channels)).astype(dtype)


def numpy_of(tensors):
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


def randomise(layer, seed=5):
    """Give all trainable weights other values, so that biases and initial states count."""
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        weight.assign(weight + 0.3 * rng.normal(size=weight.shape))
    return layer


def layer_of(wiring=DALE, n_channels=2, **settings):
    layer = ConstrainedRNN(wiring, **{"tau": 3.0, "return_sequences": True, **settings})
    layer.build((3, 8, n_channels))
    return layer


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_without_leak_and_constraint_it_is_simple_rnn(activation, return_sequences):
    ours = ConstrainedRNN(6, activation, return_sequences=return_sequences)
    keras_own = keras.layers.SimpleRNN(6, activation, return_sequences=return_sequences)
    x = random_inputs()
    for layer in (ours, keras_own):
        layer.build(x.shape)
    keras_own.set_weights(randomise(ours).get_weights())
    outputs = numpy_of([ours(x), keras_own(x)])
    np.testing.assert_allclose(*outputs, **CLOSE)
    weight_of_sample = ops.convert_to_tensor(np.random.default_rng(1).normal(size=outputs[0].shape).astype("float32"))
    found = [
        gradients(lambda layer=layer: ops.sum(weight_of_sample * layer(x)), layer.trainable_weights)
        for layer in (ours, keras_own)
    ]
    assert len(found[0]) == 3
    for our_gradient, keras_gradient in zip(*found, strict=True):
        np.testing.assert_allclose(our_gradient, keras_gradient, rtol=1e-4, atol=1e-5)  # sums of 24 such samples


@pytest.mark.parametrize(
    ("enforcement", "formulation"),
    [
        ("construction", "rate"),
        ("projection", "current"),
        pytest.param("construction", "current", marks=pytest.mark.nightly),
        pytest.param("projection", "rate", marks=pytest.mark.nightly),
    ],
)
def test_gradients_through_time_are_those_of_finite_differences(formulation, enforcement):
    wiring = bn.Connectivity(3, 0.67, mask=[[1, 1, 0], [1, 0, 1], [0, 1, 1]], seed=1)
    settings = {"tau": [1.0, 2.0, 5.0], "formulation": formulation, "enforcement": enforcement}
    layer = randomise(layer_of(wiring, dtype=FINEST, trainable_initial_state=True, **settings))
    x = random_inputs(1, 5, dtype=FINEST)
    weight_of_sample = ops.convert_to_tensor(np.random.default_rng(1).normal(size=(1, 5, 3)), FINEST)

    def function():
        return ops.sum(weight_of_sample * layer(x))

    step = EPSILON ** (1 / 3)  # where the two errors of a central difference, both about step², balance
    found = gradients(function, layer.trainable_weights)
    expected = numeric_gradients(function, layer.trainable_weights, step)
    assert len(found) == 4
    for came, wanted in zip(found, expected, strict=True):
        assert np.abs(wanted).max() > 0.01
        np.testing.assert_allclose(came, wanted, rtol=0, atol=100 * step**2)  # third derivatives of order 10 to 100


@pytest.mark.parametrize("unroll", [True, False])
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "dale"])
def test_effective_weights_are_computed_once_a_call(monkeypatch, unroll, plain):
    layer = layer_of(6 if plain else DALE, unroll=unroll)
    calls = []
    effective = PathwayWeights.effective

    def counted(self):
        calls.append(self.name)
        return effective(self)

    monkeypatch.setattr(PathwayWeights, "effective", counted)
    layer(random_inputs(2, 20))
    assert calls.count("recurrent_kernel") == 1
    assert calls.count("input_kernel") == 1
    layer.cell(random_inputs(2)[:, 0], [np.zeros((2, 6), "float32")])
    assert calls.count("recurrent_kernel") == 2  # outside of the layer the cell computes its own


def test_a_call_that_fails_leaves_no_weights_behind():
    layer = layer_of(return_sequences=False)
    x = random_inputs()
    before = ops.convert_to_numpy(layer(x))
    with pytest.raises(ZeroDivisionError), layer.cell.hoisted():
        raise ZeroDivisionError
    layer.cell.recurrent_pathway.assign(np.zeros((6, 6)))
    rates, _ = layer.cell(x[:, 0], [np.ones((3, 6), "float32")])
    expected = 2 / 3 + np.tanh(x[:, 0] @ ops.convert_to_numpy(layer.cell.input_pathway.effective())) / 3
    np.testing.assert_allclose(ops.convert_to_numpy(rates), expected, **CLOSE)
    assert not np.allclose(ops.convert_to_numpy(layer(x)), before)


@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_a_keras_rnn_of_the_cell_gives_the_same(formulation):
    settings = {"tau": 4.0, "formulation": formulation, "trainable_initial_state": True}
    ours = randomise(layer_of(**settings))
    keras_own = keras.layers.RNN(ConstrainedRNNCell(DALE, **settings), return_sequences=True)
    x = random_inputs()
    keras_own.build(x.shape)
    keras_own.set_weights(ours.get_weights())
    np.testing.assert_allclose(*numpy_of([ours(x), keras_own(x)]), **CLOSE)


def test_stacked_cells_are_two_layers():
    cells = [ConstrainedRNNCell(DALE, tau=2.0), ConstrainedRNNCell(4, formulation="current", tau=5.0)]
    stacked = keras.layers.RNN(cells, return_sequences=True)
    x = random_inputs()
    stacked.build(x.shape)
    randomise(stacked)
    first, second = layer_of(tau=2.0), layer_of(4, 6, formulation="current", tau=5.0)
    for layer, cell in zip((first, second), cells, strict=True):
        layer.set_weights(cell.get_weights())
    np.testing.assert_allclose(*numpy_of([stacked(x), second(first(x))]), **CLOSE)


@pytest.mark.parametrize(
    "formulation",
    [
        "rate",
        pytest.param(
            "current",
            marks=pytest.mark.xfail(BACKEND == "jax", reason="Keras on JAX takes the first state for the last output"),
        ),
    ],
)
def test_masked_steps_hold_the_state(formulation):
    layer = randomise(layer_of(formulation=formulation, return_state=True, trainable_initial_state=True))
    x = random_inputs(2)
    there = np.array([[1, 1, 0, 0, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1]], bool)
    rates, state = numpy_of(layer(x, mask=ops.convert_to_tensor(there)))
    for trial in range(2):
        shorter, last = numpy_of(layer(x[trial : trial + 1, there[trial]]))
        held = np.cumsum(there[trial]) - 1
        np.testing.assert_allclose(rates[trial], shorter[0, held], **CLOSE)
        np.testing.assert_allclose(state[trial], last[0], **CLOSE)


@pytest.mark.parametrize("enforcement", ["construction", "projection"])
def test_padding_does_not_change_a_masked_model(enforcement):
    layer = layer_of(return_sequences=False, enforcement=enforcement)
    readout = bn.layers.Readout(DALE, 2)
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Masking(), layer, readout])
    x = random_inputs()
    padded = np.concatenate([x, np.zeros((3, 4, 2), "float32")], axis=1)
    np.testing.assert_allclose(*numpy_of([model(x), model(padded)]), **CLOSE)


def test_the_mask_travels_through_to_the_readout():
    x = random_inputs()
    x[0, 5:] = 0
    masked = keras.layers.Masking()(ops.convert_to_tensor(x))
    outputs = bn.layers.Readout(DALE, 2)(layer_of()(masked))
    expected = (x != 0).any(axis=-1)
    np.testing.assert_array_equal(ops.convert_to_numpy(keras.src.backend.get_keras_mask(outputs)), expected)


@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_return_state_gives_the_state_from_which_a_call_goes_on(formulation):
    layer = randomise(layer_of(formulation=formulation, return_state=True, activation="softplus"))
    x = random_inputs()
    whole, last = numpy_of(layer(x))
    first, state = layer(x[:, :3])
    second, state = layer(x[:, 3:], initial_state=[state])
    np.testing.assert_allclose(np.concatenate(numpy_of([first, second]), axis=1), whole, **CLOSE)
    np.testing.assert_allclose(ops.convert_to_numpy(state), last, **CLOSE)
    expected = last if formulation == "rate" else np.log1p(np.exp(last))
    np.testing.assert_allclose(whole[:, -1], expected, **CLOSE)


def test_only_the_last_rates_unless_sequences_are_asked_for():
    sequences, last = layer_of(), layer_of(return_sequences=False)
    x = random_inputs()
    np.testing.assert_array_equal(ops.convert_to_numpy(sequences(x))[:, -1], ops.convert_to_numpy(last(x)))
    assert last.compute_output_shape((3, 8, 2)) == (3, 6)
    assert sequences.compute_output_shape((3, 8, 2)) == (3, 8, 6)


def test_a_stateful_layer_goes_on_and_reset_returns_to_the_learned_initial_state():
    plain = randomise(layer_of(trainable_initial_state=True))
    stateful = layer_of(trainable_initial_state=True, stateful=True)
    stateful.set_weights(plain.get_weights())
    stateful.reset_state()  # the state was made while the initial one was still zero
    x = random_inputs()
    whole = ops.convert_to_numpy(plain(x))
    halves = numpy_of([stateful(x[:, :4]), stateful(x[:, 4:])])
    np.testing.assert_allclose(np.concatenate(halves, axis=1), whole, **CLOSE)
    assert not np.allclose(ops.convert_to_numpy(stateful(x)), whole)
    stateful.reset_state()
    np.testing.assert_array_equal(
        ops.convert_to_numpy(stateful.states[0] + 0),
        np.tile(ops.convert_to_numpy(plain.cell.initial_state + 0), (3, 1)),
    )
    np.testing.assert_allclose(ops.convert_to_numpy(stateful(x)), whole, **CLOSE)


def test_resetting_a_layer_without_states_is_harmless():
    layer = layer_of()
    layer.reset_state()
    assert layer.states is None


def test_go_backwards_reads_the_reversed_input():
    forwards, backwards = layer_of(), layer_of(go_backwards=True)
    x = random_inputs()
    np.testing.assert_allclose(*numpy_of([backwards(x), forwards(x[:, ::-1].copy())]), **CLOSE)


@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_unrolled_is_the_same(formulation):
    looped, unrolled = layer_of(formulation=formulation), layer_of(formulation=formulation, unroll=True)
    x = random_inputs()
    np.testing.assert_allclose(*numpy_of([looped(x), unrolled(x)]), **CLOSE)


def test_the_layers_noise_is_that_of_its_cell_and_only_in_training():
    noisy, quiet = layer_of(recurrent_noise=0.5), layer_of()
    x = random_inputs()
    np.testing.assert_array_equal(*numpy_of([noisy(x), quiet(x)]))
    once, again = numpy_of([noisy(x, training=True), noisy(x, training=True)])
    assert np.abs(once - again).min() > 0  # every call draws anew, for every trial, step and unit


@pytest.mark.parametrize("compiled", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_noise_is_on_in_fit_and_off_in_evaluate(compiled):
    # Unconnected linear units without input start at zero; what the target zero sees is the noise alone.
    n_trials, n_steps, size = 100, 25, 0.5
    wiring = bn.Connectivity(8, mask=np.zeros((8, 8)))
    layer = ConstrainedRNN(wiring, "linear", use_bias=False, recurrent_noise=size, return_sequences=True, seed=3)
    model = keras.Sequential([keras.Input((n_steps, 1)), layer])
    how = {"jit_compile": BACKEND == "jax"} if compiled else EAGER
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse", **how)
    x, y = np.zeros((n_trials, n_steps, 1)), np.zeros((n_trials, n_steps, 8))
    losses = model.fit(x, y, batch_size=n_trials, epochs=2, verbose=0).history["loss"]
    # alpha = 1: a mean of 20,000 squares of independent Gaussians, whose relative sd is sqrt(2/20,000): four of them.
    np.testing.assert_allclose(losses, size**2, rtol=4 * np.sqrt(2 / (n_trials * n_steps * 8)))
    assert losses[0] != losses[1]
    assert model.evaluate(x, y, batch_size=n_trials, verbose=0) == 0


@pytest.mark.parametrize("enforcement", ["construction", "projection"])
@pytest.mark.parametrize(("regularizer", "size"), [(keras.regularizers.L1, np.abs), (keras.regularizers.L2, np.square)])
def test_penalties_are_those_of_the_effective_weights(enforcement, regularizer, size):
    wiring = bn.Connectivity(6, 0.7, 0.5, input_density=0.5, seed=1)
    penalties = {"input_regularizer": regularizer(0.3), "recurrent_regularizer": regularizer(0.2)}
    layer = layer_of(wiring, enforcement=enforcement, **penalties)
    if enforcement == "construction":  # parameters of either sign; by projection they are legal in any case
        weight = layer.cell.recurrent_pathway
        weight.assign(weight * np.random.default_rng(0).choice([-1.0, 1.0], (6, 6)))
    weights = bn.layers.effective_weights(layer)
    expected = [
        0.3 * size(weights["input_weights"].values).sum(),
        0.2 * size(weights["recurrent_weights"].values).sum(),
    ]
    np.testing.assert_allclose(numbers(layer.losses), expected, rtol=1e-6)  # float32 sums of at most 36 numbers


def test_a_bias_is_penalised_if_asked_for():
    layer = layer_of(bias_regularizer=keras.regularizers.L2(0.5))
    layer.cell.bias.assign(np.arange(6))
    assert numbers(layer.losses) == [0.5 * (1 + 4 + 9 + 16 + 25)]


def test_the_penalty_on_rates_is_their_mean_square():
    layer = layer_of(activity_regularizer=MeanSquare(0.7))
    rates = ops.convert_to_numpy(layer(random_inputs()))
    assert numbers(layer.losses) == pytest.approx([0.7 * np.square(rates).mean()], rel=1e-6)


@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_a_trainable_initial_state_is_learned(formulation):
    # One unit's rate, one step after the initial state; without input and weights the target is met by the state alone.
    wiring = bn.Connectivity(3, mask=np.zeros((3, 3)))
    layer = ConstrainedRNN(wiring, "linear", 2.0, formulation=formulation, trainable_initial_state=True)
    model = keras.Sequential([keras.Input((1, 1)), layer])
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse", **EAGER)
    model.train_on_batch(np.zeros((4, 1, 1)), np.tile([1.0, -2.0, 0.5], (4, 1)))
    # loss = mean over units of (s/2 - y)²; from s = 0 the gradient is -y/3, from the bias too: one step of SGD.
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer.cell.initial_state + 0), np.array([1, -2, 0.5]) / 6, rtol=1e-6
    )
    for _ in range(5):  # bias and state both take part: the error shrinks by 1 - 2·0.5·(1/4 + 1/4)/3 = 5/6 a step
        loss = model.train_on_batch(np.zeros((4, 1, 1)), np.tile([1.0, -2.0, 0.5], (4, 1)))
    assert loss == pytest.approx(5.25 / 3 * (5 / 6) ** 10, rel=1e-4)  # after 5 steps; errors of 0.5 in float32


FULL = {
    "tau": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    "dt": 0.5,
    "formulation": "current",
    "activation": "softplus",
    "trainable_initial_state": True,
    "recurrent_noise": 0.1,
    "recurrent_regularizer": keras.regularizers.L2(0.1),
    "activity_regularizer": MeanSquare(0.2),
    "seed": 5,
    "name": "wired",
}


@pytest.mark.parametrize(
    "settings", [{}, FULL, {"unroll": True, "go_backwards": True, "return_state": True, "zero_output_for_mask": True}]
)
def test_config_builds_an_equal_layer(settings):
    layer = ConstrainedRNN(DALE, **settings)
    config = layer.get_config()
    again = ConstrainedRNN.from_config(config)
    assert again.get_config() == config
    for name in (
        "unroll",
        "go_backwards",
        "return_state",
        "return_sequences",
        "stateful",
        "zero_output_for_mask",
        "name",
    ):
        assert getattr(again, name) == getattr(layer, name)
    names = ("dt", "formulation", "use_bias", "enforcement", "recurrent_noise", "trainable_initial_state", "seed")
    for name in names:
        assert getattr(again.cell, name) == getattr(layer.cell, name) == settings.get(name, getattr(layer.cell, name))


@pytest.mark.parametrize("dtype", ["float32", FINEST, "mixed_bfloat16"])
def test_the_cell_computes_in_the_dtype_of_its_layer(dtype):
    layer = layer_of(dtype=dtype)
    again = ConstrainedRNN.from_config(layer.get_config())
    again.build((3, 8, 2))
    for each in (layer, again):
        assert each.cell.dtype_policy.name == each.dtype_policy.name == dtype
        outputs = each(ops.convert_to_tensor(random_inputs(dtype=FINEST), layer.compute_dtype))
        assert keras.backend.standardize_dtype(outputs.dtype) == layer.compute_dtype
        assert np.isfinite(ops.convert_to_numpy(ops.cast(outputs, "float32"))).all()


USER_MASK = np.random.default_rng(3).random((6, 6)) < 0.5


def functional_model(layer):
    """One layer after another, and a second input."""
    inputs, other = keras.Input((8, 2), name="inputs"), keras.Input((8, 6), name="other")
    rates = keras.layers.Add()([layer(inputs), other])
    return keras.Model([inputs, other], bn.layers.Readout(DALE, 2)(ConstrainedRNN(6, return_sequences=True)(rates)))


@pytest.mark.parametrize(
    ("wiring", "settings"),
    [
        (DALE, FULL),
        (bn.Connectivity(6, 0.5, mask=USER_MASK, input_sign="non_negative", seed=2), {"enforcement": "projection"}),
        (bn.Connectivity(6, areas=(4, 2), area_density=[[0.5, 0.1], [0.2, 1.0]]), {"use_bias": False, "tau": 2.0}),
    ],
)
def test_a_saved_model_computes_the_same(tmp_path, wiring, settings):
    layer = ConstrainedRNN(wiring, return_sequences=True, **settings)
    model = randomise(functional_model(layer))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.to_json() == model.to_json()
    x = [random_inputs(), random_inputs(n_channels=6, seed=1)]
    np.testing.assert_array_equal(*numpy_of([model(x), again(x)]))
    loaded = next(each for each in again.layers if each.name == layer.name)
    assert bn.layers.effective_weights(loaded).identical(bn.layers.effective_weights(layer))


def test_a_saved_keras_rnn_of_cells_computes_the_same(tmp_path):
    cells = [ConstrainedRNNCell(DALE, tau=2.0), ConstrainedRNNCell(bn.Connectivity(4, mask=np.eye(4)))]
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.RNN(cells)])
    randomise(model).save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*numpy_of([model(random_inputs()), again(random_inputs())]))
