"""The cell: its two equations, the leak, the noise, what it refuses."""

import json

import keras
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

import biornn as bn
from biornn.layers import ConstrainedRNN, ConstrainedRNNCell, MeanSquare

from .gradients import BACKEND, EPSILON, FINEST

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

FORMULATIONS = ("rate", "current")


@keras.saving.register_keras_serializable(package="biornn_tests")
def twice_tanh(x):
    return 2 * ops.tanh(x)


def built_cell(connectivity, n_channels=2, bias_seed=None, **settings):
    """A cell in the finest float; with a random bias if it has a seed."""
    cell = ConstrainedRNNCell(connectivity, dtype=FINEST, **settings)
    cell.build((None, n_channels))
    if bias_seed is not None:
        cell.bias.assign(np.random.default_rng(bias_seed).normal(size=cell.units))
    return cell


def steps(cell, inputs, state):
    """Call a cell on inputs (batch, time, channel): rates and states, each (batch, time, unit)."""
    rates, states, state = [], [], ops.convert_to_tensor(np.asarray(state, FINEST))
    for step in range(inputs.shape[1]):
        rate, (state,) = cell(ops.convert_to_tensor(np.asarray(inputs[:, step], FINEST)), [state])
        rates.append(ops.convert_to_numpy(rate))
        states.append(ops.convert_to_numpy(state))
    return np.stack(rates, 1), np.stack(states, 1)


def arrays(cell):
    return [ops.convert_to_numpy(w) for w in (cell.input_pathway.effective(), cell.recurrent_pathway.effective())]


@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize("excitatory_fraction", [None, 0.6])
def test_a_linear_cell_is_a_matrix_power(formulation, excitatory_fraction):
    tau = np.array([1.0, 2.0, 5.0, 10.0, 1.5])
    wiring = bn.Connectivity(5, excitatory_fraction, density=0.7, seed=2)
    cell = built_cell(wiring, activation="linear", tau=tau, formulation=formulation, use_bias=False)
    start = np.random.default_rng(0).normal(size=(3, 5))
    rates, _ = steps(cell, np.zeros((3, 12, 2)), start)
    weights = arrays(cell)[1].astype(float)
    one_step = np.eye(5) + (weights - np.eye(5)) / tau  # column j leaks with unit j's time constant
    expected = np.stack([start @ np.linalg.matrix_power(one_step, t) for t in range(1, 13)], axis=1)
    # A few roundings a step, of numbers of order 1.
    np.testing.assert_allclose(rates, expected, rtol=0, atol=200 * EPSILON * np.abs(expected).max())


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_the_leak_of_each_unit_follows_its_closed_form(formulation):
    tau, dt, n_steps = np.array([0.5, 1.0, 4.0, 25.0]), 0.5, 40
    wiring = bn.Connectivity(4, mask=np.zeros((4, 4)))
    cell = built_cell(wiring, 1, activation="linear", tau=tau, dt=dt, formulation=formulation, use_bias=False)
    cell.input_pathway.assign(np.ones((1, 4)))
    rates, _ = steps(cell, np.ones((1, n_steps, 1)), np.zeros((1, 4)))
    expected = 1 - (1 - dt / tau) ** np.arange(1, n_steps + 1)[:, np.newaxis]
    np.testing.assert_allclose(rates[0], expected, rtol=0, atol=n_steps * EPSILON)  # one rounding a step


def reference(formulation, f, weights_in, weights, bias, alpha, inputs, start):
    """The two equations of the docstring, unit by unit."""
    n_units = len(bias)
    rates, states = np.zeros((2, len(inputs), n_units))
    old = start
    for t, u in enumerate(inputs):
        for j in range(n_units):
            sent = old if formulation == "rate" else f(old)
            received = sum(sent[i] * weights[i, j] for i in range(n_units))
            received += sum(u[k] * weights_in[k, j] for k in range(len(u))) + bias[j]
            towards = f(received) if formulation == "rate" else received
            states[t, j] = (1 - alpha[j]) * old[j] + alpha[j] * towards
        rates[t] = states[t] if formulation == "rate" else f(states[t])
        old = states[t]
    return rates, states


@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize(
    ("activation", "f"),
    [
        ("tanh", np.tanh),
        ("relu", lambda x: np.maximum(x, 0)),
        ("softplus", lambda x: np.log1p(np.exp(x))),
        (twice_tanh, lambda x: 2 * np.tanh(x)),
    ],
)
def test_steps_are_those_of_the_equations(formulation, activation, f):
    wiring = bn.Connectivity(4, 0.5, density=0.8, autapses=False, seed=3)
    tau = (1.0, 2.0, 3.0, 10.0)
    cell = built_cell(wiring, bias_seed=1, activation=activation, tau=tau, formulation=formulation)
    rng = np.random.default_rng(4)
    inputs, start = rng.normal(size=(1, 9, 2)), rng.normal(size=(1, 4))
    bias = ops.convert_to_numpy(cell.bias)
    expected = reference(formulation, f, *arrays(cell), bias, 1 / np.array(tau), inputs[0], start[0])
    for came, wanted in zip(steps(cell, inputs, start), expected, strict=True):
        # Sums of ten products of order 1, over nine steps.
        np.testing.assert_allclose(came[0], wanted, rtol=0, atol=500 * EPSILON)


def test_an_integer_is_that_many_unconstrained_units():
    cell = built_cell(7)
    assert cell.units == cell.state_size == cell.output_size == 7
    assert cell.recurrent_pathway.constraint is None
    np.testing.assert_array_equal(arrays(cell)[1], bn.Connectivity(7).recurrent.initial_weights.astype(FINEST))


@pytest.mark.parametrize("wiring", [bn.Connectivity(1), bn.Connectivity(1, autapses=False), bn.Connectivity(1, 1.0)])
def test_one_unit_is_a_network(wiring):
    cell = built_cell(wiring, 1, activation="linear", use_bias=False)
    (((w_in,),), ((w,),)) = arrays(cell)
    rates, _ = steps(cell, np.array([[[1.0], [0.0]]]), np.zeros((1, 1)))
    np.testing.assert_allclose(rates[0, :, 0], [w_in, w_in * w], rtol=4 * EPSILON)  # one product a step


@settings(max_examples=20, deadline=None)
@given(
    units=st.integers(1, 6),
    fraction=st.sampled_from([None, 0.0, 0.5, 1.0]),
    density=st.sampled_from([0.0, 0.5, 1.0]),
    autapses=st.booleans(),
    enforcement=st.sampled_from(["construction", "projection"]),
)
def test_initial_effective_weights_are_those_of_the_wiring(units, fraction, density, autapses, enforcement):
    wiring = bn.Connectivity(units, fraction, density, autapses, input_density=density, input_sign="non_negative")
    cell = built_cell(wiring, 3, enforcement=enforcement)
    for came, pathway in zip(arrays(cell), (wiring.input(3), wiring.recurrent), strict=True):
        np.testing.assert_array_equal(came, pathway.initial_weights.astype(FINEST))


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_noise_of_a_linear_unit_has_the_asked_size_at_every_alpha_and_is_as_slow_as_the_leak(formulation):
    alpha, n_trials, n_steps, size = np.array([1, 0.5, 0.2, 0.05]), 4000, 90, 0.3
    wiring = bn.Connectivity(4, mask=np.zeros((4, 4)))
    layer = ConstrainedRNN(
        wiring, "linear", 1 / alpha, formulation=formulation, recurrent_noise=size, seed=5, return_sequences=True
    )
    rates = ops.convert_to_numpy(layer(np.zeros((n_trials, n_steps, 1), "float32"), training=True))
    last, before = rates[:, -1], rates[:, -2]
    # The sd of an sd from n Gaussian samples is 1/sqrt(2n) of it: four of them. (What the start from zero leaves away
    # after 90 steps, 0.95^180 of the variance, is a hundredth of that.)
    np.testing.assert_allclose(last.std(axis=0), size, rtol=4 / np.sqrt(2 * n_trials))
    np.testing.assert_allclose(last.mean(axis=0), 0, atol=4 * size / np.sqrt(n_trials))
    # Correlation with the step before is 1 - alpha, and zero between units; its sd is at most 1/sqrt(n).
    correlation = np.corrcoef(last.T, before.T)
    np.testing.assert_allclose(np.diag(correlation[:4, 4:]), 1 - alpha, atol=4 / np.sqrt(n_trials))
    np.testing.assert_allclose(correlation[:4, :4], np.eye(4), atol=4 / np.sqrt(n_trials))


def test_noise_is_off_outside_training():
    cell = built_cell(5, recurrent_noise=1.0, tau=5.0)
    quiet = built_cell(5, tau=5.0)
    inputs, start = np.ones((2, 4, 2)), np.zeros((2, 5))
    np.testing.assert_array_equal(steps(cell, inputs, start)[0], steps(quiet, inputs, start)[0])


@pytest.mark.skipif(BACKEND == "jax", reason="a random draw inside a scan fails on JAX; ConstrainedRNN draws before it")
def test_noise_in_a_plain_keras_rnn_is_drawn_anew_at_every_step():
    cell = ConstrainedRNNCell(bn.Connectivity(3, mask=np.zeros((3, 3))), "linear", recurrent_noise=0.5, seed=1)
    layer = keras.layers.RNN(cell, return_sequences=True)
    noise = ops.convert_to_numpy(layer(np.zeros((1000, 4, 1), "float32"), training=True))
    samples = noise.transpose(1, 2, 0).reshape(12, 1000)
    # alpha = 1: white noise of sd 0.5, within four standard errors of an sd and of a correlation.
    np.testing.assert_allclose(samples.std(axis=1), 0.5, rtol=4 / np.sqrt(2000))
    np.testing.assert_allclose(np.corrcoef(samples), np.eye(12), atol=4 / np.sqrt(1000))


@pytest.mark.parametrize(("seed", "same"), [(1, True), (2, False), (None, False)])
def test_noise_is_a_function_of_its_seed(seed, same):
    draws = []
    for noise_seed in (1, seed):
        cell = built_cell(bn.Connectivity(4, seed=9), recurrent_noise=1.0, seed=noise_seed)
        draws.append(ops.convert_to_numpy(cell.drive(np.zeros((2, 3, 2), FINEST), training=True)))
    assert np.array_equal(*draws) == same


def test_noise_takes_the_seed_of_the_wiring_unless_it_has_its_own():
    cells = [built_cell(bn.Connectivity(4, seed=s), recurrent_noise=1.0, seed=own) for s, own in [(7, None), (0, 7)]]
    draws = [ops.convert_to_numpy(cell.drive(np.zeros((2, 2), FINEST), training=True)) for cell in cells]
    zero = [cell.drive(np.zeros((2, 2), FINEST)) for cell in cells]
    np.testing.assert_array_equal(*draws)
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, zero))


@pytest.mark.parametrize("batch_size", [1, 3])
def test_initial_state_is_zero_or_the_learned_one(batch_size):
    (zero,) = built_cell(4).get_initial_state(batch_size)
    np.testing.assert_array_equal(ops.convert_to_numpy(zero), np.zeros((batch_size, 4)))
    cell = built_cell(4, trainable_initial_state=True)
    cell.initial_state.assign([1.0, 2.0, 3.0, 4.0])
    (learned,) = cell.get_initial_state(batch_size)
    np.testing.assert_array_equal(ops.convert_to_numpy(learned), [[1.0, 2.0, 3.0, 4.0]] * batch_size)


def test_initial_biases_are_those_of_the_connectivity():
    wiring = bn.Connectivity(20, seed=1)
    bias = ops.convert_to_numpy(built_cell(wiring, initial_bias=0.3).bias)
    np.testing.assert_allclose(bias, wiring.biases(0.3), rtol=1e-6)
    assert not ops.convert_to_numpy(built_cell(wiring).bias).any()


@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_without_biases_a_network_of_an_odd_activation_is_an_odd_function(formulation):
    inputs = np.random.default_rng(0).standard_normal((3, 3)).astype("float32")
    state = np.random.default_rng(1).standard_normal((3, 8)).astype("float32")
    for initial_bias, is_odd in ((0.0, True), (0.3, False)):
        cell = built_cell(bn.Connectivity(8, seed=0), 3, formulation=formulation, initial_bias=initial_bias)
        rates, mirrored = (ops.convert_to_numpy(cell(sign * inputs, [sign * state])[0]) for sign in (1, -1))
        assert np.allclose(rates, -mirrored, atol=1e-6) == is_odd


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initial_bias": -0.1}, r"initial_bias: expected a number of at least 0, got -0.1"),
        ({"initial_bias": 0.1, "use_bias": False}, r"initial_bias: expected 0 without a bias, got 0.1"),
    ],
)
def test_impossible_initial_biases_are_refused(settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        bn.layers.ConstrainedRNNCell(4, **settings)


@pytest.mark.parametrize(
    ("use_bias", "learned", "names"), [(True, True, {"bias", "initial_state"}), (False, False, set())]
)
def test_there_are_no_more_weights_than_asked_for(use_bias, learned, names):
    cell = built_cell(bn.Connectivity(4, 0.5, 0.5), use_bias=use_bias, trainable_initial_state=learned)
    assert {weight.name for weight in cell.trainable_weights} == {"input_kernel", "recurrent_kernel"} | names
    assert not cell.non_trainable_weights


@pytest.mark.parametrize(
    "given_settings",
    [
        {},
        {"tau": [1.0, 2.0, 4.0], "dt": 0.5, "formulation": "current", "activation": "softplus"},
        {"tau": np.array([1, 2, 3]), "dt": np.float32(0.5), "recurrent_noise": np.float64(0.1), "seed": np.int64(3)},
        {"tau": np.float64(4.0), "initial_bias": np.float64(0.3)},
        {"tau": np.float64(4.0), "use_bias": False, "enforcement": "projection", "trainable_initial_state": True},
        {"recurrent_regularizer": "l2", "input_regularizer": keras.regularizers.L1(0.1), "bias_regularizer": "l1"},
        {"activation": twice_tanh, "recurrent_regularizer": MeanSquare(0.5)},
    ],
)
def test_config_is_plain_and_builds_an_equal_cell(given_settings):
    wiring = bn.Connectivity(3, mask=[[0, 1, 1], [1, 1, 0], [0, 0, 1]], excitatory_fraction=0.7, seed=np.int64(4))
    cell = ConstrainedRNNCell(wiring, **given_settings)
    config = cell.get_config()
    again = ConstrainedRNNCell.from_config(config)
    assert again.get_config() == config
    assert type(config["dt"]) is float
    assert type(config["recurrent_noise"]) is float
    np.testing.assert_array_equal(again.alpha, cell.alpha)
    np.testing.assert_array_equal(again.connectivity.recurrent.mask, wiring.recurrent.mask)
    np.testing.assert_array_equal(
        again.connectivity.recurrent.initial_weights, wiring.recurrent.initial_weights, strict=True
    )
    x = np.linspace(-1, 1, 5, dtype="float32")
    np.testing.assert_array_equal(
        *[ops.convert_to_numpy(c.activation(ops.convert_to_tensor(x))) for c in (cell, again)]
    )


def test_labelled_time_constants_are_read_by_the_names_of_the_units():
    tau = xr.DataArray([10.0, 20.0, 40.0], {"unit": ["PV", "E9", "E1"]}, "unit")
    cell = ConstrainedRNNCell(bn.Connectivity(3, unit_names=["E1", "PV", "E9"]), tau=tau)
    np.testing.assert_array_equal(1 / cell.alpha, [40, 10, 20])
    np.testing.assert_array_equal(ConstrainedRNNCell.from_config(cell.get_config()).alpha, cell.alpha)
    with pytest.raises(ValueError, match=r"^tau: expected the label of each unit once along unit, got no 0, but 'PV'"):
        ConstrainedRNNCell(3, tau=tau)


TYPES = {"E": {"sign": 1, "fraction": 0.5, "tau": 20.0}, "PV": {"sign": -1, "fraction": 0.5, "tau": 5.0}}


def test_time_constants_of_the_cell_types_are_those_of_the_cell():
    wiring = bn.Connectivity(4, cell_types=TYPES, seed=1)
    cell, given = (
        ConstrainedRNNCell(wiring, dt=2.0),
        ConstrainedRNNCell(bn.Connectivity(4, 0.5), tau=[20, 20, 5, 5], dt=2.0),
    )
    np.testing.assert_array_equal(cell.alpha, [0.1, 0.1, 0.4, 0.4])
    np.testing.assert_array_equal(cell.alpha, given.alpha)
    again = ConstrainedRNNCell.from_config(json.loads(json.dumps(cell.get_config())))
    np.testing.assert_array_equal(again.alpha, cell.alpha)
    assert again.connectivity.cell_type.tolist() == ["E", "E", "PV", "PV"]
    with pytest.raises(
        ValueError, match=r"^tau: expected none beside the tau of cell_types, got both; drop one of them"
    ):
        ConstrainedRNNCell(wiring, tau=3.0)
    with pytest.raises(ValueError, match=r"^dt: expected more than 0 and at most tau=5 ms, got 6.0"):
        ConstrainedRNNCell(wiring, dt=6.0)


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"activation": "nope"}, "activation: expected the name of a Keras activation, got 'nope'"),
        ({"activation": 3}, "activation: expected the name of a Keras activation, got 3"),
        ({"dt": 2.0}, "dt: expected more than 0 and at most tau=1 ms, got 2.0"),
        ({"tau": [3.0, 0.5, 2.0]}, "dt: expected more than 0 and at most tau=0.5 ms, got 1.0"),
        ({"dt": 0}, "dt: expected more than 0 and at most tau=1 ms, got 0"),
        ({"dt": -1.0}, "dt: expected more than 0 .* got -1.0"),
        ({"dt": float("nan")}, "dt: expected more than 0 .* got nan"),
        ({"dt": None}, "dt: expected more than 0 .* got None"),
        ({"tau": [1.0, 2.0]}, r"tau: expected one time or shape \(3,\), got shape \(2,\)"),
        ({"tau": [[1.0, 2.0, 3.0]]}, r"tau: expected one time or shape \(3,\), got shape \(1, 3\)"),
        ({"tau": 0.0}, "tau: expected positive times in ms, got 0.0"),
        ({"tau": [1.0, -1.0, 2.0]}, r"tau: expected positive times in ms, got \[1.0, -1.0, 2.0\]"),
        ({"tau": np.inf}, "tau: expected positive times in ms, got inf"),
        ({"tau": "slow"}, "tau: expected positive times in ms, got 'slow'"),
        ({"formulation": "voltage"}, r"formulation: expected one of \('rate', 'current'\), got 'voltage'"),
        ({"enforcement": "hope"}, r"enforcement: expected one of \('construction', 'projection'\), got 'hope'"),
        ({"recurrent_noise": -0.1}, "recurrent_noise: expected a number of at least 0, got -0.1"),
        ({"recurrent_noise": float("nan")}, "recurrent_noise: expected a number of at least 0, got nan"),
        ({"recurrent_noise": "loud"}, "recurrent_noise: expected a number of at least 0, got 'loud'"),
        ({"connectivity": 0}, "n_units: expected an integer of at least 1, got 0"),
    ],
)
@pytest.mark.parametrize("kind", [ConstrainedRNNCell, ConstrainedRNN])
def test_impossible_settings_are_named(kind, given_settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        kind(**{"connectivity": 3, **given_settings})
