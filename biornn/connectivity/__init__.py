"""What the wiring of a network may be: cell types, masks, signs, initial weights. numpy only."""

from biornn.connectivity.connectivity import Connectivity
from biornn.connectivity.pathway import Pathway

__all__ = ["Connectivity", "Pathway"]
