"""What single units tell of the bits that a network holds."""

from __future__ import annotations

import xarray as xr

import biornn as bn
from biornn.report.pictures import Picture, network_panels
from biornn.report.reading import Reading
from biornn.report.section import Section, requires
from biornn.report.tables import condition_table, number


@requires("memory_state")
def selectivity(reading: Reading) -> Section | None:
    """Share of each unit's variance that the bits explain."""
    picture = explained_variance(reading)
    if picture is None or reading.selectivity is None:
        return None
    means = reading.selectivity[["mixed_selectivity", "residual"]].mean("unit")
    return Section(
        "selectivity",
        "Selectivity of units",
        (
            "The variance of a unit's rate in the held-out trials is divided among the bits of the memory, outside of "
            "response windows.",
            picture,
            condition_table(
                reading,
                "Means over units: median [min, max] over the trained networks of a condition. Mixed selectivity is "
                "the number of bits on which a unit depends: 1 for one bit alone. Left within states: share of the "
                "variance that no bit explains.",
                [
                    ("mixed selectivity", means["mixed_selectivity"], ".2f"),
                    ("left within states", means["residual"], ".2f"),
                ],
            ),
        ),
    )


def explained_variance(reading: Reading) -> Picture | None:
    """Draw a bar per unit, a network per condition."""
    names = list(reading.shown.values())
    if not names or reading.selectivity is None:
        return None
    shown: xr.Dataset = reading.selectivity.sel(network=names)
    cell_type = reading.weights["cell_type"]
    mixed = shown["mixed_selectivity"].mean("unit")
    return network_panels(
        "selectivity",
        names,
        lambda name, ax: bn.plots.selectivity(shown.sel(network=name), cell_type=cell_type.sel(network=name), ax=ax),
        lambda name: f"{number(mixed.sel(network=name), '.2f').text} bits",
        "Share of the variance of each unit that each bit of the memory explains, as stacked bars. Mean number of bits "
        "on which a unit depends:",
        "Share of each unit's variance that each bit explains. A bar is a unit, sorted by the bit that explains most.",
    )
