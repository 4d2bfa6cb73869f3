"""All steps of a constrained recurrent layer and its readout in numpy, as one operation of TensorFlow or PyTorch."""

from biornn.layers.fused.activations import ACTIVATIONS
from biornn.layers.fused.border import fused_outputs, fused_steps, leave_to_readout, runs_on_cpu
from biornn.layers.fused.steps import FusedSteps, Given, Trace

__all__ = [
    "ACTIVATIONS",
    "FusedSteps",
    "Given",
    "Trace",
    "fused_outputs",
    "fused_steps",
    "leave_to_readout",
    "runs_on_cpu",
]
