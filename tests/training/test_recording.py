"""What is recorded is what the network does, and enough to do it again without Keras."""

import keras
import numpy as np
import pytest
import xarray as xr
from keras import ops

import biornn as bn
from biornn import schema
from biornn.activations import ACTIVATIONS
from biornn.analysis.simulate import simulate
from biornn.layers import ConstrainedRNN, Readout, build_gated_model, build_model
from biornn.training import record_activity, record_constants, record_weights
from biornn.training.recording import find_layers

from .tasks import SHORT_FLIP_FLOP, Echo

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

WIRING = bn.Connectivity(
    6,
    0.6,
    density=0.7,
    autapses=False,
    input_density=0.6,
    input_sign="non_negative",
    readout_sign="dale",
    readout_from="excitatory",
    seed=3,
)


def random_model(wiring=WIRING, n_channels=1, seed=0, **settings):
    """A model none of whose weights has its initial value."""
    model = build_model(wiring, n_channels, n_channels, **settings)
    rng = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(weight + 0.3 * rng.normal(size=weight.shape))
    return model


@pytest.mark.parametrize("formulation", ["rate", "current"])
@pytest.mark.parametrize(
    "settings",
    [
        {"tau": [1.0, 2.0, 3.0, 5.0, 8.0, 13.0], "trainable_initial_state": True, "activation": "softplus"},
        {"tau": 4.0, "dt": 2.0, "use_bias": False, "readout_bias": False, "recurrent_noise": 3.0},
    ],
)
def test_activity_is_that_of_the_model_and_of_numpy_with_the_recorded_weights(formulation, settings):
    model = random_model(formulation=formulation, **settings)
    trials = SHORT_FLIP_FLOP.trials(5, seed=0)
    activity = record_activity(model, trials, batch_size=2)  # the last batch is smaller
    recurrent, readout = find_layers(model)
    rates = recurrent(trials["inputs"].values)
    for name, direct in (("rates", rates), ("outputs", readout(rates))):
        # The same float32 sums in another order, over 24 steps.
        np.testing.assert_allclose(activity[name], ops.convert_to_numpy(direct), rtol=1e-5, atol=1e-5)
    again = simulate(record_weights(model).merge(record_constants(model)), trials["inputs"])
    for name in ("rates", "outputs"):
        assert activity[name].dims == again[name].dims
        np.testing.assert_allclose(activity[name], again[name], rtol=0, atol=1e-5)  # float32 against float64
    assert activity["output_channel"].values.tolist() == ["bit_1"]
    assert activity["time"].attrs["units"] == "ms"
    xr.testing.assert_equal(activity["trial"], trials["trial"])


def test_the_order_of_the_dims_of_the_trials_does_not_matter():
    model = random_model()
    trials = SHORT_FLIP_FLOP.trials(3, seed=0)
    turned = xr.Dataset({"inputs": trials["inputs"].drop_vars("output_channel", errors="ignore")})
    turned = turned.transpose("input_channel", "time", "trial")
    expected = record_activity(model, trials).drop_vars("output_channel")
    assert record_activity(model, turned).equals(expected)


def test_what_is_recorded_has_the_names_dims_and_kinds_of_the_schema():
    model = random_model(tau=2.0)
    recorded = {
        "activity": record_activity(model, SHORT_FLIP_FLOP.probe()),
        "weights": record_weights(model).merge(record_constants(model)),
    }
    assert set(recorded["weights"]) == set(schema.GROUPS["weights"]) - {*schema.GATE_WEIGHTS, "position"}
    gated = build_gated_model("gru", 6, 1, 1)
    recorded["gated"] = record_weights(gated).merge(record_constants(gated))
    assert set(recorded["gated"]) == set(schema.GROUPS["weights"]) - {"position"}
    for group, dataset in recorded.items():
        for name, variable in schema.GROUPS.get(group, schema.GROUPS["weights"]).items():
            if name not in dataset:
                continue
            assert dataset[name].dims == tuple(dim for dim in variable.dims if dim not in ("network", "snapshot"))
            assert dataset[name].attrs == variable.attrs
            assert dataset[name].dtype.kind in {"float": "f", "int": "iu", "bool": "b", "text": "OUT"}[variable.kind]


def test_constants_are_those_of_wiring_and_cell():
    tau = np.array([1.0, 2.0, 4.0, 5.0, 8.0, 10.0])
    model = random_model(tau=tau, dt=0.5, formulation="current", activation="relu", trainable_initial_state=True)
    state = np.array([-1.0, 2.0, 0.0, 3.0, -4.0, 5.0])
    find_layers(model)[0].cell.initial_state.assign(state)
    constants = record_constants(model)
    np.testing.assert_array_equal(constants["recurrent_mask"], WIRING.recurrent.mask)
    np.testing.assert_array_equal(constants["input_mask"], WIRING.input(1).mask)
    assert constants["output_mask"].values.tolist() == [[True]] * 4 + [[False]] * 2
    assert constants["input_sign"].values.tolist() == [1]
    assert constants["output_sign"].values.tolist() == [1, 1, 1, 1, -1, -1]
    assert constants["cell_type"].values.tolist() == ["excitatory"] * 4 + ["inhibitory"] * 2
    np.testing.assert_array_equal(constants["alpha"], 0.5 / tau)
    assert record_weights(model)["initial_state"].values.tolist() == state.tolist()
    assert constants["initial_rates"].values.tolist() == np.maximum(state, 0).tolist()  # rates are f(x)
    assert (str(constants["activation"].values), str(constants["formulation"].values)) == ("relu", "current")


@pytest.mark.parametrize(("formulation", "rate"), [("rate", 0.0), ("current", 0.5)])
def test_without_a_learned_one_the_initial_state_is_zero(formulation, rate):
    model = random_model(formulation=formulation, activation="sigmoid")
    constants = record_constants(model)
    assert record_weights(model)["initial_state"].values.tolist() == [0] * 6
    assert constants["initial_rates"].values.tolist() == [rate] * 6


def test_weights_are_the_effective_ones_and_absent_biases_are_zero():
    model = random_model(use_bias=False, readout_bias=False)
    weights = record_weights(model)
    for name, pathway in (
        ("recurrent_weights", WIRING.recurrent),
        ("input_weights", WIRING.input(1)),
        ("output_weights", WIRING.readout(1)),
    ):
        assert pathway.violations(weights[name].values) == 0
        assert weights[name].values.any()
    assert weights["recurrent_bias"].values.tolist() == [0] * 6
    assert weights["output_bias"].values.tolist() == [0]


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_weights_of_gated_layers_stand_by_gate(architecture):
    gates, n_biases = schema.GATES[architecture]
    model = build_gated_model(architecture, 3, 2, 1)
    layer = find_layers(model)[0]
    numbered = np.repeat(np.arange(len(gates)), 3)  # Keras has the gates side by side
    for weight in layer.cell.trainable_weights:
        weight.assign(np.broadcast_to(numbered, weight.shape))
    weights = record_weights(model)
    for name in ("gate_input_weights", "gate_recurrent_weights", "gate_bias", "gate_recurrent_bias"):
        for number, gate in enumerate(gates):
            is_second = name == "gate_recurrent_bias" and n_biases == 1
            assert (weights[name].sel(gate=gate) == (0 if is_second else number)).all()
        assert weights[name].sel(gate=list(set(schema.GATE_LABELS) - set(gates))).isnull().all()
    for name in ("input_weights", "recurrent_weights", "recurrent_bias"):
        assert weights[name].isnull().all()
    without = record_weights(build_gated_model(architecture, 3, 2, 1, use_bias=False)).sel(gate=list(gates))
    assert (without["gate_bias"] == 0).all()
    assert (without["gate_recurrent_bias"] == 0).all()


def tanh(x):
    return 2 * ops.tanh(x)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_recorded_by_its_keras_name(name):
    assert str(record_constants(build_model(2, 1, 1, activation=name))["activation"].values) == name


@pytest.mark.parametrize("activation", [tanh, keras.layers.LeakyReLU(0.1), ops.gelu])  # that of ops approximates
def test_an_activation_of_ones_own_is_text_and_never_taken_for_one_of_keras(activation):
    recorded = record_constants(build_model(2, 1, 1, activation=activation))["activation"]
    assert recorded.dtype.kind == "U"
    assert str(recorded.values) not in ACTIVATIONS


INPUT = {"shape": (None, 2)}


def recurrent(**settings):
    return ConstrainedRNN(3, **{"return_sequences": True, **settings})


def gated(layer, **settings):
    return in_a_row(layer(3, return_sequences=True, **settings), Readout(3, 2))


def in_a_row(*layers, **settings):
    return keras.Sequential([keras.Input(**{**INPUT, **settings}), *layers])


def residual():
    inputs = keras.Input(**INPUT)
    rates = recurrent()(inputs)
    return keras.Model(inputs, Readout(3, 2)(keras.layers.Add()([rates, keras.layers.Dense(3)(rates)])))


def with_two_inputs():
    inputs = [keras.Input(**INPUT), keras.Input(**INPUT)]
    return keras.Model(inputs, Readout(3, 2)(recurrent()(keras.layers.Add()(inputs))))


def with_two_outputs():
    inputs = keras.Input(**INPUT)
    rates = recurrent()(inputs)
    return keras.Model(inputs, [Readout(3, 2)(rates), rates])


def with_a_state_as_input():
    inputs, state = keras.Input(**INPUT), keras.Input((3,))
    return keras.Model([inputs, state], Readout(3, 2)(recurrent()(inputs, initial_state=state)))


def of_the_inputs():
    """The readout reads the inputs, and not the rates."""
    inputs = keras.Input((None, 3))
    readout = Readout(3, 3)
    return keras.Model(inputs, recurrent()(readout(inputs)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.recurrent, self.readout = recurrent(), Readout(3, 2)

    def call(self, inputs):
        return self.readout(2 * self.recurrent(inputs))


class Doubled(keras.Model):
    def call(self, inputs):
        return 2 * super().call(inputs)


def doubled():
    inputs = keras.Input(**INPUT)
    return Doubled(inputs, Readout(3, 2)(recurrent()(inputs)))


class DoubledReadout(Readout):
    def call(self, rates):
        return 2 * super().call(rates)


Dense, Norm, Dropout = keras.layers.Dense, keras.layers.LayerNormalization, keras.layers.Dropout


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (lambda: in_a_row(recurrent(), Dense(3), Readout(3, 2)), r"\[ConstrainedRNN, Dense, Readout\]"),
        (lambda: in_a_row(Dense(2), recurrent(), Readout(3, 2)), r"\[Dense, ConstrainedRNN, Readout\]"),
        (lambda: in_a_row(recurrent(), Norm(), Readout(3, 2)), "LayerNormalization"),
        (lambda: in_a_row(recurrent(), Dropout(0.5), Readout(3, 2)), "Dropout"),
        (lambda: in_a_row(keras.layers.Masking(), recurrent(), Readout(3, 2)), "Masking"),
        (lambda: in_a_row(recurrent(), Readout(3, 2), keras.layers.Activation("tanh")), "Activation"),
        (lambda: in_a_row(keras.Sequential([recurrent(), Readout(3, 2)])), r"\[Sequential\]"),
        (lambda: in_a_row(recurrent(), recurrent(), Readout(3, 2)), "ConstrainedRNN, ConstrainedRNN"),
        (lambda: in_a_row(recurrent()), r"\[ConstrainedRNN\]"),
        (lambda: in_a_row(Readout(2, 2)), r"\[Readout\]"),
        (lambda: in_a_row(keras.layers.SimpleRNN(3, return_sequences=True), Readout(3, 2)), "SimpleRNN"),
        (lambda: in_a_row(recurrent(), DoubledReadout(3, 2)), "DoubledReadout"),
        (lambda: keras.Sequential([recurrent(), Readout(3, 2)]), "a Sequential with"),
        (residual, "a Functional with .*Add"),
        (with_two_inputs, "Add"),
        (with_two_outputs, "a Functional with"),
        (with_a_state_as_input, "a Functional with"),
        (of_the_inputs, "a Functional with"),
        (Subclassed, "a Subclassed with"),
        (doubled, "a Doubled with"),
        (lambda: Subclassed, "a type with"),
        (lambda: None, "a NoneType with"),
    ],
)
def test_a_model_of_more_than_a_recurrent_layer_and_a_readout_is_refused(make, got):
    """Its record would not be the network that is trained."""
    model = make()
    with pytest.raises(ValueError, match=rf"^model: expected one input -> .* nothing else, .*, got .*{got}.*$"):
        bn.train(model, Echo(), seed=0, max_updates=1)
    assert not getattr(model, "compiled", False)  # nothing was trained


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: in_a_row(recurrent(go_backwards=True), Readout(3, 2)), "layer with go_backwards=False, got True"),
        (lambda: in_a_row(recurrent(stateful=True), Readout(3, 2), batch_size=4), "with stateful=False, got True"),
        (lambda: in_a_row(recurrent(return_sequences=False), Readout(3, 2)), "with return_sequences=True, got False"),
        (
            lambda: build_model(3, 2, 2, dtype="mixed_float16"),
            "the dtype float32 or float64 of both layers, got mixed_float16 and mixed_float16",
        ),
        (lambda: gated(keras.layers.GRU, reset_after=False), "a GRU with reset_after=True, got False"),
        (lambda: gated(keras.layers.GRU, activation="relu"), "activation='tanh', got 'relu'"),
        (lambda: gated(keras.layers.LSTM, recurrent_activation=tanh), "recurrent_activation='sigmoid', got '.*tanh'"),
        (lambda: in_a_row(recurrent(dtype="bfloat16"), Readout(3, 2)), "both layers, got bfloat16 and float32"),
    ],
)
def test_settings_that_cannot_be_recorded_are_refused(make, message):
    model = make()
    with pytest.raises(ValueError, match=f"^model: expected .*{message}$"):
        bn.train(model, Echo(), seed=0, max_updates=1)
    assert not model.compiled


def test_activity_has_the_names_of_the_recurrent_units():
    model = keras.Sequential(
        [
            keras.Input((None, 1)),
            bn.layers.ConstrainedRNN(bn.Connectivity(2, unit_names=["a", "b"]), return_sequences=True),
            bn.layers.Readout(2, 1),
        ]
    )
    assert record_activity(model, SHORT_FLIP_FLOP.trials(2, 0))["unit"].values.tolist() == ["a", "b"]


def test_positions_are_recorded_with_their_axes():
    wiring = bn.Connectivity(3, positions=[[0, 1], [2, 3], [4, 5]])
    position = record_constants(random_model(wiring))["position"]
    assert position.dims == ("unit", "axis")
    assert position["axis"].values.tolist() == ["x", "y"]
    np.testing.assert_array_equal(position, wiring.positions)
    assert position.attrs["long_name"] == "where the unit is, in the unit that was given"
    assert "position" not in record_constants(random_model())


def test_functional_models_of_the_two_layers_are_recorded_too():
    layers = recurrent(name="a"), Readout(3, 2)
    trials = SHORT_FLIP_FLOP.trials(2, seed=0)[["inputs"]].isel(input_channel=[0, 0])
    for _ in range(2):  # and one more, of the same layers
        inputs = keras.Input(**INPUT)
        model = keras.Model(inputs, layers[1](layers[0](inputs)))
        assert find_layers(model) == layers
        outputs = ops.convert_to_numpy(model(trials["inputs"].values))
        np.testing.assert_allclose(record_activity(model, trials)["outputs"], outputs, atol=1e-6)
