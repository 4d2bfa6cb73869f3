"""How long memory states survive without input."""

from __future__ import annotations

import biornn as bn
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Section, requires
from biornn.report.tables import condition_table


@requires("held")
def retention(reading: Reading) -> Section | None:
    """Survival of the states of all networks, and the score over time."""
    if reading.retention is None or not reading.run_again:
        return None
    found = reading.retention.where(reading.trained)
    duration = float(found["delay"][-1])
    ends = {
        condition: float(reading.members(found["score"].isel(delay=-1), condition).median())
        for condition in reading.run_again
    }
    told = "; ".join(f"{condition}: {median:.2f}" for condition, median in ends.items())
    return Section(
        "retention",
        "Memory beyond the trained delays",
        (
            "Networks were run again from their stored weights, left without input and without noise in each memory "
            "state. States that are held by fixed points survive for ever; a slow drift shows only after a long time.",
            Picture(
                "retention",
                # From 0 to 1, also where all networks hold everything and their lines are one.
                one_panel(lambda ax: bn.plots.dose_response(found["score"], "delay", ax=ax).set_ylim(-0.03, 1.03), 2.6),
                f"{reading.score_name.capitalize()} over the time without input, a line per condition. Medians after "
                f"{duration:,.0f} ms: {told}.",
                f"{reading.score_name.capitalize()} over the time without input, mean over the states. Line: median of "
                "a condition's networks, band: lowest to highest.",
            ),
            condition_table(
                reading,
                "Median [min, max] over the trained networks of a condition. A state that is never lost counts as "
                f"lost after {duration:,.0f} ms.",
                [
                    (f"states held for {duration:,.0f} ms", found["held"], ".0%"),
                    (
                        "mean time until a state is lost (ms)",
                        found["retention_time"].mean("memory_state", skipna=False),
                        ",.0f",
                    ),
                ],
            ),
        ),
    )
