"""Labelled data in, Axes out: figures that are legible at the width of a journal's column.

A function of one plot draws into `ax`, or into a new figure of one column's width (85 mm), and returns the Axes. Those
of several panels (`connectivity_and_spectrum`, `cubes`, `spectra`, `state_test`, `training_samples`) make a Figure and
return it. None shows or saves anything.
"""

from biornn.plots.activity import activity
from biornn.plots.connectivity import connectivity
from biornn.plots.connectivity_and_spectrum import connectivity_and_spectrum
from biornn.plots.cubes import cube_overlay, cubes
from biornn.plots.eigenspectrum import eigenspectrum
from biornn.plots.learning_curves import learning_curves
from biornn.plots.memory_states import memory_states
from biornn.plots.spectra import spectra
from biornn.plots.state_test import state_test
from biornn.plots.training_samples import training_samples
from biornn.plots.trial import trial

__all__ = [
    "activity",
    "connectivity",
    "connectivity_and_spectrum",
    "cube_overlay",
    "cubes",
    "eigenspectrum",
    "learning_curves",
    "memory_states",
    "spectra",
    "state_test",
    "training_samples",
    "trial",
]
