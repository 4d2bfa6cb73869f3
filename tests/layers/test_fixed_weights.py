"""Weights that are not trainable stay to the bit, whatever moves the others: recurrent ones, of inputs, of readouts."""

import keras
import numpy as np
import pytest

import biornn as bn

from .gradients import EAGER, numbers

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

RNG = np.random.default_rng(0)
N_UNITS = 12
SIGN = np.resize([-1, 1, 1], N_UNITS)
MASK = RNG.random((N_UNITS, N_UNITS)) < 0.6
TRAINABLE = RNG.random((N_UNITS, N_UNITS)) < 0.5
WEIGHTS = SIGN[:, np.newaxis] * RNG.gamma(2, 0.1, (N_UNITS, N_UNITS)) * MASK * (RNG.random((N_UNITS, N_UNITS)) < 0.8)
WIRING = bn.Connectivity(
    N_UNITS,
    cell_type=SIGN,
    mask=MASK,
    initial=WEIGHTS,
    trainable=TRAINABLE,
    input_mask=[[1, 0, 1] * 4, [1, 1, 0] * 4],
    input_weights=RNG.normal(size=(2, N_UNITS)) * [[1, 0, 1] * 4, [1, 1, 0] * 4],
    input_trainable=[1, 1, 1, 0] * 3,
    readout_mask=[1, 1, 0] * 4,
    readout_trainable=[1, 0] * 6,
)
FREE = MASK & TRAINABLE
ZERO = FREE & (WEIGHTS == 0)
INPUTS = RNG.normal(size=(16, 10, 2)).astype("float32")
TARGETS = INPUTS[..., :1].cumsum(axis=1)
OPTIMIZERS = {
    "decay": lambda: keras.optimizers.AdamW(
        0.01, weight_decay=0.2, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3, global_clipnorm=0.5
    ),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, clipvalue=0.05),
}


def model(enforcement="construction", wiring=WIRING):
    penalty = keras.regularizers.L1L2(1e-2, 1e-2)
    return bn.layers.build_model(wiring, 2, 1, enforcement=enforcement, recurrent_regularizer=penalty)


def weights_of(one):
    return bn.layers.effective_weights(one.get_layer("recurrent"))["recurrent_weights"].values


def ends(one):
    """Pathway and effective weights of the inputs, and of the readout."""
    yield WIRING.input(2), one.get_layer("recurrent").cell.input_pathway.numpy()
    yield WIRING.readout(1), one.get_layer("readout").output_pathway.numpy()


@pytest.mark.parametrize("enforcement", ["construction", "projection"])
@pytest.mark.parametrize("name", ["decay", pytest.param("momentum", marks=pytest.mark.nightly)])
def test_training_moves_the_others_alone(name, enforcement, tmp_path):
    one = model(enforcement)
    np.testing.assert_array_equal(weights_of(one), WEIGHTS.astype("float32"))
    one.compile(OPTIMIZERS[name](), "mse", **EAGER)
    one.fit(INPUTS, TARGETS, epochs=2, batch_size=4, verbose=0)
    after = weights_of(one)
    np.testing.assert_array_equal(after[~FREE], WEIGHTS.astype("float32")[~FREE])
    assert (after[FREE] != WEIGHTS.astype("float32")[FREE]).mean() > 0.8  # projection sends some back to zero
    assert ZERO.any()
    assert after[ZERO].any()  # a weight of zero is learned as others
    assert WIRING.recurrent.violations(after) == 0
    for pathway, found in ends(one):
        before = pathway.initial_weights.astype("float32")
        assert 0 < pathway.free.sum() < pathway.mask.sum() < pathway.mask.size
        np.testing.assert_array_equal(found[~pathway.free], before[~pathway.free])
        assert (found[pathway.free] != before[pathway.free]).all()
    one.save(tmp_path / "one.keras")
    again = keras.models.load_model(tmp_path / "one.keras")
    np.testing.assert_array_equal(weights_of(again), after)
    np.testing.assert_array_equal(again.predict(INPUTS, verbose=0), one.predict(INPUTS, verbose=0))
    again.set_weights(one.get_weights())
    again.get_layer("recurrent").cell.recurrent_pathway.assign(one.get_layer("recurrent").cell.recurrent_pathway)
    np.testing.assert_array_equal(weights_of(again), after)


def test_loaded_weights_that_differ_where_they_are_fixed_are_refused():
    pathway = model().get_layer("recurrent").cell.recurrent_pathway
    values = pathway.numpy()
    values[MASK & ~TRAINABLE] *= 2
    n_wrong = np.count_nonzero(WEIGHTS[MASK & ~TRAINABLE])
    with pytest.raises(
        ValueError, match=f"recurrent_kernel: expected .*, got {n_wrong} that its fixed weights are not"
    ):
        pathway.assign(values)
    pathway.assign(np.where(FREE, 2 * WEIGHTS, WEIGHTS))
    np.testing.assert_array_equal(pathway.numpy()[FREE], (2 * WEIGHTS).astype("float32")[FREE])


def test_fixed_weights_are_not_penalised_nor_are_loaded_ones():
    one = model()
    one.set_weights(one.get_weights())
    (penalty,) = numbers(one.losses)
    weights = WEIGHTS[FREE]
    # A float32 sum of fifty numbers.
    assert penalty == pytest.approx(1e-2 * (np.abs(weights).sum() + (weights**2).sum()), rel=1e-6)


def test_recorded_units_have_the_names_of_the_connectivity():
    names = [f"cell {number}" for number in range(N_UNITS)]
    task = bn.tasks.FlipFlop(
        n_bits=1, duration=60, pulse_width=4, response_delay=4, min_gap=10, first_onset=2, n_pulses=2
    )
    settings = {"input_trainable": False, "readout_trainable": [1, 0, 0] * 4}
    wiring = bn.Connectivity(N_UNITS, cell_type=SIGN, mask=MASK, trainable=TRAINABLE, unit_names=names, **settings)
    one = bn.layers.build_model(wiring, 1, 1)
    result = bn.train(one, task, seed=0, max_updates=2, batch_size=2, n_validation_trials=2)
    weights = result["weights"].to_dataset()
    for dim in ("unit", "unit_pre", "unit_post"):
        assert weights[dim].values.tolist() == names
    np.testing.assert_array_equal(weights["recurrent_trainable"], FREE)
    assert not weights["input_trainable"].any()
    assert weights["output_trainable"].values[:, 0].tolist() == [True, False, False] * 4
    audited = bn.audit(result)["fixed_changes"]
    assert not audited.any()
    assert (
        bn.audit(weights.assign(recurrent_trainable=~weights["recurrent_trainable"]))["fixed_changes"][-1]
        > FREE.sum() / 2
    )
    activity = bn.training.record_activity(one, task.trials(2, seed=0))
    assert activity["unit"].values.tolist() == names
    assert not bn.audit(result)["autapses"].any()
    inhibitory = weights["recurrent_weights"].sel(unit_pre="cell 3")
    assert (inhibitory <= 0).all()
    assert inhibitory.any()
