"""Training: every number that it returns, against the same training written out as a loop."""

import subprocess
import sys
from dataclasses import dataclass, replace

import keras
import numpy as np
import pytest
import xarray as xr
from keras import ops

import biornn as bn
from biornn import schema
from biornn.analysis.performance import performance
from biornn.analysis.simulate import simulate
from biornn.layers import build_model
from biornn.tasks import Trials
from biornn.tasks.seeds import generator
from biornn.training import TrialStream, record_weights, train
from biornn.training.train import compile_model

from .tasks import SHORT_FLIP_FLOP, Echo

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

TASK = Echo()
TWO_BITS = replace(SHORT_FLIP_FLOP, n_bits=2)
SMALL = {"batch_size": 4, "n_validation_trials": 20}
WEIGHTS = ("input_weights", "recurrent_weights", "recurrent_bias", "output_weights", "output_bias")


def small_model(**settings):
    wiring = bn.Connectivity(5, 0.6, density=0.8, seed=1)
    return build_model(wiring, 2, 2, **{"tau": 2.0, **settings})


class Count(keras.callbacks.Callback):
    """Count batches, and note the learning rate before each."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


class Run:
    """One training of seven updates, validated at every third, and what there was before."""

    def __init__(self, task=TASK, **settings):
        self.model = small_model()
        self.before = record_weights(self.model)
        self.count = Count()
        self.settings = {"seed": 3, "max_updates": 7, "validate_every": 3, "learning_rate": 0.05, **SMALL, **settings}
        self.settings.setdefault("validation_seed", 1)
        self.result = train(self.model, task, callbacks=[self.count], **self.settings)
        self.weights = self.result["weights"].to_dataset()
        self.history = self.result["history"].to_dataset()
        self.last_rate = float(self.model.optimizer.learning_rate)
        self.after = record_weights(self.model)
        self.trials = TASK.trials(3, 0)
        self.outputs = ops.convert_to_numpy(self.model(self.trials.inputs.values))


@pytest.fixture(scope="module")
def run():
    return Run()


def test_snapshots_are_the_validations_and_the_last_update(run):
    for group in (run.weights, run.history):
        assert group["snapshot"].values.tolist() == [0, 1, 2, 3]
        assert group["update"].values.tolist() == [0, 3, 6, 7]
    assert run.history["updates_trained"] == 7
    assert str(run.history["status"].values) == "completed"
    assert np.isnan(run.history["updates_to_criterion"])
    assert 0 < run.history["wall_time"] < 600
    assert np.isnan(run.history["loss"].values).tolist() == [True, False, False, False]


def test_the_first_snapshot_is_the_untrained_network_and_the_last_the_models_own(run):
    for name in WEIGHTS:
        np.testing.assert_array_equal(run.weights[name].isel(snapshot=0), run.before[name])
        np.testing.assert_array_equal(run.weights[name].isel(snapshot=-1), run.after[name])
        assert (run.weights[name].isel(snapshot=0) != run.weights[name].isel(snapshot=1)).any()


def test_it_is_the_loop_over_the_batches_of_the_stream(run):
    model, stream = small_model(), TrialStream(TASK, 4, seed=3)
    compile_model(model, learning_rate=0.05, schedule="cosine", warmup=0.0, clip_norm=1.0, max_updates=7)
    model.run_eagerly = True
    losses, snapshots = [], {}
    for index in range(7):
        losses.append(float(model.train_on_batch(*stream[index], return_dict=True)["loss"]))
        model.reset_metrics()
        snapshots[index + 1] = record_weights(model)
    for snapshot, step in ((1, 3), (2, 6), (3, 7)):
        for name in WEIGHTS:  # the same float32 operations, one by one in place of a graph
            np.testing.assert_allclose(
                run.weights[name].isel(snapshot=snapshot), snapshots[step][name], rtol=1e-4, atol=1e-5
            )
    expected = [np.mean(losses[:3]), np.mean(losses[3:6]), losses[6]]
    np.testing.assert_allclose(run.history["loss"][1:], expected, rtol=1e-4)


def test_scores_are_those_of_the_weights_of_their_snapshot_on_the_validation_trials(run):
    trials = TASK.trials(20, generator("validation", 1))
    for snapshot in range(4):
        outputs = simulate(run.weights.isel(snapshot=snapshot), trials["inputs"])["outputs"]
        scores = performance(outputs, trials, TASK)
        # float32 against float64; one sample of 200 that falls on the other side would be 0.005
        assert float(run.history["val_loss"][snapshot]) == pytest.approx(float(scores["mse"]), rel=1e-5)
        for name in ("score", "worst_score"):
            assert float(run.history[name][snapshot]) == pytest.approx(float(scores[name]), abs=1e-6)


def test_callbacks_are_called_and_the_cosine_ends_at_zero(run):
    expected = 0.05 * (1 + np.cos(np.pi * np.arange(7) / 7)) / 2
    np.testing.assert_allclose(run.count.rates, expected, rtol=1e-5)  # float32
    assert run.last_rate == pytest.approx(0, abs=1e-9)


def test_names_dims_and_attributes_are_those_of_the_schema(run):
    for group, dataset in (("weights", run.weights), ("history", run.history)):
        for name in dataset.data_vars:
            variable = schema.GROUPS[group][name]
            assert dataset[name].dims == tuple(dim for dim in variable.dims if dim != "network")
            named = {"score_name": "score"} if "score" in name else {}
            assert dataset[name].attrs == variable.attrs | named
    assert set(run.history.data_vars) == set(schema.GROUPS["history"]) - {"held"}  # of a task that holds nothing


def test_one_seed_gives_one_training_whatever_is_kept(run):
    again = Run(snapshots=[6])
    assert again.weights["update"].values.tolist() == again.history["update"].values.tolist() == [0, 6, 7]
    assert again.weights["snapshot"].values.tolist() == [0, 1, 2]
    chosen = run.weights.isel(snapshot=[0, 2, 3])
    for name in WEIGHTS:
        np.testing.assert_array_equal(again.weights[name], chosen[name])
    for name in ("loss", "val_loss", "score", "worst_score"):
        np.testing.assert_array_equal(again.history[name], run.history[name].isel(snapshot=[0, 2, 3]))


@pytest.mark.nightly
def test_the_validation_trials_have_a_seed_of_their_own_that_does_not_touch_training(run):
    other = Run(validation_seed=0)
    for name in WEIGHTS:
        np.testing.assert_array_equal(other.weights[name], run.weights[name])
    assert (other.history["val_loss"] != run.history["val_loss"]).all()


@pytest.fixture(scope="module")
def trained_again(run):
    """A second training of the same model at a constant rate, by default, which a callback halves twice."""
    reduce = keras.callbacks.ReduceLROnPlateau(patience=1, min_delta=1e6, factor=0.5)
    settings = {"seed": 1, "max_updates": 3, "validate_every": 1, "validation_seed": 1, **SMALL}
    return train(run.model, TASK, schedule="constant", callbacks=[reduce], **settings)


def test_a_second_training_goes_on_from_the_first(run, trained_again):
    assert trained_again["history"]["update"].values.tolist() == [0, 1, 2, 3]
    for name in WEIGHTS:
        np.testing.assert_array_equal(trained_again["weights"][name][0], run.weights[name][-1])
        assert (trained_again["weights"][name][1] != run.weights[name][-1]).any()
    assert float(trained_again["history"]["val_loss"][0]) == float(run.history["val_loss"][-1])


def test_a_callback_can_set_a_constant_learning_rate(run, trained_again):
    assert float(run.model.optimizer.learning_rate) == pytest.approx(5e-3 / 4)  # 5e-3 is the default


@pytest.mark.parametrize(
    ("criterion", "status"),
    [
        pytest.param({"held": 0.0}, "criterion_reached", marks=pytest.mark.nightly),
        pytest.param({"held": 0.0, "score": None}, "criterion_reached", marks=pytest.mark.nightly),
        ({"held": 0.0, "score": 1.0}, "criterion_not_reached"),
        ({"held": 1.0, "score": 0.0}, "criterion_not_reached"),
    ],
)
def test_a_criterion_may_be_on_what_is_held(criterion, status):
    settings = {"seed": 0, "max_updates": 4, "validate_every": 2, "learning_rate": 1e-3, **SMALL}
    result = train(small_model(), TWO_BITS, criterion=criterion, criterion_checks=1, **settings)
    history = result["history"].to_dataset()
    assert str(history["status"].values) == status
    assert history["held"].dims == ("snapshot",)
    # After so few updates nothing is held, which is measured where the score is high enough, and at the end.
    is_measured = history["score"] >= (criterion.get("score") or 0)
    is_measured[{"snapshot": -1}] = True
    np.testing.assert_array_equal(history["held"], xr.where(is_measured, 0.0, np.nan))


def test_what_is_held_is_that_of_the_recorded_weights():
    # Two units that each hold a bit for ever: the identity map of saturated units.
    model = build_model(bn.Connectivity(2, seed=0), 2, 2, tau=1.0)
    cell = model.layers[0].cell
    for pathway, gain in ((cell.input_pathway, 9), (cell.recurrent_pathway, 3), (model.layers[1].output_pathway, 1)):
        pathway.assign(gain * np.eye(2))
    settings = {"seed": 0, "max_updates": 2, "validate_every": 1, "learning_rate": 1e-9, **SMALL}
    result = train(model, TWO_BITS, criterion={"held": 1.0}, criterion_checks=2, **settings)
    assert result["history"]["held"].values.tolist() == [1, 1, 1]
    assert str(result["history"]["status"].values) == "criterion_reached"
    without = train(model, TWO_BITS, **settings)["history"]["held"]
    np.testing.assert_array_equal(without, [np.nan, np.nan, 1])
    weights = result["weights"].to_dataset()
    for snapshot in range(3):
        found = bn.analysis.retention(weights.isel(snapshot=[snapshot]), TWO_BITS.probe())
        assert found.held == 1


def test_what_cannot_be_held_is_no_criterion_and_not_recorded(run):
    assert "held" not in run.history
    told = r"^criterion: expected held only with a task whose probe has .* got held=1.0 with echo$"
    with pytest.raises(ValueError, match=told):
        train(small_model(), TASK, seed=0, criterion={"held": 1.0})


@pytest.mark.parametrize(
    ("criterion", "checks", "status", "steps", "trained"),
    [
        (0.0, 2, "criterion_reached", 2, 4),
        pytest.param(0.0, 1, "criterion_reached", 2, 2, marks=pytest.mark.nightly),
        (1.0, 1, "criterion_not_reached", np.nan, 9),
    ],
)
def test_training_stops_at_the_criterion_and_what_follows_repeats(criterion, checks, status, steps, trained):
    settings = {"seed": 0, "max_updates": 9, "validate_every": 2, "learning_rate": 1e-3, **SMALL}
    result = train(small_model(), TASK, criterion=criterion, criterion_checks=checks, **settings)
    history, weights = result["history"].to_dataset(), result["weights"].to_dataset()
    assert str(history["status"].values) == status
    np.testing.assert_equal(float(history["updates_to_criterion"]), float(steps))
    assert history["updates_trained"] == trained
    planned = [0, 2, 4, 6, 8, 9]
    assert history["update"].values.tolist() == weights["update"].values.tolist() == planned
    last = planned.index(trained)
    assert np.isfinite(history["loss"].values).tolist() == [0 < snapshot <= last for snapshot in range(6)]
    for name in ("val_loss", "score", "worst_score"):
        assert np.isfinite(history[name]).all()
        assert (history[name][last:] == history[name][last]).all()
    for name in WEIGHTS:
        assert (weights[name][last:] == weights[name][last]).all()
    assert (weights["recurrent_weights"][last] != weights["recurrent_weights"][last - 1]).any()


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        (Echo(), {"learning_rate": 1e20}),
        pytest.param(Echo(spoilt=1e30), {"clip_norm": None}, marks=pytest.mark.nightly),
        (Echo(spoilt=1e30), {}),  # the loss overflows; the clipped gradient, something over infinity, is zero
    ],
)
def test_a_network_that_diverges_is_nan_from_there_on(task, settings):
    spoilt = [TrialStream(task, 4, seed=1)[index][0][0, 0, 0] > 0 for index in range(6)]
    settings = {"seed": 1, "max_updates": 6, "validate_every": 1, "criterion": 0.0, "criterion_checks": 6, **settings}
    result = train(small_model(), task, **SMALL, **settings)
    history, weights = result["history"].to_dataset(), result["weights"].to_dataset()
    assert str(history["status"].values) == "diverged"
    assert np.isnan(history["updates_to_criterion"])
    # A Keras epoch is one update: snapshot k + 1 is the first that is not finite if batch k is the first spoilt one.
    # With a learning rate of 1e20 already the first update squares to more than a float32 holds.
    n_finite = 1 if task.spoilt is None else spoilt.index(True) + 1
    assert history["updates_trained"] == n_finite
    for name in ("loss", "val_loss", "score", "worst_score"):
        assert np.isfinite(history[name][int(name == "loss") : n_finite]).all()  # snapshot 0 has no training loss
        assert np.isnan(history[name][n_finite:]).all()
    for name in WEIGHTS:
        assert np.isfinite(weights[name][:n_finite]).all()
        assert np.isnan(weights[name][n_finite:]).all()
    assert weights["update"].values.tolist() == list(range(7))


def test_the_inverse_time_schedule_is_that_of_keras_2():
    model = bn.layers.build_model(2, 1, 1)
    compile_model(model, 1e-4, "inverse_time", warmup=0.0, clip_norm=None, max_updates=4700, decay=1e-4)
    rates = [float(model.optimizer._learning_rate(step)) for step in (0, 1, 4699)]
    np.testing.assert_allclose(rates, [1e-4, 1e-4 / 1.0001, 1e-4 / 1.4699], rtol=1e-6)


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
@pytest.mark.parametrize(("warmup", "n_warmup"), [(0.0, 0), (0.25, 10), (0.5, 20)])
def test_the_learning_rate_rises_linearly_and_then_keeps_to_its_schedule(schedule, warmup, n_warmup):
    model = small_model()
    compile_model(model, learning_rate=0.02, schedule=schedule, warmup=warmup, clip_norm=None, max_updates=40)
    step = np.arange(41)
    decay = (1 + np.cos(np.pi * (step - n_warmup) / (40 - n_warmup))) / 2 if schedule == "cosine" else np.ones(41)
    expected = 0.02 * np.where(step < n_warmup, step / max(n_warmup, 1), decay)
    came = []
    for updates in step:
        model.optimizer.iterations.assign(updates)
        came.append(float(model.optimizer.learning_rate))
    np.testing.assert_allclose(came, expected, rtol=1e-5, atol=1e-8)  # float32


@pytest.mark.parametrize("clip_norm", [0.5, None])
def test_the_gradient_is_clipped_by_its_global_norm(clip_norm):
    model = small_model()
    compile_model(model, learning_rate=1e-3, schedule="constant", warmup=0.0, clip_norm=clip_norm, max_updates=10)
    model.run_eagerly = True
    model.train_on_batch(*TrialStream(Echo(gain=100.0), 4, 0)[0])
    # After one update Adam's first moment is (1 - 0.9) times the gradient that it was given.
    moments = [ops.convert_to_numpy(v + 0) for v in model.optimizer.variables if "momentum" in v.path]
    assert len(moments) == len(model.trainable_variables)
    norm = np.sqrt(sum(np.square(moment).sum() for moment in moments)) / 0.1
    if clip_norm is None:
        assert norm > 10
    else:
        assert norm == pytest.approx(clip_norm, rel=1e-4)  # float32


def test_an_easy_memory_is_learned():
    model = build_model(bn.Connectivity(12, seed=0), 1, 1, tau=4.0)
    result = train(
        model, SHORT_FLIP_FLOP, seed=0, max_updates=100, batch_size=16, validate_every=100, learning_rate=0.02
    )
    history = result["history"].to_dataset()
    # The error starts near the variance of the targets; with three seeds it fell to a tenth (0.05, accuracy 0.96).
    assert history["val_loss"][1] < 0.3 * history["val_loss"][0]
    assert history["score"][1] > 0.85 > history["score"][0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_updates": 0}, "max_updates: expected an integer of at least 1, got 0"),
        ({"max_updates": 2.0}, "max_updates: expected an integer of at least 1, got 2.0"),
        ({"batch_size": -4}, "batch_size: expected an integer of at least 1, got -4"),
        ({"validate_every": 0}, "validate_every: expected an integer of at least 1, got 0"),
        ({"criterion_checks": 0}, "criterion_checks: expected an integer of at least 1, got 0"),
        ({"criterion_checks": True}, "criterion_checks: expected an integer of at least 1, got True"),
        ({"n_validation_trials": 0}, "n_validation_trials: expected an integer of at least 1, got 0"),
        ({"seed": -1}, "seed: expected an integer of at least 0, got -1"),
        ({"seed": None}, "seed: expected an integer of at least 0, got None"),
        ({"validation_seed": 0.5}, "validation_seed: expected an integer of at least 0, got 0.5"),
        ({"learning_rate": 0.0}, "learning_rate: expected a positive number, got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate: expected a positive number, got nan"),
        ({"learning_rate": "fast"}, "learning_rate: expected a positive number, got 'fast'"),
        ({"schedule": "linear"}, r"schedule: expected one of \('cosine', 'constant', 'inverse_time'\), got 'linear'"),
        ({"clip_norm": 0}, "clip_norm: expected a positive number or None, got 0"),
        ({"clip_norm": -1.0}, "clip_norm: expected a positive number or None, got -1.0"),
        ({"criterion": 95}, r"criterion: expected a score in \[0, 1\] or None, got 95"),
        ({"criterion": -0.1}, r"criterion: expected a score in \[0, 1\] or None, got -0.1"),
        ({"criterion": {"score": 0.9, "held": 95}}, r"criterion: held: expected a score in \[0, 1\] or None, got 95"),
        ({"criterion": {"accuracy": 0.9}}, r"criterion: expected a number or .*, got {'accuracy': 0.9}"),
        ({"criterion": {}}, r"criterion: expected a number or the keys score, held, or both, got \{\}"),
        ({"warmup": -0.1}, r"warmup: expected a share of max_updates in \[0, 1\], got -0.1"),
        ({"decay": -1.0}, "decay: expected a number of at least 0, got -1.0"),
        ({"decay": 0.1}, "schedule: expected 'inverse_time' with decay and without warmup, or another with warmup .*"),
        ({"schedule": "inverse_time", "warmup": 0.1}, "schedule: expected 'inverse_time' .*, got 'inverse_time' .*"),
        ({"n_training_trials": 0}, "n_training_trials: expected an integer of at least 1, got 0"),
        ({"warmup": 100}, r"warmup: expected a share of max_updates in \[0, 1\], got 100"),
        ({"warmup": "slow"}, r"warmup: expected a share of max_updates in \[0, 1\], got 'slow'"),
        ({"snapshots": [50, 75]}, "snapshots: expected multiples of validate_every=50 up to 1000, got 75"),
        ({"snapshots": [1050]}, "snapshots: expected multiples of validate_every=50 up to 1000, got 1050"),
        ({"snapshots": [-50]}, "snapshots: expected multiples of validate_every=50 up to 1000, got -50"),
        ({"model": keras.Sequential()}, r"model: expected one input -> .*, got a Sequential with the layers \[\]"),
    ],
)
def test_impossible_settings_are_named_before_anything_is_trained(settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        train(**{"model": small_model(), "task": TASK, "seed": 0, **settings})


def test_what_training_returns_can_be_audited_and_run_again(run):
    for form in (run.result, run.result["weights"], run.weights):
        counts = bn.audit(form)
        assert {str(name): int(counts[name].sum()) for name in counts} == {
            "sign_violations": 0,
            "mask_violations": 0,
            "autapses": 0,
            "fixed_changes": 0,
        }
    again = bn.analysis.simulate(run.weights, run.trials.inputs)
    np.testing.assert_allclose(again.outputs, run.outputs, atol=1e-5)  # float32 against float64


@pytest.mark.parametrize(
    ("model", "task", "message"),
    [
        (
            lambda: build_model(4, 3, 1),
            SHORT_FLIP_FLOP,
            "model: expected the task's 1 inputs and 1 outputs, got 3 and 1",
        ),
        (
            lambda: build_model(4, 1, 2),
            SHORT_FLIP_FLOP,
            "model: expected the task's 1 inputs and 1 outputs, got 1 and 2",
        ),
        (lambda: build_model(4, 1, 1, tau=4.0, dt=2.0), SHORT_FLIP_FLOP, "task: expected the model's time step dt=2"),
    ],
)
def test_a_model_that_does_not_fit_the_task_is_refused(model, task, message):
    with pytest.raises(ValueError, match=message):
        bn.train(model(), task, seed=0, max_updates=1)


@dataclass(frozen=True)
class Failing(Echo):
    """A task whose batches have a dtype of choice, and which fails in some of them."""

    dtype: str = "float32"
    fails: bool = False

    def arrays(self, n_trials, rng):
        trials = super().arrays(n_trials, rng)
        if self.fails and n_trials < 20 and trials.inputs[0, 0, 0] > 1:
            raise RuntimeError("tone: expected a sound, got silence")
        return Trials(*(array.astype(self.dtype) for array in trials))


def test_a_task_may_give_double_precision(run):
    double = Run(Failing(dtype="float64"))
    for name in WEIGHTS:  # the targets are rounded to float32 here or there
        np.testing.assert_allclose(double.weights[name], run.weights[name], rtol=0, atol=1e-6)


def test_what_a_task_raises_in_the_midst_of_training_is_told_as_it_is():
    model = bn.layers.build_model(bn.Connectivity(4, seed=0), 2, 2)
    with pytest.raises(RuntimeError, match=r"^tone: expected a sound, got silence$"):
        bn.train(model, Failing(fails=True), seed=0, max_updates=50, batch_size=4, n_validation_trials=20)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX has float64 only where it is switched on")
def test_a_model_in_double_precision_is_recorded_as_it_computes():
    recurrent = small_model(dtype="float64").layers[0]
    mixed = keras.Sequential([keras.Input((None, 2)), recurrent, bn.layers.Readout(5, 2)])
    with pytest.raises(ValueError, match=r"expected the dtype .* of both layers, got float64 and float32"):
        train(mixed, TASK, seed=0)
    model = small_model(dtype="float64")
    result = train(model, TASK, seed=0, max_updates=3, **SMALL)
    inputs, *_ = TASK.arrays(7, np.random.default_rng(0))
    outputs = simulate(result["weights"].to_dataset(), xr.DataArray(inputs, dims=("trial", "time", "input_channel")))[
        "outputs"
    ]
    atol = 1e-12 if keras.backend.backend() == "tensorflow" else 1e-5  # PyTorch multiplies in float32
    np.testing.assert_allclose(outputs, ops.convert_to_numpy(model(inputs)), rtol=0, atol=atol)


class Spoil(keras.callbacks.Callback):
    """Change a bias for the worse before a snapshot."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            self.model.layers[1].bias.assign([9.0, -9.0])


@pytest.mark.parametrize(
    "max_updates", [pytest.param(8, marks=pytest.mark.nightly), 40]
)  # it ends, or is stopped early
def test_the_last_snapshot_is_the_model_that_callbacks_leave(max_updates, tmp_path):
    stop = {"monitor": "val_loss", "patience": 2, "restore_best_weights": True}
    settings = {"seed": 0, "max_updates": max_updates, "validate_every": 2, "checkpoint": tmp_path / "c.npz", **SMALL}
    for _ in range(2):  # the second goes on from the end of the first
        model = small_model()
        result = train(model, TASK, callbacks=[Spoil(), keras.callbacks.EarlyStopping(**stop)], **settings)
        history, weights = result["history"].to_dataset(), result["weights"].to_dataset()
        assert history["updates_trained"] == 8
        assert history["val_loss"][3] > 10
        left = record_weights(model)
        for name in WEIGHTS:
            np.testing.assert_array_equal(weights[name][-1], left[name])
            np.testing.assert_array_equal(weights[name][4], weights[name][2])  # the best
        np.testing.assert_allclose(history["val_loss"][4:], history["val_loss"][2], rtol=1e-6)
        assert np.isfinite(history["loss"][4])


def test_whole_numbers_of_numpy_are_whole_numbers(tmp_path):
    settings = {
        "seed": 1,
        "max_updates": 3,
        "validate_every": 2,
        "n_training_trials": 8,
        "criterion_checks": 1,
        **SMALL,
    }
    ends = []
    for kind in (int, np.int64):
        model = build_model(
            bn.Connectivity(kind(5), 0.6, seed=kind(1)), kind(2), kind(2), tau=kind(2), dt=kind(1), seed=kind(3)
        )
        given = {name: kind(value) for name, value in settings.items()}
        ends.append(train(model, TASK, checkpoint=tmp_path / "c.npz", **given)["weights"].to_dataset())
        model.save(tmp_path / "model.keras")
        assert keras.models.load_model(tmp_path / "model.keras").to_json() == model.to_json()
    assert ends[0].identical(ends[1])
    gated = bn.layers.build_gated_model("gru", np.int64(5), np.int64(2), np.int64(2))
    assert keras.models.model_from_json(gated.to_json()).output_shape == (None, None, 2)


@pytest.mark.nightly
def test_a_trained_file_opens_where_only_the_layers_are_imported(tmp_path):
    model = small_model()
    train(model, TASK, seed=0, max_updates=1, **SMALL)
    model.save(tmp_path / "model.keras")
    code = f"""
import keras
import biornn.layers
model = keras.models.load_model({str(tmp_path / "model.keras")!r})
print(*model.evaluate(*[__import__("numpy").ones((2, 5, 2))] * 2, verbose=0, return_dict=True))
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["loss"]


@pytest.mark.parametrize("task", [Echo, None, "flip_flop"])
def test_what_is_no_task_is_refused(task):
    with pytest.raises(ValueError, match=r"^task: expected an instance of a subclass of biornn.tasks.Task, got .*$"):
        train(small_model(), task, seed=0)


@pytest.mark.parametrize(
    ("callbacks", "settings", "message"),
    [
        ([keras.callbacks.ReduceLROnPlateau()], {}, "schedule='constant' without warmup with ReduceLROnPlateau"),
        (
            [keras.callbacks.LearningRateScheduler(lambda snapshot, rate: rate)],
            {"schedule": "constant", "warmup": 0.1},
            "with LearningRateScheduler, which sets the learning rate, got schedule='constant' with warmup=0.1",
        ),
        ([keras.callbacks.BackupAndRestore("backup")], {}, "checkpoint= in place of BackupAndRestore, got Backup"),
        (keras.callbacks.EarlyStopping(), {}, "a list of Keras callbacks, got <"),
        ([keras.callbacks.EarlyStopping], {}, r"a list of Keras callbacks, got \[<class"),
    ],
)
def test_callbacks_that_cannot_do_their_work_are_refused(callbacks, settings, message):
    model = small_model()
    with pytest.raises(ValueError, match=f"^callbacks: expected .*{message}"):
        train(model, TASK, seed=0, callbacks=callbacks, **settings)
    assert not model.compiled
