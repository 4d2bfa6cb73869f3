"""Excitatory and inhibitory currents, and how far they cancel."""

from __future__ import annotations

import biornn as bn
from biornn.report.pictures import Picture, network_panels
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import condition_table, number


def balance(reading: Reading) -> Section | None:
    """Currents over time, and the balance of all networks."""
    picture = mean_currents(reading)
    if picture is None:
        return None
    return Section(
        "balance",
        "Excitation and inhibition",
        (
            "The current into a unit is split by the sign of the weights that it comes through. Where rates take both "
            "signs, as with tanh, a negative rate turns the sign of what it sends: then the split says what weights "
            "do, and not which units excite.",
            picture,
            condition_table(
                reading,
                f"Balance in {reading.watched.name}: median [min, max] over the trained networks of a condition. "
                "Index: 1 where the two currents cancel at every moment, 0 where they never have opposite signs. "
                "Correlation: of excitation with inhibition over time, mean over units.",
                [
                    ("balance index", reading.balance["balance_index"], ".2f"),
                    ("correlation", reading.balance["correlation"], ".2f"),
                ],
            ),
        ),
    )


def mean_currents(reading: Reading) -> Picture | None:
    """Draw the currents over time, a network per condition."""
    names = reading.shown_ungated
    if not names:
        return None
    shown = reading.balance.sel(network=names)
    index = shown["balance_index"]
    return network_panels(
        "ei_balance",
        names,
        lambda network, ax: bn.plots.ei_balance(shown.sel(network=network), ax=ax),
        lambda network: f"balance index {number(index.sel(network=network), '.2f').text}",
        f"Excitatory, inhibitory and net current over {reading.watched.name}, means over units.",
        f"Currents in {reading.watched.name}, means over all units: through positive weights, through negative ones, "
        "and their sum.",
    )
