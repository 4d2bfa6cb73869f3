"""A curriculum: stages with trials of their own, the criterion on the worst condition, and both of them resumed."""

from dataclasses import dataclass, replace

import keras
import numpy as np
import pytest

import biornn as bn
from biornn.layers import build_model
from biornn.tasks import Trials
from biornn.tasks.task import task_generator
from biornn.training import Stage, train
from biornn.training.callbacks import Counting

from .tasks import Echo

SMALL = {"batch_size": 4, "n_validation_trials": 20, "validate_every": 2, "learning_rate": 0.02, "seed": 0}
EASY = Echo(gain=0.5)


def model_of():
    return build_model(bn.Connectivity(5, 0.6, density=0.8, seed=1), 2, 2, tau=2.0)


@dataclass(frozen=True)
class Noted(Echo):
    """An echo that notes which batches were asked of it."""

    gain: float = 1.0

    def arrays(self, n_trials, rng):
        if n_trials == 4:
            ASKED.append(self.gain)
        return super().arrays(n_trials, rng)


ASKED: list[float] = []


def test_each_stage_has_its_own_trials_and_its_own_end():
    ASKED.clear()
    stages = [Stage(Noted(gain=0.25), updates=2), Stage(Noted(gain=0.5), updates=4)]
    result = train(model_of(), Noted(), stages=stages, max_updates=10, **SMALL)
    assert result["history"]["updates_trained"] == 10
    assert result["history"]["update"].values.tolist() == [0, 2, 4, 6, 8, 10]
    # Batches are made ahead of time, and some in vain; but never one of an earlier stage after one of a later.
    assert sorted(ASKED) == ASKED
    assert set(ASKED) == {0.25, 0.5, 1.0}
    assert [ASKED.count(gain) >= n for gain, n in ((0.25, 2), (0.5, 4), (1.0, 4))] == [True] * 3


@pytest.mark.nightly
def test_a_training_without_stages_is_one_with_a_stage_of_the_same_task():
    plain = train(model_of(), Echo(), max_updates=6, **SMALL)
    staged = train(model_of(), Echo(), stages=[Stage(Echo(), updates=4)], max_updates=6, **SMALL)
    for name in ("recurrent_weights", "output_weights"):
        np.testing.assert_array_equal(plain["weights"][name], staged["weights"][name])
    np.testing.assert_array_equal(plain["history"]["score"], staged["history"]["score"])


def test_trials_of_training_differ_and_those_of_the_judgement_do_not():
    alike, other = (train(model_of(), Echo(), training_task=task, max_updates=4, **SMALL) for task in (None, EASY))
    for name in ("val_loss", "score"):
        assert alike["history"][name][0] == other["history"][name][0]
        assert alike["history"][name][-1] != other["history"][name][-1]


def test_a_stage_ends_at_a_score_of_its_own_task_and_the_last_lasts():
    stages = [Stage(replace(EASY, n_steps=3), score=0.0), Stage(EASY, score=1.0)]
    counted = Counted()
    result = train(model_of(), Echo(), stages=stages, max_updates=8, callbacks=[counted], **SMALL)
    assert result["history"]["updates_trained"] == 8
    assert counted.begun == [0, 2]  # the first ends at the first validation, the second never


class Counted(Counting):
    """Note the updates at which Keras's fit begins."""

    def __init__(self):
        super().__init__()
        self.begun = []

    def on_train_begin(self, logs=None):
        self.begun.append(self.update)


class Interrupt(Counting):
    """Break training off after an update."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch)
        if self.update == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("after", "ends"),  # in the first stage, in the second, in what follows
    [
        (5, {"updates": 4}),
        *(
            pytest.param(after, ends, marks=pytest.mark.nightly)
            for after, ends in [
                (3, {"updates": 4}),
                (9, {"updates": 4}),
                *((after, {"score": 0.3}) for after in (3, 5, 9)),
            ]
        ),
    ],
)
def test_a_curriculum_is_resumed_to_the_bit(tmp_path, after, ends):
    stages = [Stage(replace(EASY, n_steps=3), **ends), Stage(EASY, updates=4)]
    settings = {"stages": stages, "max_updates": 12, "checkpoint_seconds": 0.0, **SMALL}
    whole = train(model_of(), Echo(), checkpoint=tmp_path / "whole.npz", **settings)
    part = {"checkpoint": tmp_path / "part.npz", **settings}
    with pytest.raises(KeyboardInterrupt):
        train(model_of(), Echo(), callbacks=[Interrupt(after)], **part)
    resumed = train(model_of(), Echo(), **part)
    again = train(model_of(), Echo(), **part)  # it has ended, and stays as it is
    for run in (resumed, again):
        for group in ("weights", "history"):
            for name, values in whole[group].data_vars.items():
                if name != "wall_time":
                    np.testing.assert_array_equal(run[group][name], values, err_msg=name)


@pytest.mark.nightly
def test_a_stage_goes_on_from_the_weights_that_callbacks_leave():
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", mode="max", patience=9, restore_best_weights=True)
    noted = Noting()
    stages = [Stage(EASY, updates=4)]
    result = train(model_of(), Echo(), stages=stages, max_updates=6, callbacks=[stop, noted], **SMALL)
    weights = result["weights"]["output_weights"]
    np.testing.assert_array_equal(noted.begun[1], weights.sel(snapshot=2))  # where the second stage begins


class Noting(keras.callbacks.Callback):
    """Note the readout's weights when Keras's fit begins."""

    def __init__(self):
        super().__init__()
        self.begun = []

    def on_train_begin(self, logs=None):
        self.begun.append(self.model.layers[1].output_pathway.numpy())


def test_a_task_of_which_no_trial_is_scored_is_refused():
    class Unscored(Echo):
        def score(self, outputs, trials):
            return np.full(outputs.shape[:-2], np.nan)

    with pytest.raises(ValueError, match=r"^task unscored: score: expected some of 20 trials scored, got NaN in all$"):
        train(model_of(), Unscored(), max_updates=2, **SMALL)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (Stage(EASY), "stages: expected a list of biornn.training.Stage, got Stage"),
        ([EASY], r"stages\[0\]: expected a biornn.training.Stage, got Echo"),
        ([Stage(EASY, updates=3)], r"stages\[0\]: expected updates that are a multiple of validate_every=2, got 3"),
        ([Stage(EASY, score=2.0)], r"stages\[0\]: score: expected a score in \[0, 1\] or None, got 2.0"),
        (
            [Stage(EASY, updates=4), Stage(EASY, updates=2)],
            "stages: expected updates of max_updates=4 at most in all, got 6",
        ),
        ([Stage(EASY), Stage(EASY, updates=2)], r"stages\[0\]: expected updates or a score at which it ends"),
        ([Stage(Echo(n_inputs=3), updates=2)], "model: expected the task's 3 inputs and 2 outputs, got 2 and 2"),
    ],
)
def test_impossible_stages_are_refused(stages, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        train(model_of(), Echo(), stages=stages, max_updates=4, **SMALL)


@dataclass(frozen=True)
class EasyAndHard(Echo):
    """In one half of the trials any output is right, in the other half none of an untrained network is."""

    def arrays(self, n_trials, rng):
        return self._made(n_trials, rng)[0]

    def trials(self, n_trials, seed, **fixed):
        trials, is_hard = self._made(n_trials, task_generator(seed))
        return self.labelled(trials, difficulty=np.where(is_hard, "hard", "easy"))

    def _made(self, n_trials, rng):
        trials = super().arrays(n_trials, rng)
        is_hard = np.arange(n_trials) % 2 == 1
        return Trials(*trials), is_hard

    def score(self, outputs, trials):
        return ((trials["difficulty"] == "easy") | (abs(outputs).max(["time", "output_channel"]) > 1e6)).astype(float)


@pytest.mark.parametrize(
    ("on", "status"),
    [pytest.param("mean", "criterion_reached", marks=pytest.mark.nightly), ("worst", "criterion_not_reached")],
)
def test_the_criterion_is_on_the_mean_or_on_the_worst_condition(on, status):
    result = train(
        model_of(), EasyAndHard(), criterion=0.5, criterion_on=on, criterion_checks=1, max_updates=4, **SMALL
    )
    assert str(result["history"]["status"].values) == status
    assert (result["history"]["score"] == 0.5).all()
    assert (result["history"]["worst_score"] == 0).all()


def test_callbacks_monitor_the_score_under_its_own_name():
    seen = {}
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.update(logs))
    train(model_of(), Echo(), max_updates=2, callbacks=[note], **SMALL)
    assert {"loss", "val_loss", "val_score", "val_worst_score"} <= set(seen)
    with pytest.raises(ValueError, match=r"^criterion_on: expected one of \(.*, got .median.$"):
        train(model_of(), Echo(), criterion_on="median", max_updates=2, **SMALL)
