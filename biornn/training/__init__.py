"""Training of a Keras model on a task, with ``compile``/``fit`` and callbacks, and the recording of its results."""

from biornn.training.record import record
from biornn.training.recording import record_activity, record_constants, record_weights
from biornn.training.stages import Stage
from biornn.training.stream import TrialStream
from biornn.training.train import train

__all__ = ["Stage", "TrialStream", "record", "record_activity", "record_constants", "record_weights", "train"]
