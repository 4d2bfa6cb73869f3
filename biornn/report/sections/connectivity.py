"""The recurrent weights that training arrived at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import biornn as bn
from biornn.report.pictures import Picture, network_panels
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def connectivity(reading: Reading) -> Section | None:
    """Weight matrices of the networks that stand for their conditions."""
    picture = connectivity_matrices(reading)
    if picture is None:
        return None
    return Section(
        "connectivity",
        "Connectivity",
        (
            "Weights are the effective ones, after every constraint. A row holds what one unit sends to all others: "
            "under Dale's law it has one colour.",
            picture,
            weight_magnitudes(reading),
        ),
    )


def weight_magnitudes(reading: Reading) -> Picture:
    """Draw the distribution of the weights before and after training, a network per condition."""
    names = reading.shown_ungated
    weights = reading.weights[["recurrent_weights", "recurrent_mask", "cell_type"]]
    weights = weights.isel(snapshot=[0, -1]).sel(network=names).load()

    def draw(network: str, ax: Axes) -> None:
        one = weights.sel(network=network)
        bn.plots.weight_distribution(one["recurrent_weights"], one["recurrent_mask"], one["cell_type"], ax=ax)

    size = abs(weights["recurrent_weights"]).where(weights["recurrent_mask"]).median(["unit_pre", "unit_post"])
    return network_panels(
        "weight_distribution",
        names,
        draw,
        lambda network: "median magnitude {:.2g} before and {:.2g} after training".format(*size.sel(network=network)),
        "Distribution of the magnitudes of the recurrent weights on a logarithmic axis.",
        "How large the recurrent weights are, by the cell type of the presynaptic unit: before (dashed) and after "
        "training. A log-normal distribution is a symmetric bell.",
    )


def connectivity_matrices(reading: Reading) -> Picture | None:
    """Recurrent weights after training, a network per condition."""
    names = reading.shown_ungated
    if not names:
        return None
    weights = reading.weights[["recurrent_weights", "cell_type"]].isel(snapshot=-1).sel(network=names).load()

    def draw(network: str, ax: Axes) -> None:
        one = weights.sel(network=network)
        bn.plots.connectivity(one["recurrent_weights"], one["cell_type"], ax=ax)

    existing = (weights["recurrent_weights"] != 0).mean(["unit_pre", "unit_post"])
    positive = (weights["recurrent_weights"] > 0).mean(["unit_pre", "unit_post"])
    share = positive / existing.where(existing > 0)
    return network_panels(
        "connectivity",
        names,
        draw,
        lambda network: (
            f"{float(existing.sel(network=network)):.0%} of the weights are not zero, "
            f"{number(share.sel(network=network), '.0%').text} of these are positive"
        ),
        "Matrices of recurrent weights after training.",
        "Recurrent weights after training, a row per presynaptic and a column per postsynaptic unit, sorted by cell "
        "type. Red is positive, blue is negative.",
    )
