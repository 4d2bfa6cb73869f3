"""What the wiring of a network may be: cell types, masks, signs, initial weights. No Keras."""

from biornn.connectivity.connectivity import Connectivity
from biornn.connectivity.pathway import Pathway
from biornn.connectivity.positions import distance_dependent
from biornn.connectivity.rewiring import rewired
from biornn.connectivity.small_world import small_world

__all__ = ["Connectivity", "Pathway", "distance_dependent", "rewired", "small_world"]
