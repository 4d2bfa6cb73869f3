"""A training that was broken off goes on from its checkpoint, and ends with the numbers of one that was not."""

import contextlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.layers import build_gated_model, build_model
from biornn.training.checkpoint import CheckpointError
from tests.same_results import assert_same_results

TASK = bn.tasks.FlipFlop(n_bits=2, duration=60, n_pulses=1, first_onset=5, min_gap=10, response_delay=5, pulse_width=5)
SETTINGS: dict[str, Any] = {
    "seed": 5, "max_updates": 11, "batch_size": 3, "validate_every": 3, "n_validation_trials": 4, "warmup": 0.3,
}  # fmt: skip

MODELS = {
    "noisy": {"tau": 3.0, "recurrent_noise": 0.1, "trainable_initial_state": True},
    "projected": {"enforcement": "projection", "formulation": "current", "tau": 2.0},
    "gated": None,
}
#: Beside what all have; the last reaches its criterion at once, and stops at the second check.
TRAININGS: dict[str, dict[str, Any]] = {
    "fresh": {}, "set": {"n_training_trials": 7, "schedule": "constant"}, "stopping": {"criterion": 0.0},
}  # fmt: skip


class BreakOff(keras.callbacks.Callback):
    """Stands for a process that is killed after some updates."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left <= 0:
            raise KeyboardInterrupt


def model(kind: str) -> keras.Model:
    settings = MODELS[kind]
    if settings is None:
        return build_gated_model("gru", 5, TASK.n_inputs, TASK.n_outputs, seed=2)
    wiring = bn.Connectivity(6, excitatory_fraction=0.5, density=0.8, autapses=False, seed=2)
    return build_model(wiring, TASK.n_inputs, TASK.n_outputs, **settings)


@pytest.mark.parametrize(
    ("kind", "training"),
    [
        pytest.param("noisy", "fresh", marks=pytest.mark.nightly),
        pytest.param("noisy", "stopping", marks=pytest.mark.nightly),
        ("projected", "set"),
        pytest.param("gated", "fresh", marks=pytest.mark.nightly),
    ],
)
def test_a_training_that_was_broken_off_ends_as_one_that_was_not(kind: str, training: str, tmp_path: Path) -> None:
    settings = {**SETTINGS, **TRAININGS[training]}
    whole = model(kind)
    expected = bn.train(whole, TASK, **settings)
    settings |= {"checkpoint": tmp_path / "c.npz", "checkpoint_seconds": 0}
    for after in (3, 5, 1):  # before the first checkpoint; within a snapshot, twice
        with contextlib.suppress(KeyboardInterrupt):
            bn.train(model(kind), TASK, **settings, callbacks=[BreakOff(after)])
    again = model(kind)
    assert_same_results(bn.train(again, TASK, **settings), expected)
    for one, other in zip(again.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other))


class Count(keras.callbacks.Callback):
    """Counts updates."""

    n = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.n += 1


@pytest.mark.nightly
def test_no_update_is_made_twice_but_those_since_the_checkpoint(tmp_path: Path) -> None:
    path, count = tmp_path / "c.npz", Count()
    with pytest.raises(KeyboardInterrupt):
        bn.train(model("noisy"), TASK, **SETTINGS, checkpoint=path, checkpoint_seconds=0, callbacks=[BreakOff(8)])
    bn.train(model("noisy"), TASK, **SETTINGS, checkpoint=path, callbacks=[count])
    assert count.n == 11 - 6
    first = bn.train(model("noisy"), TASK, **SETTINGS, checkpoint=path, callbacks=[count])
    assert count.n == 11 - 6  # at the end there is a checkpoint too
    assert_same_results(first, bn.train(model("noisy"), TASK, **SETTINGS))


@pytest.mark.nightly
def test_a_divergence_is_not_forgotten(tmp_path: Path) -> None:
    class Explode(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                weights = self.model.trainable_variables[-1]
                weights.assign(weights + 1e6)  # finite, and of no use

    path = tmp_path / "c.npz"
    for _ in range(2):
        result = bn.train(model("noisy"), TASK, **SETTINGS, checkpoint=path, callbacks=[Explode()])
        history = result["history"].to_dataset()
        assert history.status == "diverged"
        assert str(history.failure.values).startswith("the training loss was ")
        assert "at update 7" in str(history.failure.values)
        weights = result["weights"].to_dataset().recurrent_weights
        assert np.isfinite(weights[:3]).all()
        assert np.isnan(weights[3:]).all()


def test_checkpoints_keep_to_their_interval(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    with pytest.raises(KeyboardInterrupt):
        bn.train(model("noisy"), TASK, **SETTINGS, checkpoint=path, checkpoint_seconds=1e6, callbacks=[BreakOff(8)])
    assert not path.exists()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[xr.DataTree, bytes]:
    """What a training gives, and its last checkpoint."""
    path = tmp_path_factory.mktemp("whole") / "c.npz"
    return bn.train(model("noisy"), TASK, **SETTINGS, checkpoint=path), path.read_bytes()


@pytest.mark.parametrize("n_flips", [8, pytest.param(60, marks=pytest.mark.nightly)])
def test_a_damaged_checkpoint_is_noticed(tmp_path: Path, n_flips: int, whole: tuple[xr.DataTree, bytes]) -> None:
    path, (expected, content), again = tmp_path / "c.npz", whole, model("noisy")
    rng, messages = np.random.default_rng(0), []
    encrypted = content.index(b"PK\x01\x02") + 8  # the flag that says so
    for place in [encrypted, *rng.integers(len(content), size=n_flips)]:
        damaged = bytearray(content)
        damaged[place] ^= 1 if place == encrypted else 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            found = bn.train(again, TASK, **SETTINGS, checkpoint=path)
        except CheckpointError as error:
            messages.append(str(error))
        else:
            assert_same_results(found, expected)  # a byte that means nothing
            again = model("noisy")
    assert len(messages) > 2 * n_flips // 3
    assert all(str(path) in message and "\n" not in message for message in messages)
    for cut in (0, 10, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:cut])
        with pytest.raises(CheckpointError, match=r"expected a whole checkpoint, got: .*; remove it to begin anew"):
            bn.train(again, TASK, **SETTINGS, checkpoint=path)


def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path, whole: tuple[xr.DataTree, bytes]) -> None:
    path = tmp_path / "c.npz"
    path.write_bytes(whole[1])
    with pytest.raises(CheckpointError, match=r'"seed": 6.*, got one with .*"seed": 5.*; remove it'):
        bn.train(model("noisy"), TASK, **{**SETTINGS, "seed": 6}, checkpoint=path)
    # Another network of the same shapes: its wiring, its time constants.
    for others in ({"tau": 4.0}, {"density": 0.7}):
        wiring = bn.Connectivity(6, excitatory_fraction=0.5, density=others.get("density", 0.8), autapses=False, seed=2)
        other = build_model(wiring, TASK.n_inputs, TASK.n_outputs, **{**MODELS["noisy"], "tau": others.get("tau", 3.0)})
        with pytest.raises(CheckpointError, match=r'"network": '):
            bn.train(other, TASK, **SETTINGS, checkpoint=path)


def test_a_training_that_was_over_stays_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the checkpoint at which it reached its criterion, and before the last one."""
    settings = {**SETTINGS, "criterion": 0.0, "checkpoint": tmp_path / "c.npz", "checkpoint_seconds": 0}
    monkeypatch.setattr("biornn.training.checkpoint.Checkpoint.on_train_end", lambda self, logs=None: None)
    expected, found = (bn.train(model("noisy"), TASK, **settings) for _ in range(2))
    assert expected["history"].status == "criterion_reached"
    assert_same_results(found, expected)


@pytest.mark.nightly
def test_a_full_disk_costs_the_checkpoint_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Any, **arrays: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    expected = bn.train(model("noisy"), TASK, **SETTINGS)
    monkeypatch.setattr(np, "savez", full)
    found = bn.train(model("noisy"), TASK, **SETTINGS, checkpoint=tmp_path / "c.npz", checkpoint_seconds=0)
    assert_same_results(found, expected)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected a file in a folder that exists, got .*; make .* first"):
        bn.train(model("noisy"), TASK, **SETTINGS, checkpoint=tmp_path / "none" / "c.npz")


def test_impossible_intervals_are_refused() -> None:
    for seconds in (-1, float("inf"), "1"):
        with pytest.raises(ValueError, match="checkpoint_seconds: expected a time of at least 0 s"):
            bn.train(model("noisy"), TASK, **SETTINGS, checkpoint_seconds=seconds)
