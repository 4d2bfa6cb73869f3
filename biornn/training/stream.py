"""An endless stream of training trials: new ones, or repeated passes through a set."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from biornn.tasks import Task, Trials
from biornn.tasks.seeds import generator
from biornn.tasks.trials import make_arrays


class TrialStream(keras.utils.PyDataset):
    """Batches of trials that never end: batch i is a function of the seed and of i alone.

    With `n_trials` they are passes through a training set of this size in different orders, and the last batch of a
    pass may be smaller; with None, every trial is new. `first` is the batch with which training begins or is resumed.
    """

    def __init__(self, task: Task, batch_size: int, seed: int, n_trials: int | None = None, first: int = 0) -> None:
        super().__init__()
        self.task = task
        self.batch_size = batch_size
        self.seed = seed
        self.n_trials = n_trials
        self.first = first
        self._failure: Exception | None = None
        self._set: Trials | None = None

    @property
    def num_batches(self) -> None:
        """None: the stream has no end."""
        return

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], ...]:
        """Make inputs, targets and loss weights of one batch, (trial, time, channel) each."""
        index += self.first  # Keras counts from 0 when training is resumed
        if self.n_trials is None:
            return tuple(make_arrays(self.task, self.batch_size, generator("training", self.seed, index)))
        if self._set is None:
            self._set = make_arrays(self.task, self.n_trials, generator("training set", self.seed))
        which, batch = divmod(index, -(-self.n_trials // self.batch_size))
        order = generator("order", self.seed, which).permutation(self.n_trials)
        chosen = order[batch * self.batch_size : (batch + 1) * self.batch_size]
        return tuple(array[chosen] for array in self._set)

    def for_fit(self, may_pad: bool = True) -> Any:
        """Return what Keras's ``fit`` reads fastest on this backend: the stream itself, or a pipeline of its batches.

        In TensorFlow, that is faster than Keras's own adapter of a ``PyDataset``. For JAX, batches of other lengths are
        padded where this changes no number: it `may_pad`.
        """
        if keras.backend.backend() == "jax" and may_pad:
            return _OfOneLength(self)
        if keras.backend.backend() != "tensorflow":
            return self
        import tensorflow as tf

        def batch(index: int) -> tuple[NDArray[Any], ...]:
            try:
                return self[int(index)]
            except Exception as error:
                self._failure = error
                raise

        channels = [array.shape[-1] for array in self[0]]
        # The last batch of a pass through a set may be smaller.
        n_trials = self.batch_size if self.n_trials is None else None

        def tensors(index: Any) -> tuple[Any, ...]:
            arrays = tf.numpy_function(batch, [index], [tf.float32] * len(channels))
            # Batches may differ in length, and a length that is not fixed is traced once for all.
            shapes = [(n_trials, None, n_channels) for n_channels in channels]
            return tuple(map(tf.ensure_shape, arrays, shapes))

        # Not from_generator: after it, the whole process returns all freed memory to the system at once.
        return _untuned(tf.data.Dataset.counter().map(tensors).prefetch(2))

    def raise_failure(self) -> None:
        """Raise the error of the task in the pipeline of `for_fit`, if any, in place of TensorFlow's."""
        if self._failure is not None:
            raise self._failure from None


class _OfOneLength(keras.utils.PyDataset):
    """A stream whose batches are padded to few lengths, since JAX compiles the update for each length anew.

    The usual length is that of the first batch of all, so that a training that is resumed pads alike. Longer ones are
    padded by an eighth at most.
    """

    def __init__(self, stream: TrialStream) -> None:
        super().__init__()
        self._stream = stream
        self._usual = stream[-stream.first][0].shape[1]

    @property
    def num_batches(self) -> None:
        """None: the stream has no end."""
        return

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], ...]:
        """Make one batch."""
        arrays = self._stream[index]
        length = arrays[0].shape[1]
        if length > self._usual:
            grain = 2 ** max(length.bit_length() - 4, 0)
            padded = -(-length // grain) * grain
        else:
            padded = self._usual
        return tuple(np.pad(array, ((0, 0), (0, padded - length), (0, 0))) for array in arrays)


def _untuned(dataset: Any) -> Any:
    """Switch off the thread that tunes a pipeline of TensorFlow: here it has nothing to tune.

    It sleeps for up to a minute, and deleting the pipeline may wait for it: garbage collection has stopped the training
    of a later network for 15 s.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
