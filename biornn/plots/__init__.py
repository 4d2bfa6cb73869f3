"""Labelled data in, Axes out: figures that are legible at the width of a journal's column.

Every function draws into `ax`, or into a new figure of one column's width (85 mm), and returns the Axes. None shows or
saves anything.
"""

from biornn.plots.activity import activity
from biornn.plots.connectivity import connectivity
from biornn.plots.eigenspectrum import eigenspectrum
from biornn.plots.learning_curves import learning_curves
from biornn.plots.memory_states import memory_states
from biornn.plots.trial import trial

__all__ = ["activity", "connectivity", "eigenspectrum", "learning_curves", "memory_states", "trial"]
