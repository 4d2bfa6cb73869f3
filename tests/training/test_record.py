"""A model that was trained by any means is recorded as completely as one that biornn trained."""

import keras
import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import simulate
from biornn.layers import ConstrainedRNN, build_gated_model, build_model
from tests.layers.gradients import EAGER
from tests.tasks.environments import Decision

from .tasks import SHORT_FLIP_FLOP

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def integrator(n_trials=6, n_times=20):
    inputs = np.random.default_rng(0).normal(size=(n_trials, n_times, 2)).astype("float32")
    return inputs, 0.1 * inputs.cumsum(axis=1)


def with_dense_readout(wiring=8, **dense):
    layers = ConstrainedRNN(wiring, tau=4.0, dt=2.0, return_sequences=True), keras.layers.Dense(2, **dense)
    return keras.Sequential([keras.Input((None, 2)), *layers])


@pytest.mark.parametrize("use_bias", [True, False])
def test_a_dense_readout_is_recorded_as_it_is(use_bias):
    inputs, targets = integrator()
    model = with_dense_readout(bn.Connectivity(8, 0.5, readout_sign="dale", seed=1), use_bias=use_bias)
    if use_bias:
        model.layers[-1].bias.assign([0.5, -2.0])
    tree = bn.record(model, inputs, targets)
    again = simulate(tree["weights"].to_dataset(), tree["trials"].inputs)
    outputs = tree["activity"].outputs
    np.testing.assert_allclose(outputs, model.predict(inputs, verbose=0), atol=1e-6)  # float32, in another order
    np.testing.assert_allclose(outputs, again["outputs"], atol=1e-5)  # float32 against float64
    # A dense layer does not know the signs that the wiring asks of a readout.
    assert not tree["weights"].output_sign.any()
    assert tree["weights"].output_mask.all()
    assert not bn.audit(tree).sign_violations.any()


def test_reaction_times_are_recorded_where_the_task_has_them():
    task = bn.tasks.PerceptualDecision(reaction_time=True, threshold=0.25, dt=20)
    trials = task.trials(6, seed=0)
    tree = bn.record(build_model(bn.Connectivity(8, seed=1), 3, 2, tau=100.0, dt=20.0), trials)
    for name in ("", "probe_"):
        activity, own = tree[f"{name}activity"].to_dataset(), tree[f"{name}trials"].to_dataset()
        times = task.reaction_times(activity["outputs"], own)
        np.testing.assert_array_equal(activity["reaction_time"], times)
        assert activity["reaction_time"].attrs["units"] == "ms"
        assert activity["reaction_time"].notnull().any()  # the outputs cross the threshold
    assert "reaction_time" not in bn.record(with_dense_readout(), *integrator())["activity"]


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_gated_layers_are_recorded(architecture):
    inputs, targets = integrator()
    for readout in (keras.layers.Dense(2), None):
        model = build_gated_model(architecture, 5, 2, 2)
        if readout is not None:
            model = keras.Sequential([keras.Input((None, 2)), model.layers[0], readout])
        tree = bn.record(model, inputs, targets, dt=5.0)
        again = simulate(tree["weights"].to_dataset(), tree["trials"].inputs)
        np.testing.assert_allclose(tree["activity"].outputs, again["outputs"], atol=1e-5)
        assert tree["trials"].time.values.tolist() == (5.0 * np.arange(20)).tolist()


def test_score_loss_and_updates_are_those_of_the_fit():
    inputs, targets = integrator(32)
    model = with_dense_readout()
    model.compile(keras.optimizers.Adam(0.01), "mse", **EAGER)
    before = bn.record(model, inputs, targets)
    fitted = model.fit(inputs, targets, batch_size=8, epochs=3, verbose=0)
    tree = bn.record(model, inputs, targets, before=before)
    history = tree["history"].to_dataset()
    assert tree["weights"]["update"].values.tolist() == history["update"].values.tolist() == [0, 12]
    assert np.isnan(history["loss"][0])
    assert history["loss"][1] == fitted.history["loss"][-1]
    np.testing.assert_allclose(history["val_loss"][1], model.evaluate(inputs, targets, verbose=0), rtol=1e-5)
    outputs = model.predict(inputs, verbose=0)
    error, variance = ((outputs - targets) ** 2).mean((1, 2)), ((targets - targets.mean((0, 1))) ** 2).mean()
    np.testing.assert_allclose(history["score"][1], (1 - error / variance).clip(0).mean(), rtol=1e-4)
    assert history["score"].attrs["score_name"] == "explained variance"
    first, last = (tree["weights"].recurrent_weights.isel(snapshot=at) for at in (0, 1))
    np.testing.assert_array_equal(first, before["weights"].recurrent_weights.isel(snapshot=0))
    assert (first != last).any()
    assert tree["audit"].sizes["snapshot"] == 2


def test_trials_of_a_task_are_scored_by_it_and_bring_its_probe():
    task = SHORT_FLIP_FLOP
    model = build_model(4, task.n_inputs, task.n_outputs, dt=task.dt, tau=task.dt)
    trials = task.trials(7, seed=0)
    tree = bn.record(model, trials)
    expected = bn.analysis.performance(tree["activity"].outputs, trials)
    assert float(tree["history"].score[0]) == float(expected["score"])
    assert {"probe_trials", "probe_activity"} <= set(tree.children)


def test_labels_of_the_trials_are_kept():
    inputs, targets = integrator()
    trials = xr.Dataset(
        {
            "inputs": (("trial", "time", "input_channel"), inputs),
            "targets": (("trial", "time", "output_channel"), targets),
        },
        {"time": 2.0 * np.arange(20), "output_channel": ["x", "y"], "gain": ("trial", np.arange(6))},
    )
    tree = bn.record(with_dense_readout(), trials)
    assert tree["activity"].output_channel.values.tolist() == ["x", "y"]
    assert tree["trials"].gain.values.tolist() == list(range(6))


def timed(inputs, targets):
    dims = {"inputs": ("trial", "time", "input_channel"), "targets": ("trial", "time", "output_channel")}
    arrays = {"inputs": inputs, "targets": targets}
    return xr.Dataset({name: (dims[name], array) for name, array in arrays.items()}, {"time": 2.0 * np.arange(20)})


def from_a_state():
    """A model whose recurrent layer begins with a constant, which nothing records."""
    inputs = keras.Input((None, 2), batch_size=6)
    layer = ConstrainedRNN(8, tau=4.0, dt=2.0, return_sequences=True)
    rates = layer(inputs, initial_state=[keras.ops.ones((6, 8))])
    return keras.Model(inputs, keras.layers.Dense(2)(rates))


def test_units_of_a_gated_layer_have_one_name_everywhere():
    wiring = bn.Connectivity(4, unit_names=list("abcd"))
    layers = keras.layers.GRU(4, return_sequences=True), bn.layers.Readout(wiring, 2)
    tree = bn.record(keras.Sequential([keras.Input((None, 2)), *layers]), *integrator())
    assert tree["activity"]["unit"].values.tolist() == tree["weights"]["unit_pre"].values.tolist() == list("abcd")


def test_of_a_model_that_was_not_compiled_the_updates_are_not_known():
    tree = bn.record(with_dense_readout(), *integrator())
    assert tree["history"]["update"].values.tolist() == [-1]
    assert tree["history"]["updates_trained"] == -1


@pytest.fixture(scope="module")
def trained_on_an_environment():
    """A model, its task, which no settings make again, and what training gave."""
    task = bn.tasks.from_neurogym(Decision(), grace=40)
    wiring = bn.Connectivity(6, excitatory_fraction=0.5, seed=1)
    model = build_model(wiring, task.n_inputs, task.n_outputs, tau=100.0, dt=task.dt)
    settings = {"max_updates": 4, "validate_every": 2, "batch_size": 4, "n_validation_trials": 5}
    return model, task, bn.train(model, task, seed=0, **settings)


def test_a_training_is_recorded_with_its_history(trained_on_an_environment):
    model, task, training = trained_on_an_environment
    trials = task.trials(9, seed=0)
    tree = bn.record(model, trials, training=training)
    for group in ("weights", "history"):
        for name, values in training[group].data_vars.items():
            np.testing.assert_array_equal(tree[group][name], values, err_msg=name)
    assert tree["weights"]["update"].values.tolist() == [0, 2, 4]
    assert tree["weights"]["output_channel"].values.tolist() == ["fixation", "choice_1", "choice_2"]
    assert tree["audit"].sizes["snapshot"] == 3
    again = simulate(tree["weights"].to_dataset(), tree["trials"].inputs)
    np.testing.assert_allclose(tree["activity"].outputs, again["outputs"], atol=1e-5)  # float32 against float64
    diverged = training.copy()
    diverged["history"].dataset = training["history"].to_dataset().assign(status="diverged")
    assert bn.record(model, trials, training=diverged)["activity"].rates.isnull().all()


def test_a_training_that_is_not_that_of_the_model_is_refused(trained_on_an_environment):
    model, task, training = trained_on_an_environment
    trials = task.trials(3, seed=0)
    with pytest.raises(ValueError, match=r"^before: expected none beside training, which has its own snapshots, got b"):
        bn.record(model, trials, before=bn.record(model, trials), training=training)
    with pytest.raises(ValueError, match=r"^training: expected what biornn.train gives, found no history$"):
        bn.record(model, trials, training=training.drop_nodes("history"))
    of_run = xr.DataTree.from_dict(
        {name: training[name].to_dataset().expand_dims("network") for name in ("weights", "history")}
    )
    with pytest.raises(ValueError, match=r"^training: expected that of one network, got a run; give biornn.train's re"):
        bn.record(model, trials, training=of_run)
    model = keras.models.clone_model(model)  # with other weights
    with pytest.raises(
        ValueError, match=r"^training: expected the one that left the model its weights, got another, or"
    ):
        bn.record(model, trials, training=training)


def recorded(*trials, model=None, **settings):
    return bn.record(model or with_dense_readout(), *trials, **settings)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (lambda x, y: recorded(x), "targets: expected an array .* beside the inputs, got none"),
        (lambda x, y: recorded(x, y[:, :-1]), r"targets: expected \(6, 20\) trials and times"),
        (lambda x, y: recorded(x[0], y), r"inputs: expected an array \(trial, time, channel\), got shape \(20, 2\)"),
        (lambda x, y: recorded(x[..., :1], y), "expected the model's 2 inputs and 2 outputs, got 1 and 2"),
        (lambda x, y: recorded(x * np.nan, y), "expected finite inputs"),
        (lambda x, y: recorded(x, y, dt=1.0), "expected the time step of the model, dt=2 ms, got 1 ms"),
        (lambda x, y: recorded(x, y, model=with_dense_readout(activation="tanh")), "Dense readout without an activ"),
        (lambda x, y: recorded(xr.Dataset({"inputs": ("trial", [1.0])})), r"expected inputs \(trial, time, input_ch"),
        (
            lambda x, y: recorded(x, y, before=recorded(x, y, model=with_dense_readout(5))),
            "before: expected the sizes",
        ),
        (lambda x, y: recorded(x, y, before=recorded(x, y + 1)), "before: expected the same trials as now"),
        (
            lambda x, y: recorded(x, y, model=from_a_state()),
            r"expected one input -> ConstrainedRNN .* got a Functional",
        ),
        (
            lambda x, y: recorded(timed(x, y), model=build_gated_model("gru", 4, 2, 2), dt=3.0),
            "dt: expected 2 ms, the step of the times of the trials, got 3 ms",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(record, message):
    with pytest.raises(ValueError, match=message) as error:
        record(*integrator())
    assert "\n" not in str(error.value)
