"""The callbacks, driven by hand; what they do in training stands in test_train.py."""

from types import SimpleNamespace

import numpy as np
import pytest

from biornn.progress import Progress
from biornn.training import callbacks
from biornn.training.callbacks import CriterionStop, DivergenceStop, ProgressNews, UpdateLimit


def attached(callback):
    callback.set_model(SimpleNamespace(stop_training=False))
    return callback


def stopped(callback):
    return callback.model.stop_training


def test_the_update_limit_stops_after_the_last_update():
    limit = attached(UpdateLimit(3))
    assert [(limit.on_train_batch_end(0), stopped(limit))[1] for _ in range(4)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("criterion", "checks", "accuracies", "stop_after"),
    [
        (0.9, 2, [0.95, 0.8, 0.9, 0.95, 0.1], 4),  # a relapse starts the count again; the criterion itself is enough
        (0.9, 1, [0.89, 0.91], 2),
        (0.9, 3, [0.95, 0.95], None),
        (0.0, 2, [0.0, 0.0, 0.0], 2),
        (0.5, 1, [np.nan, np.nan], None),
        (None, 1, [1.0, 1.0], None),
    ],
)
def test_the_criterion_must_be_held_at_consecutive_validations(criterion, checks, accuracies, stop_after):
    stop = attached(CriterionStop({} if criterion is None else {"val_accuracy": criterion}, checks))
    history = []
    for accuracy in accuracies:
        stop.on_epoch_end(0, {"val_accuracy": accuracy})
        assert stop.reached == stopped(stop)
        history.append(stop.reached)
    assert (history.index(True) + 1 if True in history else None) == stop_after


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e8])
@pytest.mark.parametrize("name", ["loss", "val_loss"])
def test_divergence_is_a_loss_that_is_not_finite_or_exploded_in_training_or_validation(name, bad):
    watch = attached(DivergenceStop())
    watch.on_train_batch_end(0, {"loss": 1e7})
    watch.on_epoch_end(0, {"loss": 1.0, "val_loss": 1e7})
    assert not watch.diverged
    assert not stopped(watch)
    (watch.on_train_batch_end if name == "loss" else watch.on_epoch_end)(1, {name: bad})
    assert watch.diverged
    assert stopped(watch)


def test_news_come_once_in_an_interval_with_the_time_left(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(callbacks, "time", SimpleNamespace(monotonic=lambda: now[0]))
    heard = []
    news = ProgressNews(heard.append, max_updates=50, interval=1.0)
    now[0] += 7.0  # the first update compiles: it counts as an update, and not for the speed
    news.on_train_batch_end(0, {"loss": 9.0})
    assert heard == []
    for step in range(2, 11):
        now[0] += 0.25
        news.on_train_batch_end(step, {"loss": np.float32(1 / step)})
    # Updates 2 (7.25 s after the last news), 6 and 10 (a second each); 0.25 s an update.
    assert [item.update for item in heard] == [2, 6, 10]
    for item in heard:
        assert item == Progress(item.update, 50, float(np.float32(1 / item.update)), 0.25 * (50 - item.update))
    assert all(type(item.loss) is float for item in heard)
