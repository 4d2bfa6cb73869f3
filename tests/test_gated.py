"""Steps of GRU and LSTM in numpy: those of Keras, their derivatives, and all that runs them again."""

import keras
import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import lesion_robustness, retention, simulate
from biornn.analysis.noise_robustness import input_noise_robustness, recurrent_noise_robustness
from biornn.analysis.retention import share_held, states_at
from biornn.analysis.runnable import runnable
from biornn.schema import GATE_WEIGHTS
from biornn.stored_networks import stored_networks
from biornn.tasks import FlipFlop
from biornn.training import record_activity, record_constants, record_weights
from tests.analysis.networks import gated, network, side_by_side
from tests.training.tasks import SHORT_FLIP_FLOP

LAYERS = ("gru", "lstm")


def random_model(layer, n_units=5, n_channels=1, seed=0, **settings):
    """A gated model none of whose weights has its initial value."""
    model = bn.layers.build_gated_model(layer, n_units, n_channels, n_channels, **settings)
    rng = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(weight + 0.5 * rng.normal(size=weight.shape))
    return model


def recorded(model):
    return record_weights(model).merge(record_constants(model))


@pytest.mark.parametrize("settings", [{}, {"use_bias": False, "readout_bias": False}], ids=["biases", "no biases"])
@pytest.mark.parametrize("layer", LAYERS)
def test_activity_is_that_of_keras(layer, settings):
    model, trials = random_model(layer, **settings), SHORT_FLIP_FLOP.trials(5, seed=0)
    inputs = 3 * trials["inputs"]
    again = simulate(recorded(model), inputs)
    outputs = keras.ops.convert_to_numpy(model(inputs.values))
    np.testing.assert_allclose(again.outputs, outputs, atol=1e-5)  # float32 against float64
    activity = record_activity(model, trials.assign(inputs=inputs))
    for name in ("rates", "outputs"):
        np.testing.assert_allclose(again[name], activity[name], atol=1e-5)


@pytest.mark.parametrize("layer", LAYERS)
def test_the_jacobian_is_that_of_finite_differences(layer):
    weights = side_by_side(a=recorded(random_model(layer)), b=recorded(random_model(layer, seed=1)))
    ((_, networks),) = stored_networks(weights)
    rng, small = np.random.default_rng(0), 1e-6
    state, rates, drive = (
        rng.normal(size=(2, 3, 5)),
        rng.normal(size=(2, 3, 5)),
        networks.drive(rng.normal(size=(2, 3, 1))),
    )
    if layer == "gru":
        whole, found = state, networks.jacobian(state, drive)
    else:
        whole, found = np.concatenate([rates, state], axis=-1), networks.jacobian(state, rates, drive)

    def stepped(whole):
        *rates, state = np.split(whole, whole.shape[-1] // 5, axis=-1)
        state, rates = networks.step(state, rates[0] if rates else state, drive)
        return state if layer == "gru" else np.concatenate([rates, state], axis=-1)

    for unit, moved in enumerate(small * np.eye(whole.shape[-1])):
        slope = (stepped(whole + moved) - stepped(whole - moved)) / (2 * small)
        np.testing.assert_allclose(found[:, :, unit], slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_silenced_unit_is_one_without_outgoing_weights(layer):
    weights, inputs = recorded(random_model(layer)), SHORT_FLIP_FLOP.trials(3, seed=0)["inputs"]
    silenced = xr.DataArray(np.eye(5, dtype=bool)[2], dims="unit")
    lesioned = weights.copy(deep=True)
    lesioned["gate_recurrent_weights"][:, 2] = 0
    lesioned["output_weights"][2] = 0
    found, alone = simulate(weights, inputs, silenced=silenced), simulate(lesioned, inputs)
    np.testing.assert_allclose(found.outputs, alone.outputs, rtol=1e-12)
    others = np.arange(5) != 2
    np.testing.assert_allclose(found.rates[..., others], alone.rates[..., others], rtol=1e-12)
    assert (found.rates[..., 2] == 0).all()


@pytest.mark.parametrize("layer", LAYERS)
def test_a_latch_holds_its_states_and_a_leak_loses_them(layer):
    probe, task = FlipFlop(n_bits=1).probe(), FlipFlop(n_bits=1)

    def unit(weight):
        recurrent, inputs = {"candidate": [[weight]]}, {"candidate": [[20.0]]}
        return gated(layer, recurrent, inputs, bias={"output": 9.0}, outputs=[[1.2]])

    found = retention(side_by_side(latch=unit(3.0), simple=simple_latch(), leak=unit(0.9)), probe, 1000)
    assert found.held.values.tolist() == [1, 1, 0]
    assert share_held(unit(3.0), probe, task) == 1
    assert share_held(unit(0.9), probe, task) == 0


@pytest.mark.parametrize("layer", LAYERS)
def test_what_goes_on_alone_has_the_rates_of_its_last_sample(layer):
    weights, inputs = recorded(random_model(layer)), SHORT_FLIP_FLOP.trials(3, seed=0)["inputs"]
    ((_, networks),) = stored_networks(weights.expand_dims("network"))
    last = np.array([4, 20, 9])
    _, rates = states_at(networks, inputs.transpose("trial", "time", "input_channel").values, last)
    np.testing.assert_allclose(rates[0], simulate(weights, inputs).rates.values[np.arange(3), last], rtol=1e-12)


def simple_latch():
    return network([[3.0]], [[20.0]], [[1.2]], activation="tanh")


@pytest.mark.parametrize("layer", ["gru", pytest.param("lstm", marks=pytest.mark.nightly)])
def test_what_is_held_is_recorded_while_a_gated_network_is_trained(layer):
    settings = {"seed": 0, "max_updates": 2, "batch_size": 2, "n_validation_trials": 2, "validate_every": 2}
    task = FlipFlop(n_bits=1, duration=60, n_pulses=1)
    history = bn.train(random_model(layer), task, criterion={"held": 1.0}, **settings)["history"]
    assert history["held"].notnull().all()


def test_those_whose_weights_are_not_finite_or_not_there_cannot_be_run():
    one = recorded(random_model("gru"))
    broken = one.copy(deep=True)
    broken["gate_bias"].loc[{"gate": "update", "unit": 0}] = np.nan
    other = broken.copy(deep=True)
    other["formulation"] = ((), "lstm")  # to which the update gate does not belong, but others do
    weights = side_by_side(one=one, broken=broken, other=other, lstm=recorded(random_model("lstm")))
    assert runnable(weights)[1].values.tolist() == [True, False, False, True]
    assert not runnable(weights, gated=False)[1].any()
    assert not runnable(weights.drop_vars(GATE_WEIGHTS))[1].any()  # of a run from before they were stored
    inputs = SHORT_FLIP_FLOP.trials(2, seed=0)["inputs"]
    with pytest.raises(ValueError, match=r"weights: expected .*gate_input_weights"):
        simulate(one.drop_vars(GATE_WEIGHTS), inputs)
    with pytest.raises(ValueError, match=r"^recurrent_noise: expected 0 with a gated network, got 0.1 with gru$"):
        simulate(one, inputs, recurrent_noise=0.1, seed=0)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.drop_vars("gate"),
        lambda one: one.assign_coords(gate=list("zrifno")),
        lambda one: one.isel(gate=[0, 1]),
        lambda one: one.isel(gate=[0, 0, 1, 4]),
    ],
)
@pytest.mark.parametrize("run", [retention, input_noise_robustness, simulate])
def test_gates_are_told_apart_by_their_labels_alone(change, run):
    trials = SHORT_FLIP_FLOP.probe()
    given = (trials["inputs"],) if run is simulate else (trials,)
    with pytest.raises(
        ValueError, match=r"^weights: expected the labels \['update', 'reset', 'candidate'\] along gate"
    ):
        run(change(recorded(random_model("gru"))), *given)


def test_robustness_is_that_of_the_networks_alone():
    trials = SHORT_FLIP_FLOP.trials(2, seed=0)
    simple = recorded(bn.layers.build_model(bn.Connectivity(5, seed=0), 1, 1))
    each = {"rnn": simple, "gru": recorded(random_model("gru")), "lstm": recorded(random_model("lstm"))}
    several = side_by_side(**each)
    for measure in (input_noise_robustness, lesion_robustness):
        found = measure(several, trials)
        assert found.score.notnull().any()
        for name, weights in each.items():
            xr.testing.assert_allclose(found.sel(network=name, drop=True), measure(weights, trials))
    noisy = recurrent_noise_robustness(several, trials)
    assert noisy.robustness.notnull().values.tolist() == [True, False, False]
    assert noisy.score.sel(network=["gru", "lstm"]).isnull().all()
