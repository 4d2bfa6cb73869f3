"""The stream of training trials."""

import keras
import numpy as np
import pytest

from biornn.tasks.seeds import generator
from biornn.training import TrialStream

from .tasks import SHORT_FLIP_FLOP, Echo


@pytest.mark.parametrize("task", [SHORT_FLIP_FLOP, Echo()])
def test_a_batch_is_a_function_of_seed_and_index_alone(task):
    forwards, backwards = TrialStream(task, 4, seed=3), TrialStream(task, 4, seed=3)
    expected = [forwards[index] for index in range(5)]
    for index in (4, 2, 0, 1, 3):
        for came, wanted in zip(backwards[index], expected[index], strict=True):
            assert came.shape == (4, task.n_steps if task == Echo() else 24, task.n_inputs)
            assert came.dtype == np.float32
            np.testing.assert_array_equal(came, wanted)


def test_trials_never_repeat_over_batches_seeds_and_validation():
    task = Echo()
    batches = [TrialStream(task, 4, seed)[index][0] for seed in range(10) for index in range(20)]
    batches += [task.arrays(4, generator("validation", seed))[0] for seed in range(10)]
    trials = np.concatenate(batches).reshape(-1, task.n_steps * 2)
    assert len(np.unique(trials, axis=0)) == len(trials) == 4 * (10 * 20 + 10)
    # Nor are two streams shifted or correlated: all pairs of 840 trials, each a vector of ten independent Gaussians
    # whose squared distance has a chi-square law (twice, ten degrees); below 0.05 in 350,000 pairs once in 50 times.
    distance = np.square(trials[:, np.newaxis] - trials).sum(axis=-1)
    assert distance[np.triu_indices(len(trials), 1)].min() > 0.05


def test_what_fit_reads_are_the_batches_of_the_stream():
    stream = TrialStream(Echo(), 3, seed=1)
    read = stream.for_fit()
    batches = read.take(4) if keras.backend.backend() == "tensorflow" else [read[index] for index in range(4)]
    for index, arrays in enumerate(batches):
        for came, wanted in zip(arrays, stream[index], strict=True):
            np.testing.assert_array_equal(came, wanted)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow has pipelines")
def test_no_thread_tunes_the_pipelines():
    """Whoever lets go of one would wait until that thread wakes up, up to a minute."""
    assert TrialStream(Echo(), 3, seed=1).for_fit().options().autotune.enabled is False


def test_the_stream_has_no_end():
    stream = TrialStream(Echo(), 2, seed=0)
    assert stream.num_batches is None
    assert stream[10**9][0].shape == (2, 5, 2)


def test_a_set_is_gone_through_in_passes_of_another_order_each():
    task = Echo()
    stream = TrialStream(task, 4, seed=1, n_trials=10)
    passes = [[stream[3 * number + batch] for batch in range(3)] for number in range(2)]
    assert [len(inputs) for inputs, *_ in passes[0]] == [4, 4, 2]
    whole = [np.concatenate([inputs for inputs, *_ in batches]) for batches in passes]
    assert not np.array_equal(*whole)
    assert {trial.tobytes() for trial in whole[0]} == {trial.tobytes() for trial in whole[1]}
    assert len({trial.tobytes() for trial in whole[0]}) == 10
    # The targets went along: Echo's are its inputs.
    fresh = TrialStream(task, 4, seed=1, n_trials=10)
    for came, wanted in zip(fresh[5], passes[1][2], strict=True):
        np.testing.assert_array_equal(came, wanted)


def test_fit_reads_smaller_last_batches_of_a_set():
    stream = TrialStream(Echo(), 4, seed=1, n_trials=6)
    if keras.backend.backend() == "tensorflow":
        assert [len(inputs) for inputs, *_ in stream.for_fit().take(4)] == [4, 2, 4, 2]
