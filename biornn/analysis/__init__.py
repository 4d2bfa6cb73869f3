"""Labelled arrays in, labelled arrays out: what a network does, in numbers.

Every function takes the arrays of a run as they stand in the store. Dims that a function does not name, such as
`network` and `snapshot`, broadcast. A network that diverged is NaN in the store, and is NaN in every result.
"""

from biornn.analysis.audit import audit
from biornn.analysis.basins import basins
from biornn.analysis.cell_types import by_cell_type
from biornn.analysis.chronometric import chronometric
from biornn.analysis.comparison import compare
from biornn.analysis.confusion import confusion
from biornn.analysis.cube_alignment import align_cubes, align_scores
from biornn.analysis.currents import currents, currents_by_type, ei_balance
from biornn.analysis.decode import decode
from biornn.analysis.edge_table import edge_table
from biornn.analysis.eigenmodes import dominant_eigenvalue, eigenmodes
from biornn.analysis.eigenvalue_paths import eigenvalue_paths, escape_update, n_outside
from biornn.analysis.evaluate import evaluate
from biornn.analysis.factorial import factorial_effects
from biornn.analysis.fixed_points import fixed_points
from biornn.analysis.graph import to_networkx
from biornn.analysis.holm import holm
from biornn.analysis.lesions import lesion_robustness
from biornn.analysis.linearise import linearise
from biornn.analysis.matched_null import compare_with_null, matched_random_weights
from biornn.analysis.memory_attractors import memory_attractors
from biornn.analysis.memory_cube import memory_cube
from biornn.analysis.noise_robustness import input_noise_robustness, recurrent_noise_robustness
from biornn.analysis.orthogonality import distance_from_initial, distance_from_orthogonal
from biornn.analysis.performance import performance
from biornn.analysis.pooled import pooled
from biornn.analysis.population import participation_ratio, principal_components, singular_components
from biornn.analysis.production import production
from biornn.analysis.psychometric import psychometric, psychometric_curve, psychometrics
from biornn.analysis.random_matrix_theory import bulk_and_outliers, predicted_spectrum
from biornn.analysis.retention import retention
from biornn.analysis.selectivity import selectivity
from biornn.analysis.similarity import similarity
from biornn.analysis.similarity_test import similarity_test
from biornn.analysis.simulate import simulate
from biornn.analysis.singular_values import singular_value_entropy
from biornn.analysis.slow_manifolds import slow_manifolds
from biornn.analysis.spectrum import eigenspectrum, nonnormality, spectral_radius
from biornn.analysis.state_scores import state_scores
from biornn.analysis.time_to_criterion import time_to_criterion
from biornn.analysis.tuning import tuning
from biornn.analysis.weight_distribution import weight_distribution

__all__ = [
    "align_cubes",
    "align_scores",
    "audit",
    "basins",
    "bulk_and_outliers",
    "by_cell_type",
    "chronometric",
    "compare",
    "compare_with_null",
    "confusion",
    "currents",
    "currents_by_type",
    "decode",
    "distance_from_initial",
    "distance_from_orthogonal",
    "dominant_eigenvalue",
    "edge_table",
    "ei_balance",
    "eigenmodes",
    "eigenspectrum",
    "eigenvalue_paths",
    "escape_update",
    "evaluate",
    "factorial_effects",
    "fixed_points",
    "holm",
    "input_noise_robustness",
    "lesion_robustness",
    "linearise",
    "matched_random_weights",
    "memory_attractors",
    "memory_cube",
    "n_outside",
    "nonnormality",
    "participation_ratio",
    "performance",
    "pooled",
    "predicted_spectrum",
    "principal_components",
    "production",
    "psychometric",
    "psychometric_curve",
    "psychometrics",
    "recurrent_noise_robustness",
    "retention",
    "selectivity",
    "similarity",
    "similarity_test",
    "simulate",
    "singular_components",
    "singular_value_entropy",
    "slow_manifolds",
    "spectral_radius",
    "state_scores",
    "time_to_criterion",
    "to_networkx",
    "tuning",
    "weight_distribution",
]
