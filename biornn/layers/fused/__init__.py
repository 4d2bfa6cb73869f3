"""All steps of a constrained recurrent layer at once, in numpy, and their border to the frameworks."""

from biornn.layers.fused.activations import ACTIVATIONS
from biornn.layers.fused.border import fused_steps, runs_on_cpu
from biornn.layers.fused.steps import FusedSteps

__all__ = ["ACTIVATIONS", "FusedSteps", "fused_steps", "runs_on_cpu"]
