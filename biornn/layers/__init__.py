"""Keras layers that keep to a connectivity: a cell, a recurrent layer, a readout, and the model of all three."""

from biornn.layers.cell import ConstrainedRNNCell
from biornn.layers.effective_weights import effective_weights
from biornn.layers.from_run import assign_stored, from_run
from biornn.layers.gated import build_gated_model
from biornn.layers.loss import WeightedSquaredError
from biornn.layers.model import build_model, fused_readout
from biornn.layers.pathway_weights import PathwayConstraint
from biornn.layers.precision import multiply_in_float32
from biornn.layers.readout import Readout
from biornn.layers.recurrent import ConstrainedRNN, fused_inference
from biornn.layers.regularizers import MeanSquare

__all__ = [
    "ConstrainedRNN",
    "ConstrainedRNNCell",
    "MeanSquare",
    "PathwayConstraint",
    "Readout",
    "WeightedSquaredError",
    "assign_stored",
    "build_gated_model",
    "build_model",
    "effective_weights",
    "from_run",
    "fused_inference",
    "fused_readout",
]

multiply_in_float32()
