"""Labelled data in, Axes out: figures that are legible at the width of a journal's column.

A function of one plot draws into `ax`, or into a new figure of one column's width (85 mm), and returns the Axes. Those
of several panels (`connectivity_and_spectrum`, `cubes`, `lesions`, `psychometrics`, `spectra`, `state_test`,
`training_samples`) make a Figure and return it. None shows or saves anything.
"""

from biornn.plots.activity import activity
from biornn.plots.by_condition import by_condition
from biornn.plots.chronometric import chronometric
from biornn.plots.comparison import comparison
from biornn.plots.confusion import confusion
from biornn.plots.connectivity import connectivity
from biornn.plots.connectivity_and_spectrum import connectivity_and_spectrum
from biornn.plots.cross_temporal import cross_temporal
from biornn.plots.cubes import cube_overlay, cubes
from biornn.plots.ei_balance import ei_balance
from biornn.plots.eigenspectrum import eigenspectrum
from biornn.plots.evaluations import evaluations
from biornn.plots.fixed_points import (
    fixed_point_eigenvalues,
    fixed_points,
    fixed_points_in_training,
    slow_manifolds,
)
from biornn.plots.learning_curves import learning_curves
from biornn.plots.memory_states import memory_states
from biornn.plots.production import production
from biornn.plots.psychometric import psychometric, psychometrics
from biornn.plots.robustness import dose_response, lesions
from biornn.plots.selectivity import selectivity
from biornn.plots.similarity import similarity
from biornn.plots.similarity_map import similarity_map
from biornn.plots.spectra import spectra
from biornn.plots.spectrum_and_theory import spectrum_and_theory
from biornn.plots.state_test import state_test
from biornn.plots.time_to_criterion import time_to_criterion
from biornn.plots.training_samples import training_samples
from biornn.plots.trial import trial
from biornn.plots.trial_conditions import trial_conditions
from biornn.plots.weight_distribution import weight_distribution

__all__ = [
    "activity",
    "by_condition",
    "chronometric",
    "comparison",
    "confusion",
    "connectivity",
    "connectivity_and_spectrum",
    "cross_temporal",
    "cube_overlay",
    "cubes",
    "dose_response",
    "ei_balance",
    "eigenspectrum",
    "evaluations",
    "fixed_point_eigenvalues",
    "fixed_points",
    "fixed_points_in_training",
    "learning_curves",
    "lesions",
    "memory_states",
    "production",
    "psychometric",
    "psychometrics",
    "selectivity",
    "similarity",
    "similarity_map",
    "slow_manifolds",
    "spectra",
    "spectrum_and_theory",
    "state_test",
    "time_to_criterion",
    "training_samples",
    "trial",
    "trial_conditions",
    "weight_distribution",
]
