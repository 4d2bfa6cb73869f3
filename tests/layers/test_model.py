"""The whole model: what training must never break, and what `build_model` puts together."""

from itertools import product

import keras
import numpy as np
import pytest
from keras import ops

import biornn as bn
from biornn.layers import Readout, build_model

from .gradients import BACKEND, EAGER, numbers

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

NIGHTLY, ENFORCEMENTS = pytest.mark.nightly, ("construction", "projection")
N_UNITS, N_IN, N_OUT = 12, 3, 2
WIRINGS = {
    "dale": {"readout_sign": "dale"},
    "non-negative": {"readout_sign": "non_negative", "readout_from": "excitatory"},
    "fraction 0": {"excitatory_fraction": 0.0, "readout_from": "excitatory"},
    "fraction 1": {"excitatory_fraction": 1.0, "readout_sign": "dale"},
    "density 0": {"density": 0.0, "input_density": 0.0},
    "free": {"excitatory_fraction": None, "input_sign": "free"},
}


def wiring_of(name):
    settings = {"excitatory_fraction": 0.6, "density": 0.6, "input_density": 0.7, "input_sign": "non_negative"}
    return bn.Connectivity(N_UNITS, autapses=False, seed=4, **{**settings, **WIRINGS[name]})


def pathways(model, wiring):
    """What is declared, the parameters and the effective weights, of each of the three."""
    cell, readout = model.get_layer("recurrent").cell, model.get_layer("readout")
    declared = (wiring.input(N_IN), wiring.recurrent, wiring.readout(N_OUT))
    for pathway, weights in zip(
        declared, (cell.input_pathway, cell.recurrent_pathway, readout.output_pathway), strict=True
    ):
        yield pathway, ops.convert_to_numpy(weights + 0), ops.convert_to_numpy(weights.effective())


def violations(model, wiring):
    """Every count written out, beside `Pathway`'s own."""
    n_wrong = 0
    for pathway, _, effective in pathways(model, wiring):
        signs = pathway.sign[:, np.newaxis] * np.sign(effective)
        by_hand = int(((effective != 0) & ~pathway.mask).sum() + ((signs < 0) & pathway.mask).sum())
        assert by_hand == pathway.violations(effective)
        n_wrong += by_hand
    recurrent = ops.convert_to_numpy(model.get_layer("recurrent").cell.recurrent_pathway.effective())
    return n_wrong + int((np.diag(recurrent) != 0).sum())


def trial_batch(index):
    rng = np.random.default_rng([7, index])
    return rng.normal(size=(8, 6, N_IN)).astype("float32"), rng.normal(size=(8, 6, N_OUT)).astype("float32")


#: With every change those that differ most; `nightly` has all of them with either optimizer.
QUICK = (("dale", "construction"), ("dale", "projection"), ("non-negative", "projection"), ("fraction 0", "projection"))
QUICK += (("fraction 1", "construction"), ("density 0", "construction"), ("free", "projection"))


@pytest.mark.parametrize(
    ("name", "enforcement", "optimizer"),
    [
        pytest.param(*one, optimizer, marks=() if (*one, optimizer) in {(*q, "adam") for q in QUICK} else NIGHTLY)
        for optimizer in ("sgd", "adam")
        for one in product(WIRINGS, ENFORCEMENTS)
    ],
)
def test_no_update_breaks_a_constraint_however_large(tmp_path, name, enforcement, optimizer):
    wiring = wiring_of(name)
    l2 = keras.regularizers.L2(0.01)
    penalties = {"recurrent_regularizer": l2, "input_regularizer": l2, "output_regularizer": l2}
    model = build_model(wiring, N_IN, N_OUT, enforcement=enforcement, tau=2.0, **penalties)
    make = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[optimizer]
    model.compile(optimizer=make(3.0), loss="mse", **EAGER)  # thousands of times what anybody trains with
    assert violations(model, wiring) == 0
    largest = 0.0
    for index in range(4):
        before = [parameters for _, parameters, _ in pathways(model, wiring)]
        assert np.isfinite(model.train_on_batch(*trial_batch(index)))
        assert violations(model, wiring) == 0
        for (pathway, parameters, _), old in zip(pathways(model, wiring), before, strict=True):
            assert pathway.violations(parameters) == 0  # so that penalties see only what is effective
            largest = max(largest, np.abs(parameters - old).max())
    assert largest > 1 or name.startswith("fraction")  # of one sign, rates saturate or no path leads out
    if name == "dale" and enforcement == "projection":  # that the signs were really under attack
        assert all((parameters[pathway.mask] == 0).any() for pathway, parameters, _ in pathways(model, wiring))
    if optimizer == "sgd":
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        assert violations(again, wiring) == 0
        x = trial_batch(0)[0]
        np.testing.assert_array_equal(*[ops.convert_to_numpy(each(x)) for each in (model, again)])
        again.train_on_batch(*trial_batch(9))  # the loaded model goes on, and still keeps to it
        assert violations(again, wiring) == 0


def test_the_same_updates_break_what_is_not_constrained():
    model = build_model(N_UNITS, N_IN, N_OUT, tau=2.0)
    model.compile(optimizer=keras.optimizers.SGD(3.0), loss="mse", **EAGER)
    for index in range(4):
        model.train_on_batch(*trial_batch(index))
    assert violations(model, wiring_of("dale")) > 50


@pytest.mark.parametrize("enforcement", ["construction", "projection"])
@pytest.mark.parametrize("by", ["train_on_batch", "fit"])  # in fit, JAX takes a model's variables away
def test_one_update_is_the_gradient_step_reflected_by_construction_and_cut_off_by_projection(by, enforcement):
    wiring, rate = wiring_of("dale"), 2.0
    settings = {"enforcement": enforcement, "tau": 2.0}
    constrained = build_model(wiring, N_IN, N_OUT, **settings)
    free = build_model(wiring, N_IN, N_OUT, **settings)
    for variable in free.trainable_variables:
        variable.constraint = None
    for model in (constrained, free):
        model.compile(optimizer=keras.optimizers.SGD(rate), loss="mse", **EAGER)
        if by == "fit":
            model.fit(*trial_batch(0), shuffle=False, verbose=0)
        else:
            model.train_on_batch(*trial_batch(0))
    for (pathway, came, _), (_, stepped, _) in zip(pathways(constrained, wiring), pathways(free, wiring), strict=True):
        is_wrong = pathway.sign[:, np.newaxis] * stepped < 0
        assert is_wrong.any()
        expected = np.where(is_wrong, 0 if enforcement == "projection" else -stepped, stepped) * pathway.mask
        np.testing.assert_array_equal(came, expected)


def loaded_from_file(model, weights, path):
    other = build_model(wiring_of("free"), N_IN, N_OUT, tau=2.0)
    other.set_weights(weights)
    other.save_weights(path / "any.weights.h5")
    model.load_weights(path / "any.weights.h5")


WAYS = {
    "load_weights": loaded_from_file,
    "set_weights": lambda model, weights, _: model.set_weights(weights),
    "of a layer": lambda model, weights, _: [
        model.get_layer("recurrent").set_weights(weights[:3]),
        model.get_layer("readout").set_weights(weights[3:]),
    ],
    "assign": lambda model, weights, _: [
        variable.assign(value) for variable, value in zip(model.weights, weights, strict=True)
    ],
}


@pytest.mark.parametrize("enforcement", ["construction", "projection"])
@pytest.mark.parametrize("way", WAYS)
def test_weights_that_break_a_constraint_cannot_be_loaded_and_others_can(tmp_path, way, enforcement):
    wiring = wiring_of("dale")
    model = build_model(wiring, N_IN, N_OUT, enforcement=enforcement, tau=2.0)
    shrunk = [weights / 2 for weights in model.get_weights()]
    WAYS[way](model, shrunk, tmp_path)
    np.testing.assert_array_equal(model.get_weights()[1], wiring.recurrent.initial_weights.astype("float32") / 2)
    of_other_mask, of_other_sign = [one.copy() for one in shrunk], [one.copy() for one in shrunk]
    of_other_mask[1][np.diag_indices(N_UNITS)] = 1e-3 * wiring.sign
    of_other_sign[3] = -of_other_sign[3]
    for weights, message in (
        (of_other_mask, "recurrent_kernel: expected .* got 12 that"),
        (of_other_sign, "output_kernel: expected .* got 24 that"),
    ):
        with pytest.raises(ValueError, match=message):
            WAYS[way](model, weights, tmp_path)
        assert violations(model, wiring) == 0


def test_a_mask_and_signs_are_no_weights_that_could_be_changed():
    model = build_model(wiring_of("dale"), N_IN, N_OUT)
    assert not model.non_trainable_weights


OPTIMIZERS = {
    "average": {"use_ema": True, "ema_overwrite_frequency": None},
    "average at times": {"use_ema": True, "ema_overwrite_frequency": 2},
    "decay": {"weight_decay": 0.5, "clipvalue": 0.1},
    "accumulation": {"gradient_accumulation_steps": 2},
    "loss scaling": {"loss_scale_factor": 4.0},
}


@pytest.mark.parametrize(
    ("name", "enforcement"),
    [
        pytest.param(
            *one, marks=() if one in {("decay", "construction"), ("average at times", "projection")} else NIGHTLY
        )
        for one in product(OPTIMIZERS, ENFORCEMENTS)
    ],
)
def test_no_option_of_an_optimizer_breaks_a_constraint_nor_keeps_the_model_from_files(tmp_path, name, enforcement):
    wiring, options = wiring_of("dale"), OPTIMIZERS[name]
    model = build_model(wiring, N_IN, N_OUT, enforcement=enforcement, tau=2.0)
    model.compile(keras.optimizers.Adam(0.5, **options), loss="mse", **EAGER)
    found = []
    count = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: found.append(violations(model, wiring)) if BACKEND != "jax" else None,
        on_epoch_end=lambda epoch, logs: found.append(violations(model, wiring)),
    )
    swap = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if "use_ema" in options else []
    model.fit(*trial_batch(0), batch_size=4, epochs=2, verbose=0, callbacks=[count, *swap, count])
    found.append(violations(model, wiring))
    assert not any(found)
    model.set_weights(model.get_weights())
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*[ops.convert_to_numpy(each(trial_batch(1)[0])) for each in (model, again)])


@pytest.mark.parametrize("readout_bias", [True, False])
def test_build_model_is_its_two_layers_in_a_row(readout_bias):
    model = build_model(wiring_of("dale"), N_IN, N_OUT, readout_bias=readout_bias, formulation="current", tau=3.0)
    recurrent, readout = model.layers
    assert (recurrent.name, readout.name) == ("recurrent", "readout")
    assert model.output_shape == (None, None, N_OUT)
    assert (readout.bias is not None) == readout_bias
    assert (recurrent.cell.formulation, recurrent.cell.alpha[0]) == ("current", 1 / 3)
    x = trial_batch(0)[0]
    np.testing.assert_array_equal(*[ops.convert_to_numpy(y) for y in (model(x), readout(recurrent(x)))])


def test_build_model_takes_a_number_of_units_and_passes_settings_to_both_layers():
    model = build_model(5, 1, 1, enforcement="projection", output_regularizer=keras.regularizers.L1(2.0))
    recurrent, readout = model.layers
    assert recurrent.cell.enforcement == readout.enforcement == "projection"
    weights = ops.convert_to_numpy(readout.output_pathway.effective())
    # A float32 sum of five numbers.
    assert numbers(model.losses) == pytest.approx([2 * np.abs(weights).sum()], rel=1e-6)
    assert isinstance(readout, Readout)
    with pytest.raises(ValueError, match=r"^enforcement: expected one of .*, got 'none'$"):
        build_model(5, 1, 1, enforcement="none")
