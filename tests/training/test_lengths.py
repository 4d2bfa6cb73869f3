"""Trials that differ in length: what is padded changes no number, and costs no new graph."""

from dataclasses import dataclass

import keras
import numpy as np
import pytest

import biornn as bn
from biornn.layers import build_model
from biornn.tasks import Task, TaskError, Trials
from biornn.tasks.task import task_generator
from biornn.training import record_weights, train
from biornn.training.train import compile_model

from .tasks import Echo

SMALL = {"batch_size": 4, "n_validation_trials": 20, "seed": 0}


@dataclass(frozen=True)
class EchoOfAnyLength(Echo):
    """An echo of 3 to 9 steps: padded to the longest of a batch, or with some more."""

    extra: int = 0

    def arrays(self, n_trials, rng):
        return self._with_lengths(n_trials, rng)[0]

    def trials(self, n_trials, seed, **fixed):
        trials, lengths = self._with_lengths(n_trials, task_generator(seed))
        return self.labelled(trials, n_steps=lengths)

    def _with_lengths(self, n_trials, rng):
        lengths = rng.integers(3, 10, n_trials)
        inputs = rng.normal(size=(n_trials, 9, 2)).astype("float32")[:, : lengths.max()]
        inputs = np.pad(inputs, ((0, 0), (0, self.extra), (0, 0)))
        within = np.arange(inputs.shape[1]) < lengths[:, np.newaxis]
        weight = np.repeat(within[..., np.newaxis], 2, axis=2).astype("float32")
        return Trials(inputs * weight, np.sign(inputs) * weight, weight), lengths

    def score(self, outputs, trials):
        right = np.sign(outputs) == np.sign(trials["targets"])
        return right.weighted(trials["loss_weight"]).mean(["time", "output_channel"])


def model_of(**settings):
    wiring = bn.Connectivity(5, 0.6, density=0.8, seed=1)
    return build_model(wiring, 2, 2, **{"tau": 2.0, **settings})


@pytest.mark.parametrize("implementation", ["auto", pytest.param("scan", marks=pytest.mark.nightly)])
def test_padding_changes_no_update(implementation):
    batch = EchoOfAnyLength().arrays(4, np.random.default_rng(0))
    padded = [np.pad(array, ((0, 0), (0, 6), (0, 0))) for array in batch]
    ends = []
    for arrays in (batch, padded):
        model = model_of(implementation=implementation)
        compile_model(model, learning_rate=0.05, schedule="constant", warmup=0.0, clip_norm=1.0, max_updates=3)
        model.run_eagerly = True
        for _ in range(3):
            model.train_on_batch(arrays[0], arrays[1], sample_weight=arrays[2])
        ends.append(record_weights(model))
    for name in ends[0]:
        np.testing.assert_allclose(ends[0][name], ends[1][name], rtol=1e-4, atol=1e-5, err_msg=name)  # order of sums


@pytest.mark.nightly
def test_padding_changes_no_training_and_no_score():
    runs = [
        train(model_of(), EchoOfAnyLength(extra=extra), max_updates=6, validate_every=3, **SMALL) for extra in (0, 5)
    ]
    for name in ("loss", "val_loss", "score", "worst_score"):
        np.testing.assert_allclose(*(run["history"][name] for run in runs), rtol=1e-4, atol=1e-5)
    for name in ("recurrent_weights", "output_weights"):
        np.testing.assert_allclose(*(run["weights"][name] for run in runs), rtol=1e-3, atol=1e-5)


def test_lengths_are_traced_few_times():
    traces = []

    class Counted(keras.layers.Layer):
        def call(self, inputs):
            traces.append(1)
            return inputs

    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch traces nothing")
    readout = bn.layers.Readout(4, 2)
    recurrent = keras.layers.GRU(4, return_sequences=True)
    model = keras.Sequential([keras.Input((None, 2)), Counted(), recurrent, readout])
    compile_model(model, learning_rate=0.05, schedule="constant", warmup=0.0, clip_norm=1.0, max_updates=3)
    stream = bn.training.TrialStream(EchoOfAnyLength(), 4, seed=0)
    lengths = {stream[index][0].shape[1] for index in range(20)}
    assert len(lengths) > 2
    traces.clear()
    model.fit(stream.for_fit(), steps_per_epoch=20, epochs=1, shuffle=False, verbose=0)
    assert len(traces) <= 2  # JAX traces one for each length that it pads to


def test_a_penalty_on_rates_that_would_count_padding_is_refused():
    model = model_of(activity_regularizer=bn.layers.MeanSquare(0.1))
    of_any_length = EchoOfAnyLength()
    for task, training_task in ((of_any_length, None), (Echo(), of_any_length)):
        with pytest.raises(ValueError, match=r"^model: expected no activity_regularizer \(l2_rates\) with trials that"):
            train(model, task, training_task=training_task, max_updates=1, **SMALL)


@dataclass(frozen=True)
class Spoilt(Echo):
    """An echo that gives something impossible from some batch on; the validation trials are all right."""

    how: str = ""

    def arrays(self, n_trials, rng):
        trials = super().arrays(n_trials, rng)
        if n_trials == 20 or rng.random() < 0.5:
            return trials
        inputs, targets, weight = trials
        bad = {
            "NaN": Trials(inputs * np.nan, targets, weight),
            "shape": Trials(inputs, targets[:, 1:], weight),
            "negative": Trials(inputs, targets, -weight),
            "no weight": Trials(inputs, targets, 0 * weight),
            "no steps": Trials(inputs[:, :0], targets[:, :0], weight[:, :0]),
            "pair": (inputs, targets),
        }
        return bad[self.how]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        pytest.param("NaN", "expected finite inputs, got NaN or infinity", marks=pytest.mark.nightly),
        ("shape", r"expected targets of shape \(4, 5, 2\) for 4 trials, got \(4, 4, 2\)"),
        pytest.param("negative", "expected loss_weight of at least 0, got -1", marks=pytest.mark.nightly),
        pytest.param("no weight", "expected some loss_weight above 0, got 0 everywhere", marks=pytest.mark.nightly),
        pytest.param(
            "no steps",
            r"expected inputs of shape \(4, at least 1, 2\) for 4 trials, got \(4, 0, 2\)",
            marks=pytest.mark.nightly,
        ),
        pytest.param("pair", r"expected Trials\(inputs, targets, loss_weight\), got tuple", marks=pytest.mark.nightly),
    ],
)
def test_a_task_that_gives_the_impossible_in_the_midst_of_training_is_told_in_one_line(how, message):
    with pytest.raises(TaskError, match=f"^task spoilt: arrays: {message}$"):
        train(model_of(), Spoilt(how=how), max_updates=50, **SMALL)


class Scored(Echo):
    """An echo with a score of one's choice."""

    value = 2.0

    def score(self, outputs, trials):
        return self.value * np.ones(outputs.shape[:-2])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2.0, r"score: expected scores in \[0, 1\], got 2"),
        (-0.5, r"score: expected scores in \[0, 1\], got -0.5"),
        (np.ones(3), "score: expected one number for each of .*"),
    ],
)
def test_a_score_that_is_none_is_told_before_the_first_update(value, message):
    class Bad(Scored):
        pass

    Bad.value = value
    if np.ndim(value):
        Bad.score = lambda self, outputs, trials: value
    with pytest.raises(TaskError, match=f"^task bad: {message}$"):
        train(model_of(), Bad(), max_updates=1, **SMALL)
    assert issubclass(Bad, Task)
